"""Two at once: each race is held open until the second waits, and one of them wins."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Payout, PayoutMethod, PayoutStatus
from models.people import Person, Role
from models.pickup import PickupStatus
from service import claims, ledger, payouts, weighing
from service.claims import PickupAlreadyClaimed, Wish
from service.errors import Problem
from service.keys import Keys
from service.ledger import BalanceTooLow
from service.payouts import PayoutNotOpen
from service.weighing import ClaimNotHeld, Handover, PickupAlreadyCollected, Weighed
from tests import factories
from tests.factories import LUBUK_PAKAM, PET, Town
from tests.races import someone_waits

Act = Callable[[AsyncSession], Awaitable[object]]


async def slower_of(town: Town, first: Act, second: Act) -> Problem | None:
    """Hold the first act open until the second waits for it; how the second was refused."""

    async def act() -> None:
        async with town.database.transaction() as session:
            await second(session)

    async with town.database.transaction() as session:
        await first(session)
        waiting = asyncio.create_task(act())
        await someone_waits(town.database)
    try:
        await waiting
    except Problem as refusal:
        return refusal
    return None


async def payout_in(session: AsyncSession, payout: Payout) -> Payout:
    query = select(Payout).where(Payout.bank_id == payout.bank_id, Payout.id == payout.id)
    return (await session.exec(query)).one()


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
