"""Counting the store: what lies in it and whose it is, against what the ledger says."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Subquery, and_, exists, func, literal, union_all
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Account, Balance
from models.sale import Lot
from models.stock import StockCount
from service import ledger, lots
from service.ledger import Draft, Movement, chart
from service.ledger.chart import STOCK, grams_of
from service.observing.masking import without_numbers
from service.sales import store


class Stored(NamedTuple):
    """What the ledger says lies in the store of one material, in grams."""

    material: str
    grams: int
    residents_grams: int
    """Of these, what residents wait to see sold; the rest is the bank's own."""
    counted: StockCount | None

    @property
    def own_grams(self) -> int:
        return self.grams - self.residents_grams


@dataclass(frozen=True, slots=True)
class StockFound:
    """Grams of one material that somebody found in the store."""

    bank_id: UUID
    material: str
    counted_grams: int
    note: str
    counted_by: UUID


async def stock_of(session: AsyncSession, bank_id: UUID) -> list[Stored]:
    """Every material that is in the store or was ever counted there, by its code."""
    counted = await _last_counts(session, bank_id)
    there = _there(bank_id)
    query = select_columns(
        there.c.material, func.sum(there.c.grams), func.sum(there.c.residents_grams)
    ).group_by(there.c.material)
    connection = await session.connection()
    found = {row[0]: (int(row[1]), int(row[2])) for row in await connection.execute(query)}
    return [
        Stored(material, *found.get(material, (0, 0)), counted.get(material))
        for material in sorted(found.keys() | counted.keys())
        if material in counted or any(found[material])
    ]


async def count_stock(session: AsyncSession, found: StockFound) -> StockCount:
    """Note a count, and post what it differs by to the material's differences of stock.

    Nobody else writes in the book meanwhile. Raises UnknownMaterial, GoodsOfResidents or
    BookBusy.
    """
    bank_id, material = found.bank_id, found.material
    await store.name_of(session, material)
    # Before the book, as everybody who sells; what isn't kept for anybody comes in without it.
    await lots.alone_with(session, bank_id, [material])
    await ledger.hold_book(session, bank_id)
    room = await lots.room(session, bank_id, [material])
    unsold = room.unsold[material]
    if found.counted_grams < unsold:
        raise store.GoodsOfResidents(grams=unsold).at("/counted_grams")
    noted = StockCount(
        bank_id=bank_id,
        material=material,
        counted_grams=found.counted_grams,
        difference_grams=found.counted_grams - unsold - room.own[material],
        note=without_numbers(found.note),
        counted_by=found.counted_by,
    )
    if noted.difference_grams:
        await _post_difference(session, noted)
    session.add(noted)
    await session.flush()
    return noted


async def _post_difference(session: AsyncSession, noted: StockCount) -> None:
    there, differing = chart.stock(noted.material), chart.stock_difference(noted.material)
    debit, credit = (there, differing) if noted.difference_grams > 0 else (differing, there)
    move = Movement(f"stock_count:{noted.id}", debit, credit, abs(noted.difference_grams))
    draft = Draft(
        "stock_count",
        [move],
        event_at=utc_now(),
        about_id=noted.id,
        actor_id=noted.counted_by,
        memo=noted.note,
    )
    await ledger.post(session, noted.bank_id, draft)


def _there(bank_id: UUID) -> Subquery:
    """Grams in the store, and residents' of them: one statement, so that both are of one moment."""
    material = func.substr(col(Account.unit), len(grams_of("")) + 1)
    in_ledger = (
        select_columns(
            material.label("material"),
            (col(Balance.debits_posted) - col(Balance.credits_posted)).label("grams"),
            literal(0).label("residents_grams"),
        )
        .join_from(
            Account,
            Balance,
            and_(col(Balance.bank_id) == Account.bank_id, col(Balance.account_id) == Account.id),
        )
        .where(col(Account.bank_id) == bank_id, col(Account.code) == STOCK)
    )
    unsold = select_columns(
        col(Lot.material), literal(0), col(Lot.grams) - col(Lot.sold_grams)
    ).where(col(Lot.bank_id) == bank_id, col(Lot.sold_grams) < col(Lot.grams))
    return union_all(in_ledger, unsold).subquery()


async def _last_counts(session: AsyncSession, bank_id: UUID) -> dict[str, StockCount]:
    """The last count of each material that was ever counted."""
    later = aliased(StockCount)
    followed = exists().where(
        col(later.bank_id) == bank_id,
        col(later.material) == StockCount.material,
        col(later.id) > StockCount.id,
    )
    query = select(StockCount).where(StockCount.bank_id == bank_id, ~followed)
    return {one.material: one for one in await session.exec(query)}
