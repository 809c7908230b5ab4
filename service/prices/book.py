"""The price book: prices begin at an instant and never change afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.material import Condition, Material
from models.price import Channel, Price
from service.errors import Conflict, FieldProblem, Malformed

GRACE = timedelta(minutes=5)
"""A clock of the sender may be so far behind."""


class UnknownMaterial(Malformed):
    english = "There is no such material. Look for its code at /v1/materials?q=…"
    indonesian = "Jenis sampah ini tidak dikenal. Cari kodenya di /v1/materials?q=…"


class MaterialNotBought(Conflict):
    english = "This waste bank does not buy this material in this condition."
    indonesian = "Bank sampah ini tidak membeli jenis sampah dengan kondisi ini."


class PastPrice(Conflict):
    english = "A price can only begin now or later; the past is never changed."
    indonesian = "Harga hanya dapat berlaku mulai sekarang; harga yang lalu tidak diubah."


class PriceExists(Conflict):
    english = "There is already a price that begins at this very instant."
    indonesian = "Sudah ada harga yang mulai berlaku pada saat yang sama."


class Quote(NamedTuple):
    """A price with what it is for: rupiah for one unit of so many grams."""

    material: str
    name: str
    unit: str
    grams_per_unit: int
    condition: str
    price_idr: int
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price to be; None ends the buying."""

    material: str
    condition: Condition
    channel: Channel
    price_idr: int | None
    valid_from: datetime


def amount_idr(price_idr: int, grams: int, grams_per_unit: int) -> int:
    """What so many grams are worth, in whole rupiah; half a rupiah rounds up."""
    return (2 * price_idr * grams + grams_per_unit) // (2 * grams_per_unit)


async def in_force(
    session: AsyncSession, bank_id: UUID, channel: Channel, at: datetime
) -> list[Quote]:
    """The price list of a channel at an instant, by material."""
    latest = (
        select(Price.material, Price.condition, func.max(Price.valid_from).label("begun"))
        .where(Price.bank_id == bank_id, Price.channel == channel, col(Price.valid_from) <= at)
        .group_by(col(Price.material), col(Price.condition))
        .subquery()
    )
    query = (
        select(Price, Material)
        .join(Material, col(Material.code) == Price.material)
        .join(
            latest,
            (col(Price.material) == latest.c.material)
            & (col(Price.condition) == latest.c.condition)
            & (col(Price.valid_from) == latest.c.begun),
        )
        .where(
            Price.bank_id == bank_id,
            Price.channel == channel,
            col(Price.price_idr).is_not(None),
        )
        .order_by(col(Price.material), col(Price.condition))
    )
    return [_quote(price, material) for price, material in await session.exec(query)]


async def quotes(
    session: AsyncSession,
    bank_id: UUID,
    channel: Channel,
    at: datetime,
    wanted: Sequence[tuple[str, str]],
    *,
    pointer: str,
) -> list[Quote]:
    """A price for each material and condition, in order, as they were in force at an instant.

    `pointer` is the JSON pointer of the list asked about. Raises UnknownMaterial or
    MaterialNotBought, naming every line at fault.
    """
    codes = {material for material, _ in wanted}
    found = {
        (quote.material, quote.condition): quote
        for quote in await _quotes_of(session, bank_id, channel, at, codes)
    }
    lacking = [line for line, want in enumerate(wanted) if want not in found]
    if lacking:
        await _refuse(session, wanted, lacking, pointer)
    return [found[want] for want in wanted]


async def add(
    session: AsyncSession, bank_id: UUID, new: Sequence[NewPrice], *, entered_by: UUID | None
) -> None:
    """Enter prices, all or none. Raises UnknownMaterial, PastPrice or PriceExists."""
    await _check_materials(session, new)
    now = utc_now()
    past = [line for line, price in enumerate(new) if price.valid_from < now - GRACE]
    if past:
        raise PastPrice(*(_at(f"/items/{line}/valid_from", PastPrice) for line in past))
    await _check_free(session, bank_id, new)
    rows = [
        {
            "bank_id": bank_id,
            "id": new_id(),
            "material": price.material,
            "condition": price.condition,
            "channel": price.channel,
            "price_idr": price.price_idr,
            "valid_from": max(price.valid_from, now),
            "entered_by": entered_by,
            "created_at": now,
        }
        for price in new
    ]
    connection = await session.connection()
    try:
        await connection.execute(insert(Price), rows)
    except IntegrityError as error:
        raise PriceExists from error


async def _check_free(session: AsyncSession, bank_id: UUID, new: Sequence[NewPrice]) -> None:
    """No price begins when another of the same thing does. Raises PriceExists, for each line."""
    query = select_columns(
        col(Price.material), col(Price.condition), col(Price.channel), col(Price.valid_from)
    ).where(
        col(Price.bank_id) == bank_id,
        col(Price.valid_from).in_({price.valid_from for price in new}),
    )
    known = {tuple(row) for row in await (await session.connection()).execute(query)}
    taken = []
    for line, price in enumerate(new):
        begins = (price.material, price.condition, price.channel, price.valid_from)
        if begins in known:
            taken.append(line)
        known.add(begins)
    if taken:
        raise PriceExists(*(_at(f"/items/{line}/valid_from", PriceExists) for line in taken))


def _quote(price: Price, material: Material) -> Quote:
    return Quote(
        material.code,
        material.name,
        material.unit,
        material.grams_per_unit,
        price.condition,
        price.price_idr or 0,
        price.valid_from,
    )


async def _quotes_of(
    session: AsyncSession, bank_id: UUID, channel: Channel, at: datetime, codes: set[str]
) -> list[Quote]:
    """Newest first, so the first of a material and condition is the one in force."""
    query = (
        select_columns(
            col(Price.material),
            col(Material.name),
            col(Material.unit),
            col(Material.grams_per_unit),
            col(Price.condition),
            col(Price.price_idr),
            col(Price.valid_from),
        )
        .join(Material, col(Material.code) == Price.material)
        .where(
            col(Price.bank_id) == bank_id,
            col(Price.channel) == channel,
            col(Price.material).in_(codes),
            col(Price.valid_from) <= at,
        )
        .order_by(col(Price.valid_from))
    )
    connection = await session.connection()
    rows = await connection.execute(query)
    newest = {(row.material, row.condition): row for row in rows}
    return [
        Quote(
            material=row.material,
            name=row.name,
            unit=row.unit,
            grams_per_unit=row.grams_per_unit,
            condition=row.condition,
            price_idr=row.price_idr,
            valid_from=row.valid_from,
        )
        for row in newest.values()
        if row.price_idr is not None
    ]


async def _refuse(
    session: AsyncSession, wanted: Sequence[tuple[str, str]], lacking: list[int], pointer: str
) -> None:
    codes = {wanted[line][0] for line in lacking}
    known = set(await session.exec(select(Material.code).where(col(Material.code).in_(codes))))
    unknown = [line for line in lacking if wanted[line][0] not in known]
    if unknown:
        raise UnknownMaterial(
            *(_at(f"{pointer}/{line}/material", UnknownMaterial) for line in unknown)
        )
    raise MaterialNotBought(
        *(_at(f"{pointer}/{line}/material", MaterialNotBought) for line in lacking)
    )


async def _check_materials(session: AsyncSession, new: Sequence[NewPrice]) -> None:
    known = set(await session.exec(select(Material.code)))
    unknown = [line for line, price in enumerate(new) if price.material not in known]
    if unknown:
        raise UnknownMaterial(
            *(_at(f"/items/{line}/material", UnknownMaterial) for line in unknown)
        )


def _at(pointer: str, problem: type[Malformed] | type[Conflict]) -> FieldProblem:
    return FieldProblem(pointer, problem.english, problem.indonesian)
