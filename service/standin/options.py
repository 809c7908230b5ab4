"""How a stand-in is set up."""

from dataclasses import dataclass, field
from pathlib import Path

from service.gateways.coverage import Kind


@dataclass(frozen=True, slots=True)
class Options:
    """One stand-in: whom it plays, for whom it works, and how fast."""

    gateway: Kind
    data_dir: Path
    callback_url: str = ""
    """Where callbacks go; without one there are none."""
    key: str = field(default="xnd_development_standin", repr=False)
    """The secret key, or the creator's."""
    approver_key: str = field(default="IRIS-approver-standin", repr=False)
    callback_secret: str = field(default="standin-callbacks", repr=False)
    """The callback token, or the merchant key."""
    settle_after_s: float = 2.0
    """From acceptance to the end, on the stand-in's clock."""
    float_idr: int = 10_000_000
    """What the account holds when its data folder is new."""
    fee_idr: int = 2_500
    vat_permille: int = 110
    hold_s: float = 30.0
    """How long an answer is held back that is never to arrive."""
    callback_tries: int = 10
