"""Many rows into a table, as fast as each database takes them, within the transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Date, Table, Uuid
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import UTCDateTime

_AT_ONCE = 5_000


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
    while some := [_for_sqlite(row, stored) for row in islice(left, _AT_ONCE)]:
        await connection.exec_driver_sql(statement, some)


def _for_sqlite(
    row: Sequence[Any], stored: Sequence[Callable[[Any], str] | None]
) -> tuple[Any, ...]:
    """A row's values as SQLAlchemy would hand them to SQLite's driver, at a tenth of the cost."""
    return tuple(
        [
            value if store is None or value is None else store(value)
            for value, store in zip(row, stored, strict=True)
        ]
    )


def _instant(value: datetime) -> str:
    text = value.isoformat(" ", "microseconds")
    if text.endswith("+00:00"):
        return text[:-6]
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_STORED: Mapping[type[Any], Callable[[Any], str]] = {
    Uuid: lambda value: value.hex,
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
