"""Races are made to happen: one act is held open until the other waits for it."""

import asyncio

from sqlalchemy import text

from service.database import Database

_TRIES = 2_000


async def someone_waits(database: Database) -> None:
    """Return once another act waits for what this one holds. Raises TimeoutError."""
    for _ in range(_TRIES):
        if await _waits(database):
            return
        await asyncio.sleep(0.002)
    raise TimeoutError("Nobody came to wait.")


async def _waits(database: Database) -> bool:
    if database.writer is not None:
        return database.writer.waiting > 0
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return int(found.scalar_one()) > 0
