"""A bank that pays through a stand-in which takes everything and ends nothing by itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from sqlmodel import col, func, select

from models.payout import Payout, PayoutStatus
from service.database import Database, open_database
from service.gateways.opening import Gateways, open_gateways
from service.payouts import upkeep
from service.standin.options import Options
from tests import factories
from tests.chaos.branch import ORDINARY, Branch, make_branch

TOKEN = "callbacks-of-the-bench"  # noqa: S105  No secret: it is made here.
_RESIDENTS = 200
_YEAR_S = 365 * 86_400.0


class Payer:
    """The bank, its database, and how far its payouts are."""

    def __init__(self, database: Database, branch: Branch, gateways: Gateways, file: Path) -> None:
        self.database = database
        self.gateways = gateways
        self.settings: Mapping[str, str] = {"JUMPA_GATEWAYS": str(file)}
        self._branch = branch

    async def approved(self, count: int) -> None:
        """So many more payouts that are to be sent."""
        chance = random.Random(count)
        for _ in range(count):
            await self._branch.ask(chance)

    async def count(self, *statuses: PayoutStatus) -> int:
        query = select(func.count()).where(
            Payout.bank_id == self._branch.bank_id, col(Payout.status).in_(statuses)
        )
        async with self.database.reading() as session:
            return (await session.exec(query)).one()

    async def sent(self) -> list[Payout]:
        """Those that the gateway has taken."""
        found = await self._branch.payouts()
        return [one for one in found if one.status == PayoutStatus.SENT]

    async def status(self, payout: Payout) -> str:
        query = select(Payout.status).where(
            Payout.bank_id == payout.bank_id, Payout.id == payout.id
        )
        async with self.database.reading() as session:
            return (await session.exec(query)).one()


@asynccontextmanager
async def open_payer(url: str, folder: Path) -> AsyncIterator[Payer]:
    """The bank and its stand-in, which ends with the block."""
    database = open_database(url)
    async with database.transaction() as session:
        await factories.load_materials(session)
    options = Options(
        gateway="xendit",
        data_dir=folder / "xendit",
        callback_secret=TOKEN,
        settle_after_s=_YEAR_S,
        float_idr=10**11,
    )
    branch = await make_branch(
        database, options, residents=_RESIDENTS, chance=random.Random(1), ends={ORDINARY: 1}
    )
    file = folder / "gateways.toml"
    await asyncio.to_thread(file.write_text, branch.table(branch.house.port, 60))
    gateways = open_gateways(file)
    await branch.house.start()
    try:
        await upkeep.refresh_channels(database, gateways)
        yield Payer(database, branch, gateways, file)
    finally:
        await gateways.close()
        await branch.house.close()
        await database.close()
