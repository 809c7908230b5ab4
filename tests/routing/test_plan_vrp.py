"""PyVRP behind our protocol: its plans keep every rule, and are better."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plan import Cancelled, Plan, Problem, Stop, Vehicle, Why
from routing.plan.checking import check
from routing.plan.nearest import NearestFirst
from routing.plan.vrp import PyVRP, is_installed
from tests.routing.planning import HOUR, town


def _plan(problem: Problem, *, iterations: int = 60, seed: int = 0) -> Plan:
    return PyVRP(iterations=iterations).plan(problem, budget_s=60, seed=seed)


def test_it_is_the_version_whose_calls_we_know() -> None:
    assert is_installed()
    assert version("pyvrp").startswith("0.14.")


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 25), st.integers(0, 4), st.integers(0, 10**6), st.sampled_from([60_000, 300_000])
)
def test_every_plan_is_sound(stops: int, vehicles: int, seed: int, capacity_grams: int) -> None:
    problem = town(stops, vehicles, seed=seed, capacity_grams=capacity_grams)
    assert check(problem, _plan(problem, iterations=20)) == []


def test_vehicles_may_differ_in_everything() -> None:
    problem = town(30, 3, seed=4, capacity_grams=150_000)
    early, late, small = problem.vehicles
    fleet = (
        replace(early, start=3, shift_end_s=11 * HOUR, max_trips=1),
        replace(late, shift_start_s=11 * HOUR, shift_end_s=18 * HOUR, max_trips=2),
        replace(small, capacity_grams=60_000, start=7),
        replace(small, key="idle", max_trips=0),
    )
    plan = _plan(replace(problem, vehicles=fleet))
    assert check(replace(problem, vehicles=fleet), plan) == []
    assert [bool(one.trips) for one in plan.vehicles] == [True, True, True, False]


def test_a_full_vehicle_empties_and_goes_on() -> None:
    problem = town(12, 1, seed=5, capacity_grams=130_000)
    open_all_day = tuple(replace(stop, opens_s=0, closes_s=24 * HOUR) for stop in problem.stops)
    plan = _plan(replace(problem, stops=open_all_day))
    assert len(plan.vehicles[0].trips) > 1


def test_the_time_to_unload_is_part_of_the_shift() -> None:
    """There and back takes twenty minutes; with half an hour of unloading it doesn't fit."""
    seconds = [[0, 540], [540, 0]]
    stop = Stop("one", 1, 1_000, 60, 0, 24 * HOUR, 10_000)
    vehicle = Vehicle("v", 0, 8 * HOUR, 8 * HOUR + 1_200, 10_000)
    problem = Problem((stop,), (vehicle,), 0, seconds, seconds, unload_s=0)
    assert _plan(problem).unserved == ()
    (left,) = _plan(replace(problem, unload_s=1_800)).unserved
    assert left.why == Why.OUT_OF_TIME


def test_it_drives_less_than_nearest_first() -> None:
    problem = town(60, 4, seed=3)
    ours, theirs = NearestFirst().plan(problem, budget_s=30), _plan(problem, iterations=400)
    assert _worth(problem, theirs) < _worth(problem, ours)


def _worth(problem: Problem, plan: Plan) -> int:
    """Seconds driven, and the prizes of those who were left out."""
    left = {one.stop for one in plan.unserved}
    return plan.seconds + sum(stop.prize for stop in problem.stops if stop.key in left)


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = town(40, 3, seed=8)
    assert _plan(problem, seed=7) == _plan(problem, seed=7)


def _ticking(step_s: float) -> Callable[[], float]:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step_s
        return now

    return clock


def test_it_ends_when_its_budget_does() -> None:
    shares: list[float] = []

    def progress(share: float) -> bool:
        shares.append(share)
        return True

    planner = PyVRP(clock=_ticking(1.0))
    plan = planner.plan(town(10, 1, seed=1), budget_s=100, progress=progress)
    assert plan.planner == "pyvrp"
    assert len(shares) == 4
    assert shares == sorted(shares)


def test_who_does_not_want_it_any_more_stops_it() -> None:
    with pytest.raises(Cancelled):
        PyVRP().plan(town(10, 1, seed=1), budget_s=60, progress=lambda share: share < 0)
