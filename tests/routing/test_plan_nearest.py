"""Nearest-first plans: sound, the same each time, and fair to those who wait."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plan import Cancelled, Plan, Problem, Stop, Vehicle, Why
from routing.plan.checking import check
from routing.plan.nearest import NearestFirst
from routing.plan.prizes import prize_of
from routing.plan.timing import fits, plan_of, timed
from tests.routing.planning import HOUR, town


def _plan(problem: Problem) -> Plan:
    return NearestFirst().plan(problem, budget_s=30)


def _served(plan: Plan) -> set[str]:
    return {visit.stop for one in plan.vehicles for trip in one.trips for visit in trip.visits}


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 25), st.integers(0, 4), st.integers(0, 10**6), st.sampled_from([60_000, 300_000])
)
def test_every_plan_is_sound(stops: int, vehicles: int, seed: int, capacity_grams: int) -> None:
    problem = town(stops, vehicles, seed=seed, capacity_grams=capacity_grams)
    assert check(problem, _plan(problem)) == []


def test_the_same_problem_has_the_same_plan() -> None:
    assert _plan(town(60, 4, seed=3)) == _plan(town(60, 4, seed=3))


def test_improving_shortens_what_is_driven() -> None:
    problem = town(60, 4, seed=3)
    bare = _Bare().plan(problem, budget_s=30)
    better = _plan(problem)
    assert check(problem, bare) == []
    assert len(_served(better)) >= len(_served(bare))
    assert better.seconds / len(_served(better)) < 0.9 * bare.seconds / len(_served(bare))


class _Bare(NearestFirst):
    """Nearest first and nothing else: its budget is over when it begins."""

    def plan(self, problem: Problem, *, budget_s: float, **options: object) -> Plan:
        from routing.plan.nearest import _Work  # noqa: PLC0415

        work = _Work(problem, 0.0, lambda _: True)
        work.drive_nearest_first(in_turn=False)
        return plan_of(problem, [run.tour for run in work.runs], "bare")


def test_a_full_vehicle_empties_and_goes_on() -> None:
    problem = town(12, 1, seed=5, capacity_grams=130_000)
    open_all_day = tuple(replace(stop, opens_s=0, closes_s=24 * HOUR) for stop in problem.stops)
    plan = _plan(replace(problem, stops=open_all_day))
    assert len(plan.vehicles[0].trips) > 1
    assert all(trip.grams <= 130_000 for trip in plan.vehicles[0].trips)


def test_nobody_is_needed_for_nothing() -> None:
    plan = _plan(town(0, 2, seed=1))
    assert [one.trips for one in plan.vehicles] == [(), ()]
    assert _plan(town(3, 0, seed=1)).unserved != ()


def test_what_is_left_out_says_why() -> None:
    seconds = [[0, 600, 600], [600, 0, 600], [600, 600, 0]]
    near = Stop("near", 1, 1_000, 60, 0, 24 * HOUR, 100)
    stops = (
        near,
        replace(near, key="heavy", grams=10**6),
        replace(near, key="shut", opens_s=0, closes_s=1),
        replace(near, key="too much", index=2, grams=99_500, prize=1),
    )
    vehicle = Vehicle("v", 0, 8 * HOUR, 16 * HOUR, 100_000, max_trips=1)
    problem = Problem(stops, (vehicle,), 0, seconds, seconds, unload_s=0)
    left = {one.stop: one.why for one in _plan(problem).unserved}
    assert left == {
        "heavy": Why.TOO_HEAVY,
        "shut": Why.OUT_OF_TIME,
        "too much": Why.NOT_WORTH_IT,
    }


def test_who_has_waited_is_fetched_first_when_there_is_room_for_one() -> None:
    """Far, but listed days ago, against near and new."""
    seconds = [[0, 300, 2_400], [300, 0, 2_400], [2_400, 2_400, 0]]
    new = Stop("new", 1, 50_000, 60, 0, 24 * HOUR, prize_of(0))
    old = Stop("old", 2, 50_000, 60, 0, 24 * HOUR, prize_of(5 * 24 * HOUR))
    vehicle = Vehicle("v", 0, 8 * HOUR, 16 * HOUR, 60_000, max_trips=1)
    problem = Problem((new, old), (vehicle,), 0, seconds, seconds, unload_s=0)
    assert _served(_plan(problem)) == {"old"}


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_a_prize_grows_with_age(one: int, other: int) -> None:
    assert (prize_of(one) <= prize_of(other)) == (one <= other or prize_of(one) == prize_of(other))
    assert prize_of(-5) == prize_of(0) > 0


def test_progress_is_told_and_ends_the_work() -> None:
    told: list[float] = []

    def progress(share: float) -> bool:
        told.append(share)
        return len(told) < 3

    with pytest.raises(Cancelled):
        NearestFirst().plan(town(80, 3, seed=2), budget_s=30, progress=progress)
    assert len(told) == 3
    assert all(0 <= share <= 1 for share in told)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10**6), st.integers(1, 3))
def test_both_clocks_agree(stops: int, seed: int, trips: int) -> None:
    problem = town(stops, 1, seed=seed, capacity_grams=150_000)
    tour = [part for n in range(trips) if (part := list(problem.stops[n::trips]))]
    (vehicle,) = problem.vehicles
    assert fits(problem, vehicle, tour) == (timed(problem, vehicle, tour) is not None)


def test_a_tour_that_breaks_a_rule_is_no_plan() -> None:
    problem = town(10, 1, seed=1, capacity_grams=1_000)
    with pytest.raises(ValueError, match="breaks a rule"):
        plan_of(problem, [[list(problem.stops)]], "nobody")


def test_nobody_is_sent_out_for_nothing() -> None:
    problem = town(12, 6, seed=8, capacity_grams=400_000)
    open_all_day = tuple(replace(stop, opens_s=0, closes_s=24 * HOUR) for stop in problem.stops)
    plan = _plan(replace(problem, stops=open_all_day))
    assert len(_served(plan)) == 12
    assert sum(bool(one.trips) for one in plan.vehicles) <= 2
