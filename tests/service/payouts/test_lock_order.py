"""A failure that is tried again, and a treasurer who tries another again: nobody waits for ever."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from models.base import utc_now
from models.ledger import Transfer
from models.payout import Cause, GatewayFloat, Payout
from models.people import Person, Role
from service import ledger, payouts
from service.database import Database
from service.gateways import Reported, Stage
from service.ledger import Draft, Movement, chart
from service.payouts import settling
from tests.factories import another, payout_in
from tests.paying import Till

AMOUNT_IDR = 50_000
EMPTY = Reported(Stage.FAILED, "", "016", try_again=True, float_empty=True)


async def test_a_failure_that_goes_on_and_a_treasurers_retry_end_both(till: Till) -> None:
    """The failure is stopped at its gateway's row, between what it does to the passbook.

    Both would hold in the same of the places in which payouts on their way are counted, and
    neither in the one of the hold that is given back.
    """
    if till.town.database.is_sqlite:
        pytest.skip("On SQLite one writes after the other")
    who = await _resident_behind_what_is_on_its_way(till)
    failed, failing = await _sent(till, who, Stage.FAILED), await _sent(till, who, Stage.SENT)
    seed = await _seed_for_another_place(till, failing)
    async with _float_is_held(till):
        failure = asyncio.create_task(_fail(till, failing))
        await _waiting(till.town.database, 1)
        random.seed(seed)
        retry = asyncio.create_task(_retry(till, failed))
        await _waiting(till.town.database, 2)
        random.seed(seed)
    await asyncio.gather(failure, retry)
    async with till.town.database.reading() as session:
        standing = await ledger.standing(session, till.town.bank_id, who.id)
    assert (standing.available_idr, standing.held_idr) == (0, 2 * AMOUNT_IDR)


async def _resident_behind_what_is_on_its_way(till: Till) -> Person:
    """Counters are locked in the order of their accounts: this resident's after the others."""
    bank_id = till.town.bank_id
    on_its_way = chart.IN_TRANSIT.id_in(bank_id)
    who = await another(till.town, Role.RESIDENT)
    while chart.available(who.id).id_in(bank_id) < on_its_way:
        who = await another(till.town, Role.RESIDENT)
    place = chart.available(who.id)
    credit = Movement(f"test:{uuid4()}", chart.PURCHASES, place, 2 * AMOUNT_IDR)
    async with till.town.database.transaction() as session:
        await ledger.post(session, bank_id, Draft("test", [credit], event_at=utc_now()))
    return who


async def _sent(till: Till, who: Person, answer: Stage) -> Payout:
    payout = await till.approve(await till.ask(AMOUNT_IDR, by=who))
    till.gateway.answers = [answer]
    await till.work()
    return payout


async def _seed_for_another_place(till: Till, payout: Payout) -> int:
    async with till.town.database.reading() as session:
        query = select(Transfer.credit_shard).where(
            Transfer.bank_id == payout.bank_id, col(Transfer.id) == payout.hold_id
        )
        taken = (await session.exec(query)).one()
    return next(seed for seed in range(99) if random.Random(seed).randrange(16) != taken)


@asynccontextmanager
async def _float_is_held(till: Till) -> AsyncIterator[None]:
    async with till.town.database.transaction() as session:
        query = select(GatewayFloat).where(GatewayFloat.bank_id == till.town.bank_id)
        (await session.exec(query.with_for_update())).one()
        yield


async def _fail(till: Till, payout: Payout) -> None:
    async with till.town.database.transaction() as session:
        await settling.apply(session, payout.bank_id, payout.id, EMPTY, Cause.CALLBACK)


async def _retry(till: Till, payout: Payout) -> UUID:
    async with till.town.database.transaction() as session:
        again = await payouts.retry(
            session, await payout_in(session, payout), by=till.town.treasurer.id
        )
    return again.id


async def _waiting(database: Database, count: int) -> None:
    """Return once so many wait for what others hold. Raises TimeoutError."""
    query = text("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
    for _ in range(2_000):
        async with database.reading() as session:
            if int((await (await session.connection()).execute(query)).scalar_one()) >= count:
                return
        await asyncio.sleep(0.002)
    raise TimeoutError("Nobody came to wait.")
