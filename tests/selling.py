"""What tests of sales begin with: goods in the store, and somebody who buys them."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.correction import Correction
from models.people import Person
from models.sale import Buyer, Sale
from service import corrections, ledger, sales, weighing
from service.database import Database
from service.weighing import Credited, Weighed
from tests.factories import PET, Town, make_town


async def sharing_town(database: Database, **policy: Any) -> Town:
    """A bank that pays for waste once it is sold: 70 % of a gain to residents, 10 % to collectors."""
    return await make_town(database, settlement="bagi_hasil", **policy)


async def bring(
    town: Town, grams: int, *, material: str = PET, resident: Person | None = None
) -> Credited:
    """What a resident brought to the counter, committed."""
    async with town.database.transaction() as session:
        return await bringing(town, grams, material=material, resident=resident)(session)


def bringing(
    town: Town, grams: int, *, material: str = PET, resident: Person | None = None
) -> Callable[[AsyncSession], Awaitable[Credited]]:
    """The act of weighing at the counter what a resident brought."""

    async def act(session: AsyncSession) -> Credited:
        _, credited = await weighing.dropoff(
            session,
            town.bank_id,
            (resident or town.resident).id,
            [Weighed(material, "clean", grams, 0, "")],
            operator_id=town.operator.id,
        )
        return credited

    return act


async def a_buyer(town: Town) -> Buyer:
    """Somebody the town's bank sells to, committed."""
    async with town.database.transaction() as session:
        return await sales.add_buyer(
            session, Buyer(bank_id=town.bank_id, name=f"UD {uuid4().hex[:8]}")
        )


def a_batch(
    town: Town, buyer: Buyer, grams: int, amount_idr: int, *, missing: int = 0
) -> sales.Batch:
    return sales.Batch(
        bank_id=town.bank_id,
        buyer_id=buyer.id,
        material=PET,
        grams=grams,
        amount_idr=amount_idr,
        note="",
        sold_by=town.operator.id,
        missing_grams=missing,
    )


async def sell(town: Town, buyer: Buyer, grams: int, amount_idr: int, *, missing: int = 0) -> Sale:
    """A batch of PET, sold and committed."""
    batch = a_batch(town, buyer, grams, amount_idr, missing=missing)
    async with town.database.transaction() as session:
        return await sales.sell(session, batch)


def taking_back(
    town: Town, about_id: UUID, by: UUID | None = None
) -> Callable[[AsyncSession], Awaitable[Correction]]:
    """The act of correcting a sale, a payment, residue or a weighing, by the treasurer."""

    async def act(session: AsyncSession) -> Correction:
        found = await corrections.find_act(
            session, town.bank_id, journal_id=None, about_id=about_id
        )
        return await corrections.ask(
            session, town.bank_id, found, by=by or town.treasurer.id, reason="salah ketik"
        )

    return act


async def take_back(town: Town, about_id: UUID, by: UUID | None = None) -> None:
    """The same, committed."""
    async with town.database.transaction() as session:
        await taking_back(town, about_id, by)(session)


async def balances(town: Town) -> dict[tuple[str, str], int]:
    """What every account of the town's bank holds, debits less credits; those with nothing left out."""
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
    return {(row.code, row.unit): row.balance for row in rows if row.balance}
