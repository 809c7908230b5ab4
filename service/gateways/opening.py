"""The gateways of an installation, each opened when somebody first needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import UUID

from service.gateways import Gateway
from service.gateways.accounts import IrisAccount, XenditAccount, read_accounts


@dataclass
class Opened:
    """One account with its gateway, which is made when somebody first needs it."""

    account: XenditAccount | IrisAccount
    is_open: bool = False

    @cached_property
    def gateway(self) -> Gateway:
        # httpx is slow to import, and most starts pay nobody in their first second.
        import httpx  # noqa: PLC0415

        from service.gateways.iris import IrisGateway  # noqa: PLC0415
        from service.gateways.xendit import XenditGateway  # noqa: PLC0415

        self.is_open = True
        if isinstance(self.account, XenditAccount):
            return XenditGateway(self.account, httpx.AsyncClient())
        return IrisGateway(self.account, httpx.AsyncClient())


@dataclass
class Gateways:
    """The gateways of an installation, in the order of its file."""

    opened: Sequence[Opened] = field(default_factory=list)

    def of(self, bank_id: UUID) -> list[Gateway]:
        """Those that pay for this bank."""
        return [one.gateway for one in self.opened if one.account.pays_for(bank_id)]

    def named(self, name: str) -> Gateway | None:
        """The one of this name, None if there is none."""
        return next((one.gateway for one in self.opened if one.account.name == name), None)

    def is_shared(self, name: str) -> bool:
        """Whether several banks' money lies together at it."""
        return any(one.account.is_shared for one in self.opened if one.account.name == name)

    @property
    def names(self) -> list[str]:
        return [one.account.name for one in self.opened]

    async def close(self) -> None:
        """Let go of every connection."""
        for one in self.opened:
            if one.is_open:
                await one.gateway.close()


def open_gateways(path: Path | None) -> Gateways:
    """The gateways of a file; none without one. Raises GatewaysFileNotReadable."""
    return Gateways([Opened(one) for one in read_accounts(path)] if path else [])
