"""Door against station in plain numbers: tolerance, heaps, and who brought what."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.station.arithmetic import (
    Compared,
    Custody,
    What,
    compared,
    custody,
    is_inside,
    scaled,
    unreached,
)

CLEAN, DIRTY, CARD = What("PET", "clean"), What("PET", "dirty"), What("KRD", "clean")
GRAMS = st.integers(min_value=0, max_value=5_000_000)
WHATS = st.sampled_from([CLEAN, DIRTY, CARD])
SCALES = st.dictionaries(WHATS, GRAMS)


@pytest.mark.parametrize(
    ("door", "station", "inside"),
    [
        (10_000, 10_000, True),
        (10_000, 9_700, True),
        (10_000, 10_300, True),
        (10_000, 9_699, False),
        (10_000, 10_301, False),
        (1_000, 800, True),
        (1_000, 799, False),
        (0, 200, True),
        (0, 201, False),
        (6_667, 6_467, True),
        (6_700, 6_499, True),
        (6_700, 6_498, False),
    ],
)
def test_scales_agree_within_a_share_or_some_grams(door: int, station: int, inside: bool) -> None:
    assert is_inside(Compared(CLEAN, door, station), permille=30, grams=200) is inside


@given(door=GRAMS, station=GRAMS)
def test_without_a_tolerance_only_the_same_agrees(door: int, station: int) -> None:
    line = Compared(CLEAN, door, station)
    assert is_inside(line, permille=0, grams=0) is (door == station)


def test_what_was_on_neither_scale_is_left_out() -> None:
    door, station = {CLEAN: 10, DIRTY: 0}, {CARD: 5, DIRTY: 0}
    assert compared(door, station) == [Compared(CARD, 0, 5), Compared(CLEAN, 10, 0)]


def test_conditions_of_a_material_are_one_heap() -> None:
    lines = [Compared(CLEAN, 5_000, 0), Compared(DIRTY, 0, 4_900), Compared(CARD, 10, 30)]
    assert custody(lines) == [Custody("PET", 4_900, 0, 100), Custody("KRD", 10, 20, 0)]


@given(door=SCALES, station=SCALES)
def test_every_gram_of_both_scales_is_in_a_heap(
    door: dict[What, int], station: dict[What, int]
) -> None:
    heaps = custody(compared(door, station))
    assert sum(heap.brought + heap.missing for heap in heaps) == sum(door.values())
    assert sum(heap.brought + heap.surplus for heap in heaps) == sum(station.values())
    assert all(min(heap[1:]) >= 0 and not (heap.surplus and heap.missing) for heap in heaps)


LINES = st.lists(st.tuples(WHATS, GRAMS), min_size=1, max_size=12)


@given(door=LINES, station=SCALES)
def test_lines_are_scaled_to_what_the_station_weighed(
    door: list[tuple[What, int]], station: dict[What, int]
) -> None:
    grams = scaled(door, station)
    at_door: Counter[What] = Counter()
    at_station: Counter[What] = Counter()
    for (what, before), now in zip(door, grams, strict=True):
        assert now >= 0
        assert now <= before or station[what] > sum(g for w, g in door if w == what)
        at_door[what] += before
        at_station[what] += now
    for what, before in at_door.items():
        assert at_station[what] == (station.get(what, 0) if before else 0)


@given(door=LINES, station=SCALES)
def test_what_never_reached_the_store_is_taken_from_lines_that_weigh_less(
    door: list[tuple[What, int]], station: dict[What, int]
) -> None:
    short, now = unreached(door, station), scaled(door, station)
    for (_, before), left, gone in zip(door, now, short, strict=True):
        assert 0 <= gone <= max(before - left, 0)
    missing = {heap.material: heap.missing for heap in custody(compared(_summed(door), station))}
    taken: Counter[str] = Counter()
    for (what, _), gone in zip(door, short, strict=True):
        taken[what.material] += gone
    assert +taken == +Counter(missing)


def test_what_is_missing_is_divided_by_the_gram() -> None:
    door = [(CLEAN, 6_000), (DIRTY, 500), (CLEAN, 3_000), (CARD, 10)]
    assert unreached(door, {CLEAN: 8_900, DIRTY: 510, CARD: 10}) == [60, 0, 30, 0]
    assert unreached(door, {CLEAN: 8_999, DIRTY: 500, CARD: 9}) == [1, 0, 0, 1]


def _summed(door: list[tuple[What, int]]) -> Counter[What]:
    grams: Counter[What] = Counter()
    for what, weight in door:
        grams[what] += weight
    return grams
