"""Rupiah and grams divided to the unit."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.apportioning import apportion

UNITS = st.integers(0, 10**12)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any)


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        (0, [], []),
        (0, [0, 0], [0, 0]),
        (10, [1], [10]),
        (10, [1, 1], [5, 5]),
        (10, [1, 1, 1], [4, 3, 3]),
        (11, [1, 1, 1], [4, 4, 3]),
        (1, [1, 2], [0, 1]),
        (1, [0, 1], [0, 1]),
        (100, [700, 100, 200], [70, 10, 20]),
        (7, [700, 100, 200], [5, 1, 1]),
    ],
)
def test_an_amount_is_split_by_weights(
    amount: int, weights: list[int], expected: list[int]
) -> None:
    assert apportion(amount, weights) == expected


@given(total=UNITS, weights=WEIGHTS)
def test_parts_sum_up_and_none_is_a_unit_off(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    for weight, part in zip(weights, parts, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert part == 0 or weight
    ordered = sorted(zip(weights, parts, strict=True))
    assert all(
        lighter[1] <= heavier[1]
        for lighter, heavier in itertools.pairwise(ordered)
        if lighter[0] < heavier[0]
    )


@given(weight=st.integers(1, 5_000_000), people=st.integers(1, 30), each=st.integers(0, 5_000_000))
def test_equal_weights_get_equal_parts(weight: int, people: int, each: int) -> None:
    assert apportion(each * people, [weight] * people) == [each] * people
    odd = apportion(each * people + people // 2, [weight] * people)
    assert max(odd) - min(odd) <= 1


def test_of_equal_remainders_the_first_gets_the_unit() -> None:
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    assert apportion(0, [0, 0]) == [0, 0]
