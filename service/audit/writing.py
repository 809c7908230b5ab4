"""Entries are written in the transaction of the act: both happen or neither does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import OwnEntry
from models.base import new_id, utc_now
from service.ledger.posting import for_sqlite

_COLUMNS = {
    "bank_id": "uuid",
    "id": "uuid",
    "at": "timestamptz",
    "act": "text",
    "status": "integer",
    "actor_id": "uuid",
    "on_behalf_of": "uuid",
    "card_id": "uuid",
    "about_kind": "text",
    "about": "text",
    "address": "text",
    "device_id": "uuid",
}
# Whose data it is, of things that know; looked up by the statement that writes the entry.
_OF_A_RESIDENT = ("pickup", "payout", "dropoff")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of an act. `about` is an id, a day or a name; `address` a network.

    `person_id`, whose data it is, may be left out for a pickup, drop-off or payout.
    """

    act: str
    status: int = 200
    actor_id: UUID | None = None
    on_behalf_of: UUID | None = None
    card_id: UUID | None = None
    about_kind: str = ""
    about: str = ""
    person_id: UUID | None = None
    address: str = ""
    device_id: UUID | None = None


async def write(session: AsyncSession, bank_id: UUID, entries: Sequence[Entry]) -> None:
    """Write entries of a bank, on the page that is open in its book."""
    connection = await session.connection()
    written_by = for_postgresql if connection.dialect.name == "postgresql" else _for_sqlite
    written = (written_by(bank_id, entry) for entry in entries)
    for statement, rows in groupby(written, itemgetter(0)):
        await connection.exec_driver_sql(statement, [values for _, values in rows])


async def by_system(
    session: AsyncSession,
    bank_id: UUID,
    act: str,
    *,
    about_kind: str,
    about: str,
    person_id: UUID | None = None,
) -> None:
    """Note what somebody did at the command line, where nobody is signed in."""
    entry = Entry(act, about_kind=about_kind, about=about, person_id=person_id)
    await write(session, bank_id, [entry])


async def note_own(
    session: AsyncSession, person_id: UUID, act: str, *, address: str, device_id: UUID | None
) -> None:
    """Note what somebody did with their own account."""
    connection = await session.connection()
    row = {"person_id": person_id, "id": new_id(), "at": utc_now(), "act": act}
    await connection.execute(insert(OwnEntry), [row | {"address": address, "device_id": device_id}])


def for_postgresql(bank_id: UUID, entry: Entry, source: str = "") -> tuple[str, tuple[Any, ...]]:
    """The statement that writes an entry, and its values; `source` says whether it is to."""
    row = _row(bank_id, entry)
    values = tuple(row[name] for name in _COLUMNS)
    of_person = (entry.person_id, *_whose(bank_id, entry))
    return _postgresql(_table_of(entry), source), (*values, *of_person)


def _for_sqlite(bank_id: UUID, entry: Entry) -> tuple[str, tuple[Any, ...]]:
    values = for_sqlite(_row(bank_id, entry), _COLUMNS)
    of_person = [entry.person_id, *_whose(bank_id, entry), bank_id]
    return _sqlite(_table_of(entry)), (*values, *(one.hex if one else None for one in of_person))


def _row(bank_id: UUID, entry: Entry) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "at": utc_now(),
        "act": entry.act,
        "status": entry.status,
        "actor_id": entry.actor_id,
        "on_behalf_of": entry.on_behalf_of,
        "card_id": entry.card_id,
        "about_kind": entry.about_kind,
        "about": entry.about,
        "address": entry.address,
        "device_id": entry.device_id,
    }


def _table_of(entry: Entry) -> str:
    """Where it stands whose thing it is; nowhere, if that is known or nobody's."""
    is_known = entry.person_id is not None or not entry.about
    return entry.about_kind if entry.about_kind in _OF_A_RESIDENT and not is_known else ""


def _whose(bank_id: UUID, entry: Entry) -> tuple[UUID, ...]:
    return (bank_id, UUID(entry.about)) if _table_of(entry) else ()


@lru_cache
def _postgresql(table: str, source: str) -> str:
    # In a SELECT nothing says what a value is to be.
    values = ", ".join(f"CAST(%s AS {of})" for of in _COLUMNS.values())
    whose = f"coalesce(CAST(%s AS uuid), {_resident_of(table, '%s')})"
    # The page is the trigger's to say.
    return f"""
INSERT INTO audit_entry (page, {", ".join(_COLUMNS)}, person_id)
SELECT 0, {values}, {whose} {source}"""


@lru_cache
def _sqlite(table: str) -> str:
    values = ", ".join("?" for _ in _COLUMNS)
    return f"""
INSERT INTO audit_entry (page, {", ".join(_COLUMNS)}, person_id)
SELECT max(number), {values}, coalesce(?, {_resident_of(table, "?")})
  FROM ledger_page WHERE bank_id = ?"""


def _resident_of(table: str, mark: str) -> str:
    if not table:
        return "NULL"
    return f"(SELECT x.resident_id FROM {table} x WHERE x.bank_id = {mark} AND x.id = {mark})"
