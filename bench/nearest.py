"""How much processor time the ten nearest of many open jobs take, against other ways to find them.

python3 run.py bench nearest [--jobs 10000 100000 1000000] [--queries 400]
                             [--only sqlite|postgresql]

On SQLite against its R*Tree, on PostgreSQL against PostGIS, in the same run and on the same jobs;
between two questions one job is closed and one opened, and every tenth answer (of a million, every
hundredth) is compared with looking at every job. PostGIS comes from Debian; without it only SQLite
is measured. Processor time is that of who asks, and of the server's own process.
"""

import argparse
import asyncio
import math
from collections.abc import AsyncIterator
from statistics import median
from typing import NamedTuple

from bench.support.figures import figure
from bench.support.near_postgresql import PostgreSQLJobs, binaries_with_postgis
from bench.support.near_sqlite import SQLiteJobs
from bench.support.rounds import p99
from bench.support.town import Search, Store, Town, ours
from routing.nearest import Ageing
from tests import postgresql

NEAREST = Ageing(tau_s=math.inf)
AGED = Ageing()
OF_TREE = {10_000: "<=2.2", 100_000: "<=1.8", 1_000_000: "<=1.0"}
OF_POSTGIS = {10_000: "<=1.5", 100_000: "<=1.5", 1_000_000: "<=0.6"}


class Measured(NamedTuple):
    """Milliseconds of processor time for one question."""

    middle: float
    slowest: float


def main() -> None:
    options = _options()
    for jobs in options.jobs:
        if options.only != "postgresql":
            _on_sqlite(jobs, options.queries)
        if options.only != "sqlite":
            _on_postgresql(jobs, options.queries)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench nearest", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    return parser.parse_args()


def _on_sqlite(jobs: int, queries: int) -> None:
    store = SQLiteJobs()
    town = Town(jobs, store)
    tree = _measure(town, store, store.by_tree, queries)
    plain = _measure(town, store, ours(store, NEAREST), queries)
    aged = _measure(town, store, ours(store, AGED), queries // 4, AGED)
    _say(f"nearest_sqlite_{jobs}_rtree", tree)
    _say(f"nearest_sqlite_{jobs}", plain, "<=20" if jobs == 10**6 else "")
    figure(f"nearest_sqlite_{jobs}_of_rtree", plain.middle / tree.middle, OF_TREE.get(jobs, ""))
    goal = "<=25" if jobs == 100_000 else ""
    figure(f"nearest_sqlite_{jobs}_aged_of_plain", aged.middle / plain.middle, goal)


def _on_postgresql(jobs: int, queries: int) -> None:
    binaries = binaries_with_postgis()
    if binaries is None:
        return
    with postgresql.server(own=True, binaries=binaries) as url:
        assert url is not None
        store = PostgreSQLJobs(url)
        town = Town(jobs, store)
        postgis = _measure(town, store, store.by_postgis, queries)
        points = _measure(town, store, ours(store, NEAREST), queries)
        store.has_points = False
        cells = _measure(town, store, ours(store, NEAREST), queries)
    _say(f"nearest_postgresql_{jobs}_postgis", postgis)
    _say(f"nearest_postgresql_{jobs}", points)
    goal = OF_POSTGIS.get(jobs, "")
    figure(f"nearest_postgresql_{jobs}_of_postgis", points.middle / postgis.middle, goal)
    _say(f"nearest_postgresql_{jobs}_cells_alone", cells)
    ratio = cells.middle / postgis.middle
    figure(f"nearest_postgresql_{jobs}_cells_alone_of_postgis", ratio)


def _say(name: str, measured: Measured, p99_goal: str = "") -> None:
    figure(f"{name}_ms", measured.middle)
    figure(f"{name}_p99_ms", measured.slowest, p99_goal)


def _measure(
    town: Town, store: Store, search: Search, queries: int, ageing: Ageing = NEAREST
) -> Measured:
    async def ask() -> list[float]:
        return [spent async for spent in _asked(town, store, search, queries, ageing)]

    spent = asyncio.run(ask())
    return Measured(median(spent), p99(spent))


async def _asked(
    town: Town, store: Store, search: Search, queries: int, ageing: Ageing
) -> AsyncIterator[float]:
    for number in range(queries):
        here = town.a_collector()
        began = store.cpu_ms()
        found = await search(here)
        yield store.cpu_ms() - began
        # Looking at a million jobs takes seconds, so fewer answers are compared there.
        compare_every = 10 if len(town) <= 100_000 else 100
        if number % compare_every == 0 and found != town.by_looking(here, ageing):
            raise SystemExit(f"Not the nearest of {len(town)} jobs from {here}.")
        town.turn_over()


if __name__ == "__main__":
    main()
