"""Many rows into a table, as fast as each database takes them, within the transaction."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from operator import is_
from typing import Any

from sqlalchemy import Date, Table, Uuid
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import UTCDateTime

_AT_ONCE = 1_000
_NULL = r"\N"
_SPECIAL = ("\\", "\t", "\n", "\r")
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_Columns = Sequence[Iterable[Any]]


async def insert_many(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Write rows of these columns, in their order; an id may be a number as well.

    Raises IntegrityError, as an INSERT does.
    """
    types = [type(table.c[name].type) for name in columns]
    if connection.dialect.name == "postgresql":
        statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
        await _copy(connection, statement, _said(rows, types, _COPIED))
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    for some in _said(rows, types, _STORED):
        await connection.exec_driver_sql(statement, list(zip(*some, strict=True)))
        # SQLite writes on the event loop: others are to be answered in between.
        await asyncio.sleep(0)


def _said(
    rows: Iterable[Sequence[Any]],
    types: Sequence[type[Any]],
    ways: Mapping[type[Any], Callable[[Any], str]],
) -> Iterator[_Columns]:
    """Some rows at a time, by columns, as the database takes them; SQLAlchemy's way costs ten times as much."""
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield _texts(list(zip(*some, strict=True)), [ways.get(of_type) for of_type in types])


def _texts(
    columns: Sequence[Sequence[Any]], ways: Sequence[Callable[[Any], str] | None]
) -> _Columns:
    texts: list[Iterable[Any]] = []
    for at, (values, say) in enumerate(zip(columns, ways, strict=True)):
        if say is None:
            texts.append(values)
        elif at and all(map(is_, values, columns[at - 1])):
            # An instant begins and ends in one, and to say it costs more than all else of a row.
            texts.append(texts[-1])
        else:
            texts.append(_each(values, say))
    return texts


def _each(values: Iterable[Any], say: Callable[[Any], str]) -> list[str | None]:
    """A column's values; what stands in many rows, one below the other, is said once."""
    last: Any = None
    text: str | None = None
    found = []
    for value in values:
        if value is not last:
            text, last = (None if value is None else say(value)), value
        found.append(text)
    return found


def _id(value: Any) -> str:
    return f"{int(value):032x}"


def _instant(value: datetime) -> str:
    text = value.isoformat(" ", "microseconds")
    if text.endswith("+00:00"):
        return text[:-6]
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_STORED: Mapping[type[Any], Callable[[Any], str]] = {
    Uuid: _id,
    UTCDateTime: _instant,
    Date: date.isoformat,
}
_COPIED: Mapping[type[Any], Callable[[Any], str]] = {Uuid: _id, UTCDateTime: datetime.isoformat}


async def _copy(connection: AsyncConnection, statement: str, parts: Iterable[_Columns]) -> None:
    # Only where it is used: a start on SQLite does without.
    import psycopg  # noqa: PLC0415

    raw = (await connection.get_raw_connection()).driver_connection
    try:
        async with raw.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
            for some in parts:
                texts = zip(*map(_copied, some), strict=True)
                await copy.write("".join("\t".join(row) + "\n" for row in texts))
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error


def _copied(values: Iterable[Any]) -> Sequence[str]:
    """A column's values as COPY reads them, which takes a third of what its driver does by the row."""
    texts = [_NULL if value is None else str(value) for value in values]
    together = "".join(texts)
    if any(special in together for special in _SPECIAL):
        return [text if text is _NULL else text.translate(_ESCAPED) for text in texts]
    return texts
