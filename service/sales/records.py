"""Sales that were made, and the lots that went with them."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, literal, tuple_
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


async def count_lots(session: AsyncSession, sale: Sale) -> int:
    """How many lots went with a sale, whole or in part."""
    query = select(func.count()).where(LotSale.bank_id == sale.bank_id, LotSale.sale_id == sale.id)
    return (await session.exec(query)).one()


async def lots_of(
    session: AsyncSession, sale: Sale, *, after: UUID | None, limit: int
) -> list[LotSold]:
    """The lots that went with a sale, first in first; those after one of them."""
    query = (
        select(Lot, LotSale)
        .join(LotSale, (col(LotSale.bank_id) == Lot.bank_id) & (col(LotSale.lot_id) == Lot.id))
        .where(LotSale.bank_id == sale.bank_id, LotSale.sale_id == sale.id)
        .order_by(col(Lot.weighed_at), col(Lot.id))
        .limit(limit)
    )
    if after is not None:
        weighed_at = select(Lot.weighed_at).where(Lot.bank_id == sale.bank_id, Lot.id == after)
        behind = tuple_(weighed_at.scalar_subquery(), literal(after))
        query = query.where(tuple_(col(Lot.weighed_at), col(Lot.id)) > behind)
    return [LotSold(lot, part) for lot, part in await session.exec(query)]
