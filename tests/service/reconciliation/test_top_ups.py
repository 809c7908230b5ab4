"""Which money that came in is a top-up that somebody entered: each explains one line."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reconciliation.topups import Came, TopUp, pairs

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def came(hours: float, amount_idr: int = 100, *, lasting: float = 0) -> Came:
    booked = NOON + timedelta(hours=hours)
    return Came(amount_idr, booked, booked + timedelta(hours=lasting))


def top_up(hours: float, amount_idr: int = 100) -> TopUp:
    return TopUp(amount_idr, NOON + timedelta(hours=hours))


@pytest.mark.parametrize(("hours", "found"), [(72, {0: 0}), (-72, {0: 0}), (73, {}), (-73, {})])
def test_they_are_at_most_three_days_apart(hours: float, found: dict[int, int]) -> None:
    assert pairs([came(0)], [top_up(hours)]) == found


def test_a_day_without_a_time_is_near_as_a_whole() -> None:
    assert pairs([came(0, lasting=24)], [top_up(96)]) == {0: 0}


def test_another_amount_is_no_top_up() -> None:
    assert pairs([came(0, 101)], [top_up(0)]) == {}


def test_of_equal_ones_each_is_the_nearest() -> None:
    daily = [24.0 * day for day in range(5)]
    lines = [came(hours + 2) for hours in daily]
    assert pairs(lines, [top_up(hours) for hours in daily]) == {n: n for n in range(5)}


def test_of_two_lines_the_nearer_has_the_only_top_up() -> None:
    assert pairs([came(5), came(1)], [top_up(0)]) == {1: 0}


@given(
    st.lists(st.tuples(st.floats(-200, 200), st.integers(1, 3)), max_size=12),
    st.lists(st.tuples(st.floats(-200, 200), st.integers(1, 3)), max_size=12),
)
def test_each_has_one_and_of_the_same_amount(
    ins: list[tuple[float, int]], entered: list[tuple[float, int]]
) -> None:
    lines, top_ups = [came(*one) for one in ins], [top_up(*one) for one in entered]
    found = pairs(lines, top_ups)
    assert len(set(found.values())) == len(found)
    assert all(lines[line].amount_idr == top_ups[at].amount_idr for line, at in found.items())
