"""Races are made to happen: one act is held open until the other waits for it."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import Database
from service.errors import Problem
from tests.factories import Town

Act = Callable[[AsyncSession], Awaitable[object]]
_TRIES = 2_000


async def someone_waits(database: Database, *, many: int = 1) -> None:
    """Return once so many other acts wait for what this one holds. Raises TimeoutError."""
    for _ in range(_TRIES):
        if await _waiting(database) >= many:
            return
        await asyncio.sleep(0.002)
    raise TimeoutError("Nobody came to wait.")


async def _waiting(database: Database) -> int:
    if database.writer is not None:
        return database.writer.waiting
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return int(found.scalar_one())


async def slower_of(
    town: Town, first: Act, second: Act, *, and_then: Act | None = None
) -> Problem | None:
    """Hold the first act open until the second waits for it; how the second was refused.

    What the first does `and_then` finds the second waiting: it must hold nothing of that.
    """

    async def act() -> None:
        async with town.database.transaction() as session:
            await second(session)

    async with town.database.transaction() as session:
        await first(session)
        waiting = asyncio.create_task(act())
        await someone_waits(town.database)
        if and_then is not None:
            await and_then(session)
    try:
        await waiting
    except Problem as refusal:
        return refusal
    return None
