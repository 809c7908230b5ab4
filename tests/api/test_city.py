"""What a city sees: whole months, kinds of accounts, and nothing that few people stand behind."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import Bank
from service.api.city import FEWEST, TOGETHER, by_kind, month_of, month_together, whole_months
from service.api.passbooks import sums_of
from service.ledger import AccountTotals, MassOfDay


def accounts(kind: str, people: int, unit: str = "IDR", amount: int = 100) -> list[AccountTotals]:
    return [AccountTotals(f"{kind}:{UUID(int=n)}", unit, 0, amount) for n in range(people)]


def shown(rows: list[AccountTotals]) -> dict[str, int]:
    return {row.code: row.balance for row in by_kind(rows)}


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


def test_accounts_of_people_stand_under_their_kind() -> None:
    rows = [*accounts("available", 5), AccountTotals("purchases", "IDR", 500, 0)]
    assert shown(rows) == {"available": -500, "purchases": 500}


def test_kinds_of_few_people_stand_together() -> None:
    rows = [*accounts("available", 9), *accounts("pending", 3), *accounts("earnings", 1)]
    rows.append(AccountTotals("purchases", "IDR", 1_300, 0))
    assert shown(rows) == {TOGETHER: -1_300, "purchases": 1_300}


def test_where_all_are_few_nothing_is_said_of_the_unit() -> None:
    rows = [*accounts("available", 4), AccountTotals("purchases", "IDR", 400, 0)]
    assert shown(rows) == {}


def test_nobody_is_named_who_buys_or_keeps_a_drawer() -> None:
    rows = [
        AccountTotals(f"receivable:{uuid4()}", "IDR", 5, 0),
        AccountTotals("cash:siti", "IDR", 7, 0),
        AccountTotals("float:xendit", "IDR", 0, 12),
    ]
    assert shown(rows) == {"receivable": 5, "cash": 7, "float:xendit": -12}


@given(st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_no_figure_rests_on_few_people_and_each_unit_still_sums_to_zero(
    people: list[int],
) -> None:
    kinds = dict(zip(("available", "pending", "earnings"), people, strict=True))
    rows = [row for kind, number in kinds.items() for row in accounts(kind, number)]
    rows.append(AccountTotals("purchases", "IDR", 100 * sum(people), 0))
    found = by_kind(rows)
    assert all(total == 0 for total in sums_of(found).values())
    apart = {row.code for row in found} & kinds.keys()
    assert all(kinds[kind] >= FEWEST for kind in apart)
    if found and (together := [number for kind, number in kinds.items() if kind not in apart]):
        assert not any(together) or max(together) >= FEWEST or sum(together) >= FEWEST
