"""A COMMIT that fails: nobody in it is told 2xx, and the repeat happens exactly once."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, func, select

from models.base import new_id
from models.pickup import Pickup
from service.api.dependencies import Parts, Session
from service.app import create_app
from service.database import Database, schema
from service.keys import Keys
from tests.api.asking import Asking, done, listing, refused
from tests.crash.proof import verify_is_clean
from tests.factories import Town


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    """The product, with one more call: on SQLite its COMMIT fails, on PostgreSQL its disk is full."""
    router = APIRouter()

    @router.post("/break")
    async def endpoint(session: Session) -> str:
        connection = await session.connection()
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql(
                "DO $$ BEGIN RAISE 'no room' USING ERRCODE = '53100'; END $$"
            )
        await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        await connection.exec_driver_sql(
            "INSERT INTO membership (person_id, bank_id, role, created_at)"
            f" VALUES ('{new_id().hex}', '{new_id().hex}', 'resident', '2026-01-01')"
        )
        return "done"

    made = create_app(parts.settings)
    made.state.parts = parts
    made.include_router(router)
    return made


@pytest.fixture
async def asking(app: FastAPI, keys: Keys) -> Asking:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return Asking(httpx.AsyncClient(transport=transport, base_url="http://jumpa"), keys)


async def test_a_group_whose_commit_fails_is_done_once_when_it_is_repeated(
    asking: Asking, town: Town
) -> None:
    if not town.database.is_sqlite:
        pytest.skip("only SQLite's writer commits in groups")
    keys = [str(uuid4()) for _ in range(6)]
    async with asking.client:
        acts = [_list(asking, town, key) for key in keys]
        acts.insert(3, asking.client.post("/break"))
        for answer in await _in_one_group(town.database, acts):
            refused(answer, 503, "try_again_soon")
        assert await _listed(town) == 0
        await _each_is_done_once(asking, town, keys)


async def test_a_connection_lost_at_the_commit_is_done_once_when_it_is_repeated(
    asking: Asking, town: Town, database_url: str
) -> None:
    if town.database.is_sqlite:
        pytest.skip("SQLite has no connection to lose")
    keys = [str(uuid4()) for _ in range(3)]
    async with asking.client:
        with _lost_at_commit(town.database, database_url):
            for key in keys:
                refused(await _list(asking, town, key), 503, "try_again_soon")
        assert await _listed(town) == 0
        await _each_is_done_once(asking, town, keys)


async def test_a_full_disk_of_postgresql_is_said_so(asking: Asking, town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("see test_full_disk.py")
    async with asking.client:
        refused(await asking.client.post("/break"), 507, "disk_full")
        await _each_is_done_once(asking, town, [str(uuid4())])


async def _in_one_group(
    database: Database, acts: list[Coroutine[Any, Any, httpx.Response]]
) -> list[httpx.Response]:
    """Do these while another transaction has the turn, so that all share its COMMIT."""
    writer = database.writer
    assert writer is not None
    with pytest.raises(OperationalError):
        async with database.transaction():
            tasks = [asyncio.create_task(act) for act in acts]
            for _ in range(2_000):
                if writer.waiting == len(acts):
                    break
                await asyncio.sleep(0.002)
    return list(await asyncio.gather(*tasks))


async def _list(asking: Asking, town: Town, key: str) -> httpx.Response:
    return await asking.post(town.resident, "/v1/pickups", listing(town), key=key)


async def _each_is_done_once(asking: Asking, town: Town, keys: list[str]) -> None:
    for key in keys:
        first, again = await _list(asking, town, key), await _list(asking, town, key)
        assert done(first, 201) == done(again, 201)
        assert "Idempotency-Replayed" not in first.headers
        assert "Idempotency-Replayed" in again.headers
    assert await _listed(town) == len(keys)
    await verify_is_clean(town)


async def _listed(town: Town) -> int:
    async with town.database.reading() as session:
        query = select(func.count()).where(col(Pickup.bank_id) == town.bank_id)
        return (await session.exec(query)).one()


@contextmanager
def _lost_at_commit(database: Database, url: str) -> Iterator[None]:
    """Whoever is about to commit loses the connection: its backend is ended just before."""
    other = schema.sync_engine(url)
    sync = database.engine.sync_engine

    def lose(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        with other.connect() as killer:
            end = text("SELECT pg_terminate_backend(:pid, 5000)")
            assert killer.execute(end, {"pid": driver.info.backend_pid}).scalar()

    event.listen(sync, "commit", lose)
    try:
        yield
    finally:
        event.remove(sync, "commit", lose)
        other.dispose()
