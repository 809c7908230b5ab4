"""INSERTs that are written often: on SQLite they cost less than SQLAlchemy's way to them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import CursorResult, Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Insert

from service.database.inline_sqlite import InlineSQLite

_Column = tuple[str, Callable[[Any], Any] | None]
"""Its name, and what makes a value one that the driver takes."""


class WholeRows:
    """Writes rows that name every column of their table.

    SQLAlchemy looks a statement up and fits it to the rows at each execution. On SQLite that
    is most of what a row costs, so there it is done once.
    """

    def __init__(self, statement: Insert) -> None:
        self._statement = statement

    async def insert(
        self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]
    ) -> CursorResult[Any]:
        """Insert them, one or more; the result is what the statement returns."""
        if connection.dialect.name != "sqlite":
            return await connection.execute(self._statement, rows)
        sql, columns = self._on_sqlite
        return await connection.exec_driver_sql(sql, [_values(columns, row) for row in rows])

    @cached_property
    def _on_sqlite(self) -> tuple[str, Sequence[_Column]]:
        """The statement as the driver takes it, and the columns in their order in it."""
        dialect = InlineSQLite()
        table, compiled = self._statement.table, self._statement.compile(dialect=dialect)
        assert isinstance(table, Table)  # noqa: S101
        types = {name: table.columns[name].type for name in compiled.positiontup or ()}
        return str(compiled), [
            (name, of.dialect_impl(dialect).bind_processor(dialect)) for name, of in types.items()
        ]


def _values(columns: Sequence[_Column], row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(stored(row[name]) if stored else row[name] for name, stored in columns)
