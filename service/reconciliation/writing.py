"""Many rows into a table, as fast as each database takes them, within the transaction."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Date, Table, Uuid
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import UTCDateTime

_AT_ONCE = 1_000


async def insert_many(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Write rows of these columns, in their order. Raises IntegrityError, as an INSERT does."""
    if connection.dialect.name == "postgresql":
        await _copy(connection, table, columns, rows)
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    stored = [_STORED.get(type(table.c[name].type)) for name in columns]
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        await connection.exec_driver_sql(statement, _for_sqlite(some, stored))
        # SQLite writes on the event loop: others are to be answered in between.
        await asyncio.sleep(0)


def _for_sqlite(
    rows: Sequence[Sequence[Any]], stored: Sequence[Callable[[Any], str] | None]
) -> list[tuple[Any, ...]]:
    """Rows as SQLAlchemy would hand them to SQLite's driver, at a tenth of the cost."""
    columns = (
        values if store is None else _each(values, store)
        for values, store in zip(zip(*rows, strict=True), stored, strict=True)
    )
    return list(zip(*columns, strict=True))


def _each(values: Iterable[Any], store: Callable[[Any], str]) -> list[str | None]:
    """A column's values; what stands in many rows, one below the other, is said once."""
    last: Any = None
    text: str | None = None
    found = []
    for value in values:
        if value is not last:
            text, last = (None if value is None else store(value)), value
        found.append(text)
    return found


def _instant(value: datetime) -> str:
    text = value.isoformat(" ", "microseconds")
    if text.endswith("+00:00"):
        return text[:-6]
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_STORED: Mapping[type[Any], Callable[[Any], str]] = {
    Uuid: lambda value: f"{value.int:032x}",
    UTCDateTime: _instant,
    Date: date.isoformat,
}


async def _copy(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    # Only where it is used: a start on SQLite does without.
    import psycopg  # noqa: PLC0415

    raw = (await connection.get_raw_connection()).driver_connection
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    try:
        async with raw.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
            for row in rows:
                await copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
