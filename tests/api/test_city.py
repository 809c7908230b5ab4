"""What a city sees: whole months, kinds of accounts, and nothing that few people stand behind."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, cycle, permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col, select

from models.bank import Bank
from models.base import utc_now
from models.city import CityMonth
from models.ledger import Page
from models.people import Role
from models.sale import Buyer
from service import banks, months, sales
from service.api.city import (
    MONEY,
    as_money,
    balances_in,
    balances_of_many,
    month_of,
    month_together,
    whole_months,
)
from service.api.mass import not_for_city
from service.banks import day_at
from service.keys import Keys
from service.ledger import MassOfDay, Moved, months_moved, turn_page
from service.months import FEWEST
from tests.api.asking import Asking, done
from tests.factories import PET, Town, another, earn, make_town
from tests.paid import pay_through
from tests.selling import a_buyer, bring, sell, sharing_town, take_back


def moved(month: int, debit: str, credit: str, people: Iterable[int], amount: int = 100) -> Moved:
    return Moved(month, debit, credit, amount, frozenset(UUID(int=n) for n in people))


def told(*moves: Moved) -> dict[str, int]:
    return {row.code: row.balance for row in balances_in(moves)}


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
    days = [MassOfDay(date(2026, 10, n), "PET", n, 1, 2, 3, 4, 5, 6, 7, n, n, 0) for n in (3, 9)]
    (line,) = month_together(days, date(2026, 10, 31))
    assert line == (date(2026, 10, 31), "PET", 12, 2, 4, 6, 8, 10, 12, 14, 9, 9, 0)


def test_what_enough_people_moved_is_told() -> None:
    assert told(moved(0, "purchases", "available", range(5), 500)) == {
        "available": -500,
        "purchases": 500,
    }


def test_what_nobody_stands_behind_is_told_as_it_is() -> None:
    assert told(moved(0, "cash", "capital", [], 900)) == {"cash": 900, "capital": -900}


def test_what_few_people_moved_waits_for_more() -> None:
    september = moved(0, "purchases", "available", range(5), 500)
    october = moved(1, "purchases", "available", [7], 40)
    november = moved(2, "purchases", "available", range(5), 600)
    assert told(september, october) == told(september)
    assert told(september, october, november) == {"available": -1_140, "purchases": 1_140}


def test_the_payout_of_one_cannot_be_had_from_two_lines_of_many() -> None:
    """Purchases and what is available have many behind them, and their sum is what was paid."""
    month = [
        moved(0, "purchases", "available", range(8), 871_234),
        moved(0, "available", "cash", [1], 71_234),
        moved(0, "collector_fees", "earnings", range(10, 16), 9_000),
        moved(0, "earnings", "cash", range(10, 16), 9_000),
    ]
    assert told(*month) == {
        "purchases": 871_234,
        "available": -871_234,
        "collector_fees": 9_000,
        "cash": -9_000,
    }


def test_only_what_is_left_of_both_sides_is_told() -> None:
    rows = balances_in([moved(0, "sales", "cash", [], 12), moved(0, "cash", "sales", [], 7)])
    assert [(row.code, row.debit, row.credit) for row in rows] == [
        ("cash", 0, 5),
        ("sales", 5, 0),
    ]


DAY = timedelta(days=1)
LINES = ("available", "earnings", "purchases", "cash")
pairs = st.permutations(LINES).map(lambda lines: (lines[0], lines[1]))
months_of_people = st.lists(
    st.dictionaries(pairs, st.frozensets(st.integers(0, 9)), max_size=6), max_size=4
)


@given(months_of_people)
def test_nothing_that_can_be_added_up_or_subtracted_rests_on_few_people(
    months: list[dict[tuple[str, str], frozenset[int]]],
) -> None:
    """Each sum is another power of 3, so that a figure says which it is made of, with its sign."""
    parts = [
        moved(month, debit, credit, people, 3 ** (month * 12 + n))
        for month, between in enumerate(months)
        for n, ((debit, credit), people) in enumerate(between.items())
    ]
    ends = range(len(months) + 1)
    answers = [told(*(one for one in parts if one.month < end)) for end in ends]
    assert all(sum(answer.values()) == 0 for answer in answers)
    for earlier, later in combinations(answers, 2):
        rest = {line: later.get(line, 0) - earlier.get(line, 0) for line in LINES}
        for size in range(1, len(LINES)):
            for lines in combinations(LINES, size):
                within = made_of(sum(rest[line] for line in lines), parts)
                behind = {person for one in within for person in one.people}
                assert not behind or len(behind) >= FEWEST


def made_of(figure: int, parts: Iterable[Moved]) -> list[Moved]:
    """The parts in a sum in which each comes once at most, added or subtracted."""
    found = []
    for one in sorted(parts, key=lambda part: -part.amount):
        smaller = one.amount // 2  # All smaller powers of 3 together.
        if abs(figure) > smaller:
            found.append(one)
            figure -= one.amount if figure > 0 else -one.amount
    assert figure == 0
    return found


PLACES = ("receivable", "cash:laci-a", "cash", "bank_account:bri", "float:xendit")


@given(months_of_people, st.lists(st.sampled_from(PLACES), min_size=1, max_size=9))
def test_where_money_lies_says_nothing_more(
    months: list[dict[tuple[str, str], frozenset[int]]], places: list[str]
) -> None:
    """Whichever of its places each sum of money went to, and wherever it was carried then."""
    place = cycle(places)
    plain, lying = [], []
    for month, between in enumerate(months):
        for (debit, credit), people in between.items():
            one = moved(month, debit, credit, people)
            plain.append(one._replace(debit=as_line(debit), credit=as_line(credit)))
            where = {"cash": next(place)}
            lying.append(
                one._replace(debit=where.get(debit, debit), credit=where.get(credit, credit))
            )
            lying.append(moved(month, next(place), next(place), [], 7))
    assert told(*as_money(lying)) == told(*plain)


def as_line(line: str) -> str:
    return MONEY if line == "cash" else line


def test_what_several_moved_in_a_month_is_one_sum_in_any_order() -> None:
    moves = [
        moved(0, "receivable", "sales", [1, 2, 3], 9),
        moved(0, "cash", "sales", [4, 5, 6, 7, 8], 90),
        moved(0, "float:xendit", "sales", [1], 900),
    ]
    for order in permutations(moves):
        assert told(*as_money(order)) == {MONEY: 999, "sales": -999}


@pytest.mark.parametrize(("sellers", "told"), [(0, True), (1, False), (4, False), (5, True)])
def test_grams_of_a_month_are_told_if_few_sold_none_of_them(sellers: int, told: bool) -> None:
    for name in ("sold_grams", "missing_grams", "stock_difference_grams"):
        assert (name in not_for_city(sellers)) is not told


async def test_a_sale_of_few_is_told_neither_by_itself_nor_by_its_payment(town: Town) -> None:
    """Nor are its grams; those of five are, and what they brought with those of the few."""
    sharing = await sharing_town(town.database)
    buyer = await a_buyer(sharing)
    neighbours = [await another(sharing, Role.RESIDENT) for _ in range(5)]
    await bring(sharing, 1_000)
    await sell(sharing, buyer, 1_000, 7_001)
    await paid(sharing, buyer, 7_001)
    assert await seen_of_sales(sharing) == ({}, {PET: 1})
    for neighbour in neighbours:
        await bring(sharing, 1_000, resident=neighbour)
    await sell(sharing, buyer, 5_000, 20_000)
    await paid(sharing, buyer, 20_000)
    balances, sellers = await seen_of_sales(sharing)
    assert (balances[MONEY], balances["sales"]) == (27_001, -27_001)
    assert sellers == {PET: 6}


async def test_a_sale_that_was_taken_back_tells_no_more_than_others(town: Town) -> None:
    """Sold and back within the days it is nobody's; later, it would tell what others sold."""
    sharing = await sharing_town(town.database, correction_limit_idr=10**6)
    buyer, today = await a_buyer(sharing), day_at(sharing.bank, utc_now())
    await bring(sharing, 1_000)
    for _ in range(5):
        await bring(sharing, 1_000, resident=await another(sharing, Role.RESIDENT))
    wrong = await sell(sharing, buyer, 6_000, 20_000)
    assert await sellers_on(sharing, today) == {PET: 6}
    await take_back(sharing, wrong.id)
    assert await sellers_on(sharing, today) == {}
    await sell(sharing, buyer, 1_000, 7_001)
    assert await sellers_on(sharing, today) == {PET: 1}
    five = await sell(sharing, buyer, 5_000, 20_000)
    async with sharing.database.transaction() as session:
        await turn_page(session, sharing.bank_id, today + DAY)
    await take_back(sharing, five.id)
    await sell(sharing, buyer, 5_000, 20_000)
    assert await sellers_on(sharing, today) == {PET: 6}
    assert await sellers_on(sharing, today + DAY) == {PET: 1}
    assert await sellers_on(sharing, today, today + DAY) == {PET: 6}


async def sellers_on(town: Town, first: date, last: date | None = None) -> dict[str, int]:
    async with town.database.reading() as session:
        return await sales.sellers(session, town.bank_id, first, last or first)


async def paid(town: Town, buyer: Buyer, amount_idr: int) -> None:
    payment = sales.Payment(amount_idr, drawer="main", note="", entered_by=town.operator.id)
    async with town.database.transaction() as session:
        await sales.pay(session, buyer, payment)


async def seen_of_sales(town: Town) -> tuple[dict[str, int], dict[str, int]]:
    """The balances that a city sees a month later, and how many residents' goods were sold."""
    today = utc_now().date()
    async with town.database.reading() as session:
        bank = await banks.get(session, town.bank_id)
        seen = await balances_of_many(session, bank, utc_now() + timedelta(days=32))
        sellers = await sales.sellers(session, town.bank_id, today - DAY, today + DAY)
    return {row.code: row.balance for row in seen}, sellers


async def test_the_ledger_says_who_stands_behind_what_moved(town: Town, keys: Keys) -> None:
    await earn(await make_town(town.database), keys)  # At another bank, so it is in no figure.
    earned = await earn(town, keys)
    await pay_through(town, 1_000)
    ends = [utc_now() - timedelta(days=40), utc_now() + timedelta(hours=1)]
    async with town.database.reading() as session:
        found = await months_moved(
            session, town.bank_id, ends, together=["resident", "collector"], most_people=5
        )
        before = await months_moved(
            session, town.bank_id, ends[:1], together=["resident"], most_people=5
        )
    assert before == []
    sums: Counter[str] = Counter()
    for one in found:
        sums.update({one.debit: one.amount})
        sums.subtract({one.credit: one.amount})
    assert sums["purchases"] == earned + 1_000
    assert sums["available"] == -earned
    assert sums.total() == 0
    assert {one.month for one in found} == {1}
    collectors = {"collector_fees", "earnings"}
    assert {*sums} > collectors | {"float:xendit"}
    for one in found:
        whose = town.collector if {one.debit, one.credit} == collectors else town.resident
        assert one.people == {whose.id}, one


async def test_a_month_that_is_over_is_kept_and_not_gone_through_again(
    town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    later = utc_now() + timedelta(days=62)
    async with town.database.reading() as session:
        bank = await banks.get(session, town.bank_id)
        ends = [*months.beginnings(bank, later)]
        added_up = await months.moved_in(session, bank, ends)
    await months.keep_due(town.database, [town.bank_id], now=later + months.SETTLED)
    assert await kept_months(town) == set()  # Whoever writes now may have begun back then.
    async with town.database.transaction() as session:
        session.add(Page(bank_id=town.bank_id, number=2, day=later.date(), opened_at=later))
    for _ in range(len(ends) + 1):
        await months.keep_due(town.database, [town.bank_id], now=later + months.SETTLED)
    assert await kept_months(town) == {*ends}
    async with town.database.reading() as session:
        assert {*await months.moved_in(session, bank, ends)} == {*added_up} != set()
    rows = update(CityMonth).where(col(CityMonth.bank_id) == town.bank_id)
    async with town.database.transaction() as session:
        await session.exec(rows.values(amount=7))
    async with town.database.reading() as session:
        assert {one.amount for one in await months.moved_in(session, bank, ends)} == {7}
        moved_since = await months_moved(
            session, bank.id, ends[1:], since=ends[0], together=["resident"], most_people=1
        )
    assert moved_since == []
    await months.keep_due(town.database, [town.bank_id])  # The clock was ahead, and no longer is.
    assert await kept_months(town) == set()


async def kept_months(town: Town) -> set[datetime]:
    query = select(CityMonth.ends_at).where(CityMonth.bank_id == town.bank_id)
    async with town.database.reading() as session:
        return {*await session.exec(query)}


async def test_a_city_cannot_tell_a_single_household(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    trial = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    seen = done(await asking.get(town.city, trial))
    assert (seen["items"], seen["sums"]) == ([], {"IDR": 0})
