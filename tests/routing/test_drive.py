"""Drives: every stop once, no more on the vehicle than fits, late only where it must be."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.drive import Call, Drive, Ground, best_drive, drive, insertion


@st.composite
def rides(draw: st.DrawFn, most: int = 7) -> tuple[Ground, list[Call]]:
    """Stops of any weight with windows of any kind, on roads of any length."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    stops = draw(st.integers(0, most))
    size = stops + 2
    seconds = [[0 if a == b else chance.randint(1, 900) for b in range(size)] for a in range(size)]
    opens = [chance.choice([0, 0, 600, 1_800]) for _ in range(stops)]
    calls = [
        Call(n + 1, chance.randint(1, 50), opens[n], opens[n] + chance.choice([300, 2_000, 10**6]))
        for n in range(stops)
    ]
    capacity = draw(st.sampled_from([50, 80, 10**6]))
    metres = [[10 * cell for cell in row] for row in seconds]
    return Ground(seconds, metres, 60, unload_s=120, capacity_grams=capacity), calls


def _check(ground: Ground, calls: list[Call], found: Drive) -> None:
    """Walk through a drive by a clock and a scale of our own."""
    bank = len(ground.seconds) - 1
    here, now_s, load, metres = 0, 0, 0, 0
    for halt in found.halts[:-1]:
        now_s += ground.seconds[here][halt.index]
        metres += ground.metres[here][halt.index]
        assert halt.arrival_s == now_s
        if halt.call is None:
            assert (halt.index, halt.load_grams) == (bank, 0)
            now_s, load = now_s + ground.unload_s, 0
        else:
            begin_s = max(now_s, halt.call.opens_s)
            assert halt.begin_s == begin_s
            assert halt.late_s == max(0, begin_s - halt.call.closes_s)
            now_s, load = begin_s + ground.service_s, load + halt.call.grams
            assert halt.load_grams == load <= max(ground.capacity_grams, halt.call.grams)
        assert halt.departure_s == now_s
        here = halt.index
    assert found.halts[-1].index == bank
    assert found.seconds == now_s + ground.seconds[here][bank]
    assert found.metres == metres + ground.metres[here][bank]
    assert found.late_s == sum(halt.late_s for halt in found.halts)
    assert sorted(halt.call.index for halt in found.halts if halt.call) == [
        call.index for call in calls
    ]


@settings(max_examples=150, deadline=None)
@given(rides())
def test_a_drive_adds_up(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    _check(ground, calls, best_drive(ground, calls))
    _check(ground, calls, drive(ground, calls))


@settings(max_examples=60, deadline=None)
@given(rides(most=5))
def test_it_is_late_hardly_more_than_the_best_order(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    best = min(drive(ground, order).late_s for order in itertools.permutations(calls))
    found = best_drive(ground, calls)
    assert found.late_s >= best
    if best == 0:
        assert found.late_s <= 600


def test_a_window_that_closes_soon_is_kept_though_it_lies_behind() -> None:
    seconds = [[0, 100, 400, 0], [100, 0, 300, 100], [400, 300, 0, 400], [0, 100, 400, 0]]
    ground = Ground(seconds, seconds, 60)
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
    chance = random.Random(3)
    seconds = [[0 if a == b else chance.randint(1, 900) for b in range(22)] for a in range(22)]
    ground = Ground(seconds, seconds, 60, capacity_grams=100)
    calls = [Call(n, chance.randint(1, 60), 0, chance.randint(500, 9_000)) for n in range(1, 21)]
    assert best_drive(ground, calls) == best_drive(ground, calls)


@settings(max_examples=60, deadline=None)
@given(rides(most=6))
def test_an_insertion_is_the_best_place(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    if not calls:
        return
    *order, new = calls
    found = insertion(ground, order, new)
    before = drive(ground, order)
    tried = [drive(ground, [*order[:n], new, *order[n:]]) for n in range(len(order) + 1)]
    assert found.drive in tried
    assert found.drive.late_s == min(one.late_s for one in tried)
    assert found.added_m == found.drive.metres - before.metres
    assert found.added_s == found.drive.driven_s - before.driven_s


@pytest.mark.parametrize("calls", [[Call(0, 1)], [Call(2, 1)], [Call(1, 1), Call(1, 1)]])
def test_calls_need_places_of_their_own(calls: list[Call]) -> None:
    seconds = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    with pytest.raises(ValueError, match="index of its own"):
        best_drive(Ground(seconds, seconds, 0), calls)
