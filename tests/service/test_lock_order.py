"""What waits for each other never does so in a circle: whoever moves goods asks for them first."""

import asyncio
from types import NoneType

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.bank import Policy
from models.payout import Payout
from service import lots, sales
from service.corrections import CorrectionAlreadyAsked
from service.database import Database
from service.keys import Keys
from tests.factories import PET, make_town
from tests.races import Act, slower_of, someone_waits
from tests.selling import a_batch, a_buyer, bring, sell, sharing_town, taking_back
from tests.service.test_corrections import LIMITED, agreeing, do, drop, hand_over
from tests.service.test_races import a_payout
from tests.service.test_stock import counting


@pytest.fixture
def rows(database: Database) -> Database:
    """The database that locks row by row; SQLite's one writer is alone anyway."""
    if database.is_sqlite:
        pytest.skip("one writer")
    return database


@pytest.mark.parametrize("what", ["a count", "a sale's correction", "a weighing's correction"])
async def test_who_waits_for_a_sale_has_locked_nothing_that_it_needs(
    rows: Database, what: str
) -> None:
    town = await sharing_town(rows, correction_limit_idr=10**9)
    buyer = await a_buyer(town)
    await bring(town, 5_000)
    sale = await sell(town, buyer, 1_000, 4_000)
    brought = await drop(town, 2_000, PET)
    batch = a_batch(town, buyer, 1_500, 6_000)
    slower: Act = {
        "a count": counting(town, 4_600),
        "a sale's correction": taking_back(town, sale.id),
        "a weighing's correction": taking_back(town, brought),
    }[what]
    first: Act = lambda session: lots.alone_with(session, town.bank_id, [PET])  # noqa: E731
    selling: Act = lambda session: sales.sell(session, batch)  # noqa: E731
    assert await slower_of(town, first, slower, and_then=selling) is None


async def test_who_agrees_and_who_asks_again_do_not_wait_for_each_other(
    rows: Database, keys: Keys
) -> None:
    """Asking again is made at once, since the bank's limit was raised meanwhile."""
    town = await make_town(rows, **LIMITED)
    payout = await a_payout(town, keys, approved=True)
    await hand_over(town, payout)
    async with rows.transaction() as session:
        asked = await taking_back(town, payout.id)(session)
        raised = update(Policy).where(col(Policy.bank_id) == town.bank_id)
        await session.exec(raised.values(correction_limit_idr=10**9))
    async with rows.transaction() as session:
        held = select(Payout).where(Payout.id == payout.id).with_for_update()
        await session.exec(held)
        again = asyncio.create_task(do(town, taking_back(town, payout.id)))
        await someone_waits(rows)
        agree = asyncio.create_task(do(town, agreeing(town, asked, by=town.operator.id)))
        await someone_waits(rows, many=2)
    results = await asyncio.gather(again, agree, return_exceptions=True)
    assert [type(result) for result in results] == [CorrectionAlreadyAsked, NoneType]
