"""Prices are entered: they begin at an instant and never change afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.material import Material
from models.price import Price
from service.errors import Conflict
from service.prices import unusual
from service.prices.book import NewPrice, UnknownMaterial, at_line

GRACE = timedelta(minutes=5)
"""A clock of the sender may be so far behind."""


class PastPrice(Conflict):
    english = "A price can only begin now or later; the past is never changed."
    indonesian = "Harga hanya dapat berlaku mulai sekarang; harga yang lalu tidak diubah."


class PriceExists(Conflict):
    english = "There is already a price that begins at this very instant."
    indonesian = "Sudah ada harga yang mulai berlaku pada saat yang sama."


async def add(
    session: AsyncSession,
    bank_id: UUID,
    new: Sequence[NewPrice],
    *,
    entered_by: UUID | None,
    unusual_confirmed: bool,
) -> None:
    """Enter prices, all or none.

    Raises UnknownMaterial, PastPrice, PriceExists or UnusualPrice.
    """
    await _check_materials(session, new)
    now = utc_now()
    past = [line for line, price in enumerate(new) if price.valid_from < now - GRACE]
    if past:
        raise PastPrice(*(at_line(f"/items/{line}/valid_from", PastPrice) for line in past))
    await _check_free(session, bank_id, new)
    # A clock that is behind must not look at the prices of before.
    new = [replace(price, valid_from=max(price.valid_from, now)) for price in new]
    book = await unusual.book_of(session, bank_id, {price.material for price in new})
    unusual.check_usual(unusual.changes_of(new, book), confirmed=unusual_confirmed)
    rows = [
        {
            "bank_id": bank_id,
            "id": new_id(),
            "material": price.material,
            "condition": price.condition,
            "channel": price.channel,
            "price_idr": price.price_idr,
            "valid_from": price.valid_from,
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
        raise PriceExists(*(at_line(f"/items/{line}/valid_from", PriceExists) for line in taken))


async def _check_materials(session: AsyncSession, new: Sequence[NewPrice]) -> None:
    known = set(await session.exec(select(Material.code)))
    unknown = [line for line, price in enumerate(new) if price.material not in known]
    if unknown:
        raise UnknownMaterial(
            *(at_line(f"/items/{line}/material", UnknownMaterial) for line in unknown)
        )
