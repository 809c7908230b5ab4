"""Problems to plan, made at random or by hand, for the tests of planners."""

import random

from routing.geo import Point, metres_between
from routing.plan import Problem, Stop, Vehicle

HOUR = 3_600


def town(stops: int, vehicles: int, *, seed: int, capacity_grams: int = 300_000) -> Problem:
    """Stops round a bank, some with narrow windows, and vehicles that begin there."""
    chance = random.Random(seed)
    bank = Point(3.55, 98.87)
    places = [bank, *(_near(bank, chance) for _ in range(stops))]
    metres = [[_road(a, b) for b in places] for a in places]
    return Problem(
        stops=tuple(_stop(index, chance) for index in range(1, stops + 1)),
        vehicles=tuple(
            Vehicle(f"v{number}", 0, 7 * HOUR, 16 * HOUR, capacity_grams)
            for number in range(vehicles)
        ),
        bank=0,
        seconds=[[round(drive * 3.6 / 20) for drive in row] for row in metres],
        metres=metres,
        unload_s=600,
    )


def _near(bank: Point, chance: random.Random) -> Point:
    return Point(bank.lat + chance.gauss(0, 0.05), bank.lon + chance.gauss(0, 0.05))


def _road(a: Point, b: Point) -> int:
    return round(1.45 * metres_between(a, b) + 250) if a != b else 0


def _stop(index: int, chance: random.Random) -> Stop:
    opens_s = chance.choice([0, 8, 10, 13]) * HOUR
    return Stop(
        key=f"s{index:04}",
        index=index,
        grams=chance.randint(2_000, 60_000),
        service_s=360,
        opens_s=opens_s,
        closes_s=opens_s + chance.choice([3, 5, 20]) * HOUR,
        prize=chance.randint(7_200, 20_000),
    )
