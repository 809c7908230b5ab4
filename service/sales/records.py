"""Sales that were made, and the lots that went with them."""

from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.sale import Lot, LotSale, Sale
from service.errors import NoSuchThing


class LotSold(NamedTuple):
    """A lot, and what of it went with a sale."""

    lot: Lot
    part: LotSale


async def find_sale(session: AsyncSession, bank_id: UUID, sale_id: UUID) -> Sale:
    """A sale of this bank. Raises NoSuchThing."""
    query = select(Sale).where(Sale.bank_id == bank_id, Sale.id == sale_id)
    sale = (await session.exec(query)).first()
    if sale is None:
        raise NoSuchThing(thing="sale")
    return sale


async def sales_of(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[Sale]:
    """The sales of a bank, newest first."""
    query = select(Sale).where(Sale.bank_id == bank_id).order_by(col(Sale.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Sale.id) < before)
    return list(await session.exec(query))


async def lots_of(session: AsyncSession, sale: Sale) -> list[LotSold]:
    """The lots that went with a sale, first in first."""
    query = (
        select(Lot, LotSale)
        .join(LotSale, (col(LotSale.bank_id) == Lot.bank_id) & (col(LotSale.lot_id) == Lot.id))
        .where(LotSale.bank_id == sale.bank_id, LotSale.sale_id == sale.id)
        .order_by(col(Lot.weighed_at), col(Lot.id))
    )
    return [LotSold(lot, part) for lot, part in await session.exec(query)]
