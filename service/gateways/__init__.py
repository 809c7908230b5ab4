"""Payment gateways: the seam that every one of them fits, whatever it calls its things.

A gateway is only ever told what was decided and written down before; nothing here knows
banks, ledgers or databases. Amounts are whole rupiah, phones E.164, channels by our codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Stage(StrEnum):
    """How far a payout is at its gateway, in the words that all gateways share."""

    SENT = "sent"
    """Accepted; the gateway owes an end."""
    PAID = "paid"
    FAILED = "failed"
    """Ended without payment, for certain. Some gateways say this, not REVERSED, of one that was
    paid and came back: for a payout that was PAID, it means REVERSED."""
    CANCELLED = "cancelled"
    REVERSED = "reversed"
    """Paid, and later sent back by the receiving bank."""


@dataclass(frozen=True, slots=True)
class Order:
    """A payout that is to be sent. `key` was written down before the first call."""

    key: str
    """Idempotency key and our reference in one, 1 to 64 letters, digits and hyphens."""
    channel_code: str
    account_number: str = field(repr=False)
    account_holder_name: str = field(repr=False)
    amount_idr: int
    description: str
    gateway_id: str = ""
    """What the gateway calls it, once it has said so: in a Reported, an Unknown or a Notice."""
    first_sent_at: datetime | None = None
    """When send was first called for it, aware; written down before that call. None: never.

    Some gateways forget a key after a while, and would then take the payout a second time:
    they go by this instant, so that it has to stay the same over every later try.
    """
    was_paid: bool = False
    """It was told to be paid before: what fails now has come back."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a gateway says about a payout, for certain."""

    stage: Stage
    gateway_id: str
    failure: str = ""
    """The gateway's own code, of a payout that failed or was refused; else its status.

    `failures` has the words for it.
    """
    try_again: bool = False
    """A documented failure that a new payout, with a new key, may not meet again."""
    float_empty: bool = False
    """It failed for want of money at the gateway: nothing else will go out either."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway took nothing, for certain: it may be sent again, or never will be taken.

    Of this call: an earlier one under the same key, whose answer was lost, may have been taken.
    """

    failure: str
    try_again: bool
    """The same payout under the same key may be taken later."""
    retry_after_s: float | None = None
    float_empty: bool = False
    """There is too little money at the gateway: nothing else will be taken either."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No certain answer: the payout may be under way. Ask, before anything is sent again."""

    why: str
    gateway_id: str = ""
    """What the gateway calls it, if it said so before the answer was lost: keep it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The gateway tells of no such payout.

    That is no proof that none is under way: a call that was cut off may still arrive there, and
    some gateways can't be asked by our key. Nothing is ever given back for it.
    """

    may_send: bool
    """Sending it under its key can't pay twice. If False, a person has to look."""


Answer = Reported | Refused | Unknown
Finding = Reported | Missing | Unknown


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out through a gateway: a bank or a wallet, its limits and its price."""

    code: str
    """Ours, such as BCA or DANA: the same whichever gateway it is."""
    name: str
    is_wallet: bool
    minimum_idr: int
    maximum_idr: int
    fee_idr: int
    """With VAT: what leaves the float beyond the amount."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A callback that was verified and read; a hint, which only ever moves a payout forward."""

    key: str
    """Our reference, empty where the gateway names only its own."""
    gateway_id: str
    amount_idr: int | None
    report: Reported


class NotGenuine(Exception):
    """A callback whose token or signature is wrong."""


class NotReadable(Exception):
    """A callback that is genuine, but in no shape that is documented."""


class Gateway(Protocol):
    """One account at one gateway."""

    name: str
    """As callbacks, statements and the float's account are called."""

    async def channels(self) -> Sequence[Channel]:
        """Where it can pay to, as it says now; never nowhere at all. Raises GatewayNotReached."""

    async def send(self, order: Order) -> Answer:
        """Ask for the payout; the same key never pays twice."""

    async def find(self, order: Order) -> Finding:
        """How far the payout is, by its reference; changes nothing."""

    async def balance_idr(self) -> int:
        """What the float holds there. Raises GatewayNotReached."""

    async def holder_of(self, channel_code: str, account_number: str) -> str | None:
        """Whose account it is, as far as the gateway tells names; None if there is none.

        Raises GatewayNotReached, or NamesNotTold where the gateway has no such service.
        """

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify in constant time, then read. Header names in lower case.

        Raises NotGenuine or NotReadable.
        """

    def read_notice(self, body: bytes) -> Notice:
        """Read a callback that was verified before. Raises NotReadable."""

    async def close(self) -> None:
        """Let go of connections."""


class Gateways(Protocol):
    """Every gateway account of this installation."""

    def of(self, bank_id: UUID) -> Sequence[Gateway]:
        """Those through which a bank pays."""

    def named(self, name: str) -> Gateway | None:
        """The one of this name."""

    def is_shared(self, name: str) -> bool:
        """Whether several banks' money lies together at it."""

    async def close(self) -> None:
        """Let go of connections."""


class GatewayNotReached(Exception):
    """No answer, or none that is documented; its words hold no secret and no person."""


class NamesNotTold(Exception):
    """This gateway doesn't say whose an account is."""
