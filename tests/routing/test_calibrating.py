"""Figures are found again from trips that were made with them, odd trips or not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.roads.calibrating import LEAST_TRIPS, Trip, calibrate


def made(
    count: int, factor: float, extra_m: float, speed_kmh: float, *, seed: int, roads: bool
) -> list[Trip]:
    chance = random.Random(seed)
    trips = []
    for _ in range(count):
        straight_m = chance.uniform(100, 8_000)
        road_m = factor * straight_m + extra_m
        trips.append(Trip(straight_m, 3.6 * road_m / speed_kmh, road_m if roads else None))
    return trips


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 3.0), st.floats(0, 900), st.floats(5, 60), st.integers(0, 10**6))
def test_figures_are_found_again(factor: float, extra_m: float, speed: float, seed: int) -> None:
    fit = calibrate(made(40, factor, extra_m, speed, seed=seed, roads=True), 1.45, 250, 20)
    assert fit.factor == pytest.approx(factor, abs=0.02)
    assert fit.extra_m == pytest.approx(extra_m, abs=60)
    assert fit.speed_kmh == pytest.approx(speed, rel=0.05)
    assert fit.off_after < 0.05


def test_without_roads_only_the_speed_is_learnt() -> None:
    fit = calibrate(made(30, 1.45, 250, 14, seed=1, roads=False), 1.45, 250, 20)
    assert (fit.factor, fit.extra_m, fit.speed_kmh, fit.trips) == (1.45, 250, 14.0, 30)
    assert fit.off_before > 0.25 > fit.off_after


def test_a_third_of_odd_trips_changes_little() -> None:
    trips = made(60, 1.6, 200, 18, seed=2, roads=True)
    odd = [Trip(trip.straight_m, trip.seconds * 9, trip.straight_m * 7) for trip in trips[:20]]
    fit = calibrate([*odd, *trips[20:]], 1.45, 250, 20)
    assert fit.factor == pytest.approx(1.6, abs=0.45)
    assert fit.speed_kmh == pytest.approx(18, rel=0.4)


def test_standing_about_is_no_trip() -> None:
    with pytest.raises(ValueError, match="there are 0"):
        calibrate([Trip(3.0, 60.0)] * 50, 1.45, 250, 20)


def test_few_trips_say_nothing() -> None:
    with pytest.raises(ValueError, match=f"there are {LEAST_TRIPS - 1}"):
        calibrate(made(LEAST_TRIPS - 1, 1.5, 0, 20, seed=3, roads=True), 1.45, 250, 20)
