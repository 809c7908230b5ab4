"""Every way to break a plan is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.plan import Plan, Problem, Trip, Unserved, VehiclePlan, Visit, Why
from routing.plan.checking import check
from routing.plan.nearest import NearestFirst
from tests.routing.planning import town

PROBLEM = town(40, 3, seed=1)
PLAN = NearestFirst().plan(PROBLEM, budget_s=30)


def _vehicle(plan: Plan, number: int, **changes: object) -> Plan:
    changed = replace(plan.vehicles[number], **changes)  # type: ignore[arg-type]
    return replace(plan, vehicles=(*plan.vehicles[:number], changed, *plan.vehicles[number + 1 :]))


def _trips(plan: Plan, trips: tuple[Trip, ...]) -> Plan:
    return _vehicle(plan, 0, trips=trips)


def _first_trip(plan: Plan, **changes: object) -> Plan:
    first, *others = plan.vehicles[0].trips
    return _trips(plan, (replace(first, **changes), *others))  # type: ignore[arg-type]


def _first_visit(plan: Plan, **changes: object) -> Plan:
    first, *others = plan.vehicles[0].trips[0].visits
    return _first_trip(plan, visits=(replace(first, **changes), *others))  # type: ignore[arg-type]


def _first() -> Visit:
    return PLAN.vehicles[0].trips[0].visits[0]


def _one_more(plan: Plan) -> Plan:
    return replace(plan, unserved=(*plan.unserved, Unserved(_first().stop, Why.OUT_OF_TIME)))


BREAKS: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "forgets a stop": (
        lambda plan: _first_trip(plan, visits=plan.vehicles[0].trips[0].visits[1:]),
        "neither served nor said to be left out",
    ),
    "serves a stop that it says is left out": (_one_more, "2 times"),
    "invents a stop": (lambda plan: _first_visit(plan, stop="nobody"), "not of this problem"),
    "invents one that is left out": (
        lambda plan: replace(plan, unserved=(*plan.unserved, Unserved("x", Why.TOO_HEAVY))),
        "not of this problem",
    ),
    "forgets a vehicle": (
        lambda plan: replace(plan, vehicles=plan.vehicles[:-1]),
        "not those of the problem",
    ),
    "swaps vehicles": (
        lambda plan: replace(plan, vehicles=plan.vehicles[::-1]),
        "not those of the problem",
    ),
    "begins too early": (lambda plan: _first_trip(plan, start_s=0), "before its shift"),
    "arrives faster than it drives": (
        lambda plan: _first_visit(plan, arrival_s=_first().arrival_s - 1),
        "is reached at",
    ),
    "begins before it is there": (
        lambda plan: _first_visit(plan, begin_s=_first().arrival_s - 1),
        "begun before anybody is there",
    ),
    "begins after the window": (
        lambda plan: _first_visit(plan, begin_s=10**6, departure_s=10**6 + 360),
        "outside of its window",
    ),
    "stays too short": (
        lambda plan: _first_visit(plan, departure_s=_first().departure_s - 1),
        "time at the door",
    ),
    "is back too soon": (
        lambda plan: _first_trip(plan, end_s=plan.vehicles[0].trips[0].end_s - 1),
        "doesn't reach the bank",
    ),
    "says it carries less": (lambda plan: _first_trip(plan, grams=1), "its load is"),
    "says it is shorter": (lambda plan: _first_trip(plan, metres=1), "metres long"),
    "has a trip to nobody": (
        lambda plan: _trips(plan, (*plan.vehicles[0].trips, Trip(57_000, (), 57_000, 0, 0))),
        "visits nobody",
    ),
    "counts fewer metres": (
        lambda plan: replace(plan, metres=plan.metres - 1),
        "metres of the plan",
    ),
    "counts fewer seconds": (
        lambda plan: replace(plan, seconds=plan.seconds - 1),
        "seconds, not",
    ),
}


def test_a_sound_plan_has_no_fault() -> None:
    assert check(PROBLEM, PLAN) == []
    assert any(len(one.trips) > 1 for one in PLAN.vehicles)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_plan_is_found(name: str) -> None:
    breaks, words = BREAKS[name]
    assert any(words in fault for fault in check(PROBLEM, breaks(PLAN)))


def _poorer(**changes: object) -> Problem:
    """The same problem with vehicles that can do less than the plan asks of them."""
    vehicles = tuple(replace(one, **changes) for one in PROBLEM.vehicles)  # type: ignore[arg-type]
    return replace(PROBLEM, vehicles=vehicles)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capacity_grams": 1_000}, "it carries"),
        ({"max_trips": 0}, "trips of 0"),
        ({"shift_end_s": 8 * 3_600}, "not done by the end of its shift"),
        ({"start": 5}, "is reached at"),
    ],
)
def test_a_plan_for_other_vehicles_is_found(changes: dict[str, object], words: str) -> None:
    assert any(words in fault for fault in check(_poorer(**changes), PLAN))


def test_leaving_with_a_load_still_on_is_found() -> None:
    slower = replace(PROBLEM, unload_s=PROBLEM.unload_s + 1)
    assert any("before its load is off" in fault for fault in check(slower, PLAN))


def test_an_empty_problem_has_an_empty_plan() -> None:
    nothing = replace(PROBLEM, stops=(), vehicles=())
    assert check(nothing, Plan((), (), 0, 0, "nobody")) == []
    assert check(nothing, Plan((VehiclePlan("v0", ()),), (), 0, 0, "nobody")) != []
