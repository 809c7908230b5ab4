"""The k best of many places, by distance and by how long they have waited: exactly."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from routing.geo import (
    FEW_BLOCKS,
    HALF_GLOBE_M,
    MANY_BLOCKS,
    Point,
    cell_ranges,
    degrees_a_metre,
    metres_from,
)

K = TypeVar("K", bound="Key")
Told = TypeVar("Told", bound="Key", covariant=True)

Row = tuple[K, float, float, float]
"""A Spot, or a row of a database with the same columns: a search looks at thousands."""

About = tuple[Sequence[Row[K]], float] | None
"""Rows, and the metres within which none is missing; None if there is no telling."""

_FIRST_OLDEST = 16
_FEW = 3
_LEAST_M = 1.0
_GROWTH = 4.0
_TO_SPARE = 2.8
_ROWS_OF_A_QUESTION = 100
"""As long as this takes a question without an answer."""


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
        return self.scoring()(distance_m, age_s)

    def scoring(self) -> Callable[[float, float], float]:
        """Return what scores a distance and an age: for loops over many."""
        floor_m, tau_s = self.floor_m, self.tau_s
        if math.isinf(tau_s):
            return lambda distance_m, _age_s: distance_m + floor_m
        return lambda distance_m, age_s: (
            (distance_m + floor_m) / (1 + (age_s if age_s > 0 else 0.0) / tau_s)
        )

    def reach_m(self, score: float, age_s: float) -> float:
        """Return the distance at which something of this age has this score."""
        return score * (1 + max(age_s, 0.0) / self.tau_s) - self.floor_m


class Key(Protocol):
    """What tells items apart and breaks ties: an int, a str, a UUID."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


class Spot(NamedTuple, Generic[K]):
    """An item's unique key, where it is in degrees, and how many seconds it has waited."""

    key: K
    lat: float
    lon: float
    age_s: float


class Worth(NamedTuple):
    """Who can be among the best, in degrees from a point as in a plane.

    Who is within `edge`, and within `near` and `per_s` more for each second of waiting; a
    negative age counts as zero. Where waiting doesn't count `per_s` is 0 and `near` is `edge`.
    """

    lat: float
    lon: float
    edge: float
    near: float
    per_s: float


class Source(Protocol[Told]):
    """Where the candidates come from: a table, a dictionary. No answer lacks anything."""

    async def within(
        self, ranges: list[tuple[int, int]], worth: Worth | None
    ) -> Sequence[Row[Told]]:
        """Return everything whose cell is in one of the inclusive, disjoint ranges.

        What isn't worth it may be left out, where that is quicker than to tell it; with None
        everything is.
        """
        ...

    async def about(self, here: Point, count: int) -> About[Told]:
        """Return some `count` items about here, or None if there is no quick way to find them."""
        ...

    async def oldest(self, count: int) -> Sequence[Row[Told]]:
        """Return the `count` oldest items wherever they are, or all if there are fewer."""
        ...


class Ranked(NamedTuple, Generic[K]):
    """One item of the answer."""

    key: K
    point: Point
    distance_m: float
    age_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Found(Generic[K]):
    """The answer, best first, and what it rests on.

    All within `radius_m` was looked at (0 if the oldest items were already all there are),
    and `seen` different items in total. `next_m` is a good first radius for the next search
    about here, or 0 if there is no telling.
    """

    ranked: list[Ranked[K]]
    radius_m: float
    next_m: float
    seen: int


async def best(
    source: Source[K],
    here: Point,
    *,
    k: int,
    within_m: float,
    ageing: Ageing,
    first_radius_m: float = 60.0,
) -> Found[K]:
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
    search = _Search(source, here, k, min(within_m, HALF_GLOBE_M), ageing)
    if not math.isinf(ageing.tau_s):
        await search.ask_oldest(max(_FIRST_OLDEST, 2 * k))
    if not search.seen_all and not await search.ask_about():
        await search.ask_disc(min(first_radius_m, search.within_m))
    while not search.settled():
        await search.go_on()
    return Found(search.ranked(), search.radius_m, search.next_m(), len(search.seen))


@dataclass(slots=True)
class _Search(Generic[K]):
    """A search under way: the best so far, and how old the unseen can be at most."""

    source: Source[K]
    here: Point
    k: int
    within_m: float
    ageing: Ageing
    seen: set[K] = field(default_factory=set)
    top: list[tuple[float, float, K, Row[K]]] = field(default_factory=list)
    seen_all: bool = False
    radius_m: float = 0.0
    told_score: float = math.inf
    """Of what is within `radius_m` all was told that scores better than this."""
    asked_rows: int = 0
    disc_rows: int = 0
    oldest_rows: int = 0
    unseen_age_s: float = 0.0
    first_age_s: float | None = None
    """How old the unseen could be when first the oldest had been asked for."""

    async def ask_disc(self, radius_m: float) -> None:
        # Where waiting counts, discs are wide and hold much that isn't worth it.
        blocks = FEW_BLOCKS if math.isinf(self.ageing.tau_s) else MANY_BLOCKS
        ranges = cell_ranges(self.here, radius_m, most_blocks=blocks)
        score = self._score_of_use(radius_m)
        rows = await self.source.within(ranges, self._worth(radius_m, score))
        self._see(rows)
        self.radius_m, self.told_score, self.disc_rows = radius_m, score, len(rows)

    async def ask_about(self) -> bool:
        """Ask for a few that are near; False if that doesn't help here."""
        answer = await self.source.about(self.here, self.k + _FEW)
        if answer is None:
            return False
        rows, radius_m = answer
        self._see(rows)
        self.radius_m, self.disc_rows = radius_m, len(rows)
        # From so small a circle no disc could grow.
        return radius_m >= _LEAST_M

    async def ask_oldest(self, count: int) -> None:
        rows = await self.source.oldest(count)
        self._see(rows)
        self.oldest_rows, self.seen_all = count, len(rows) < count
        self.unseen_age_s = min((age_s for _, _, _, age_s in rows), default=0.0)
        if self.first_age_s is None:
            self.first_age_s = self.unseen_age_s

    def settled(self) -> bool:
        return self.seen_all or (self._is_wide_enough() and self._kth_score() <= self.told_score)

    def _is_wide_enough(self) -> bool:
        if self.radius_m >= self.within_m:
            return True
        # Strictly: an unseen item of equal score could still win the tie by its key.
        return self._kth_score() < self.ageing.score(self.radius_m, self.unseen_age_s)

    async def go_on(self) -> None:
        """Widen the disc or ask for more of the oldest, whichever should bring fewer rows."""
        if self._is_wide_enough():
            # Since it was asked, the unseen have become younger: now more of it matters.
            await self.ask_disc(self.radius_m)
            return
        kth = self._kth_score()
        wider_m = min(self._wider_m(), self.within_m)
        wider_rows = self.disc_rows * (wider_m / self.radius_m) ** 2
        # Only if age alone is in the way: with unseen items newborn, this disc would do.
        age_decides = kth < self.ageing.score(self.radius_m, 0.0)
        if age_decides and 2 * self.oldest_rows < wider_rows:
            await self.ask_oldest(2 * self.oldest_rows)
        else:
            await self.ask_disc(wider_m)

    def _wider_m(self) -> float:
        """Far enough for what is known, else for k items as dense as those near here."""
        # How far one must look to know that the k-th is the k-th.
        enough_m = self.ageing.reach_m(self._kth_score(), self.unseen_age_s) + 1
        if math.isinf(enough_m):
            # Room for more than are wanted, as farther out they may be fewer.
            enough_m = self.radius_m * math.sqrt(_TO_SPARE * self.k / (self.disc_rows or 1))
        # At least half as far again, or rounding could keep the disc where it is.
        return min(max(1.5 * self.radius_m, enough_m), _GROWTH * self.radius_m)

    def next_m(self) -> float:
        """The radius that would have done at once, unless it had brought more rows than all this."""
        if not self.radius_m:
            return 0.0
        enough_m = self.ageing.reach_m(self._kth_score(), self.first_age_s or 0.0) + 1
        at_once_m = max(_LEAST_M, min(enough_m, self.within_m))
        wider = at_once_m / self.radius_m
        # Not squared: of a large power Python makes an error, of a product infinity.
        rows = self.disc_rows * wider * wider + _ROWS_OF_A_QUESTION
        return at_once_m if wider <= 1 or rows < self.asked_rows else self.radius_m

    def ranked(self) -> list[Ranked[K]]:
        return [
            Ranked(key, Point(lat, lon), distance_m, age_s, score)
            for score, distance_m, _, (key, lat, lon, age_s) in self.top
        ]

    def _see(self, rows: Sequence[Row[K]]) -> None:
        seen, within_m, worst = self.seen, self.within_m, self._kth_score()
        metres, score_of = metres_from(self.here), self.ageing.scoring()
        self.asked_rows += len(rows) + _ROWS_OF_A_QUESTION
        fresh = [row for row in rows if row[0] not in seen]
        seen.update([row[0] for row in fresh])
        scored = [
            (score_of(distance_m := metres(lat, lon), age_s), distance_m, row[0], row)
            for row in fresh
            for _, lat, lon, age_s in [row]
        ]
        better = [one for one in scored if one[0] <= worst and one[1] <= within_m]
        self.top = sorted(self.top + better)[: self.k]

    def _score_of_use(self, radius_m: float) -> float:
        """Who scores worse than this is of no use to a look so far: than the k-th until now.

        Or than what may be just outside, as then this disc settles nothing about it; but what
        is outside of the last disc is no concern of the search.
        """
        kth = self._kth_score()
        if radius_m >= self.within_m:
            return kth
        return min(kth, self.ageing.score(radius_m, self.unseen_age_s))

    def _worth(self, radius_m: float, score: float) -> Worth | None:
        """Not worth it is what the disc doesn't hold, and what scores worse than this."""
        each = degrees_a_metre(self.here, radius_m)
        if each is None:
            return None
        edge_m, a_second_m = radius_m + 1, score / self.ageing.tau_s
        # A little more, for rounding: of a metre, and where a high floor loses metres.
        near_m = score * (1 + 1e-12) - self.ageing.floor_m + 1
        if not 0 < a_second_m < math.inf:
            # Waiting doesn't count, or nothing is known to be worse than anything.
            edge_m = near_m = min(edge_m, near_m)
            a_second_m = 0.0
        return Worth(*self.here, edge_m * each, near_m * each, a_second_m * each)

    def _kth_score(self) -> float:
        return self.top[-1][0] if len(self.top) == self.k else math.inf
