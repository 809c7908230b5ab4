"""SQLite on the event loop's own thread.

A statement of this product takes SQLite some 20 to 100 microseconds; handing it to
another thread and back costs more than that. Only what waits for the disk, the COMMIT of
a group of transactions, leaves the thread (see service.database.writer).
"""

import sqlite3
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, Connection, Pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

READER_WAITS_S = 5.0


async def _at_once() -> None:
    """SQLAlchemy takes a driver that never awaits for a mistake; this awaits, and costs nothing."""


def _await_nothing() -> None:
    # service.database.session goes round the greenlets; there nobody expects it.
    if in_greenlet():
        await_only(_at_once())


class InlineCursor(sqlite3.Cursor):
    """A cursor that SQLAlchemy may treat as one of an asynchronous driver."""

    async def _async_soft_close(self) -> None:
        """Nothing to let go of: rows are still to be read from this very cursor."""


class InlineConnection(sqlite3.Connection):
    """A connection that makes these cursors."""

    def cursor(self, *_factory: Any) -> InlineCursor:  # type: ignore[override]
        return InlineCursor(self)


class InlineContext(SQLiteExecutionContext):
    """Lets results be streamed: rows come one by one anyway."""

    def create_server_side_cursor(self) -> DBAPICursor:
        return self._dbapi_connection.cursor()


class InlineSQLite(SQLiteDialect_pysqlite):
    """The standard library's driver under SQLAlchemy's asyncio front."""

    driver = "inline"
    is_async = True
    supports_statement_cache = True
    supports_server_side_cursors = True
    execution_ctx_cls = InlineContext

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def do_execute(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: Any = None
    ) -> None:
        _await_nothing()
        cursor.execute(statement, parameters)

    def do_execute_no_params(
        self, cursor: DBAPICursor, statement: str, context: Any = None
    ) -> None:
        _await_nothing()
        cursor.execute(statement)

    def do_executemany(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: Any = None
    ) -> None:
        _await_nothing()
        cursor.executemany(statement, parameters)

    # Savepoints go past the compiler: they are most of the statements of a small act.

    def do_savepoint(self, connection: Connection, name: str) -> None:
        _driver(connection).execute(f"SAVEPOINT {name}")

    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        driver = _driver(connection)
        # On a full disk SQLite gives the whole transaction up by itself, savepoints and all.
        if driver.in_transaction:
            driver.execute(f"ROLLBACK TO {name}")

    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        _driver(connection).execute(f"RELEASE {name}")

    def get_driver_connection(self, connection: DBAPIConnection) -> Any:
        return connection


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101
    return driver


def set_up(connection: sqlite3.Connection, *, read_only: bool) -> None:
    """Make a new connection durable, strict about references, and free of implicit BEGINs."""
    connection.isolation_level = None
    # The writer waits without blocking the loop (service.database.writer).
    connection.execute(f"PRAGMA busy_timeout = {int(READER_WAITS_S * 1000) if read_only else 0}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -20000")
    if read_only:
        connection.execute("PRAGMA query_only = ON")


registry.register("sqlite.inline", __name__, "InlineSQLite")
