"""Sales of the goods of too few residents: what they brought together, and whose goods they were."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import join
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Journal, Page
from models.sale import Lot, LotSale, Sale

_WITH_LOTS = join(
    join(
        Sale,
        LotSale,
        and_(col(LotSale.bank_id) == Sale.bank_id, col(LotSale.sale_id) == Sale.id),
    ),
    Lot,
    and_(col(Lot.bank_id) == LotSale.bank_id, col(Lot.id) == LotSale.lot_id),
)
"""Sales, and the lots that went with them."""


class Brought(NamedTuple):
    """What some sales of one month brought, in rupiah, and of whose goods they were."""

    month: int
    amount_idr: int
    residents: frozenset[UUID]


def of_many(fewest: int) -> ColumnElement[bool]:
    """Whether a sale was of nobody's lots or of those of so many residents."""
    return or_(col(Sale.resident_count) == 0, col(Sale.resident_count) >= fewest)


async def brought_by_months(
    session: AsyncSession, bank_id: UUID, ends: Sequence[datetime], *, fewest: int
) -> list[Brought]:
    """What sales brought until the first of these instants (month 0), from there to the next, …

    A month's sales of nobody's goods or of those of `fewest` residents or more are one sum, of
    which no residents are told. Apart from it is that of the others, with all of theirs.
    """
    if not ends:
        return []
    month = case(*((col(Sale.sold_at) < end, n) for n, end in enumerate(ends))).label("month")
    within = (col(Sale.bank_id) == bank_id, col(Sale.sold_at) < ends[-1])
    connection = await session.connection()
    few = select(month, col(Lot.resident_id)).select_from(_WITH_LOTS)
    few = few.where(*within, ~of_many(fewest)).distinct()
    residents: dict[int, set[UUID]] = defaultdict(set)
    for of_month, resident in await connection.execute(few):
        residents[of_month].add(resident)
    each = select(month, of_many(fewest).label("many"), col(Sale.amount_idr)).where(*within)
    of = each.subquery().c
    sums = select(of.month, of.many, func.sum(of.amount_idr)).group_by(of.month, of.many)
    return [
        Brought(of_month, int(idr), frozenset(() if many else residents[of_month]))
        for of_month, many, idr in await connection.execute(sums)
    ]


async def sellers_of_few(
    session: AsyncSession, bank_id: UUID, first: date, last: date, *, fewest: int
) -> dict[str, int]:
    """How many residents' goods were sold with those of too few others, by material.

    Of days of business, from the first to the last; a material without such a sale is left out.
    """
    people = func.count(func.distinct(col(Lot.resident_id))).label("people")
    query = (
        select(col(Sale.material), people)
        .select_from(_WITH_LOTS)
        .join(Journal, and_(col(Journal.bank_id) == Sale.bank_id, col(Journal.about_id) == Sale.id))
        .join(Page, and_(col(Page.bank_id) == Journal.bank_id, col(Page.number) == Journal.page))
        .where(col(Sale.bank_id) == bank_id, ~of_many(fewest), col(Page.day).between(first, last))
        .group_by(col(Sale.material))
    )
    connection = await session.connection()
    return {row.material: row.people for row in await connection.execute(query)}
