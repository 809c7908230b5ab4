"""How much processor time the ten nearest of many open jobs take, against other ways to find them.

python3 run.py bench nearest [--jobs 10000 100000 1000000] [--queries 400]

On SQLite against its R*Tree, in the same run and on the same jobs; between two questions one job
is closed and one opened, and every tenth answer (of a million, every hundredth) is compared with looking at
every job.
"""

import argparse
import asyncio
import heapq
import math
import random
import sqlite3
import time
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from statistics import median
from typing import NamedTuple

from bench.support.figures import figure
from bench.support.rounds import p99
from routing.geo import EARTH_RADIUS_M, Point, cell_of, metres_from
from routing.nearest import Ageing, best

K = 10
NEAREST = Ageing(tau_s=math.inf)
AGED = Ageing()
FAR_M = 50_000.0
GOALS = {10_000: "<=2.2", 100_000: "<=1.8", 1_000_000: "<=1.0"}
_DAY_S = 86_400
_SCHEMA = """
CREATE TABLE pickup (id INTEGER PRIMARY KEY, bank_id TEXT NOT NULL, status TEXT NOT NULL,
  lat REAL NOT NULL, lon REAL NOT NULL, cell INTEGER NOT NULL, created_at REAL NOT NULL);
CREATE INDEX ix_open_cell ON pickup (bank_id, cell) WHERE status = 'open';
CREATE INDEX ix_open_created ON pickup (bank_id, created_at) WHERE status = 'open';
CREATE VIRTUAL TABLE tree USING rtree(id, south, north, west, east);"""
_WITHIN = """
SELECT p.id, p.lat, p.lon, -p.created_at FROM (VALUES {ranges}) range CROSS JOIN pickup p
 WHERE p.bank_id = 'b' AND p.status = 'open' AND p.cell BETWEEN range.column1 AND range.column2"""
_OLDEST = """
SELECT id, lat, lon, -created_at FROM pickup
 WHERE bank_id = 'b' AND status = 'open' ORDER BY created_at, id LIMIT ?"""
_TREE = """
SELECT p.id, p.lat, p.lon, p.created_at FROM tree t JOIN pickup p ON p.id = t.id
 WHERE t.south <= ? AND t.north >= ? AND t.west <= ? AND t.east >= ?"""

Row = tuple[int, float, float, float]


class Measured(NamedTuple):
    """Milliseconds of processor time for one question."""

    middle: float
    slowest: float


def main() -> None:
    options = _options()
    for jobs in options.jobs:
        town = Town(jobs)
        tree = _measure(town, options.queries, town.by_tree, NEAREST)
        plain = _measure(town, options.queries, town.by_cell(NEAREST), NEAREST)
        figure(f"nearest_sqlite_{jobs}_rtree_ms", tree.middle)
        figure(f"nearest_sqlite_{jobs}_rtree_p99_ms", tree.slowest)
        figure(f"nearest_sqlite_{jobs}_ms", plain.middle)
        figure(f"nearest_sqlite_{jobs}_p99_ms", plain.slowest, "<=20" if jobs == 10**6 else "")
        figure(f"nearest_sqlite_{jobs}_of_rtree", plain.middle / tree.middle, GOALS.get(jobs, ""))
        aged = _measure(town, options.queries // 4, town.by_cell(AGED), AGED)
        goal = "<=25" if jobs == 100_000 else ""
        figure(f"nearest_sqlite_{jobs}_aged_ms", aged.middle)
        figure(f"nearest_sqlite_{jobs}_aged_of_plain", aged.middle / plain.middle, goal)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench nearest", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=400)
    return parser.parse_args()


class Town:
    """Open jobs round Medan: most in clusters, some anywhere; and as many closed ones."""

    def __init__(self, jobs: int) -> None:
        self.chance = random.Random(jobs)
        self._centres = [self._anywhere() for _ in range(60)]
        # Numbers apart from objects: a collector of garbage that walks a million objects
        # would be measured with whoever asks when it is due.
        self._lats, self._lons, self._ages = array("d"), array("d"), array("d")
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(_SCHEMA)
        self.connection.execute("BEGIN")
        for number in range(jobs):
            self._add(2 * number, self._place(), "open")
            self._add(2 * number + 1, self._place(), "done")
        self.connection.execute("COMMIT")
        self._next = 2 * jobs
        self._ids = array("q", range(0, 2 * jobs, 2))

    def __len__(self) -> int:
        return len(self._ids)

    def turn_over(self) -> None:
        """Close a job and open another."""
        place = self.chance.randrange(len(self._ids))
        gone = self._ids[place]
        self._lats[gone] = math.nan
        self.connection.execute("UPDATE pickup SET status = 'done' WHERE id = ?", (gone,))
        self.connection.execute("DELETE FROM tree WHERE id = ?", (gone,))
        self._add(self._next, self._place(), "open")
        self._ids[place] = self._next
        self._next += 1

    def a_collector(self) -> Point:
        return self._place()

    def by_cell(self, ageing: Ageing) -> Callable[[Point], Awaitable[list[int]]]:
        """Our search, over the column that the product has."""
        source = _Cells(self.connection)

        async def search(here: Point) -> list[int]:
            found = await best(source, here, k=K, within_m=FAR_M, ageing=ageing)
            return [one.key for one in found.ranked]

        return search

    async def by_tree(self, here: Point) -> list[int]:
        """A box in the R*Tree that grows until it holds enough and nothing outside is nearer."""
        radius_m, metres = 100.0, metres_from(here)
        while True:
            rows = self.connection.execute(_TREE, _box(here, radius_m)).fetchall()
            near = heapq.nsmallest(K, ((metres(row[1], row[2]), row[0]) for row in rows))
            if radius_m >= FAR_M or (len(near) == K and near[-1][0] <= radius_m):
                return [row_id for _, row_id in near]
            radius_m *= 3

    def by_looking(self, here: Point, ageing: Ageing) -> list[int]:
        """Every job looked at."""
        metres = metres_from(here)
        places = enumerate(zip(self._lats, self._lons, self._ages, strict=True))
        scored = (
            (ageing.score(far, age_s), far, number)
            for number, (lat, lon, age_s) in places
            if (far := metres(lat, lon)) <= FAR_M
        )
        return [row_id for *_, row_id in heapq.nsmallest(K, scored)]

    def _add(self, number: int, point: Point, status: str) -> None:
        age_s = self.chance.uniform(0, 3 * _DAY_S)
        row = (number, "b", status, point.lat, point.lon, cell_of(point), -age_s)
        self._lats.append(point.lat if status == "open" else math.nan)
        self._lons.append(point.lon)
        self._ages.append(age_s)
        self.connection.execute("INSERT INTO pickup VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if status == "open":
            box = (number, point.lat, point.lat, point.lon, point.lon)
            self.connection.execute("INSERT INTO tree VALUES (?, ?, ?, ?, ?)", box)

    def _place(self) -> Point:
        if self.chance.random() < 0.15:
            return self._anywhere()
        centre = self.chance.choice(self._centres)
        return Point(self.chance.gauss(centre.lat, 0.01), self.chance.gauss(centre.lon, 0.01))

    def _anywhere(self) -> Point:
        return Point(self.chance.uniform(3.25, 3.95), self.chance.uniform(98.3, 99.1))


class _Cells:
    """The candidates, as the product's board asks for them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def within(self, ranges: list[tuple[int, int]]) -> Sequence[Row]:
        sql = _WITHIN.format(ranges=",".join(["(?,?)"] * len(ranges)))
        return self._connection.execute(
            sql, [bound for pair in ranges for bound in pair]
        ).fetchall()

    async def about(self, here: Point, count: int) -> None:
        return None

    async def oldest(self, count: int) -> Sequence[Row]:
        return self._connection.execute(_OLDEST, (count,)).fetchall()


def _box(here: Point, radius_m: float) -> tuple[float, float, float, float]:
    """North, south, east and west of a disc; not for poles and 180 degrees, where no job is."""
    reach = radius_m / EARTH_RADIUS_M
    up = math.degrees(reach) * 1.001
    across = math.degrees(math.asin(math.sin(reach) / math.cos(math.radians(here.lat)))) * 1.001
    return here.lat + up, here.lat - up, here.lon + across, here.lon - across


def _measure(
    town: Town, queries: int, search: Callable[[Point], Awaitable[list[int]]], ageing: Ageing
) -> Measured:
    async def ask() -> list[float]:
        return [spent async for spent in _asked(town, queries, search, ageing)]

    spent = asyncio.run(ask())
    return Measured(median(spent), p99(spent))


async def _asked(
    town: Town, queries: int, search: Callable[[Point], Awaitable[list[int]]], ageing: Ageing
) -> AsyncIterator[float]:
    for number in range(queries):
        here = town.a_collector()
        began = time.thread_time()
        found = await search(here)
        yield 1e3 * (time.thread_time() - began)
        # Looking at a million jobs takes seconds, so fewer answers are compared there.
        compare_every = 10 if len(town) <= 100_000 else 100
        if number % compare_every == 0 and found != town.by_looking(here, ageing):
            raise SystemExit(f"Not the nearest of {len(town)} jobs from {here}.")
        town.turn_over()


if __name__ == "__main__":
    main()
