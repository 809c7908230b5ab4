"""Two at once: each race is held open until the second waits, and one of them wins."""

import asyncio
from uuid import uuid4

import pytest
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Payout, PayoutMethod, PayoutStatus
from models.people import Person, Role
from models.pickup import Pickup, PickupStatus
from service import auth, banks, claims, ledger, payouts, weighing
from service.claims import PickupAlreadyClaimed, TooManyJobsHeld, Wish
from service.database import Database
from service.keys import Keys
from service.ledger import BalanceTooLow, Draft, Movement, Place, chart
from service.payouts import PayoutNotOpen
from service.weighing import ClaimNotHeld, Handover, PickupAlreadyCollected, Weighed
from tests import factories
from tests.factories import LUBUK_PAKAM, PET, Town, payout_in
from tests.races import slower_of, someone_waits


def asking(town: Town, amount: int) -> payouts.Request:
    resident = town.resident.id
    return payouts.Request(town.bank_id, resident, resident, amount, PayoutMethod.CASH)


async def a_payout(town: Town, keys: Keys, *, approved: bool) -> Payout:
    await factories.earn(town, keys)
    async with town.database.transaction() as session:
        payout = await payouts.request(session, asking(town, 5_000))
        if approved:
            await payouts.approve(session, payout, by=town.treasurer.id)
    return payout


async def test_the_slower_of_two_collectors_does_not_get_the_same_pickup(town: Town) -> None:
    pickup = await factories.list_pickup(town)
    other = await factories.another(town, Role.COLLECTOR)

    async def claim_as(session: AsyncSession, collector: Person) -> None:
        await claims.claim(session, await factories.attached(session, pickup), collector.id)

    refusal = await slower_of(
        town, lambda s: claim_as(s, town.collector), lambda s: claim_as(s, other)
    )
    assert isinstance(refusal, PickupAlreadyClaimed)
    assert (await factories.reload(town, pickup)).collector_id == town.collector.id


async def test_the_server_gives_two_collectors_at_one_spot_different_jobs(town: Town) -> None:
    near = await factories.list_pickup(town)
    far = await factories.list_pickup(town, at=LUBUK_PAKAM._replace(lat=3.57))
    other = await factories.another(town, Role.COLLECTOR)
    wish = Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None)

    async def claim_as(collector: Person) -> claims.Drive:
        async with town.database.transaction() as session:
            return await claims.claim_nearest(session, [town.bank_id], collector.id, wish)

    async with town.database.transaction() as session:
        first = await claims.claim_nearest(session, [town.bank_id], town.collector.id, wish)
        claiming = asyncio.create_task(claim_as(other))
        if town.database.is_sqlite:
            await someone_waits(town.database)
        else:
            # Nobody waits here: what another is taking is skipped.
            second = await claiming
    second = await claiming
    got = [drive.stops[0].pickup.id for drive in (first, second)]
    assert got == [near.id, far.id]


async def test_many_collectors_at_one_spot_get_one_job_each(town: Town) -> None:
    for _ in range(12):
        await factories.list_pickup(town)
    crowd = [await factories.another(town, Role.COLLECTOR) for _ in range(12)]
    wish = Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None)

    async def claim_as(collector: Person) -> object:
        async with town.database.transaction() as session:
            drive = await claims.claim_nearest(session, [town.bank_id], collector.id, wish)
        return drive.stops[0].pickup.id

    got = await asyncio.gather(*(claim_as(collector) for collector in crowd))
    assert len(set(got)) == 12


async def test_one_balance_is_asked_for_once(town: Town, keys: Keys) -> None:
    earned = await factories.earn(town, keys)
    refusal = await slower_of(
        town,
        lambda s: payouts.request(s, asking(town, earned)),
        lambda s: payouts.request(s, asking(town, earned)),
    )
    assert isinstance(refusal, BalanceTooLow)
    async with town.database.reading() as session:
        standing = await ledger.standing(session, town.bank_id, town.resident.id)
    assert (standing.available_idr, standing.held_idr) == (0, earned)


async def test_one_pickup_is_collected_once(town: Town, keys: Keys) -> None:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    handover = Handover(keys.handover_code(pickup.id), [Weighed(PET, "clean", 4_000, 0, "")], None)

    async def collect(session: AsyncSession) -> None:
        fresh = await factories.attached(session, pickup)
        await weighing.collect(session, keys, fresh, town.collector.id, handover)

    refusal = await slower_of(town, collect, collect)
    assert isinstance(refusal, ClaimNotHeld | PickupAlreadyCollected)
    async with town.database.reading() as session:
        standing = await ledger.standing(session, town.bank_id, town.resident.id)
    assert standing.available_idr == 9_896


async def test_a_release_and_a_collect_exclude_each_other(town: Town, keys: Keys) -> None:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    handover = Handover(keys.handover_code(pickup.id), [Weighed(PET, "clean", 4_000, 0, "")], None)

    async def release(session: AsyncSession) -> None:
        fresh = await factories.attached(session, pickup)
        await claims.release(session, fresh, town.collector.id, reason="ban bocor")

    async def collect(session: AsyncSession) -> None:
        fresh = await factories.attached(session, pickup)
        await weighing.collect(session, keys, fresh, town.collector.id, handover)

    refusal = await slower_of(town, release, collect)
    assert isinstance(refusal, ClaimNotHeld)
    assert (await factories.reload(town, pickup)).status == PickupStatus.OPEN


async def test_a_payout_is_paid_or_cancelled_not_both(town: Town, keys: Keys) -> None:
    for pay_first in (True, False):
        payout = await a_payout(town, keys, approved=True)

        async def pay(session: AsyncSession, payout: Payout = payout) -> None:
            fresh = await payout_in(session, payout)
            await payouts.pay_cash(session, fresh, by=town.treasurer.id, proof="")

        async def cancel(session: AsyncSession, payout: Payout = payout) -> None:
            fresh = await payout_in(session, payout)
            await payouts.cancel(session, fresh, by=town.resident.id, reason="")

        first, second = (pay, cancel) if pay_first else (cancel, pay)
        assert isinstance(await slower_of(town, first, second), PayoutNotOpen)
        async with town.database.reading() as session:
            state = (await payout_in(session, payout)).status
        assert state == (PayoutStatus.PAID if pay_first else PayoutStatus.CANCELLED)
    async with town.database.reading() as session:
        assert (await ledger.verify(session, [town.bank_id])).is_clean


async def test_a_payout_is_approved_once(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=False)

    async def approve(session: AsyncSession) -> None:
        await payouts.approve(session, await payout_in(session, payout), by=town.treasurer.id)

    assert isinstance(await slower_of(town, approve, approve), PayoutNotOpen)


async def test_a_collector_at_the_limit_gets_one_of_two_jobs_claimed_at_once(
    database: Database,
) -> None:
    town = await factories.make_town(database, max_held_jobs=1)
    one, other = await factories.list_pickup(town), await factories.list_pickup(town)

    async def claim(session: AsyncSession, pickup: Pickup) -> None:
        fresh = await factories.attached(session, pickup)
        await claims.claim(session, fresh, town.collector.id)

    refusal = await slower_of(town, lambda s: claim(s, one), lambda s: claim(s, other))
    assert isinstance(refusal, TooManyJobsHeld)


async def test_the_right_code_comes_too_late_after_five_wrong_ones(town: Town, keys: Keys) -> None:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    right = Handover(keys.handover_code(pickup.id), [Weighed(PET, "clean", 4_000, 0, "")], None)

    async def lock(session: AsyncSession) -> None:
        await session.exec(
            update(Pickup)
            .where(col(Pickup.bank_id) == town.bank_id, col(Pickup.id) == pickup.id)
            .values(code_tries=Pickup.MAX_CODE_TRIES)
        )

    async def collect(session: AsyncSession) -> None:
        fresh = await factories.attached(session, pickup)
        await weighing.collect(session, keys, fresh, town.collector.id, right)

    refusal = await slower_of(town, lock, collect)
    assert isinstance(refusal, ClaimNotHeld | weighing.HandoverCodeLocked)


async def test_one_of_two_decisions_counts(town: Town, keys: Keys) -> None:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    wrong = Handover("000000x", [Weighed(PET, "clean", 4_000, 0, "")], None)
    for _ in range(Pickup.MAX_CODE_TRIES):
        with pytest.raises(weighing.WrongHandoverCode):
            async with town.database.transaction() as session:
                fresh = await factories.attached(session, pickup)
                await weighing.collect(session, keys, fresh, town.collector.id, wrong)

    async def decide(session: AsyncSession, *, accept: bool) -> None:
        fresh = await factories.attached(session, pickup)
        operator = town.operator.id
        await weighing.decide(session, fresh, by=operator, accept=accept, reason="dilihat")

    refusal = await slower_of(
        town, lambda s: decide(s, accept=True), lambda s: decide(s, accept=False)
    )
    assert isinstance(refusal, weighing.NothingToDecide)
    assert (await factories.reload(town, pickup)).status == PickupStatus.COLLECTED


async def test_of_two_requests_for_a_code_one_is_sent(database: Database, keys: Keys) -> None:
    phone = factories.new_phone()
    terms = auth.Terms(
        access_s=60, refresh_days=1, resend_s=60, codes_per_hour=5, codes_per_address_hour=5
    )

    async def ask() -> bool:
        async with database.transaction() as session:
            return (await auth.request_code(session, keys, terms, phone, "")).code is not None

    sent = await asyncio.gather(*(ask() for _ in range(10)))
    assert sent.count(True) == 1


async def test_two_acts_over_the_same_accounts_do_not_wait_for_each_other(
    town: Town, keys: Keys
) -> None:
    """In opposite orders; without one order of locking PostgreSQL would find a deadlock."""
    there = [chart.available(town.resident.id), chart.available(town.collector.id)]

    async def post(places: list[Place], times: int) -> None:
        for _ in range(times):
            moves = [Movement(f"lock:{uuid4()}", chart.PURCHASES, place, 1) for place in places]
            draft = Draft("test", moves, event_at=utc_now())
            async with town.database.transaction() as session:
                await ledger.post(session, town.bank_id, draft)

    await post(there, 2)
    await asyncio.gather(*(post(places, 15) for places in (there, there[::-1]) * 4))
    async with town.database.reading() as session:
        assert (await ledger.verify(session, [town.bank_id])).is_clean


async def test_two_changes_of_the_rules_keep_each_other(town: Town) -> None:
    async def change(session: AsyncSession, **rules: int) -> None:
        await banks.change_rules(
            session, town.bank_id, rules, valid_from=utc_now(), entered_by=town.treasurer.id
        )

    refusal = await slower_of(
        town, lambda s: change(s, fee_per_km_idr=400), lambda s: change(s, min_payout_idr=5_000)
    )
    assert refusal is None
    async with town.database.reading() as session:
        rules = await banks.policy_of(session, town.bank_id)
    assert (rules.fee_per_km_idr, rules.min_payout_idr) == (400, 5_000)
