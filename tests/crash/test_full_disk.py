"""A full disk and a COMMIT that fails: nobody is told 2xx, nothing is half written, it goes on."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Connection, event, text

from service.api.dependencies import Parts
from service.app import create_app
from service.database import Database, open_database
from service.keys import load_keys
from service.messages import FileMessenger
from service.settings import Settings
from tests import factories, migrated
from tests.api.asking import Asking, done, handover, listing, refused
from tests.crash.proof import verify_is_clean
from tests.factories import Town

MANY = 300


class Place:
    """A database in a place of its own, with somebody to ask over HTTP."""

    def __init__(self, town: Town, asking: Asking, squeeze: Callable[[], None]) -> None:
        self.town = town
        self.asking = asking
        self.squeeze = squeeze

    async def list_waste(self, key: str) -> httpx.Response:
        body = listing(self.town, note="x" * 500)
        return await self.asking.post(self.town.resident, "/v1/pickups", body, key=key)

    async def fill(self) -> list[str]:
        """List waste until there is no room; the keys of what was answered, and of what was not."""
        answered: list[str] = []
        for _ in range(MANY):
            key = str(uuid4())
            answer = await self.list_waste(key)
            if answer.status_code != 201:
                refused(answer, 507, "disk_full")
                return [*answered, key]
            answered.append(key)
        pytest.fail("The disk did not become full.")


@asynccontextmanager
async def place(folder: Path, squeeze: Callable[[Database], None]) -> AsyncIterator[Place]:
    """The product on SQLite in this folder, in this process."""
    url = migrated.file_at(folder / "jumpa.db")
    database = open_database(url)
    async with database.transaction() as session:
        await factories.load_materials(session)
    town = await factories.make_town(database)
    settings = Settings(data_dir=folder)
    keys = load_keys(settings)
    app = create_app(settings)
    app.state.parts = Parts(settings, database, keys, FileMessenger(folder / "messages"), None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as client:
        yield Place(town, Asking(client, keys), lambda: squeeze(database))
    await database.close()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own under this folder; only root can make one."""
    made = os.geteuid() == 0 and _call(
        "mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "t", folder
    )
    if not made:
        pytest.skip("NO SMALL DISK: mounting one needs root")
    try:
        yield
    finally:
        _call("umount", "-l", folder)


def _call(*command: object) -> bool:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


async def test_a_full_disk_is_said_so_and_loses_nothing(tmp_path: Path) -> None:
    """Mostly it is the COMMIT that finds no room: SQLite writes its log only then."""
    with small_disk(tmp_path, 8):
        balloon = tmp_path / "balloon"

        def squeeze(_database: Database) -> None:
            free = os.statvfs(tmp_path)
            balloon.write_bytes(b"x" * (free.f_bavail * free.f_bsize - 150_000))

        async with place(tmp_path, squeeze) as full:
            await _fills_up_and_goes_on(full, balloon.unlink)


async def test_a_full_file_is_said_so_and_loses_nothing(tmp_path: Path) -> None:
    """A quota: here it is a statement in the middle of a transaction that finds no room."""
    pages: list[int] = []

    def squeeze(database: Database) -> None:
        event.listen(database.engine.sync_engine, "begin", limit)

    def limit(connection: Connection) -> None:
        count = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        pages.append(int(count))
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0] + 20}")

    async with place(tmp_path, squeeze) as full:

        def free() -> None:
            engine = full.town.database.engine.sync_engine
            event.remove(engine, "begin", limit)
            event.listen(
                engine, "begin", lambda c: c.exec_driver_sql("PRAGMA max_page_count = 4294967294")
            )

        await _fills_up_and_goes_on(full, free)


async def _fills_up_and_goes_on(full: Place, free: Callable[[], None]) -> None:
    await done_once(full)
    full.squeeze()
    keys = await full.fill()
    # Many at once share a group and its COMMIT: none of them may be told that it was done.
    waiting = [str(uuid4()) for _ in range(8)]
    for answer in await asyncio.gather(*(full.list_waste(key) for key in waiting)):
        assert answer.status_code in (503, 507), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
    listed = done(await full.asking.get(full.town.resident, "/v1/pickups", limit=1))
    assert len(listed["items"]) == 1
    free()
    for key in (keys[-1], *waiting):
        first, again = await full.list_waste(key), await full.list_waste(key)
        assert done(first, 201) == done(again, 201)
        assert "Idempotency-Replayed" in again.headers
    assert await _pickups(full.town) == len(keys) + len(waiting) + 1
    await verify_is_clean(full.town)


async def done_once(full: Place) -> None:
    """Money is in the passbook before the disk is full."""
    town, asking = full.town, full.asking
    listed = done(await full.list_waste(str(uuid4())), 201)
    path = f"/v1/pickups/{listed['id']}"
    done(await asking.post(town.collector, f"{path}/claim", {}))
    body = handover(asking.keys, UUID(listed["id"]))
    done(await asking.post(town.collector, f"{path}/collect", body))


async def _pickups(town: Town) -> int:
    async with town.database.reading() as session:
        query = text("SELECT count(*) FROM pickup WHERE bank_id = :bank_id")
        connection = await session.connection()
        return int((await connection.execute(query, {"bank_id": _bound(town)})).scalar_one())


def _bound(town: Town) -> object:
    return town.bank_id.hex if town.database.is_sqlite else town.bank_id
