"""The order of stops with hours: late only where it must be, and no standing about."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.drive import Call, Ground, drive, price
from routing.route import order_stops
from routing.timely import best_drive
from tests.routing.driving import check, idled_s, morning, mornings, rides

_NEAR_AND_FAR = [[0, 100, 400, 0], [100, 0, 300, 100], [400, 300, 0, 400], [0, 100, 400, 0]]


@settings(max_examples=100, deadline=None)
@given(rides())
def test_a_drive_adds_up(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    check(ground, calls, best_drive(ground, calls))


@settings(max_examples=60, deadline=None)
@given(rides(most=5))
def test_it_is_late_hardly_more_than_the_best_order(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    best = min(drive(ground, order).late_s for order in itertools.permutations(calls))
    found = best_drive(ground, calls)
    assert found.late_s >= best
    if best == 0:
        assert found.late_s <= 600


@settings(max_examples=80, deadline=None)
@given(mornings())
def test_nothing_is_less_late_or_sooner_over_and_it_stands_nowhere_about(
    ride: tuple[Ground, list[Call]],
) -> None:
    ground, calls = ride
    found = best_drive(ground, calls)
    best = min(price(ground, order) for order in itertools.permutations(calls))
    assert (found.late_s, found.seconds, idled_s(ground, found)) == best[:3]
    assert idled_s(ground, found) == 0


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_many_stops_are_never_worse_than_nearest_first_by_the_clock(seed: int) -> None:
    ground, calls = morning(random.Random(seed), 14)
    left, order, here, now_s = list(calls), list[Call](), 0, 0
    while left:
        begins = {one: max(now_s + ground.seconds[here][one.index], one.opens_s) for one in left}
        order.append(min(left, key=begins.__getitem__))
        left.remove(order[-1])
        here, now_s = order[-1].index, begins[order[-1]] + ground.service_s
    found = best_drive(ground, calls)
    assert (found.late_s, found.seconds) <= price(ground, order)[:2]


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_where_no_hour_matters_it_is_the_shortest_tour(seed: int, stops: int) -> None:
    ground, calls = morning(random.Random(seed), stops)
    always = [Call(call.index, call.grams) for call in calls]
    halts = best_drive(ground, always).halts
    assert [halt.index for halt in halts[:-1]] == order_stops(ground.seconds)


def test_what_is_open_now_comes_before_what_opens_in_hours() -> None:
    ground = Ground(_NEAR_AND_FAR, _NEAR_AND_FAR, 60)
    found = best_drive(ground, [Call(1, 1, opens_s=3_600), Call(2, 1)])
    assert [(halt.index, halt.begin_s) for halt in found.halts] == [
        (2, 400),
        (1, 3_600),
        (3, 3_760),
    ]


def test_it_waits_where_nothing_else_can_be_done_meanwhile() -> None:
    ground = Ground(_NEAR_AND_FAR, _NEAR_AND_FAR, 60)
    found = best_drive(ground, [Call(1, 1, opens_s=200, closes_s=300), Call(2, 1)])
    assert [halt.index for halt in found.halts] == [1, 2, 3]
    assert found.late_s == 0


def test_a_window_that_closes_soon_is_kept_though_it_lies_behind() -> None:
    ground = Ground(_NEAR_AND_FAR, _NEAR_AND_FAR, 60)
    near, far = Call(1, 1), Call(2, 1, closes_s=420)
    found = best_drive(ground, [near, far])
    assert [halt.index for halt in found.halts] == [2, 1, 3]
    assert found.late_s == 0


def test_who_can_not_be_reached_in_time_is_named_late() -> None:
    seconds = [[0, 900, 0], [900, 0, 900], [0, 900, 0]]
    found = best_drive(Ground(seconds, seconds, 60), [Call(1, 1, closes_s=300)])
    assert [halt.late_s for halt in found.halts] == [600, 0]


def test_a_full_vehicle_unloads_on_the_way() -> None:
    seconds = [[0, 10, 10, 10], [10, 0, 10, 10], [10, 10, 0, 10], [10, 10, 10, 0]]
    ground = Ground(seconds, seconds, 60, unload_s=120, capacity_grams=100)
    found = best_drive(ground, [Call(1, 70), Call(2, 60)])
    assert [halt.call is None for halt in found.halts] == [False, True, False, True]
    assert found.seconds == 10 + 60 + 10 + 120 + 10 + 60 + 10


def test_the_same_question_has_the_same_answer() -> None:
    ground, calls = morning(random.Random(3), 20)
    assert best_drive(ground, calls) == best_drive(ground, calls)


@pytest.mark.parametrize("calls", [[Call(0, 1)], [Call(2, 1)], [Call(1, 1), Call(1, 1)]])
def test_calls_need_places_of_their_own(calls: list[Call]) -> None:
    seconds = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    with pytest.raises(ValueError, match="index of its own"):
        best_drive(Ground(seconds, seconds, 0), calls)
