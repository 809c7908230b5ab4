"""Postings that stand alone leave in groups: one commit, and one answer each.

Whatever is asked while a group is on its way is the next group, so that nobody waits for a
group to fill.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, Protocol
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.database import Database
from service.ledger.accounts import forget, shards_of
from service.ledger.posting import (
    Draft,
    Row,
    copy_sides_of_holds,
    for_postgresql,
    places_of,
    refusal_of,
    rows_of,
    write,
)

GROUP_LIMIT = 64


@dataclass(slots=True)
class _Asked:
    """One caller's act, and where the ids of its transfers are awaited."""

    bank_id: UUID
    draft: Draft
    ids: asyncio.Future[list[UUID]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def answer(self, ids: list[UUID]) -> None:
        if not self.ids.done():
            self.ids.set_result(ids)

    def refuse(self, error: Exception) -> None:
        if not self.ids.done():
            self.ids.set_exception(error)


class Poster:
    """Posts acts that are a transaction of their own, for many callers at once.

    `lanes` is how many groups may be on their way at the same time, each on a connection of
    its own; `limit` is how many acts one group may hold. One of these a database will do.
    """

    def __init__(self, database: Database, *, lanes: int = 1, limit: int = GROUP_LIMIT) -> None:
        self._database = database
        self._lanes = lanes
        self._limit = limit
        self._waiting: deque[_Asked] = deque()
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, bank_id: UUID, draft: Draft) -> list[UUID]:
        """Write an act's transfers, all or none; their ids, in order, once they are on disk.

        Raises what ledger.post() raises. A caller who gives up while waiting for the group
        before has posted nothing; later, the act is written without them.
        """
        asked = _Asked(bank_id, draft)
        self._waiting.append(asked)
        if self._running < self._lanes:
            self._running += 1
            lane = asyncio.create_task(self._run())
            self._tasks.add(lane)
            lane.add_done_callback(self._tasks.discard)
        return await asked.ids

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._take_groups()
        finally:
            self._running -= 1

    async def _take_groups(self) -> None:
        """Write one group after another until nobody waits or the connection is lost."""
        group: list[_Asked] = []
        try:
            async with _lane_of(self._database) as lane:
                while group := self._next_group():
                    await self._write(lane, group)
                    await asyncio.sleep(0)  # Whoever was answered may ask again.
        except Exception as error:
            for asked in group or self._next_group():
                asked.refuse(_told(error))

    def _next_group(self) -> list[_Asked]:
        """The acts that waited longest, of callers who still wait."""
        taken: list[_Asked] = []
        while self._waiting and len(taken) < self._limit:
            asked = self._waiting.popleft()
            if not asked.ids.done():
                taken.append(asked)
        return taken

    async def _write(self, lane: "_Lane", group: Sequence[_Asked]) -> None:
        """Write a group; if it is refused, each act alone, so that only the guilty one fails."""
        try:
            rows = await lane.write(group)
        except Exception as error:
            if lane.is_lost:
                raise
            if len(group) == 1:
                group[0].refuse(_told(error))
                return
            for asked in group:
                await self._write(lane, [asked])
        else:
            ids = iter([row["id"] for row in rows])
            for asked in group:
                asked.answer(list(islice(ids, len(asked.draft.movements))))


class _Lane(Protocol):
    """The way of one group after another into the database."""

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows what was written last; whoever asks again has the key."""

    async def write(self, group: Sequence[_Asked]) -> list[Row]:
        """Write a group, all or nothing; its transfers' rows, once they are on disk."""


class _SQLite:
    """A group is one transaction of the writer, who may commit it with others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_lost = False

    async def write(self, group: Sequence[_Asked]) -> list[Row]:
        try:
            async with self._database.transaction() as session:
                return await self._written(await session.connection(), group)
        except OperationalError:
            self.is_lost = True
            raise

    async def _written(self, connection: AsyncConnection, group: Sequence[_Asked]) -> list[Row]:
        journals, rows = await _rows_of(connection, group)
        try:
            await write(connection, journals, rows)
        except IntegrityError:
            forget(connection)
            raise
        return rows


class _PostgreSQL:
    """A group is one statement on a connection where each is a transaction.

    It goes to the driver itself: what is in between costs as much as the statement.
    """

    def __init__(self, connection: AsyncConnection, driver: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._driver = driver
        self._cursor = driver.cursor()

    @property
    def is_lost(self) -> bool:
        return self._driver.closed

    async def write(self, group: Sequence[_Asked]) -> list[Row]:
        journals, rows = await _rows_of(self._connection, group)
        # At once, as planning takes longer than writing; never behind an old pgbouncer.
        prepare = self._driver.prepare_threshold is not None
        await self._cursor.execute(*for_postgresql(journals, rows), prepare=prepare)
        return rows


@asynccontextmanager
async def _lane_of(database: Database) -> AsyncIterator[_Lane]:
    if database.is_sqlite:
        yield _SQLite(database)
        return
    async with database.engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = (await connection.get_raw_connection()).driver_connection
        if not isinstance(driver, psycopg.AsyncConnection):
            raise TypeError("Groups need a connection of psycopg.")
        lane = _PostgreSQL(connection, driver)
        try:
            yield lane
        finally:
            if lane.is_lost:
                await connection.invalidate()


async def _rows_of(
    connection: AsyncConnection, group: Sequence[_Asked]
) -> tuple[list[Row], list[Row]]:
    """The rows of a group, in its order. Accounts that are new are opened, and stay."""
    journals: list[Row] = []
    rows: list[Row] = []
    for bank_id, some in groupby(group, key=lambda asked: asked.bank_id):
        drafts = [asked.draft for asked in some]
        shards = await shards_of(connection, bank_id, places_of(drafts))
        found = rows_of(bank_id, drafts, shards)
        await copy_sides_of_holds(connection, bank_id, found[1])
        journals += found[0]
        rows += found[1]
    return journals, rows


def _told(error: Exception) -> Exception:
    """The error as those know it who post through a session."""
    if isinstance(error, IntegrityError):
        return refusal_of(error)
    if isinstance(error, psycopg.IntegrityError):
        return refusal_of(IntegrityError(None, None, error))
    if isinstance(error, psycopg.OperationalError):
        return OperationalError(None, None, error)
    if isinstance(error, psycopg.Error):
        return DBAPIError(None, None, error)
    return error
