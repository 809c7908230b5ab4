"""What finished trips say about the estimate of roads: fits that a few odd trips can't spoil."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

LEAST_TRIPS = 20
"""Fewer say more about these trips than about the town."""
_MOST_PAIRED = 300


@dataclass(frozen=True, slots=True)
class Trip:
    """From one door to the next: straight metres, seconds on the way, road metres if known."""

    straight_m: float
    seconds: float
    road_m: float | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Road metres are `factor * straight + extra_m`, driven at `speed_kmh`.

    `off_before` and `off_after` are the median of how far the estimated seconds were off, as a
    share of the real ones, by the figures that were in force and by these.
    """

    factor: float
    extra_m: float
    speed_kmh: float
    trips: int
    off_before: float
    off_after: float


def calibrate(trips: Sequence[Trip], factor: float, extra_m: float, speed_kmh: float) -> Fit:
    """Return the figures that fit these trips, starting from those in force.

    Factor and extra come from trips with road metres, if there are enough; without, they stay,
    for seconds alone can't tell a longer road from a slower one. The speed is the median.
    Raises ValueError for fewer than 20 trips of some length.
    """
    real = [trip for trip in trips if trip.straight_m > 50 and trip.seconds > 0]
    if len(real) < LEAST_TRIPS:
        raise ValueError(f"It takes at least {LEAST_TRIPS} trips; there are {len(real)}.")
    before = factor, extra_m, speed_kmh
    known = [(trip.straight_m, trip.road_m) for trip in real if trip.road_m is not None]
    if len(known) >= LEAST_TRIPS:
        factor, extra_m = _line(known)
    speeds = [3.6 * (factor * trip.straight_m + extra_m) / trip.seconds for trip in real]
    after = factor, extra_m, round(median(speeds), 1)
    return Fit(*after, len(real), _off(real, *before), _off(real, *after))


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The line of Theil and Sen: the median of the slopes between pairs of points.

    No road is shorter than the straight line, so the slope is 1 at least.
    """
    paired = points[:_MOST_PAIRED]
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in combinations(paired, 2) if c != a]
    slope = max(1.0, round(median(slopes), 2)) if slopes else 1.0
    return slope, max(0.0, float(round(median(y - slope * x for x, y in points))))


def _off(trips: Sequence[Trip], factor: float, extra_m: float, speed_kmh: float) -> float:
    def off(trip: Trip) -> float:
        guessed = 3.6 * (factor * trip.straight_m + extra_m) / speed_kmh
        return abs(guessed - trip.seconds) / trip.seconds

    return median(off(trip) for trip in trips)
