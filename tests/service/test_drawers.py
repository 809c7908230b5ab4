"""Drawers: in whose keeping they are, that they never hold less than nothing, and counts."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.drawer import MAIN, Drawer, DrawerCount
from models.people import Person, Role
from service import drawers, ledger
from service.drawers import Count, Move, Outside
from service.errors import NoSuchThing
from service.ledger import Draft, Movement, chart
from tests.factories import Town, another
from tests.races import slower_of


def moving(town: Town, amount_idr: int) -> Move:
    return Move(town.bank_id, amount_idr, "", town.treasurer.id)


async def opened(town: Town, name: str = "ani", officer: Person | None = None) -> Drawer:
    async with town.database.transaction() as session:
        return await drawers.open_drawer(
            session,
            town.bank_id,
            name,
            officer_id=(officer or town.operator).id,
            by=town.treasurer.id,
        )


async def closed(town: Town, drawer: Drawer) -> None:
    async with town.database.transaction() as session:
        fresh = await drawers.keeper_of(session, town.bank_id, drawer.name)
        assert fresh is not None
        await drawers.close(session, fresh, by=town.treasurer.id)


async def floated(town: Town, amount_idr: int, name: str = "ani") -> None:
    async with town.database.transaction() as session:
        await drawers.float_in(session, moving(town, amount_idr), name)


async def counted(town: Town, name: str, counted_idr: int) -> DrawerCount:
    async with town.database.transaction() as session:
        return await drawers.count(
            session, town.bank_id, Count(name, counted_idr, town.operator.id)
        )


async def held(town: Town) -> dict[str, int]:
    """What the ledger says of everything that is cash, a difference or outside."""
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
    kinds = ("cash", "drawer", "capital", "bank_account")
    return {row.code: row.balance for row in rows if row.balance and row.code.startswith(kinds)}


async def not_counted(town: Town) -> list[str]:
    async with town.database.reading() as session:
        return await drawers.not_counted(session, town.bank_id)


async def test_an_officer_pays_from_their_drawer_and_anybody_else_from_the_safe(
    town: Town,
) -> None:
    drawer = await opened(town)
    async with town.database.transaction() as session:
        place = await drawers.paying_from(session, town.bank_id, town.operator.id)
        assert place == chart.drawer("ani")
        assert place.id_in(town.bank_id) == chart.cash("ani").id_in(town.bank_id)
        other = await drawers.paying_from(session, town.bank_id, town.treasurer.id)
        assert other == chart.CASH
    await closed(town, drawer)
    async with town.database.transaction() as session:
        assert await drawers.paying_from(session, town.bank_id, town.operator.id) == chart.CASH


async def test_a_count_is_neither_changed_nor_removed(town: Town) -> None:
    await opened(town)
    noted = await counted(town, "ani", 0)
    bank = town.bank_id.hex if town.database.is_sqlite else str(town.bank_id)
    of_bank = f"WHERE bank_id = '{bank}'"
    replaced = f"INSERT OR REPLACE INTO drawer_count SELECT * FROM drawer_count {of_bank}"
    for statement in (
        f"UPDATE drawer_count SET counted_idr = 1 {of_bank}",
        f"UPDATE drawer_count SET memo = 'x' {of_bank}",
        f"DELETE FROM drawer_count {of_bank}",
        replaced if town.database.is_sqlite else "TRUNCATE drawer_count",
    ):
        with pytest.raises(DBAPIError, match=r"what is written stays|already there"):
            async with town.database.transaction() as session:
                await (await session.connection()).execute(text(statement))
    async with town.database.reading() as session:
        counts = await drawers.all_counted(session, town.bank_id)
    assert counts["ani"] == noted


async def test_money_moves_between_outside_safe_and_drawer(town: Town) -> None:
    await opened(town)
    async with town.database.transaction() as session:
        await drawers.put_in(session, moving(town, 900), Outside.BANK_ACCOUNT, "bri")
        await drawers.put_in(session, moving(town, 100), Outside.CAPITAL, "")
        await drawers.float_in(session, moving(town, 300), "ani")
        await drawers.float_out(session, moving(town, 120), "ani")
        await drawers.take_out(session, moving(town, 50), Outside.BANK_ACCOUNT, "bri")
        await drawers.take_out(session, moving(town, 40), Outside.CAPITAL, "")
    assert await held(town) == {
        "bank_account:bri": -850,
        "capital": -60,
        "cash:main": 730,
        "cash:ani": 180,
    }


async def test_a_drawer_never_holds_less_than_nothing_but_the_safe_may(town: Town) -> None:
    await opened(town)
    await floated(town, 500)
    with pytest.raises(drawers.DrawerTooLow, match="ani"):
        async with town.database.transaction() as session:
            await drawers.float_out(session, moving(town, 501), "ani")
    assert await held(town) == {"cash:main": -500, "cash:ani": 500}


async def test_of_two_who_take_the_last_rupiah_one_gets_them(town: Town) -> None:
    await opened(town)
    await floated(town, 500)

    async def take(session: AsyncSession) -> None:
        await drawers.float_out(session, moving(town, 300), "ani")

    assert isinstance(await slower_of(town, take, take), drawers.DrawerTooLow)
    assert (await held(town))["cash:ani"] == 200


@pytest.mark.parametrize(("found", "difference"), [(650, 150), (400, -100), (500, 0), (0, -500)])
async def test_a_count_posts_what_it_differs_by(town: Town, found: int, difference: int) -> None:
    await opened(town)
    await floated(town, 500)
    noted = await counted(town, "ani", found)
    assert (noted.counted_idr, noted.difference_idr) == (found, difference)
    now = await held(town)
    assert now.get("cash:ani", 0) == found
    assert now.get("drawer_difference:ani", 0) == -difference


async def test_the_safe_differs_on_the_banks_own_account(town: Town) -> None:
    await counted(town, MAIN, 70)
    assert await held(town) == {"cash:main": 70, "cash_difference": -70}


async def test_what_moved_since_its_count_is_not_counted(town: Town) -> None:
    await opened(town)
    await opened(town, "budi", town.treasurer)
    assert await not_counted(town) == []
    await floated(town, 500)
    assert await not_counted(town) == ["ani"]
    await counted(town, "ani", 480)
    assert await not_counted(town) == []
    await floated(town, 1)
    await floated(town, 1, "budi")
    assert await not_counted(town) == ["ani", "budi"]


async def test_a_count_waits_for_who_carries(town: Town) -> None:
    await opened(town)

    async def carry(session: AsyncSession) -> None:
        await drawers.float_in(session, moving(town, 200), "ani")

    async def look(session: AsyncSession) -> None:
        noted = await drawers.count(session, town.bank_id, Count("ani", 200, town.operator.id))
        assert noted.difference_idr == 0

    assert await slower_of(town, carry, look) is None


async def test_a_drawer_is_closed_when_it_is_empty(town: Town) -> None:
    drawer = await opened(town)
    await floated(town, 5)
    with pytest.raises(drawers.DrawerNotEmpty):
        await closed(town, drawer)
    async with town.database.transaction() as session:
        await drawers.float_out(session, moving(town, 5), "ani")
    await closed(town, drawer)
    for act in (closed(town, drawer), floated(town, 1), counted(town, "ani", 1)):
        with pytest.raises(drawers.DrawerClosed):
            await act
    assert (await opened(town, "ani", town.treasurer)).id != drawer.id
    await floated(town, 9)
    assert (await held(town))["cash:ani"] == 9


@pytest.mark.parametrize("first", ["carry", "shut"])
async def test_no_money_is_left_in_a_drawer_that_is_being_closed(town: Town, first: str) -> None:
    drawer = await opened(town)

    async def carry(session: AsyncSession) -> None:
        await drawers.float_in(session, moving(town, 200), "ani")

    async def shut(session: AsyncSession) -> None:
        fresh = await drawers.keeper_of(session, town.bank_id, drawer.name)
        assert fresh is not None
        await drawers.close(session, fresh, by=town.treasurer.id)

    if first == "carry":
        assert isinstance(await slower_of(town, carry, shut), drawers.DrawerNotEmpty)
        return
    assert isinstance(await slower_of(town, shut, carry), drawers.DrawerClosed)
    assert await held(town) == {}


async def test_a_name_and_an_officer_have_one_open_drawer(town: Town) -> None:
    await opened(town, "officer-1")
    with pytest.raises(drawers.DrawerNameTaken):
        await opened(town, "officer-1", town.treasurer)
    with pytest.raises(drawers.OfficerHasDrawer):
        await opened(town, "another")
    with pytest.raises(drawers.DrawerNameTaken):
        await opened(town, MAIN, town.treasurer)
    for nobody in (town.resident, town.collector, town.city):
        with pytest.raises(NoSuchThing):
            await opened(town, "hers", nobody)


async def test_of_two_drawers_opened_at_once_one_is(town: Town) -> None:
    second = await another(town, Role.OPERATOR)

    def opening(officer: Person) -> Any:
        async def act(session: AsyncSession) -> None:
            await drawers.open_drawer(
                session, town.bank_id, "new", officer_id=officer.id, by=town.treasurer.id
            )

        return act

    lost = await slower_of(town, opening(town.operator), opening(second))
    assert isinstance(lost, drawers.DrawerNameTaken)


async def test_a_name_that_was_used_without_a_keeper_stays_as_it_is(town: Town) -> None:
    move = Movement("in", chart.cash("truk"), chart.SUSPENSE, 10)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("test", [move], utc_now()))
        assert await drawers.keeper_of(session, town.bank_id, "truk") is None
        assert await drawers.at(session, town.bank_id, "truk") == chart.cash("truk")
    with pytest.raises(drawers.DrawerNameTaken):
        await opened(town, "truk")
    async with town.database.reading() as session:
        with pytest.raises(NoSuchThing):
            await drawers.keeper_of(session, town.bank_id, "nowhere")
        found = await drawers.drawers_of(session, town.bank_id)
    assert [(one.name, one.ledger_idr, one.drawer) for one in found] == [
        (MAIN, 0, None),
        ("truk", 10, None),
    ]
