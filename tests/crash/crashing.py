"""Kill the server and the worker of a running day again and again, and see what is left."""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from models.base import utc_now
from models.event import Event
from service.database import Database, open_database, schema
from service.keys import load_keys
from service.settings import Settings
from tests import factories, migrated, postgresql
from tests.crash import proof
from tests.crash.day import Day, Told
from tests.crash.processes import Processes, processes

HOUSEHOLDS = 5
_MESSAGES = "messages.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to kill what, and how often to look. The seed makes the moments again."""

    url: str
    folder: Path
    seed: int
    kills: int
    backend_kills: int = 0
    looks_every: int = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    told: Told
    kills: dict[str, int]
    restarts_s: list[float]
    looks: int


@contextmanager
def own_database(engine: str, *, fsync: bool = False) -> Iterator[tuple[str, Path]]:
    """A migrated database that may be crashed, and a folder for its data."""
    with tempfile.TemporaryDirectory(prefix="jumpa-crash-") as name:
        folder = Path(name)
        if engine == "sqlite":
            url = migrated.file_at(folder / "jumpa.db")
            yield url, folder
            return
        with postgresql.server(own=True, fsync=fsync) as own:
            if own is None:
                raise LookupError("There is no PostgreSQL to crash.")
            schema.upgrade(own)
            yield own, folder


async def crash(plan: Plan) -> Outcome:
    """One day with all its kills. Raises AssertionError with the seed if anything is wrong."""
    try:
        return await _crash(plan)
    except Exception as error:
        log = plan.folder / "children.log"
        children = log.read_text()[-3_000:] if log.exists() else ""
        raise AssertionError(f"seed {plan.seed}: {error!r}\n{children}") from error


async def _crash(plan: Plan) -> Outcome:
    database = open_database(plan.url, pool_size=4)
    keys = load_keys(Settings(data_dir=plan.folder))
    async with database.transaction() as session:
        await factories.load_materials(session)
    town = await factories.make_town(database)
    limits = httpx.Limits(max_connections=4 * HOUSEHOLDS)
    try:
        async with (
            processes(plan.url, plan.folder) as running,
            httpx.AsyncClient(base_url=running.address, timeout=30, limits=limits) as http,
        ):
            day = Day(town, keys, http, plan.seed)
            await day.begin(HOUSEHOLDS)
            try:
                return await _kill_again_and_again(plan, running, day)
            finally:
                day.abandon()
    finally:
        await database.close()


async def _kill_again_and_again(plan: Plan, running: Processes, day: Day) -> Outcome:
    chance = random.Random(plan.seed)
    victims = chance.choices(running.roles, k=plan.kills) + ["backend"] * plan.backend_kills
    chance.shuffle(victims)
    for role in running.roles:
        await running.start(role)
    await running.ready()
    looks = 0
    for number, victim in enumerate(victims, 1):
        await _moment(day, chance)
        await _kill(running, victim)
        # Now and then the next kill hits a server that only just begins.
        if victim != "worker" and chance.random() < 0.8:
            await running.ready()
        day.check()
        if number % plan.looks_every == 0:
            await _settled(day.town.database)
            await proof.nothing_is_lost(day.town, day.told)
            looks += 1
    await _close_the_day(running, day, plan.folder / _MESSAGES)
    return Outcome(
        day.told,
        {victim: victims.count(victim) for victim in dict.fromkeys(victims)},
        running.restarts_s,
        looks + 1,
    )


async def _moment(day: Day, chance: random.Random) -> None:
    """After a few more answers, so that a busy machine has its day too, and a little later."""
    enough = len(day.told.calls) + chance.randint(0, 6)
    for _ in range(400):
        if len(day.told.calls) >= enough:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(chance.uniform(0, 0.02))


async def _kill(running: Processes, victim: str) -> None:
    if victim == "backend":
        await running.kill_backend()
    else:
        await running.kill(victim)
        await running.start(victim)


async def _settled(database: Database) -> None:
    """Our own connections died with the backend; look with new ones, once it is back."""
    if database.is_sqlite:
        return
    await database.engine.dispose()
    for _ in range(200):
        try:
            async with database.reading() as session:
                await session.connection()
        except OperationalError:
            await asyncio.sleep(0.05)
        else:
            return


async def _close_the_day(running: Processes, day: Day, messages: Path) -> None:
    await running.ready()
    await day.end()
    await _settled(day.town.database)
    await proof.each_is_there_once(day.town, day.told)
    await running.supervise()
    await _let_everybody_hear(day)
    await proof.everybody_heard(day.town, messages)


async def _let_everybody_hear(day: Day) -> None:
    """Leases of killed workers run for a minute; here they end now, as time would have it."""
    for _ in range(200):
        if not await proof.waiting_events(day.town):
            return
        async with day.town.database.transaction() as session:
            await session.exec(
                update(Event)
                .where(col(Event.bank_id) == day.town.bank_id, col(Event.done_at).is_(None))
                .values(due_at=utc_now(), fence=0)
            )
        await asyncio.sleep(0.5)
