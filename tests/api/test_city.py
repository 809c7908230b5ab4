"""What a city sees: whole months, kinds of accounts, and nothing that few people stand behind."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import Bank
from models.base import utc_now
from service.api.city import FEWEST, TOGETHER, balances_in, month_of, month_together, whole_months
from service.keys import Keys
from service.ledger import MassOfDay, Moved, months_moved
from tests.api.asking import Asking, done
from tests.factories import Town, earn
from tests.paid import pay_through


def moved(month: int, line: str, people: Iterable[int], amount: int = 100) -> Moved:
    return Moved(month, line, amount, frozenset(UUID(int=n) for n in people))


def told(*months: Moved) -> dict[str, int]:
    return {row.code: row.balance for row in balances_in(months)}


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (date(2026, 9, 1), date(2026, 10, 31), [9, 10]),
        (date(2026, 9, 2), date(2026, 10, 31), [10]),
        (date(2026, 9, 1), date(2026, 10, 30), [9]),
        (date(2026, 10, 1), date(2026, 12, 31), [10]),
        (date(2026, 10, 3), date(2026, 10, 30), []),
    ],
)
def test_a_month_counts_when_all_of_it_is_asked_for_and_it_is_over(
    first: date, last: date, months: list[int]
) -> None:
    found = whole_months(first, last, today=date(2026, 11, 30))
    assert [month.month for month, _ in found] == months
    assert all(begin.day == 1 and begin.month == end.month for begin, end in found)


def test_a_month_is_over_with_its_last_day() -> None:
    month = (date(2026, 12, 1), date(2026, 12, 31))
    assert whole_months(*month, today=date(2026, 12, 31)) == []
    assert whole_months(*month, today=date(2027, 1, 1)) == [month]


def test_a_month_begins_when_it_does_at_the_bank() -> None:
    jayapura = Bank(name="b", lat=0, lon=0, time_zone="Asia/Jayapura")
    assert month_of(jayapura, datetime(2026, 10, 31, 16, tzinfo=UTC)) == datetime(
        2026, 10, 31, 15, tzinfo=UTC
    )


def test_the_days_of_a_month_stand_together() -> None:
    days = [MassOfDay(date(2026, 10, n), "PET", n, 1, 2, 3, 4, 5, n, n, 0) for n in (3, 9)]
    (line,) = month_together(days, date(2026, 10, 31))
    assert line == (date(2026, 10, 31), "PET", 12, 2, 4, 6, 8, 10, 9, 9, 0)


def test_lines_with_enough_people_stand_for_themselves() -> None:
    month = [moved(0, "available", range(5), -500), moved(0, "purchases", range(5), 500)]
    assert told(*month) == {"available": -500, "purchases": 500}


def test_lines_of_few_people_stand_together() -> None:
    month = [
        moved(0, "available", range(6), -500),
        moved(0, "purchases", range(6), 700),
        moved(0, "cash", [1], -200),
        moved(0, "capital", [], 0),
    ]
    assert told(*month) == {"purchases": 700, TOGETHER: -700}


def test_what_nobody_stands_behind_is_told_as_it_is() -> None:
    assert told(moved(0, "cash", [], 900), moved(0, "capital", [], -900)) == {
        "cash": 900,
        "capital": -900,
    }


def test_a_month_of_one_household_counts_with_the_next() -> None:
    def both(month: int, people: Iterable[int], amount: int) -> list[Moved]:
        lines = {"available": -amount, "purchases": amount}
        return [moved(month, line, people, idr) for line, idr in lines.items()]

    september, october = both(0, range(5), 500), both(1, [7], 40)
    november = both(2, range(5), 600)
    assert told(*september, *october) == told(*september)
    assert told(*september, *october, *november) == {"available": -1_140, "purchases": 1_140}


def test_only_what_is_left_of_both_sides_is_told() -> None:
    rows = balances_in([moved(0, "cash", [], -12), moved(0, "sales", [], 12)])
    assert [(row.code, row.debit, row.credit) for row in rows] == [
        ("cash", 0, 12),
        ("sales", 12, 0),
    ]


LINES = ("available", "earnings", "purchases", "cash")
months_of_people = st.lists(
    st.fixed_dictionaries({line: st.frozensets(st.integers(0, 9)) for line in LINES}), max_size=4
)


@given(months_of_people)
def test_no_difference_of_two_balances_rests_on_few_people(
    months: list[dict[str, frozenset[int]]],
) -> None:
    """Each line moves by another power of 2 in each month: a figure says what it is made of."""
    all_moved = [
        moved(month, line, people[line], 1 << (month * len(LINES) + n))
        for month, people in enumerate(months)
        for n, line in enumerate(LINES)
    ]
    answers = [
        told(*(one for one in all_moved if one.month < end)) for end in range(len(months) + 1)
    ]
    for earlier, later in combinations(answers, 2):
        for line in later:
            figure = later[line] - earlier.get(line, 0)
            within = [one for one in all_moved if one.amount & figure]
            behind = {person for one in within for person in one.people}
            assert sum(one.amount for one in within) == figure
            assert not behind or len(behind) >= FEWEST


async def test_the_ledger_says_who_stands_behind_what_moved(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    await pay_through(town, 1_000)
    ends = [utc_now() - timedelta(days=40), utc_now() + timedelta(hours=1)]
    async with town.database.reading() as session:
        found = await months_moved(
            session, town.bank_id, ends, together=["resident", "collector"], most_people=5
        )
    lines = {one.line: one for one in found}
    assert lines["purchases"].amount == earned + 1_000
    assert lines["available"].amount == -earned
    assert {one.month for one in found} == {1}
    assert sum(one.amount for one in found) == 0
    collectors = {"collector_fees", "earnings"}
    assert {*lines} > collectors | {"float:xendit"}
    for line, one in lines.items():
        whose = town.collector if line in collectors else town.resident
        assert one.people == {whose.id}, line


async def test_a_city_cannot_tell_a_single_household(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    trial = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    seen = done(await asking.get(town.city, trial))
    assert (seen["items"], seen["sums"]) == ([], {"IDR": 0})
