"""Whose goods were sold: how many residents stand behind what left the store."""

from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Journal, Page
from models.sale import Lot, LotSale


async def sellers(session: AsyncSession, bank_id: UUID, first: date, last: date) -> dict[str, int]:
    """How many residents' goods were sold, by material; one of nobody's goods is left out.

    Of days of business, from the first to the last.
    """
    of_sale = and_(
        col(Journal.bank_id) == LotSale.bank_id, col(Journal.about_id) == LotSale.sale_id
    )
    query = (
        select(col(Lot.material), func.count(func.distinct(col(Lot.resident_id))).label("people"))
        .join(LotSale, and_(col(LotSale.bank_id) == Lot.bank_id, col(LotSale.lot_id) == Lot.id))
        .join(Journal, of_sale)
        .join(Page, and_(col(Page.bank_id) == Journal.bank_id, col(Page.number) == Journal.page))
        .where(col(Lot.bank_id) == bank_id, col(Page.day).between(first, last))
        .group_by(col(Lot.material))
    )
    connection = await session.connection()
    return {row.material: row.people for row in await connection.execute(query)}
