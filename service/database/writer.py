"""SQLite's one writer: transactions that wait are committed together.

Each has its own savepoint, so that one can fail alone; one COMMIT, and so one fsync,
serves the whole group, and nobody is answered before it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database.session import Session, at_once

GROUP_LIMIT = 64
_BEGIN_TRIES = 400
_BEGIN_PAUSE_S = 0.025


@dataclass
class _Group:
    connection: AsyncConnection
    driver: sqlite3.Connection
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    size: int = 0
    limit: int = 1
    is_lost: bool = False
    """SQLite gave the whole transaction up, as it does on a full disk."""


class Writer:
    """Lets one transaction at a time write, in the order they asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._finishing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many transactions wait for their turn."""
        return self._waiting

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are on disk when the block is left, or nowhere."""
        await self._take_turn()
        try:
            group = await self._current_group()
            try:
                with _member(group) as session:
                    yield session
            finally:
                self._count(group)
                group.is_lost = not group.driver.in_transaction
                await self._close_when_due(group)
        finally:
            self._turn.release()
        await asyncio.shield(group.done)

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
            if not self._turn.locked():
                self._finish_abandoned()

    def _finish_abandoned(self) -> None:
        """Who should have closed the group gave up waiting, so it is closed here."""
        if self._group is not None and not self._waiting:
            self._start_commit(self._group)

    async def _current_group(self) -> _Group:
        if self._finishing is not None:
            await asyncio.shield(self._finishing)
        if self._group is None:
            connection = await self._engine.connect()
            try:
                await _begin(connection)
            except BaseException:
                await connection.close()
                raise
            self._group = _Group(at_once(connection), await _driver(connection))
        return self._group

    def _count(self, group: _Group) -> None:
        """Who waits when the first is done comes along; who comes later goes with the next.

        Else, as long as somebody comes, who came first would wait for all of them.
        """
        group.size += 1
        if group.size == 1:
            group.limit = min(1 + self._waiting, GROUP_LIMIT)

    async def _close_when_due(self, group: _Group) -> None:
        if not self._waiting or group.size >= group.limit or group.is_lost:
            await asyncio.shield(self._start_commit(group))

    def _start_commit(self, group: _Group) -> asyncio.Task[None]:
        self._group = None
        self._finishing = asyncio.create_task(self._commit(group))
        return self._finishing

    async def _commit(self, group: _Group) -> None:
        """Commit in another thread, since this is what waits for the disk.

        A literal COMMIT: the driver's commit() says nothing where no transaction is left.
        """
        try:
            await asyncio.to_thread(group.driver.execute, "COMMIT")
        except BaseException as cause:
            await group.connection.invalidate(cause)
            error = OperationalError("COMMIT", None, cause)
            group.done.set_exception(error)
            group.done.exception()  # Marked as seen: a member that failed doesn't look.
        else:
            group.done.set_result(None)
        finally:
            self._finishing = None
            await group.connection.close()


async def _driver(connection: AsyncConnection) -> sqlite3.Connection:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("The writer needs a connection of the standard library's driver.")
    return driver


async def _begin(connection: AsyncConnection) -> None:
    """Take SQLite's write lock; while a command has it, others on this loop go on."""
    for _ in range(_BEGIN_TRIES):
        try:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
            await connection.rollback()
            await asyncio.sleep(_BEGIN_PAUSE_S)
        else:
            return
    raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


@contextmanager
def _member(group: _Group) -> Iterator[AsyncSession]:
    """A session in a savepoint of the group; SQLite commits and closes it without waiting."""
    session = Session(
        bind=group.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
    )
    with session.sync_session as sync:
        yield session
        sync.commit()
