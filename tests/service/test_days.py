"""Days of business: counted and closed, or closed when they are over; never posted to again."""

import asyncio
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Journal, Page, Transfer
from service import ledger, sealing
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.ledger.days import pages_of_days
from service.sealing.days import GRACE
from tests import factories
from tests.factories import Town
from tests.races import someone_waits
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
)


async def pay_in(town: Town, amount: int) -> None:
    move = Movement("in", chart.CASH, chart.SUSPENSE, amount)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("test", [move], utc_now()))


async def open_page(town: Town) -> Page:
    async with town.database.reading() as session:
        return await ledger.open_page(session, town.bank_id)


@pytest.mark.parametrize(("counted", "difference"), [(1_200, 200), (900, -100), (1_000, 0)])
async def test_what_the_count_differs_by_is_posted_on_the_day_itself(
    town: Town, counted: int, difference: int
) -> None:
    await pay_in(town, 1_000)
    closed = await close(town, counted)
    assert closed.ledger_cash_idr == 1_000
    assert (closed.day.counted_cash_idr, closed.day.cash_difference_idr) == (counted, difference)
    balances = {row.code: row.balance for row in closed.balances}
    assert balances["cash:main"] == counted
    assert balances.get("cash_difference", 0) == -difference
    assert sum(balances.values()) == 0
    counts = [one for one in await journals(town) if one.kind == "cash_count"]
    assert [(one.page, one.actor_id) for one in counts] == [(1, town.treasurer.id)] * bool(
        difference
    )


async def test_the_next_page_is_of_the_next_day(town: Town) -> None:
    day = await today(town)
    closed = await close(town)
    assert (closed.day.day, closed.day.last_page, closed.day.closed_by) == (
        day,
        1,
        town.treasurer.id,
    )
    page = await open_page(town)
    assert (page.number, page.day) == (2, day + TOMORROW)


async def test_a_closed_day_is_not_closed_again(town: Town) -> None:
    day = await today(town)
    await close(town)
    with pytest.raises(sealing.DayClosed):
        await close(town, 5, day)
    (kept,) = await closed_days(town)
    assert kept.counted_cash_idr == 0


async def test_a_day_before_the_book_began_was_never_closed(town: Town) -> None:
    day = await today(town)
    with pytest.raises(sealing.DayBeforeBook) as refusal:
        await close(town, 0, day - TOMORROW)
    assert str(refusal.value) == f"The book of this waste bank only begins at {day}."


@pytest.mark.parametrize("ahead", [1, 400])
async def test_a_day_that_has_not_begun_is_not_closed(town: Town, ahead: int) -> None:
    with pytest.raises(sealing.DayNotBegun):
        await close(town, 0, await today(town) + timedelta(days=ahead))
    await close(town)
    with pytest.raises(sealing.DayNotBegun):
        await close(town)
    assert len(await closed_days(town)) == 1


async def test_days_are_closed_one_after_the_other(town: Town) -> None:
    await _begin(town, days_ago=2)
    day = await today(town)
    with pytest.raises(sealing.EarlierDayOpen):
        await close(town, 0, day)
    await close(town, 0, day - 2 * TOMORROW)
    assert (await open_page(town)).day == day


async def test_a_day_that_nobody_closed_is_closed_when_it_is_over(town: Town, keys: Keys) -> None:
    await _begin(town, days_ago=3)
    await act(town, 100)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 0
    (day,) = await closed_days(town)
    assert (day.closed_by, day.counted_cash_idr, day.cash_difference_idr) == (None, None, None)
    assert (await open_page(town)).day == await today(town)
    await seal(town, keys)
    assert [one.transfers for one in await day_seals(town)] == [1]
    assert await findings(town, keys) == []


async def test_the_open_day_is_left_alone_until_the_grace_is_over(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = ZoneInfo(town.bank.time_zone)
    midnight = utc_now().astimezone(zone).replace(hour=0, minute=0, second=0) + TOMORROW
    for after, closed in ((GRACE - timedelta(minutes=1), 0), (GRACE + timedelta(minutes=1), 1)):
        monkeypatch.setattr("service.sealing.days.utc_now", lambda after=after: midnight + after)
        assert await sealing.close_overdue(town.database, [town.bank_id]) == closed


async def test_what_was_being_posted_belongs_to_the_day(town: Town) -> None:
    async with town.database.transaction() as session:
        written = await _post(session, town)
        closing = asyncio.create_task(close(town))
        await someone_waits(town.database)
    closed = await closing
    assert await _page_of(town, written) == closed.day.last_page
    assert {row.code: row.balance for row in closed.balances}["purchases"] == 77


async def test_what_waited_for_the_close_belongs_to_the_next_day(town: Town) -> None:
    async def post() -> UUID:
        async with town.database.transaction() as session:
            return await _post(session, town)

    day = await today(town)
    async with town.database.transaction() as session:
        closed = await sealing.close(session, town.bank, day, sealing.Close(town.treasurer.id, 5))
        posting = asyncio.create_task(post())
        await someone_waits(town.database)
    written = await posting
    assert await _page_of(town, written) == closed.day.last_page + 1
    assert (await open_page(town)).day == day + TOMORROW


async def test_of_two_closes_at_once_one_closes_the_day(town: Town) -> None:
    day = await today(town)
    async with town.database.transaction() as session:
        await sealing.close(session, town.bank, day, sealing.Close(town.treasurer.id, 5))
        second = asyncio.create_task(close(town, 9, day))
        await someone_waits(town.database)
    with pytest.raises(sealing.DayClosed):
        await second
    (kept,) = await closed_days(town)
    assert kept.counted_cash_idr == 5


async def test_a_close_waits_for_writers_no_longer_than_it_may(town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("On SQLite it waits for its turn like everybody.")
    async with town.database.transaction() as session:
        await _post(session, town)
        with pytest.raises(ledger.BookBusy):
            await close(town)
    assert await closed_days(town) == []


async def _post(session: AsyncSession, town: Town) -> UUID:
    move = Movement("race", chart.PURCHASES, chart.available(town.resident.id), 77)
    return (await ledger.post(session, town.bank_id, Draft("test", [move], utc_now())))[0]


async def _page_of(town: Town, transfer_id: UUID) -> int:
    async with town.database.reading() as session:
        query = (
            select(Journal.page)
            .join(
                Transfer,
                (col(Transfer.bank_id) == Journal.bank_id)
                & (col(Transfer.journal_id) == Journal.id),
            )
            .where(Journal.bank_id == town.bank_id, Transfer.id == transfer_id)
        )
        return (await session.exec(query)).one()


async def _begin(town: Town, *, days_ago: int) -> None:
    """Have the book opened some days ago."""
    day = await today(town) - timedelta(days=days_ago)
    value = day.isoformat() if town.database.is_sqlite else day
    await behind_the_ledger(
        town, "UPDATE ledger_page SET day = :day WHERE bank_id = :bank_id", day=value
    )


async def test_pages_and_days_out_of_order_are_named(town: Town, keys: Keys) -> None:
    day = await today(town)
    await act(town, 1)
    await close(town)
    earlier = day - 3 * TOMORROW
    value = earlier.isoformat() if town.database.is_sqlite else earlier
    await behind_the_ledger(
        town, "UPDATE ledger_page SET day = :day WHERE bank_id = :bank_id AND number = 2", day=value
    )
    assert await findings(town, keys) == [("page 2", "is of an earlier day than the page before")]
    value = day.isoformat() if town.database.is_sqlite else day
    await behind_the_ledger(
        town, "UPDATE ledger_page SET day = :day WHERE bank_id = :bank_id AND number = 2", day=value
    )
    assert await findings(town, keys) == [(f"day {day}", "ends on page 1, not on its last")]


async def test_one_bank_that_can_not_be_closed_keeps_no_other_open(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await factories.make_town(town.database)
    for one in (town, other):
        await _begin(one, days_ago=3)
    hold_book = ledger.hold_book

    async def fails_for_one(session: AsyncSession, bank_id: UUID) -> None:
        if bank_id == town.bank_id:
            raise ZeroDivisionError
        await hold_book(session, bank_id)

    monkeypatch.setattr(ledger, "hold_book", fails_for_one)
    both = [town.bank_id, other.bank_id]
    assert await sealing.close_overdue(town.database, both) == 1
    assert await closed_days(town) == []


async def test_the_pages_of_days_are_those_of_one_bank(town: Town) -> None:
    """Others turn theirs on other days, and count them for themselves."""
    day, others = await today(town), await factories.make_towns(town.database, 2)
    after = day + 2 * TOMORROW
    turned = [
        *((town, 2, day), (town, 3, after)),
        *((others[0], 2, day + TOMORROW), (others[1], 2, after)),
    ]
    for whose, number, on in turned:
        async with town.database.transaction() as session:
            session.add(Page(bank_id=whose.bank_id, number=number, day=on, opened_at=utc_now()))
    async with town.database.reading() as session:
        found = await pages_of_days(session, town.bank_id, day + TOMORROW, after)
    assert [run.first for run in found.runs] == [3]
