"""The price book: what is in force when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.material import Condition, Material
from models.price import Channel, Price
from service.errors import Conflict, FieldProblem, Malformed


class UnknownMaterial(Malformed):
    english = "There is no such material. Look for its code at /v1/materials?q=…"
    indonesian = "Jenis sampah ini tidak dikenal. Cari kodenya di /v1/materials?q=…"


class MaterialNotBought(Conflict):
    english = (
        "This waste bank does not buy this material in this condition. Its price list says what it"
        " buys."
    )
    indonesian = (
        "Bank sampah ini tidak membeli jenis sampah dengan kondisi ini. Yang dibeli ada di daftar"
        " harganya."
    )


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


def at_line(pointer: str, problem: type[Malformed] | type[Conflict]) -> FieldProblem:
    """A problem said of the one line that it is about."""
    return FieldProblem(pointer, problem.english, problem.indonesian)


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
            *(at_line(f"{pointer}/{line}/material", UnknownMaterial) for line in unknown)
        )
    raise MaterialNotBought(
        *(at_line(f"{pointer}/{line}/material", MaterialNotBought) for line in lacking)
    )
