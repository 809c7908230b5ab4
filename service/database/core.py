"""One database, on SQLite or PostgreSQL, behind the same two doors."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import inline_sqlite
from service.database.session import Session
from service.database.writer import Writer

_LOCK_NAME = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_DISK_FULL = "53100"
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (\w+)")


class Database:
    """Sessions that write and sessions that read.

    A transaction is on disk when its block is left. It is rolled back by any error but
    one that says `keeps_changes`: a refusal that must itself be remembered.
    """

    def __init__(self, engine: AsyncEngine, reader: AsyncEngine, writer: Writer | None) -> None:
        self.engine = engine
        self.reader = reader
        self.writer = writer

    @property
    def is_sqlite(self) -> bool:
        return self.writer is not None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that may write; commits at the end of the block."""
        kept: Exception | None = None
        async with self._write() as session:
            try:
                yield session
            except Exception as error:
                if not getattr(error, "keeps_changes", False):
                    raise
                kept = error
        if kept is not None:
            raise kept

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads, beside the writers."""
        async with Session(self.reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def reading_long(self) -> AsyncIterator[AsyncSession]:
        """As reading(), for what looks through much: everybody else goes on meanwhile."""
        async with Session(self.beside, expire_on_commit=False) as session:
            yield session

    @cached_property
    def beside(self) -> AsyncEngine:
        """Reads on threads of its own where the reader would keep the event loop waiting.

        Made when it is first needed, since a start has no use for it.
        """
        return _beside_the_loop(self.reader.url) if self.is_sqlite else self.reader

    async def close(self) -> None:
        """Let go of every connection; without it the process may not end."""
        await self.engine.dispose()
        if self.reader is not self.engine:
            await self.reader.dispose()
        if "beside" in vars(self):
            await self.beside.dispose()

    def _write(self) -> AbstractAsyncContextManager[AsyncSession]:
        if self.writer is not None:
            return self.writer.transaction()
        return self._write_postgresql()

    @asynccontextmanager
    async def _write_postgresql(self) -> AsyncIterator[AsyncSession]:
        async with Session(self.engine, expire_on_commit=False) as session:
            yield session
            await session.commit()


def open_database(url: str, *, pool_size: int = 10, prepared: bool = True) -> Database:
    """Open `sqlite:///path` or `postgresql://…`; nothing is connected yet.

    `prepared` statements save PostgreSQL a third of its work; an old pgbouncer in
    transaction mode needs them off.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg_async")
    # None is closed after a rush: a new one costs as much as some ten statements, and then
    # plans every one of them anew. The last one back is the first to go, as it knows most plans.
    options: dict[str, Any] = {
        "pool_size": 2 * pool_size,
        "max_overflow": 0,
        "pool_use_lifo": True,
    }
    if parsed.get_driver_name().startswith("psycopg"):
        options["connect_args"] = {"prepare_threshold": 5 if prepared else None}
    # What a statement carries may name people, and errors end in logs.
    engine = create_async_engine(parsed, hide_parameters=True, **options)
    return Database(engine, engine, writer=None)


def _open_sqlite(url: URL) -> Database:
    url = url.set(drivername="sqlite+inline")
    connect_args = {"check_same_thread": False, "factory": inline_sqlite.InlineConnection}
    quiet: dict[str, Any] = {"hide_parameters": True, "connect_args": connect_args}
    # Two connections: the next group may begin while the last one is handed back.
    engine = create_async_engine(url, pool_size=1, max_overflow=1, **quiet)
    reader = create_async_engine(url, pool_size=4, max_overflow=60, **quiet)
    _on_connect(engine, read_only=False)
    _on_connect(reader, read_only=True)
    return Database(engine, reader, Writer(engine))


def _beside_the_loop(url: URL) -> AsyncEngine:
    """SQLite on a thread for each connection; who comes when all look through much waits."""
    beside = url.set(drivername="sqlite+aiosqlite")
    engine = create_async_engine(beside, pool_size=2, max_overflow=0, hide_parameters=True)
    _on_connect(engine, read_only=True)
    return engine


def _on_connect(engine: AsyncEngine, *, read_only: bool) -> None:
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        inline_sqlite.set_up(connection, read_only=read_only)

    event.listen(engine.sync_engine, "connect", set_up)


async def one_at_a_time(session: AsyncSession, name: str) -> None:
    """Wait until no other transaction holds this name; it is let go at the end of this one.

    SQLite's one writer is alone anyway.
    """
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(_LOCK_NAME, {"name": name})


def constraint_of(error: IntegrityError) -> str:
    """The name of the CHECK or unique constraint that was broken, as far as it is said."""
    named: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if named:
        return named
    found = _SQLITE_CHECK.search(str(error.orig))
    return found.group(1) if found else str(error.orig)


def is_disk_full(error: Exception) -> bool:
    """Whether the database found no room to write; then it took the transaction back."""
    cause = getattr(error, "orig", None)
    sqlite_code = getattr(cause, "sqlite_errorcode", None)
    return sqlite_code == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == _DISK_FULL
