"""A failure that is tried again, and a treasurer who tries another again: nobody waits for ever."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Transfer
from models.payout import Cause, GatewayFloat, Payout, PayoutStatus
from models.people import Person, Role
from service import ledger, payouts
from service.database import Database
from service.gateways import Reported, Stage
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.payouts import settling
from service.payouts.settling import Effect
from tests.factories import another, earn, make_town, payout_in
from tests.paying import FEE_IDR, Till
from tests.races import slower_of

AMOUNT_IDR = 50_000
UNTIL_SENT = ["requested", "approved", "sending", "sent"]
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
        failure = asyncio.create_task(_settle(till, failing, EMPTY))
        await _waiting(till.town.database, 1)
        random.seed(seed)
        retry = asyncio.create_task(_retry(till, failed))
        await _waiting(till.town.database, 2)
        random.seed(seed)
    await asyncio.gather(failure, retry)
    async with till.town.database.reading() as session:
        standing = await ledger.standing(session, till.town.bank_id, who.id)
    assert (standing.available_idr, standing.held_idr) == (0, 2 * AMOUNT_IDR)


async def test_what_comes_back_unheard_and_who_pays_fees_end_both(
    database: Database, keys: Keys
) -> None:
    """Who comes back is stopped where people are told, with counters of the float.

    Posted one after the other, its second act would want those of fees from who has them and
    waits for those of the float.
    """
    if database.is_sqlite:
        pytest.skip("On SQLite one writes after the other")
    till = await _till_whose_fees_come_first(database, keys)
    payout = await _sent(till, till.town.resident, Stage.SENT)
    async with _nobody_is_told(till):
        back = asyncio.create_task(_settle(till, payout, Reported(Stage.REVERSED, "")))
        await _waiting(database, 1)
        other = asyncio.create_task(_hold_counters(till, chart.FEES, chart.float("gate")))
        await _waiting(database, 2)
    await asyncio.gather(back, other)
    assert (await till.state(payout)).status == PayoutStatus.REVERSED


async def test_what_comes_back_unheard_comes_back_once(till: Till) -> None:
    """A callback is held open until the worker that asked has to wait for it."""
    payout = await _sent(till, till.town.resident, Stage.SENT)
    before = await till.standing()
    back = Reported(Stage.REVERSED, payout.gateway_id)
    effects: list[Effect] = []

    async def apply(session: AsyncSession) -> None:
        found = await settling.apply(session, payout.bank_id, payout.id, back, Cause.QUERY)
        effects.append(found)

    assert await slower_of(till.town, apply, apply) is None
    assert effects == [Effect.MOVED, Effect.NOTHING_NEW]
    assert await till.standing() == (before[0] + AMOUNT_IDR, before[1] - AMOUNT_IDR)
    assert await till.float_idr() == -FEE_IDR
    assert await till.statuses(payout) == [*UNTIL_SENT, "paid", "reversed"]


async def _till_whose_fees_come_first(database: Database, keys: Keys) -> Till:
    """Counters are locked in the order of their accounts: those of fees before the float's."""
    places = [chart.FEES, chart.float("gate")]
    while True:
        town = await make_town(database, payout_fee_by="resident")
        fees, held = (place.id_in(town.bank_id) for place in places)
        if fees < held:
            break
    await earn(town, keys, grams=50_000)
    till = Till(town)
    await till.open()
    async with database.transaction() as session:
        await ledger.open_accounts(session, town.bank_id, places)
    return till


@asynccontextmanager
async def _nobody_is_told(till: Till) -> AsyncIterator[None]:
    async with till.town.database.transaction() as session:
        await (await session.connection()).execute(text("LOCK TABLE event IN SHARE MODE"))
        yield


async def _hold_counters(till: Till, *places: ledger.Place) -> None:
    """All of these places, in the order in which a posting takes them."""
    query = text(
        "SELECT shard FROM ledger_balance WHERE bank_id = :bank_id AND account_id = ANY(:ids)"
        " ORDER BY account_id, shard FOR UPDATE"
    )
    bank_id = till.town.bank_id
    bound = {"bank_id": bank_id, "ids": [place.id_in(bank_id) for place in places]}
    async with till.town.database.transaction() as session:
        found = await (await session.connection()).execute(query, bound)
        assert len(found.all()) == 32


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


async def _settle(till: Till, payout: Payout, report: Reported) -> None:
    async with till.town.database.transaction() as session:
        await settling.apply(session, payout.bank_id, payout.id, report, Cause.CALLBACK)


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
