"""A day is closed when nothing is in doubt: payouts are known, drawers are counted."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.drawer import DrawerCount
from models.payout import Payout
from models.people import Role
from service import closing, drawers, sealing
from service.closing import UNKNOWN_FOR, Close, InDrawer
from service.errors import NoSuchThing
from service.gateways import Unknown
from service.keys import Keys
from service.payouts import queue
from tests.factories import Town, another, earn, make_town
from tests.paying import Till
from tests.races import slower_of
from tests.service.sealing import (
    TOMORROW,
    act,
    behind_the_ledger,
    closed_days,
    findings,
    seal,
    today,
)
from tests.service.test_drawers import counted, floated, held, opened


async def closed(town: Town, *counts: InDrawer, safe: int = 0, why: str = "") -> closing.Closed:
    how = Close(town.treasurer.id, safe, counts, why)
    async with town.database.transaction() as session:
        return await closing.close(session, town.bank, await today(town), how)


async def unknown(town: Town, keys: Keys, since: datetime | None) -> UUID:
    """A payout of which nobody knows how it went."""
    await earn(town, keys, grams=50_000)
    till = Till(town)
    await till.open()
    payout = await till.approved()
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    async with town.database.transaction() as session:
        await session.exec(
            update(Payout)
            .where(col(Payout.bank_id) == town.bank_id, col(Payout.id) == payout.id)
            .values(unknown_at=since)
        )
    return payout.id


async def test_every_drawer_is_counted_with_the_day(town: Town, keys: Keys) -> None:
    await opened(town)
    await opened(town, "budi", town.treasurer)
    await floated(town, 500)
    await floated(town, 200, "budi")
    done = await closed(town, InDrawer("budi", 210), InDrawer("ani", 450), safe=300)
    assert (done.safe.ledger_cash_idr, done.safe.day.cash_difference_idr) == (-700, 1_000)
    assert [(one.drawer, one.difference_idr) for one in done.counts] == [("ani", -50), ("budi", 10)]
    assert await held(town) == {
        "cash:main": 300,
        "cash_difference": -1_000,
        "cash:ani": 450,
        "drawer_difference:ani": 50,
        "cash:budi": 210,
        "drawer_difference:budi": -10,
    }
    assert {row.code: row.balance for row in done.safe.balances}["cash:ani"] == 450
    await seal(town, keys)
    assert await findings(town, keys) == []


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE drawer_count SET counted_idr = 451 WHERE drawer = 'ani' AND",
        "UPDATE drawer_count SET difference_idr = -49 WHERE drawer = 'ani' AND",
        "UPDATE drawer_count SET drawer = 'anu' WHERE drawer = 'ani' AND",
        "DELETE FROM drawer_count WHERE",
    ],
)
async def test_a_seal_speaks_of_every_drawer(town: Town, keys: Keys, edit: str) -> None:
    await opened(town)
    await floated(town, 500)
    await closed(town, InDrawer("ani", 450))
    await seal(town, keys)
    await behind_the_ledger(town, f"{edit} bank_id = :bank_id")
    assert await findings(town, keys) == [(f"day {await today(town)}", "its signature is wrong")]


async def test_a_drawer_that_moved_since_its_count_keeps_the_day_open(town: Town) -> None:
    await opened(town)
    await opened(town, "budi", town.treasurer)
    await floated(town, 500)
    await floated(town, 1, "budi")
    with pytest.raises(closing.DrawersNotCounted, match="ani"):
        await closed(town, InDrawer("budi", 1))
    assert await closed_days(town) == []
    await counted(town, "ani", 500)
    await closed(town, InDrawer("budi", 1))


async def test_what_is_not_there_is_not_counted(town: Town) -> None:
    drawer = await opened(town)
    with pytest.raises(NoSuchThing):
        await closed(town, InDrawer("nowhere", 0))
    async with town.database.transaction() as session:
        fresh = await drawers.keeper_of(session, town.bank_id, drawer.name)
        assert fresh is not None
        await drawers.close(session, fresh, by=town.treasurer.id)
    with pytest.raises(drawers.DrawerClosed):
        await closed(town, InDrawer("ani", 0))


async def test_the_safe_was_last_counted_at_the_close(town: Town) -> None:
    await closed(town, safe=70)
    async with town.database.reading() as session:
        (safe,) = await drawers.drawers_of(session, town.bank_id)
    assert safe.counted is not None
    assert (safe.counted.counted_idr, safe.counted.difference_idr) == (70, 70)


@pytest.mark.parametrize("age", [timedelta(0), UNKNOWN_FOR - timedelta(minutes=1), None])
async def test_a_payout_in_doubt_keeps_the_day_open_unless_told_why(
    town: Town, keys: Keys, age: timedelta | None
) -> None:
    await unknown(town, keys, None if age is None else utc_now() - age)
    for why in ("", "   "):
        with pytest.raises(closing.PayoutsUnknown):
            await closed(town, why=why)
    assert await closed_days(town) == []
    await closed(town, why="Bank belum menjawab")
    (day,) = await closed_days(town)
    assert day.despite_unknown == "Bank belum menjawab"
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_a_payout_in_doubt_for_long_keeps_no_day_open(town: Town, keys: Keys) -> None:
    await unknown(town, keys, utc_now() - UNKNOWN_FOR - timedelta(minutes=1))
    await closed(town, why="tidak perlu")
    (day,) = await closed_days(town)
    assert day.despite_unknown == ""


async def test_a_call_that_its_worker_did_not_survive_is_in_doubt(town: Town, keys: Keys) -> None:
    await earn(town, keys, grams=50_000)
    till = Till(town)
    await till.open()
    await till.approved()
    async with town.database.transaction() as session:
        assert await queue.take(session, [town.bank_id], 1)
    await till.make_due()
    with pytest.raises(closing.PayoutsUnknown):
        await closed(town)


async def test_another_banks_doubts_are_its_own(town: Town, keys: Keys) -> None:
    await unknown(await make_town(town.database), keys, utc_now())
    await closed(town)
    assert len(await closed_days(town)) == 1


async def test_a_day_that_nobody_closes_closes_by_itself(
    town: Town, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unknown(town, keys, utc_now())
    await opened(town)
    await floated(town, 500)
    later = utc_now() + 2 * TOMORROW
    monkeypatch.setattr("service.sealing.days.utc_now", lambda: later)
    assert await sealing.close_overdue(town.database, [town.bank_id]) == 1
    (day,) = await closed_days(town)
    assert (day.counted_cash_idr, day.despite_unknown) == (None, "")


async def test_a_day_opened_again_is_counted_again(town: Town, keys: Keys) -> None:
    second = await another(town, Role.TREASURER)
    await opened(town)
    await floated(town, 500)
    await closed(town, InDrawer("ani", 500), safe=0)
    async with town.database.transaction() as session:
        await sealing.reopen(session, town.bank, await today(town), by=second.id, reason="x")
    await floated(town, 30)
    await act(town, 9)
    done = await closed(town, InDrawer("ani", 529), safe=0)
    assert done.safe.day.version == 2
    async with town.database.reading() as session:
        counts = list(
            await session.exec(
                select(DrawerCount)
                .where(DrawerCount.bank_id == town.bank_id, DrawerCount.drawer == "ani")
                .order_by(col(DrawerCount.id))
            )
        )
        days = await sealing.closed_days(session, town.bank_id, before=None, limit=9)
    assert [(one.day_version, one.difference_idr) for one in counts] == [(1, 0), (2, -1)]
    assert [[one.counted_idr for one in each.counts] for each in days] == [[529], [500]]
    await seal(town, keys)
    assert await findings(town, keys) == []


async def test_what_is_carried_while_the_day_is_closed_is_counted_or_of_the_next(
    town: Town,
) -> None:
    await opened(town)

    async def carry(session: AsyncSession) -> None:
        move = drawers.Move(town.bank_id, 200, "", town.treasurer.id)
        await drawers.float_in(session, move, "ani")

    async def shut(session: AsyncSession) -> None:
        how = Close(town.treasurer.id, 0, [InDrawer("ani", 200)])
        await closing.close(session, town.bank, await today(town), how)

    assert await slower_of(town, carry, shut) is None
    assert (await held(town)).get("drawer_difference:ani") is None
