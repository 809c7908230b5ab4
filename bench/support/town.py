"""Open jobs round Medan, for measuring how the nearest are found."""

import heapq
import math
import random
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol
from uuid import uuid4

from routing.geo import Point, metres_from
from routing.nearest import Ageing, Source, best
from service.claims.looks import Looks

K = 10
FAR_M = 50_000.0
_DAY_S = 86_400

Row = tuple[int, float, float, float]
"""A job's number, where it is, and its age in seconds."""
Search = Callable[[Point], Awaitable[list[int]]]


class Store(Protocol):
    """A database with jobs in it."""

    def fill(self, rows: Iterator[tuple[Row, bool]]) -> None:
        """Put in rows, each with whether the job is open."""

    def add(self, row: Row) -> None: ...

    def close(self, number: int) -> None: ...

    def cpu_ms(self) -> float:
        """Processor time of who asks, and of a server if there is one."""


class Town:
    """Most jobs in clusters, some anywhere; and as many closed ones."""

    def __init__(self, jobs: int, store: Store) -> None:
        self.chance = random.Random(jobs)
        self._centres = [self._anywhere() for _ in range(60)]
        # Numbers apart from objects: a collector of garbage that walks a million objects
        # would be measured with whoever asks when it is due.
        self._lats, self._lons, self._ages = array("d"), array("d"), array("d")
        self._store = store
        store.fill((self._row(is_open=not n % 2), not n % 2) for n in range(2 * jobs))
        self._open = array("q", range(0, 2 * jobs, 2))

    def __len__(self) -> int:
        return len(self._open)

    def turn_over(self) -> None:
        """Close a job and open another."""
        place = self.chance.randrange(len(self._open))
        self._lats[self._open[place]] = math.nan
        self._store.close(self._open[place])
        row = self._row(is_open=True)
        self._store.add(row)
        self._open[place] = row[0]

    def a_collector(self) -> Point:
        return self._place()

    def by_looking(self, here: Point, ageing: Ageing) -> list[int]:
        """Every job looked at."""
        metres = metres_from(here)
        places = enumerate(zip(self._lats, self._lons, self._ages, strict=True))
        scored = (
            (ageing.score(far, age_s), far, number)
            for number, (lat, lon, age_s) in places
            if (far := metres(lat, lon)) <= FAR_M
        )
        return [number for *_, number in heapq.nsmallest(K, scored)]

    def _row(self, *, is_open: bool) -> Row:
        point, age_s = self._place(), self.chance.uniform(0, 3 * _DAY_S)
        self._lats.append(point.lat if is_open else math.nan)
        self._lons.append(point.lon)
        self._ages.append(age_s)
        return len(self._ages) - 1, point.lat, point.lon, age_s

    def _place(self) -> Point:
        if self.chance.random() < 0.15:
            return self._anywhere()
        centre = self.chance.choice(self._centres)
        return Point(self.chance.gauss(centre.lat, 0.01), self.chance.gauss(centre.lon, 0.01))

    def _anywhere(self) -> Point:
        return Point(self.chance.uniform(3.25, 3.95), self.chance.uniform(98.3, 99.1))


def ours(source: Source[int], ageing: Ageing) -> Search:
    """The product's search over a source, which learns where to begin as the product's does."""
    looks, bank_id = Looks(), uuid4()

    async def search(here: Point) -> list[int]:
        first_m = looks.first_m(bank_id, K, here)
        found = await best(source, here, k=K, within_m=FAR_M, ageing=ageing, first_radius_m=first_m)
        looks.learn(bank_id, K, here, found.next_m)
        return [one.key for one in found.ranked]

    return search


def own_cpu_ms() -> float:
    return 1e3 * time.thread_time()
