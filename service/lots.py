"""Lots: a resident's grams in the bank's store, from their weighing to their sale.

They leave the store first in, first out, by when they were weighed. Of no material do they hold
more than the store does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of
from models.sale import Lot, LotSale, Sale
from service import ledger
from service.database import one_at_a_time
from service.ledger import chart

_lot, _part, _sale = table_of(Lot), table_of(LotSale), table_of(Sale)
_INSERT_LOTS = insert(_lot)
_unsold = _lot.c.grams - _lot.c.sold_grams
_QUEUE = (
    select(
        _lot.c.id,
        func.sum(_unsold).over(order_by=(_lot.c.weighed_at, _lot.c.id)).label("with_it"),
        _unsold.label("unsold"),
    )
    .where(
        _lot.c.bank_id == bindparam("of_bank"),
        _lot.c.material == bindparam("of_material"),
        _lot.c.sold_grams < _lot.c.grams,
    )
    .subquery()
)
_FIRST_IN = (
    select(_lot)
    .where(
        _lot.c.bank_id == bindparam("of_bank"),
        _lot.c.id.in_(
            select(_QUEUE.c.id).where(_QUEUE.c.with_it - _QUEUE.c.unsold < bindparam("wanted"))
        ),
    )
    .order_by(_lot.c.weighed_at, _lot.c.id)
    .with_for_update()
)
_UNSOLD_GRAMS = (
    select(_lot.c.material, func.sum(_unsold))
    .where(
        _lot.c.bank_id == bindparam("of_bank"),
        _lot.c.material.in_(bindparam("of_materials", expanding=True)),
        _lot.c.sold_grams < _lot.c.grams,
    )
    .group_by(_lot.c.material)
)
_back = _part.alias()
_PARTS_OF_TAKEN_BACK = (
    select(_part.c.lot_id, _part.c.grams, _sale.c.sold_at, _part.c.taken_back_at)
    .join(_sale, (_sale.c.bank_id == _part.c.bank_id) & (_sale.c.id == _part.c.sale_id))
    .where(
        _part.c.bank_id == bindparam("of_bank"),
        _part.c.lot_id.in_(
            select(_back.c.lot_id).where(
                _back.c.bank_id == bindparam("of_bank"),
                _back.c.lot_id.in_(bindparam("of_lots", expanding=True)),
                _back.c.taken_back_at.is_not(None),
            )
        ),
    )
    .order_by(_sale.c.sold_at, _sale.c.id)
)
_MARK_SOLD = (
    update(_lot)
    .where(_lot.c.bank_id == bindparam("of_bank"), _lot.c.id == bindparam("of_lot"))
    .values(
        sold_grams=_lot.c.sold_grams + bindparam("grams_more"),
        paid_idr=_lot.c.paid_idr + bindparam("paid_more"),
        shared_idr=_lot.c.shared_idr + bindparam("shared_more"),
    )
)

# Less than nothing the database refuses, and the sale is marked once.
_PUT_BACK = (
    update(_lot)
    .where(
        _lot.c.bank_id == bindparam("of_bank"),
        _lot.c.bank_id == _part.c.bank_id,
        _lot.c.id == _part.c.lot_id,
        _part.c.sale_id == bindparam("of_sale"),
    )
    .values(
        sold_grams=_lot.c.sold_grams - _part.c.grams,
        paid_idr=_lot.c.paid_idr - _part.c.amount_idr,
        shared_idr=_lot.c.shared_idr - _part.c.share_idr,
    )
)


@dataclass(frozen=True, slots=True)
class NewLot:
    """Grams that reached the store, at the resident's snapshot price, from one origin."""

    resident_id: UUID
    collector_id: UUID | None
    pickup_id: UUID | None
    dropoff_id: UUID | None
    material: str
    condition: str
    grams: int
    price_idr: int
    grams_per_unit: int
    weighed_at: datetime


class Sold(NamedTuple):
    """Grams of a lot that went with a sale, whether that stands or was taken back."""

    grams: int
    sold_at: datetime
    taken_back_at: datetime | None

    def stood_at(self, instant: datetime) -> bool:
        """Whether it had not been taken back by then."""
        return self.taken_back_at is None or self.taken_back_at > instant


class Taken(NamedTuple):
    """So many grams of a lot, on top of what was sold of it before."""

    lot_id: UUID
    resident_id: UUID
    collector_id: UUID | None
    grams: int
    sold_before: int
    price_idr: int
    grams_per_unit: int
    parts: Sequence[Sold] = ()
    """All that was ever sold of it, first sold first, if any of that was taken back."""


class Room(NamedTuple):
    """Grams in the store by material: residents' in unsold lots, and the bank's own."""

    unsold: Mapping[str, int]
    own: Mapping[str, int]


class Proceeds(NamedTuple):
    """What a sale took of a lot, and brought its resident."""

    lot_id: UUID
    grams: int
    paid_idr: int
    shared_idr: int


async def keep(session: AsyncSession, bank_id: UUID, rows: Sequence[NewLot]) -> None:
    """Keep what reaches the store until it is sold; rows of 0 grams are left out.

    To be called before the grams are posted into the store: a sale at the same time then
    sees both or neither, and the two can't wait for each other.
    """
    await alone_with(session, bank_id, {row.material for row in rows})
    unsold = {"sold_grams": 0, "paid_idr": 0, "shared_idr": 0}
    kept = [
        {"bank_id": bank_id, "id": new_id(), **asdict(row), **unsold} for row in rows if row.grams
    ]
    if kept:
        connection = await session.connection()
        await connection.execute(_INSERT_LOTS, kept)


async def first_in(
    session: AsyncSession, bank_id: UUID, material: str, *, grams: int
) -> list[Taken]:
    """The oldest unsold lots of a material, locked, until so many grams are reached or all are.

    The last one may be taken in part. Nobody else sells of this material until the end of the
    transaction.
    """
    await alone_with(session, bank_id, {material})
    taken: list[Taken] = []
    for lot in await _lock(session, bank_id, material, grams):
        part = min(lot.grams - lot.sold_grams, grams)
        grams -= part
        taken.append(
            Taken(
                lot_id=lot.id,
                resident_id=lot.resident_id,
                collector_id=lot.collector_id,
                grams=part,
                sold_before=lot.sold_grams,
                price_idr=lot.price_idr,
                grams_per_unit=lot.grams_per_unit,
            )
        )
    return await _with_parts(session, bank_id, taken)


async def alone_with(session: AsyncSession, bank_id: UUID, materials: Iterable[str]) -> None:
    """Let nobody else bring or sell of these materials until the end of the transaction."""
    for material in sorted(materials):
        await one_at_a_time(session, f"lots of {material} in {bank_id}")


async def room(session: AsyncSession, bank_id: UUID, materials: Collection[str]) -> Room:
    """Whose the grams in the store are now.

    Nobody else brings or sells of these materials until the end of the transaction.
    """
    await alone_with(session, bank_id, materials)
    connection = await session.connection()
    asked = {"of_bank": bank_id, "of_materials": sorted(materials)}
    # Lots before the store: a correction in between takes from both, and leaves too little.
    rows = await connection.execute(_UNSOLD_GRAMS, asked)
    unsold = dict.fromkeys(materials, 0) | {material: int(grams) for material, grams in rows}
    there = await ledger.balances(session, bank_id, map(chart.stock, materials))
    own = {each: there.get(chart.stock(each), 0) - unsold[each] for each in materials}
    return Room(unsold, own)


async def mark_sold(session: AsyncSession, bank_id: UUID, sold: Iterable[Proceeds]) -> None:
    """Note what went, and what it brought; the database refuses more than a lot holds."""
    rows = [
        {
            "of_bank": bank_id,
            "of_lot": each.lot_id,
            "grams_more": each.grams,
            "paid_more": each.paid_idr,
            "shared_more": each.shared_idr,
        }
        for each in sold
    ]
    if rows:
        connection = await session.connection()
        await connection.execute(_MARK_SOLD, rows)


async def put_back(session: AsyncSession, bank_id: UUID, sale_id: UUID) -> None:
    """Let what went with a sale wait for its buyer again, exactly what it took of each lot.

    What later sales took stays, and so does what it was due.
    """
    connection = await session.connection()
    await connection.execute(_PUT_BACK, {"of_bank": bank_id, "of_sale": sale_id})


async def of_resident(
    session: AsyncSession, bank_id: UUID, resident_id: UUID, *, before: UUID | None, limit: int
) -> list[Lot]:
    """A resident's lots, sold or not, newest first; not those whose weighing was taken back."""
    query = (
        select_rows(Lot)
        .where(Lot.bank_id == bank_id, Lot.resident_id == resident_id, Lot.grams > 0)
        .order_by(col(Lot.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Lot.id) < before)
    return list(await session.exec(query))


async def _with_parts(session: AsyncSession, bank_id: UUID, taken: list[Taken]) -> list[Taken]:
    """The same, with what was sold of those of which something was taken back."""
    begun = [each.lot_id for each in taken if each.sold_before]
    if not begun:
        return taken
    connection = await session.connection()
    asked = {"of_bank": bank_id, "of_lots": begun}
    parts: dict[UUID, list[Sold]] = {}
    for lot_id, *part in await connection.execute(_PARTS_OF_TAKEN_BACK, asked):
        parts.setdefault(lot_id, []).append(Sold(*part))
    return [each._replace(parts=parts.get(each.lot_id, ())) for each in taken]


async def _lock(
    session: AsyncSession, bank_id: UUID, material: str, grams: int
) -> Sequence[Row[Any]]:
    """The lots that so many grams reach into.

    One that was taken back while this waited for it makes room for the next: asked until
    the answer stays the same.
    """
    connection = await session.connection()
    asked = {"of_bank": bank_id, "of_material": material, "wanted": grams}
    seen = None
    while (found := (await connection.execute(_FIRST_IN, asked)).all()) != seen:
        seen = found
    return found
