"""Stops with hours and weights, on any roads and on those of a town, and a clock to check with."""

import random

from hypothesis import strategies as st

from routing.drive import Call, Drive, Ground


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


@st.composite
def mornings(draw: st.DrawFn, fewest: int = 0, most: int = 6) -> tuple[Ground, list[Call]]:
    """Stops about a town, where straight on is shortest; many open in some hours only."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    return morning(chance, draw(st.integers(fewest, most)))


def morning(chance: random.Random, stops: int) -> tuple[Ground, list[Call]]:
    places = [complex(chance.gauss(0, 4_000), chance.gauss(0, 4_000)) for _ in range(stops + 2)]
    metres = [[0 if a is b else int(abs(a - b)) + 250 for b in places] for a in places]
    seconds = [[-(-int(far) // 5) for far in row] for row in metres]
    opens = [chance.choice([0, 0, 3_600, 7_200, 14_400]) for _ in range(stops)]
    calls = [
        Call(n, chance.randint(1, 50), at, at + chance.choice([1_800, 7_200, 10**6]))
        for n, at in enumerate(opens, start=1)
    ]
    return Ground(seconds, metres, 360), calls


def check(ground: Ground, calls: list[Call], found: Drive) -> None:
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


def idled_s(ground: Ground, found: Drive) -> int:
    """How long it waits at doors though another stop could be done, with the drives, meanwhile."""
    here, now_s, idle_s = 0, 0, 0
    for number, halt in enumerate(found.halts):
        later = [one.call for one in found.halts[number + 1 :] if one.call]
        begins = [max(now_s + ground.seconds[here][one.index], one.opens_s) for one in later]
        there = [
            at + ground.service_s + ground.seconds[one.index][halt.index]
            for at, one in zip(begins, later, strict=True)
            if at < halt.begin_s
        ]
        if halt.begin_s > halt.arrival_s and min(there, default=halt.begin_s + 1) <= halt.begin_s:
            idle_s += halt.begin_s - halt.arrival_s
        here, now_s = halt.index, halt.departure_s
    return idle_s
