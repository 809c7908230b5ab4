"""Postings that stand alone leave in groups: everybody gets what is theirs, and only once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import col, select

from bench.support.grouping import Poster
from models.base import utc_now
from models.ledger import Entry, Transfer, TransferKind
from service import ledger
from service.ledger import AlreadyPosted, BalanceTooLow, Draft, Movement, Place, chart
from tests.factories import Town, make_town
from tests.races import someone_waits


def draft(*moves: Movement) -> Draft:
    return Draft("test", moves, event_at=utc_now())


def credit(town: Town, amount: int, key: str = "") -> Draft:
    available = chart.available(town.resident.id)
    return draft(Movement(key or f"test:{uuid4()}", chart.PURCHASES, available, amount))


def spend(town: Town, amount: int) -> Draft:
    available = chart.available(town.resident.id)
    return draft(Movement(f"test:{uuid4()}", available, chart.CASH, amount))


async def available_in(town: Town) -> int:
    async with town.database.reading() as session:
        standing = await ledger.standing(session, town.bank_id, town.resident.id)
        assert (await ledger.verify(session, [town.bank_id])).findings == []
    return standing.available_idr


async def commits_in(town: Town) -> int:
    """How many transactions wrote the town's transfers, on PostgreSQL."""
    query = text("SELECT count(DISTINCT xmin::text) FROM ledger_transfer WHERE bank_id = :bank_id")
    async with town.database.reading() as session:
        connection = await session.connection()
        return int((await connection.execute(query, {"bank_id": town.bank_id})).scalar_one())


async def all_of(poster: Poster, town: Town, drafts: list[Draft]) -> list[Any]:
    posts = (poster.post(town.bank_id, one) for one in drafts)
    return await asyncio.gather(*posts, return_exceptions=True)


async def test_everybody_gets_their_own_ids(town: Town) -> None:
    two = draft(*credit(town, 1).movements, *credit(town, 2).movements)
    found = await all_of(Poster(town.database), town, [credit(town, 10), two, credit(town, 20)])
    async with town.database.reading() as session:
        query = select(Transfer).where(Transfer.bank_id == town.bank_id)
        amounts = {one.id: one.amount for one in await session.exec(query)}
    assert [[amounts[one] for one in ids] for ids in found] == [[10], [1, 2], [20]]


async def test_those_who_wait_share_a_commit(town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("rows of SQLite don't say which transaction wrote them")
    await all_of(Poster(town.database), town, [credit(town, 1) for _ in range(20)])
    assert await commits_in(town) == 1


async def test_a_group_has_its_limit(town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("rows of SQLite don't say which transaction wrote them")
    poster = Poster(town.database, limit=4)
    await all_of(poster, town, [credit(town, 1) for _ in range(10)])
    assert await commits_in(town) == 3
    assert await available_in(town) == 10


async def test_only_the_guilty_one_fails(town: Town) -> None:
    drafts = [credit(town, 10), spend(town, 100), credit(town, 20), spend(town, 30)]
    first, second, third, fourth = await all_of(Poster(town.database), town, drafts)
    assert isinstance(second, BalanceTooLow)
    assert [len(ids) for ids in (first, third, fourth)] == [1, 1, 1]
    assert await available_in(town) == 0


async def test_the_order_of_asking_is_the_order_of_the_book(town: Town) -> None:
    """What comes later in a group doesn't pay for what came before."""
    found = await all_of(Poster(town.database), town, [spend(town, 10), credit(town, 10)])
    assert isinstance(found[0], BalanceTooLow)
    drafts = [credit(town, amount) for amount in range(1, 21)]
    await all_of(Poster(town.database), town, drafts)
    account = chart.available(town.resident.id).id_in(town.bank_id)
    async with town.database.reading() as session:
        query = (
            select(Entry.amount)
            .where(Entry.bank_id == town.bank_id, Entry.account_id == account)
            .order_by(col(Entry.version))
        )
        assert list(await session.exec(query)) == [10, *range(1, 21)]


async def test_one_key_in_a_group_is_posted_once(town: Town) -> None:
    drafts = [credit(town, 10, "once"), credit(town, 10, "once"), credit(town, 1)]
    found = await all_of(Poster(town.database), town, drafts)
    assert [isinstance(one, AlreadyPosted) for one in found] == [False, True, False]
    assert await available_in(town) == 11


async def test_what_makes_no_sense_fails_alone(town: Town) -> None:
    grams = chart.source(town.resident.id, "PET-BNG-B")
    wrong = draft(Movement(f"test:{uuid4()}", chart.PURCHASES, grams, 10))
    found = await all_of(Poster(town.database), town, [wrong, credit(town, 10)])
    assert isinstance(found[0], DBAPIError)
    assert await available_in(town) == 10


async def test_a_group_may_hold_acts_of_several_banks(town: Town) -> None:
    other = await make_town(town.database)
    poster = Poster(town.database)
    towns = [town, other, town, other]
    found = await asyncio.gather(*(poster.post(one.bank_id, credit(one, 5)) for one in towns))
    assert [len(ids) for ids in found] == [1, 1, 1, 1]
    assert (await available_in(town), await available_in(other)) == (10, 10)


async def test_who_gives_up_takes_nobody_along(town: Town) -> None:
    """Cancelled before, during and after their group: the others are posted exactly once."""
    poster = Poster(town.database, limit=3)
    tasks = [
        asyncio.create_task(poster.post(town.bank_id, credit(town, 1, f"cancel:{number}")))
        for number in range(40)
    ]
    for number, task in enumerate(tasks):
        if number % 4 == 0:
            await asyncio.sleep(0.001)
            task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    answered = {f"cancel:{number}" for number, one in enumerate(found) if isinstance(one, list)}
    assert len(answered) >= 30
    async with town.database.reading() as session:
        query = select(Transfer.key).where(Transfer.bank_id == town.bank_id)
        posted = list(await session.exec(query))
    assert len(posted) == len(set(posted)) == await available_in(town)
    assert answered <= set(posted)


async def test_a_hot_account_is_counted_right(town: Town) -> None:
    poster = Poster(town.database, lanes=4, limit=5)
    await all_of(poster, town, [credit(town, 1) for _ in range(60)])
    assert await available_in(town) == 60


async def test_alone_with_nobody_to_share_with(town: Town) -> None:
    poster = Poster(town.database)
    ids = [await poster.post(town.bank_id, credit(town, 1)) for _ in range(3)]
    assert len({one for (one,) in ids}) == 3


async def test_a_hold_is_settled_in_a_group(town: Town) -> None:
    poster = Poster(town.database)
    await poster.post(town.bank_id, credit(town, 100))
    sides = (chart.available(town.resident.id), chart.IN_TRANSIT)
    held = [
        (await poster.post(town.bank_id, draft(Movement(f"test:{uuid4()}", *sides, 10, kind))))[0]
        for kind in (TransferKind.HOLD, TransferKind.HOLD)
    ]
    settle = [
        draft(Movement(f"test:{uuid4()}", *sides, 10, TransferKind.SETTLE, one)) for one in held
    ]
    found = await all_of(poster, town, settle)
    assert [len(ids) for ids in found] == [1, 1]
    assert await available_in(town) == 80


async def test_who_was_cut_off_is_told_and_the_next_is_served(town: Town) -> None:
    """Without a connection nobody knows whether it was written: that is what the key is for."""
    if town.database.is_sqlite:
        pytest.skip("SQLite has no connection to lose")
    poster = Poster(town.database)
    await poster.post(town.bank_id, credit(town, 1))
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, credit(town, 1))
        waiting = asyncio.create_task(poster.post(town.bank_id, credit(town, 1, "cut")))
        await someone_waits(town.database)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
        await (await session.connection()).execute(text(cut))
        with pytest.raises(OperationalError):
            await waiting
    await poster.post(town.bank_id, credit(town, 1, "cut"))
    assert await available_in(town) == 3


async def test_accounts_are_opened_when_they_are_needed(town: Town) -> None:
    def into(code: str) -> Draft:
        return draft(Movement(f"test:{uuid4()}", chart.PURCHASES, Place(code), 1))

    found = await all_of(Poster(town.database), town, [into("new"), into("newer"), into("new")])
    assert all(isinstance(ids[0], UUID) for ids in found)
