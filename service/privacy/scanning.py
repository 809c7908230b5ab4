"""Looks for people who were deleted in everything that is kept, of whom only hashes are left."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import JSON, Column, Connection, String, Table, cast, select

from models.base import table_of
from models.people import Person
from models.privacy import Deletion, Trace, TraceKind
from models.registry import METADATA
from service.keys import Keys
from service.privacy import finding
from service.privacy.files import asked_since, lines_in
from service.privacy.finding import Finder, by_key, unescaped

_SHORTEST = finding.SHORTEST_NUMBER
_ROWS = 500
# Most digits in a database are those of ids.
_ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
_OURS = frozenset({"alembic_version", "deletion_trace", "material", "district"})


class Left(NamedTuple):
    """Something of a deleted person that is still there, and where; not what it says."""

    where: str
    row: str
    kind: TraceKind
    person_id: UUID


def scan(connection: Connection, keys: Keys, folders: Sequence[Path]) -> Iterator[Left]:
    """Everything of deleted persons in the database and in these folders."""
    finder = _finder(connection, keys)
    if not finder.whose:
        return
    for table in METADATA.sorted_tables:
        if table.name not in _OURS:
            yield from _in_table(connection, table, finder)
    deleted = table_of(Deletion)
    at = {row.person_id: row.at for row in connection.execute(select(deleted))}
    for path, number, line in lines_in([*folders]):
        for kind, person_id in _in_text(finder, line):
            if not asked_since(path, line, at[person_id]):
                yield Left(str(path), f"line {number}", kind, person_id)


def _finder(connection: Connection, keys: Keys) -> Finder:
    """Of those only whose traces lead to nobody who is there: names are shared, phones reused."""
    trace = table_of(Trace)
    rows = connection.execute(select(trace.c.hash, trace.c.kind, trace.c.words, trace.c.person_id))
    traces = {row.hash: row for row in rows}
    digest = by_key(keys)
    for one in _those_there(connection):
        for hashed in digest(one.kind, one.value):
            traces.pop(hashed, None)
    lengths = frozenset(row.words for row in traces.values() if row.kind == TraceKind.NAME)
    return Finder({hashed: row.person_id for hashed, row in traces.items()}, lengths, digest)


def _those_there(connection: Connection) -> Iterator[finding.Wanted]:
    person = table_of(Person)
    there = select(person.c.phone, person.c.name).where(person.c.deleted_at.is_(None))
    for row in connection.execute(there):
        if row.phone:
            yield finding.phone(row.phone)
        if named := finding.name(row.name):
            yield named


def _in_table(connection: Connection, table: Table, finder: Finder) -> Iterator[Left]:
    columns = [column for column in table.columns if _may_hold_text(column)]
    if not columns:
        return
    keys = list(table.primary_key.columns)
    texts = [cast(column, String) for column in columns]
    rows = connection.execute(select(*keys, *texts).execution_options(yield_per=_ROWS))
    for row in rows:
        for column, text in zip(columns, row[len(keys) :], strict=True):
            for kind, person_id in _in_text(finder, text or ""):
                place = " ".join(str(key) for key in row[: len(keys)])
                yield Left(f"{table.name}.{column.name}", place, kind, person_id)


def _may_hold_text(column: Column[object]) -> bool:
    if isinstance(column.type, JSON):
        return True
    kind = getattr(column.type, "impl_instance", column.type)
    return isinstance(kind, String) and (kind.length is None or kind.length >= _SHORTEST)


def _in_text(finder: Finder, text: str) -> set[tuple[TraceKind, UUID]]:
    if len(text) < _SHORTEST:
        return set()
    plain = unescaped(_ID.sub("|", text))
    return {(found.kind, found.person_id) for found in finder.find(plain)}
