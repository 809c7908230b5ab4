"""Orders of stops, against trying all."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.route import (
    Cost,
    farthest_inserted,
    improve,
    length,
    nearest_first,
    order_stops,
    shake,
)

ONE_WAY = [
    [0, 1, 9, 9],
    [9, 0, 9, 1],
    [1, 1, 0, 9],
    [9, 9, 9, 0],
]
"""Start, two stops, end; the cheap way is 0-1-3, and stop 2 is dear to reach from anywhere."""


@st.composite
def matrices(draw: st.DrawFn, least: int = 0, most: int = 7) -> Cost:
    """Any whole numbers: no triangle rule, no symmetry, ways back that cost nothing."""
    size = draw(st.integers(least, most)) + 2
    top = draw(st.sampled_from([1, 10, 10_000]))
    return [[0 if a == b else draw(st.integers(0, top)) for b in range(size)] for a in range(size)]


@st.composite
def large_matrices(draw: st.DrawFn, least: int, most: int) -> Cost:
    """As matrices(); hypothesis draws 700 numbers in ten times as long as they are ordered."""
    size = draw(st.integers(least, most)) + 2
    top = draw(st.sampled_from([1, 10, 10_000]))
    chance = random.Random(draw(st.integers(0, 2**32)))
    return [[0 if a == b else chance.randint(0, top) for b in range(size)] for a in range(size)]


def random_matrix(stops: int, seed: int) -> Cost:
    numbers = random.Random(seed)
    size = stops + 2
    return [[0 if a == b else numbers.randrange(1_000) for b in range(size)] for a in range(size)]


def all_orders(cost: Cost) -> list[list[int]]:
    return [list(order) for order in itertools.permutations(range(1, len(cost) - 1))]


def test_nearest_first_goes_to_the_cheapest_each_time() -> None:
    cost = [[0, 5, 2, 9, 0], [0, 0, 0, 1, 0], [0, 3, 0, 4, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert nearest_first(cost) == [2, 1, 3]


def test_of_equally_near_stops_the_lowest_index_is_first() -> None:
    assert nearest_first([[7] * 6 for _ in range(6)]) == [1, 2, 3, 4]


def test_a_one_way_road_is_counted_in_its_direction() -> None:
    assert length(ONE_WAY, [1, 2]) == 1 + 9 + 9
    assert length(ONE_WAY, [2, 1]) == 9 + 1 + 1
    assert nearest_first(ONE_WAY) == [1, 2]
    assert order_stops(ONE_WAY) == [2, 1]


@pytest.mark.parametrize("stops", [0, 1])
def test_there_is_one_order_of_no_stop_or_one(stops: int) -> None:
    assert order_stops(random_matrix(stops, seed=1)) == list(range(1, stops + 1))


@given(cost=matrices(most=6))
def test_few_stops_come_in_the_shortest_of_all_orders(cost: Cost) -> None:
    assert length(cost, order_stops(cost)) == min(length(cost, each) for each in all_orders(cost))


def test_nine_stops_come_in_the_shortest_of_all_orders() -> None:
    cost = random_matrix(9, seed=9)
    shortest = min(
        sum(map(lambda a, b: cost[a][b], (0, *each), (*each, 10)))
        for each in itertools.permutations(range(1, 10))
    )
    assert length(cost, order_stops(cost)) == shortest


@settings(max_examples=60)
@given(cost=large_matrices(least=10, most=16), shuffle=st.randoms(use_true_random=False))
def test_improving_keeps_the_stops_and_never_lengthens(cost: Cost, shuffle: random.Random) -> None:
    order = list(range(1, len(cost) - 1))
    shuffle.shuffle(order)
    before = list(order)
    better = improve(cost, order)
    assert sorted(better) == sorted(order)
    assert length(cost, better) <= length(cost, order)
    assert order == before


@pytest.mark.parametrize("seed", range(10))
def test_no_reversal_or_short_move_is_left_that_would_help(seed: int) -> None:
    cost = random_matrix(14, seed)
    order = order_stops(cost)
    reached = length(cost, order)
    for i, j in itertools.combinations(range(len(order) + 1), 2):
        stretch, rest = order[i:j], order[:i] + order[j:]
        assert length(cost, order[:i] + stretch[::-1] + order[j:]) >= reached
        if j - i <= 3:
            for k in range(len(rest) + 1):
                assert length(cost, rest[:k] + stretch + rest[k:]) >= reached
                assert length(cost, rest[:k] + stretch[::-1] + rest[k:]) >= reached


def test_some_of_the_stops_can_be_ordered() -> None:
    cost = random_matrix(30, seed=3)
    for stops in ([7, 3, 20], list(range(25, 5, -1))):
        assert sorted(improve(cost, stops)) == sorted(stops)


@pytest.mark.parametrize("stops", [6, 40])
def test_the_same_question_has_the_same_answer(stops: int) -> None:
    assert order_stops(random_matrix(stops, 5)) == order_stops(random_matrix(stops, 5))


def test_equally_good_orders_are_left_as_they_are() -> None:
    for stops in (5, 20):
        cost = [[7] * (stops + 2) for _ in range(stops + 2)]
        order = list(range(stops, 0, -1))
        assert improve(cost, order) == order


def test_rounds_bound_the_work() -> None:
    cost = random_matrix(40, seed=2)
    order = nearest_first(cost)
    reached = [length(cost, improve(cost, order, rounds=rounds)) for rounds in (0, 1, 2, 50)]
    assert reached[0] == length(cost, order)
    assert reached == sorted(reached, reverse=True)
    assert reached[1] < reached[0]


@pytest.mark.parametrize("cost", [[], [[0]], [[0, 1], [1]], [[0, 1, 2], [1, 0, 2]]])
def test_a_matrix_that_is_not_square_is_refused(cost: Cost) -> None:
    with pytest.raises(ValueError, match="square"):
        order_stops(cost)
    with pytest.raises(ValueError, match="square"):
        improve(cost, [])


@pytest.mark.parametrize("order", [[1, 1], [0], [3], [-1], [1, 2, 9]])
def test_an_order_of_anything_but_stops_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match="indexes of stops"):
        improve(ONE_WAY, order)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 10**6))
def test_shaking_never_makes_it_longer(stops: int, seed: int) -> None:
    chance = random.Random(seed)
    cost = [[chance.randint(1, 10_000) for _ in range(stops + 2)] for _ in range(stops + 2)]
    order = improve(cost, nearest_first(cost))
    shaken = shake(cost, order)
    assert sorted(shaken) == sorted(order)
    assert length(cost, shaken) <= length(cost, order)
    assert shaken == shake(cost, order)


def test_the_farthest_is_inserted_where_it_adds_least() -> None:
    # On a line from 0 to 100 and back, out on one side of it and home on the other.
    places = [0, 90, 30, 60, 0]
    cost = [[abs(a - b) for b in places] for a in places]
    order = farthest_inserted(cost)
    assert sorted(order) == [1, 2, 3]
    assert length(cost, order) == 180


@given(cost=large_matrices(least=0, most=25))
def test_an_order_is_never_longer_than_either_beginning(cost: Cost) -> None:
    begins = nearest_first(cost), farthest_inserted(cost)
    assert sorted(begins[1]) == sorted(begins[0])
    assert length(cost, order_stops(cost)) <= min(length(cost, order) for order in begins)
