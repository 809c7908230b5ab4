"""A closed day is opened again: nothing that was closed changes, and every report adds up."""

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.people import Role
from service import ledger, sealing
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.sealing.days import GRACE, OPEN_AGAIN_FOR
from tests.factories import PET, Town, another
from tests.races import slower_of
from tests.service.sealing import (
    TOMORROW,
    act,
    behind_the_ledger,
    close,
    closed_days,
    day_seals,
    findings,
    journals,
    seal,
    today,
    turn,
)


@pytest.fixture
async def second(town: Town) -> UUID:
    """Another treasurer of the town."""
    return (await another(town, Role.TREASURER)).id


async def reopen(town: Town, by: UUID, day: date | None = None) -> int:
    """Open a day again, today if none is given; its first page."""
    async with town.database.transaction() as session:
        opened = await sealing.reopen(
            session, town.bank, day or await today(town), by=by, reason="Kuitansi tertinggal"
        )
        return opened.first_page


async def open_day(town: Town) -> date:
    async with town.database.reading() as session:
        return (await ledger.open_page(session, town.bank_id)).day


async def passbook(town: Town, first: date, last: date) -> tuple[int, list[int], list[int]]:
    """The opening balance, amounts and balances of some days."""
    async with town.database.reading() as session:
        found = await ledger.passbook_of_days(
            session, town.bank_id, town.resident.id, (first, last), limit=1_000
        )
    lines = found.lines
    assert [line.day for line in lines] == sorted(line.day for line in lines)
    return (
        found.opening_idr,
        [line.amount_idr for line in lines],
        [line.balance_idr for line in lines],
    )


async def test_what_is_posted_then_is_of_the_day(town: Town, second: UUID, keys: Keys) -> None:
    day = await today(town)
    await act(town, 100)
    await close(town, 10)
    await act(town, 20)
    first_page = await reopen(town, second)
    assert (first_page, await open_day(town)) == (3, day)
    await act(town, 3)
    closed = await close(town, 12)
    assert (closed.day.day, closed.day.version, closed.day.last_page) == (day, 2, 3)
    assert (closed.ledger_cash_idr, closed.day.cash_difference_idr) == (10, 2)
    assert await open_day(town) == day + TOMORROW
    await act(town, 400)
    assert await passbook(town, day, day) == (0, [100, 3], [100, 103])
    assert await passbook(town, day + TOMORROW, date.max) == (103, [20, 400], [123, 523])
    assert await passbook(town, day, date.max) == (0, [100, 3, 20, 400], [100, 103, 123, 523])
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_the_earlier_version_and_its_seal_stay(town: Town, second: UUID, keys: Keys) -> None:
    await act(town, 100)
    await close(town, 10)
    await seal(town, keys)
    before, (sealed,) = await closed_days(town), await day_seals(town)
    await reopen(town, second)
    await act(town, 3)
    assert await findings(town, keys) == []
    await close(town, 10)
    await seal(town, keys)
    assert (await closed_days(town))[:1] == before
    first, again = await day_seals(town)
    assert first == sealed
    assert (again.version, again.page, again.transfers) == (2, 3, 3)
    assert again.balances != first.balances
    assert await findings(town, keys) == []


async def test_a_day_is_opened_again_and_again(town: Town, second: UUID, keys: Keys) -> None:
    day = await today(town)
    await act(town, 1)
    await close(town)
    for amount in (2, 3, 4):
        await reopen(town, second)
        await act(town, amount)
        await turn(town)
        await act(town, 10 * amount)
        await close(town)
        await act(town, 100 * amount)
    await seal(town, keys)
    assert [(one.day, one.version) for one in await closed_days(town)] == [
        (day, version) for version in (1, 2, 3, 4)
    ]
    assert [one.version for one in await day_seals(town)] == [1, 2, 3, 4]
    assert (await passbook(town, day, day))[1] == [1, 2, 20, 3, 30, 4, 40]
    assert (await passbook(town, day + TOMORROW, day + TOMORROW))[:2] == (100, [200, 300, 400])
    assert await findings(town, keys) == []


async def test_only_the_newest_closed_day_is_opened_and_by_another(
    town: Town, second: UUID
) -> None:
    day = await today(town)
    await _begin(town, days_ago=1)
    for asked in (day - TOMORROW, day, day + TOMORROW):
        with pytest.raises(sealing.DayNotClosed):
            await reopen(town, second, asked)
    await close(town)
    await close(town)
    with pytest.raises(sealing.OwnClose):
        await reopen(town, town.treasurer.id)
    with pytest.raises(sealing.NotTheNewestDay):
        await reopen(town, second, day - TOMORROW)
    await reopen(town, second)
    with pytest.raises(sealing.DayNotClosed):
        await reopen(town, second)
    with pytest.raises(sealing.NotTheNewestDay):
        await reopen(town, second, day - TOMORROW)
    assert len(await closed_days(town)) == 2


async def test_a_day_that_nobody_closed_may_be_opened_by_anybody(town: Town, keys: Keys) -> None:
    day = await today(town) - 2 * TOMORROW
    await _begin(town, days_ago=2)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    await act(town, 5)
    await reopen(town, town.treasurer.id, day)
    assert await open_day(town) == day
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_a_day_that_is_open_again_closes_by_itself_after_a_while(
    town: Town, second: UUID, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await today(town)
    await _begin(town, days_ago=3)
    await close(town)
    await act(town, 7)
    await reopen(town, second, day - 3 * TOMORROW)
    await act(town, 8)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 0
    later = utc_now() + OPEN_AGAIN_FOR
    monkeypatch.setattr("service.sealing.days.utc_now", lambda: later)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    _, again = await closed_days(town)
    assert (again.version, again.closed_by, again.counted_cash_idr) == (2, None, None)
    # The book goes on with the day that it had come to.
    assert await open_day(town) == day
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_the_day_after_is_left_out_of_no_close(
    town: Town, second: UUID, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened again when the day after is over too, though nobody has closed that yet."""
    day = await today(town)
    await close(town)
    await act(town, 7)
    await reopen(town, second)
    later = utc_now() + 2 * TOMORROW + GRACE
    monkeypatch.setattr("service.sealing.days.utc_now", lambda: later)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    assert await open_day(town) == day + TOMORROW
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    assert [(one.day, one.version) for one in await closed_days(town)] == [
        (day, 1),
        (day, 2),
        (day + TOMORROW, 1),
    ]
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_what_was_being_posted_stays_with_the_day_after(town: Town, second: UUID) -> None:
    day = await today(town)
    await close(town)
    assert await slower_of(town, _posting(town, "first"), _reopening(town, second, day)) is None
    await _post(town, "second")
    written = {one.memo: one.page for one in await journals(town) if one.kind == "test"}
    assert written == {"first": 2, "second": 3}


async def test_what_waited_for_the_opening_is_of_the_day(town: Town, second: UUID) -> None:
    day = await today(town)
    await close(town)
    assert await slower_of(town, _reopening(town, second, day), _posting(town, "waited")) is None
    assert [one.page for one in await journals(town) if one.kind == "test"] == [3]
    assert (await passbook(town, day, day))[1] == [77]


async def test_of_two_who_open_a_day_one_does(town: Town, second: UUID) -> None:
    await close(town)
    opening = _reopening(town, second, await today(town))
    assert isinstance(await slower_of(town, opening, opening), sealing.DayNotClosed)


async def test_a_close_that_comes_second_closes_the_day_anew(town: Town, second: UUID) -> None:
    day = await today(town)
    await close(town)
    opening, closing = _reopening(town, second, day), _closing(town, day)
    assert await slower_of(town, opening, closing) is None
    assert [one.version for one in await closed_days(town)] == [1, 2]


async def test_a_day_is_opened_again_after_the_close_it_waited_for(
    town: Town, second: UUID
) -> None:
    day = await today(town)
    opening, closing = _reopening(town, second, day), _closing(town, day)
    assert await slower_of(town, closing, opening) is None
    assert await open_day(town) == day


@pytest.mark.parametrize(
    ("edit", "subject", "problem"),
    [
        ("UPDATE ledger_reopening SET reason = 'x'", "day {day}, version 2", "signature is wrong"),
        ("DELETE FROM ledger_reopening", "page 3", "of an earlier day than the page before"),
        ("UPDATE ledger_day_seal SET form = 1", "day {day}", "its signature is wrong"),
        ("UPDATE ledger_day SET despite_unknown = 'x'", "day {day}", "its signature is wrong"),
        ("UPDATE ledger_reopening SET first_page = 2", "day {day}", "where it has no page"),
    ],
)
async def test_what_was_edited_behind_the_ledger_is_named(
    town: Town, second: UUID, keys: Keys, edit: str, subject: str, problem: str
) -> None:
    await act(town, 1)
    await close(town)
    await reopen(town, second)
    await act(town, 2)
    await close(town)
    await seal(town, keys)
    await behind_the_ledger(town, f"{edit} WHERE bank_id = :bank_id")
    found = await findings(town, keys)
    named = subject.format(day=await today(town))
    assert any(where == named and problem in what for where, what in found), found


@pytest.mark.parametrize("seed", [2, 4, 5])
async def test_days_add_up_however_often_they_are_opened(
    town: Town, second: UUID, keys: Keys, seed: int
) -> None:
    """Acts, closes and openings at random, against the amounts noted by day."""
    chance = random.Random(seed)
    await _begin(town, days_ago=5)
    by_day: dict[date, int] = {}
    grams: dict[date, int] = {}
    closed: date | None = None
    for _ in range(40):
        day = await open_day(town)
        what = chance.choice(["act", "act", "close", "reopen", "reopen", "turn"])
        if what == "act":
            amount = chance.randint(1, 999)
            await act(town, amount)
            await _collect(town, amount)
            by_day[day] = by_day.get(day, 0) + amount
            grams[day] = grams.get(day, 0) + amount
        elif what == "turn":
            await turn(town)
        elif what == "close" and day < await today(town):
            await close(town)
            closed = day
            # On the way to today one day after the other.
            await _go_on(town, day)
        elif what == "reopen" and closed is not None and day > closed:
            await reopen(town, second, closed)
    assert any(one.version > 1 for one in await closed_days(town))
    await seal(town, keys)
    assert await findings(town, keys) == []
    first = await today(town) - 7 * TOMORROW
    for start in range(8):
        for length in range(8 - start):
            begin, end = first + start * TOMORROW, first + (start + length) * TOMORROW
            opening, amounts, balances = await passbook(town, begin, end)
            assert opening == sum(idr for day, idr in by_day.items() if day < begin)
            assert sum(amounts) == sum(idr for day, idr in by_day.items() if begin <= day <= end)
            assert [opening + sum(amounts[: n + 1]) for n in range(len(amounts))] == balances
    async with town.database.reading() as session:
        mass = await ledger.mass_balance(
            session, town.bank_id, first + 3 * TOMORROW, first + 5 * TOMORROW
        )
    expected = [
        (day, moved, sum(g for d, g in grams.items() if d <= day))
        for day, moved in sorted(grams.items())
        if first + 3 * TOMORROW <= day <= first + 5 * TOMORROW
    ]
    assert [(one.day, one.collected, one.load) for one in mass] == expected


def _posting(town: Town, memo: str) -> Any:
    async def post(session: AsyncSession) -> None:
        move = Movement(f"race:{memo}", chart.PURCHASES, chart.available(town.resident.id), 77)
        await ledger.post(session, town.bank_id, Draft("test", [move], utc_now(), memo=memo))

    return post


async def _post(town: Town, memo: str) -> None:
    async with town.database.transaction() as session:
        await _posting(town, memo)(session)


def _reopening(town: Town, by: UUID, day: date) -> Any:
    async def opening(session: AsyncSession) -> None:
        await sealing.reopen(session, town.bank, day, by=by, reason="Kuitansi tertinggal")

    return opening


def _closing(town: Town, day: date) -> Any:
    async def closing(session: AsyncSession) -> None:
        await sealing.close(session, town.bank, day, sealing.Close(town.treasurer.id, 0))

    return closing


async def _collect(town: Town, grams: int) -> None:
    """Grams out of a household onto a vehicle."""
    move = Movement(
        f"test:{uuid4()}",
        chart.load(town.collector.id, PET),
        chart.source(town.resident.id, PET),
        grams,
    )
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("pickup", [move], utc_now()))


async def _begin(town: Town, *, days_ago: int) -> None:
    """Have the book opened some days ago."""
    day = await today(town) - timedelta(days=days_ago)
    await _set_day(town, day, "number = 1")


async def _go_on(town: Town, day: date) -> None:
    """Have the book go on with the day after, as it does when no day is missed."""
    if await open_day(town) > day + TOMORROW:
        await _set_day(
            town,
            day + TOMORROW,
            "number = (SELECT max(p.number) FROM ledger_page p WHERE p.bank_id = :bank_id)",
        )


async def _set_day(town: Town, day: date, page: str) -> None:
    value = day.isoformat() if town.database.is_sqlite else day
    await behind_the_ledger(
        town, f"UPDATE ledger_page SET day = :day WHERE bank_id = :bank_id AND {page}", day=value
    )
