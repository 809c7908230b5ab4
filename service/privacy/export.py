"""All that is kept of one person, table by table, as models.personal says."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import written
from models.belonging import OWNERS, THROUGH
from models.people import Person
from models.personal import COLUMNS, Fate
from models.registry import METADATA
from service import audit, niks
from service.keys import Keys
from service.privacy.belonging import is_theirs

Row = dict[str, Any]
_NOT_SHOWN = {Fate.HIDDEN, Fate.PSEUDONYM}
"""Hashes, and the ids of others. Whose the rows are, they know."""


async def export(session: AsyncSession, keys: Keys, person: Person) -> dict[str, list[Row]]:
    """The rows of a person in every table that has any, without the ids of others."""
    bank_ids = await audit.banks_of(session, person.id)
    told: dict[str, list[Row]] = {}
    for name in sorted({*OWNERS, *THROUGH}):
        if rows := await _rows(session, name, person.id, bank_ids):
            told[name] = rows
    if nik := niks.of(keys, person):
        told["person"][0]["nik"] = nik
    return told


async def _rows(
    session: AsyncSession, name: str, person_id: UUID, bank_ids: Sequence[UUID]
) -> list[Row]:
    table = METADATA.tables[name]
    query = (
        select(*(table.c[column] for column in columns_shown(name)))
        .where(*is_theirs(name, person_id, bank_ids))
        .order_by(*table.primary_key.columns)
    )
    connection = await session.connection()
    return [
        {key: _plain(value) for key, value in row._mapping.items()}
        for row in await connection.execute(query)
    ]


def columns_shown(name: str) -> list[str]:
    """The columns of a table that a person is told of."""
    return [
        column
        for column, fate in COLUMNS[name].items()
        if fate not in _NOT_SHOWN and column != "nik_sealed"
    ]


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value
