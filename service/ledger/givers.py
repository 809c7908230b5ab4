"""How many people's waste a figure of the mass balance is about."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.ledger.grams import PREFIX, legs, places

_legs, _places = legs(), places()
_gave = (
    select(_places.c.unit, _places.c.id)
    .join_from(_legs, _places, _places.c.id == _legs.c.account_id)
    .where(_places.c.place == "source")
    .group_by(_places.c.unit, _places.c.id)
    .having(func.sum(_legs.c.grams) < 0)
    .subquery()
)
_GIVERS = select(_gave.c.unit, func.count().label("people")).group_by(_gave.c.unit)


async def givers(session: AsyncSession, bank_id: UUID, first: date, last: date) -> dict[str, int]:
    """How many residents each material came from on days of business, both included.

    Not those who were given back as much as came from them: a weighing that was taken back is in
    no figure.
    """
    connection = await session.connection()
    asked = {"of_bank": bank_id, "first": first, "last": last}
    rows = await connection.execute(_GIVERS, asked)
    return {row.unit.removeprefix(PREFIX): row.people for row in rows}
