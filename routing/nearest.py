"""The k best of many places, by distance and by how long they have waited: exactly."""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from routing.geo import HALF_GLOBE_M, Point, metres_between, row_ranges

T = TypeVar("T")
Item = TypeVar("Item", covariant=True)

_GROWTH = 3.0
_FIRST_OLDEST = 32


@dataclass(frozen=True, slots=True)
class Ageing:
    """How waiting makes a far job as good as a near one; the lower score wins.

    A job `d` metres away beats any that is new, even one next door, once it has waited
    longer than `tau_s * d / floor_m` seconds. With `tau_s` of `math.inf` only the distance
    counts. Raises ValueError for a floor below 0 or a tau of 0 or below.
    """

    floor_m: float = 500.0
    tau_s: float = 14_400.0

    def __post_init__(self) -> None:
        if not (0 <= self.floor_m < math.inf and self.tau_s > 0):
            raise ValueError("Ageing needs a floor of 0 metres or more and a tau above 0 seconds.")

    def score(self, distance_m: float, age_s: float) -> float:
        """Return the score; a negative age, from clocks that differ, counts as zero."""
        return (distance_m + self.floor_m) / (1 + max(age_s, 0.0) / self.tau_s)

    def reach_m(self, score: float, age_s: float) -> float:
        """Return the distance at which something of this age has this score."""
        return score * (1 + max(age_s, 0.0) / self.tau_s) - self.floor_m


class Key(Protocol):
    """What tells items apart and breaks ties: an int, a str, a UUID."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


class Spot(NamedTuple):
    """Where an item is, how many seconds it has waited (finite), and its unique key."""

    point: Point
    age_s: float
    key: Key


class Source(Protocol[Item]):
    """Where the candidates come from: a table, a dictionary. Both questions are exact."""

    async def within(self, ranges: list[tuple[int, int]]) -> Sequence[Item]:
        """Return everything whose cell is in one of the inclusive, disjoint ranges."""
        ...

    async def oldest(self, count: int) -> Sequence[Item]:
        """Return the `count` oldest items wherever they are, or all if there are fewer."""
        ...


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T]):
    """One item of the answer."""

    item: T
    distance_m: float
    age_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The answer, best first, and what it rests on.

    All within `radius_m` was looked at (0 if the oldest items were already all there are),
    and `seen` different items in total.
    """

    ranked: list[Ranked[T]]
    radius_m: float
    seen: int


async def best(  # noqa: PLR0913 - two things to search and five that say how, all named
    source: Source[T],
    here: Point,
    *,
    k: int,
    within_m: float,
    ageing: Ageing,
    describe: Callable[[T], Spot],
    first_radius_m: float = 100.0,
) -> Found[T]:
    """Return the `k` items of lowest score within `within_m` metres; fewer if there are fewer.

    Ties go to the nearer, then to the lower key. The answer equals that of looking at every
    item: a disc grows until nothing outside it can score as well as the k-th, given the
    age that unseen items can have at most. With an infinite tau `oldest` is never asked.
    Raises ValueError if `k` or `first_radius_m` is not positive or `within_m` is negative.

    The stop rule is the threshold algorithm of Fagin, Lotem and Naor (2001).
    """
    if not (k > 0 and within_m >= 0 and first_radius_m > 0):
        raise ValueError("A search needs k and a first radius above 0, and a limit of 0 or more.")
    # Nothing is farther than the antipode, so a search without a limit ends there too.
    search = _Search(source, here, k, min(within_m, HALF_GLOBE_M), ageing, describe)
    if not math.isinf(ageing.tau_s):
        await search.ask_oldest(max(_FIRST_OLDEST, 2 * k))
    if not search.seen_all:
        await search.ask_disc(min(first_radius_m, search.within_m))
    while not search.settled():
        await search.go_on()
    return Found([place[-1] for place in search.top], search.radius_m, len(search.seen))


@dataclass(slots=True)
class _Search(Generic[T]):
    """A search under way: the best so far, and how old the unseen can be at most."""

    source: Source[T]
    here: Point
    k: int
    within_m: float
    ageing: Ageing
    describe: Callable[[T], Spot]
    seen: set[Key] = field(default_factory=set)
    top: list[tuple[float, float, Key, Ranked[T]]] = field(default_factory=list)
    seen_all: bool = False
    radius_m: float = 0.0
    disc_rows: int = 0
    oldest_rows: int = 0
    unseen_age_s: float = 0.0

    async def ask_disc(self, radius_m: float) -> None:
        items = await self.source.within(row_ranges(self.here, radius_m))
        self._see([(item, self.describe(item)) for item in items])
        self.radius_m, self.disc_rows = radius_m, len(items)

    async def ask_oldest(self, count: int) -> None:
        spots = [(item, self.describe(item)) for item in await self.source.oldest(count)]
        self._see(spots)
        self.oldest_rows, self.seen_all = count, len(spots) < count
        self.unseen_age_s = min((spot.age_s for _, spot in spots), default=0.0)

    def settled(self) -> bool:
        if self.seen_all or self.radius_m >= self.within_m:
            return True
        # Strictly: an unseen item of equal score could still win the tie by its key.
        return self._kth_score() < self.ageing.score(self.radius_m, self.unseen_age_s)

    async def go_on(self) -> None:
        """Widen the disc or ask for more of the oldest, whichever should bring fewer rows."""
        kth = self._kth_score()
        enough_m = self.ageing.reach_m(kth, self.unseen_age_s) + 1
        # At least half as far again, or rounding could keep the disc where it is.
        wider_m = min(max(1.5 * self.radius_m, enough_m), _GROWTH * self.radius_m, self.within_m)
        wider_rows = self.disc_rows * (wider_m / self.radius_m) ** 2
        # Only if age alone is in the way: with unseen items newborn, this disc would do.
        age_decides = kth < self.ageing.score(self.radius_m, 0.0)
        if age_decides and 2 * self.oldest_rows < wider_rows:
            await self.ask_oldest(2 * self.oldest_rows)
        else:
            await self.ask_disc(wider_m)

    def _see(self, spots: list[tuple[T, Spot]]) -> None:
        for item, (point, age_s, key) in spots:
            if key in self.seen:
                continue
            self.seen.add(key)
            distance_m = metres_between(self.here, point)
            if distance_m <= self.within_m:
                score = self.ageing.score(distance_m, age_s)
                self.top.append((score, distance_m, key, Ranked(item, distance_m, age_s, score)))
        self.top = heapq.nsmallest(self.k, self.top)

    def _kth_score(self) -> float:
        return self.top[-1][0] if len(self.top) == self.k else math.inf
