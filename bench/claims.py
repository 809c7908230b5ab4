"""Many collectors claim at one spot: how fast, how slow the slowest, and nobody twice.

python3 run.py bench claims [--seconds 4] [--rounds 3] [--only sqlite|postgresql]

On PostgreSQL against looking for the nearest job and updating it if it is still open, again and
again until one is; on SQLite against several processes that take BEGIN IMMEDIATE by turns.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy import select as select_columns
from sqlmodel import col, func, select

from bench.support import processes
from bench.support.figures import figure
from bench.support.rounds import p99
from models.base import new_id, utc_now
from models.people import Role
from models.pickup import Pickup, PickupStatus
from routing.geo import Point, cell_of
from service import claims
from service.claims.board import boards
from service.database import Database, open_database, schema
from tests.factories import LUBUK_PAKAM, Town, add_person, list_pickup, load_materials, make_town

CLIENTS = 32
_STARTING_S = 6.0
Claim = Callable[[UUID], Awaitable[UUID]]


class Speed(NamedTuple):
    """Claims a second, the slowest hundredth in milliseconds, and the fewest and most of one."""

    per_s: float
    p99_ms: float
    fewest: int
    most: int


def main() -> None:
    options = _options()
    for engine in ("sqlite", "postgresql"):
        if options.only in (None, engine):
            with (
                tempfile.TemporaryDirectory(prefix="jumpa-bench-") as name,
                processes.database(engine, Path(name)) as url,
            ):
                schema.upgrade(url)
                asyncio.run(_measure(engine, url, Path(name), options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench claims", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    return parser.parse_args()


async def _measure(engine: str, url: str, folder: Path, options: argparse.Namespace) -> None:
    database = open_database(url, pool_size=CLIENTS)
    try:
        spot = await Spot.prepare(database, 300 * int(options.seconds) * (2 * options.rounds + 1))
        copy = folder / "peers.db"
        if engine == "sqlite":
            _copy(url, copy)
        await spot.race(spot.ours, 0.5)
        found: dict[str, list[Speed]] = {"ours": [], "peer": []}
        for _ in range(options.rounds):
            found["ours"].append(await spot.race(spot.ours, options.seconds))
            if engine == "postgresql":
                found["peer"].append(await spot.race(spot.by_retrying, options.seconds))
            else:
                peers = await asyncio.to_thread(_by_turns, spot, copy, options.seconds)
                found["peer"].append(peers)
        await spot.check()
    finally:
        await database.close()
    _say(engine, {name: _middle(speeds) for name, speeds in found.items()})


def _copy(url: str, copy: Path) -> None:
    with (
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ours,
        closing(sqlite3.connect(copy)) as theirs,
    ):
        ours.backup(theirs)
        theirs.execute("PRAGMA journal_mode = WAL")


def _middle(speeds: list[Speed]) -> Speed:
    per_s, slowest, fewest, most = (median(column) for column in zip(*speeds, strict=True))
    return Speed(per_s, slowest, int(fewest), int(most))


def _say(engine: str, found: dict[str, Speed]) -> None:
    for name, speed in found.items():
        figure(f"claims_{engine}_{name}_per_s", round(speed.per_s))
        figure(f"claims_{engine}_{name}_p99_ms", speed.p99_ms)
        figure(f"claims_{engine}_{name}_fewest", speed.fewest)
        figure(f"claims_{engine}_{name}_most", speed.most)
    ours, peer = found["ours"], found["peer"]
    if engine == "postgresql":
        figure("claims_postgresql_of_retrying", ours.per_s / peer.per_s, ">=2")
    else:
        figure("claims_sqlite_p99_of_processes", ours.p99_ms / peer.p99_ms, "<=0.05")


class Spot:
    """Open jobs round a town, and collectors who all stand in the middle of it."""

    def __init__(self, town: Town, collectors: list[UUID]) -> None:
        self.town = town
        self.collectors = collectors
        self.claimed: Counter[UUID] = Counter()

    @classmethod
    async def prepare(cls, database: Database, jobs: int) -> "Spot":
        async with database.transaction() as session:
            await load_materials(session)
        town = await make_town(database, max_held_jobs=10**6, max_held_grams=10**12)
        async with database.transaction() as session:
            people = [
                await add_person(session, town.bank_id, Role.COLLECTOR) for _ in range(CLIENTS)
            ]
        first = await list_pickup(town)
        async with database.transaction() as session:
            table = insert(Pickup).table
            connection = await session.connection()
            query = select_columns(table).where(
                table.c.bank_id == town.bank_id, table.c.id == first.id
            )
            row = dict((await connection.execute(query)).mappings().one())
            chance = random.Random(1)
            for _ in range(0, jobs, 1_000):
                copies = [{**row, "id": new_id(), **_a_job(chance)} for _ in range(1_000)]
                await connection.execute(insert(Pickup), copies)
        return cls(town, [person.id for person in people])

    async def ours(self, collector_id: UUID) -> UUID:
        wish = claims.Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None)
        async with self.town.database.transaction() as session:
            drive = await claims.claim_nearest(session, [self.town.bank_id], collector_id, wish)
        return drive.stops[0].pickup.id

    async def by_retrying(self, collector_id: UUID) -> UUID:
        """Look, then update if nobody was faster; else look again."""
        while True:
            async with self.town.database.transaction() as session:
                (board,) = await boards(session, [self.town.bank_id], collector_id)
                (nearest,) = await board.best(LUBUK_PAKAM, k=1, within_m=5_000)
                now = utc_now()
                changed = await session.exec(
                    update(Pickup)
                    .where(
                        col(Pickup.bank_id) == self.town.bank_id,
                        col(Pickup.id) == nearest.key,
                        col(Pickup.status) == PickupStatus.OPEN,
                    )
                    .values(
                        status=PickupStatus.CLAIMED,
                        collector_id=collector_id,
                        claimed_at=now,
                        claimed_until=now,
                    )
                    .returning(col(Pickup.id))
                )
                if changed.first() is not None:
                    return nearest.key

    async def race(self, claim: Claim, seconds: float) -> Speed:
        waits: list[float] = []
        counts: Counter[UUID] = Counter()
        until = time.perf_counter() + seconds

        async def client(collector_id: UUID) -> None:
            while (asked := time.perf_counter()) < until:
                self.claimed[await claim(collector_id)] += 1
                counts[collector_id] += 1
                waits.append(time.perf_counter() - asked)

        began = time.perf_counter()
        await asyncio.gather(*map(client, self.collectors))
        each = [counts[collector_id] for collector_id in self.collectors]
        per_s = len(waits) / (time.perf_counter() - began)
        return Speed(per_s, 1e3 * p99(waits), min(each), max(each))

    async def check(self) -> None:
        """Nobody got a job that somebody else has, and every answer is true."""
        twice = [job for job, count in self.claimed.items() if count > 1]
        async with self.town.database.reading() as session:
            query = select(func.count()).where(
                Pickup.bank_id == self.town.bank_id, Pickup.status == PickupStatus.CLAIMED
            )
            claimed = (await session.exec(query)).one()
        if twice or claimed != len(self.claimed):
            raise SystemExit(f"{len(twice)} jobs were claimed twice; {claimed} are claimed.")


def _a_job(chance: random.Random) -> dict[str, object]:
    """Somewhere about the town, listed at any time of the last two hours."""
    place = Point(chance.gauss(LUBUK_PAKAM.lat, 0.02), chance.gauss(LUBUK_PAKAM.lon, 0.02))
    listed_at = utc_now() - timedelta(seconds=chance.uniform(0, 7_200))
    cell = cell_of(place)
    return {"lat": place.lat, "lon": place.lon, "cell": cell, "created_at": listed_at}


def _by_turns(spot: Spot, path: Path, seconds: float) -> Speed:
    """A process for each collector on a file like ours, each claim a transaction of its own."""
    begin = time.time() + _STARTING_S
    told = {"path": str(path), "bank": spot.town.bank_id.hex, "begin": begin, "seconds": seconds}
    running = [
        subprocess.Popen(  # noqa: S603
            [
                sys.executable,
                "-m",
                "bench.support.turns",
                json.dumps(told | {"collector": collector_id.hex, "here": LUBUK_PAKAM}),
            ],
            stdout=subprocess.PIPE,
        )
        for collector_id in spot.collectors
    ]
    waits: list[list[float]] = [json.loads(one.communicate()[0]) for one in running]
    each = [len(one) for one in waits]
    everything = [wait for one in waits for wait in one]
    return Speed(len(everything) / seconds, p99(everything), min(each), max(each))


if __name__ == "__main__":
    main()
