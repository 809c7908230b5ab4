"""Whose goods were sold: how many residents stand behind what left the store."""

from datetime import date
from uuid import UUID

from sqlalchemy import CTE, and_, case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Journal, Page
from models.sale import Lot, LotSale, Sale


async def sellers(session: AsyncSession, bank_id: UUID, first: date, last: date) -> dict[str, int]:
    """How many residents' goods were sold, by material; one of nobody's goods is left out.

    Of days of business, from the first to the last. Nobody stands behind what was sold and
    taken back within them, for it is in no figure of theirs. Where a sale of before them was
    taken back, it counts as one person: less that sale, a figure that was told before says what
    the others of that time sold, however few they were.
    """
    moved = _moved(bank_id, first, last)
    of_sale = and_(col(LotSale.bank_id) == moved.c.bank_id, col(LotSale.sale_id) == moved.c.id)
    query = (
        select(
            moved.c.material,
            func.count(func.distinct(col(Lot.resident_id))).label("people"),
            func.min(moved.c.times).label("times"),
        )
        .join_from(moved, LotSale, of_sale)
        .join(Lot, and_(col(Lot.bank_id) == LotSale.bank_id, col(Lot.id) == LotSale.lot_id))
        .group_by(moved.c.material)
    )
    connection = await session.connection()
    return {
        row.material: row.people if row.times > 0 else 1 for row in await connection.execute(query)
    }


def _moved(bank_id: UUID, first: date, last: date) -> CTE:
    """The sales that count in these days: once if made in them, -1 times if only taken back."""
    times = func.sum(case((col(Journal.reverses_id).is_(None), 1), else_=-1))
    return (
        select(col(Sale.bank_id), col(Sale.id), col(Sale.material), times.label("times"))
        .join(
            Journal,
            and_(col(Journal.bank_id) == Sale.bank_id, col(Journal.about_id) == Sale.id),
        )
        .join(Page, and_(col(Page.bank_id) == Journal.bank_id, col(Page.number) == Journal.page))
        .where(col(Sale.bank_id) == bank_id, col(Page.day).between(first, last))
        .group_by(col(Sale.bank_id), col(Sale.id), col(Sale.material))
        .having(times != 0)
        .cte("moved")
    )
