"""Payouts that nobody approved in time are given back once; holds are settled in part once."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.event import Event
from models.ledger import TransferKind
from models.payout import Payout, PayoutStatus
from service import ledger, payouts
from service.database import Database
from service.keys import Keys
from service.ledger import BalanceTooLow, Draft, HoldAlreadyResolved, Movement, chart
from service.payouts import PayoutNotOpen
from service.worker import Worker
from tests.factories import Town, earn, make_town, payout_in
from tests.races import Act, slower_of, someone_waits
from tests.service.test_races import a_payout
from tests.service.test_worker import Outbox


async def make_due(town: Town) -> None:
    """Let the time of every payout of the town run out."""
    async with town.database.transaction() as session:
        await session.exec(
            update(Payout)
            .where(col(Payout.bank_id) == town.bank_id)
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )


async def expire(town: Town) -> bool:
    async with town.database.transaction() as session:
        return await payouts.expire_next(session, [town.bank_id])


async def state_of(town: Town, payout: Payout) -> Payout:
    async with town.database.reading() as session:
        return await payout_in(session, payout)


async def standing(town: Town) -> tuple[int, int]:
    """What is available and what is held; the ledger has to add up as well."""
    async with town.database.reading() as session:
        found = await ledger.standing(session, town.bank_id, town.resident.id)
        assert (await ledger.verify(session, [town.bank_id])).is_clean
    return found.available_idr, found.held_idr


async def events_of(town: Town, kind: str) -> int:
    async with town.database.reading() as session:
        query = select(Event.id).where(Event.bank_id == town.bank_id, Event.kind == kind)
        return len((await session.exec(query)).all())


async def test_a_payout_says_until_when_it_waits(database: Database, keys: Keys) -> None:
    town = await make_town(database, payout_expires_h=48)
    payout = await a_payout(town, keys, approved=False)
    assert payout.expires_at is not None
    assert payout.expires_at - payout.created_at == timedelta(hours=48)


async def test_what_nobody_approved_in_time_is_given_back_once(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=False)
    before = await standing(town)
    assert not await expire(town)
    await make_due(town)
    worker = Worker(town.database, keys, Outbox())
    for _ in range(2):
        await worker.sweep([town.bank_id])
    ended = await state_of(town, payout)
    assert (ended.status, ended.ended_by) == (PayoutStatus.CANCELLED, None)
    assert ended.reason == payouts.NOT_APPROVED_IN_TIME
    assert ended.ended_at is not None
    assert await standing(town) == (sum(before), 0)
    assert await events_of(town, "payout_expired") == 1


async def test_the_resident_hears_of_it(town: Town, keys: Keys) -> None:
    await a_payout(town, keys, approved=False)
    await make_due(town)
    outbox = Outbox()
    worker = Worker(town.database, keys, outbox)
    await worker.sweep([town.bank_id])
    while await worker.handle_events([town.bank_id]):
        pass
    (told,) = [message for message in outbox.sent if message.kind == "payout_expired"]
    assert "Rp5.000" in told.text
    assert told.to == town.resident.phone


async def test_all_that_are_due_are_given_back_in_one_sweep(town: Town, keys: Keys) -> None:
    for _ in range(3):
        await a_payout(town, keys, approved=False)
    await make_due(town)
    await Worker(town.database, keys, Outbox()).sweep([town.bank_id])
    assert (await standing(town))[1] == 0
    assert await events_of(town, "payout_expired") == 3


@pytest.mark.parametrize("ended", ["approved", "rejected", "cancelled"])
async def test_what_was_decided_does_not_expire(town: Town, keys: Keys, ended: str) -> None:
    payout = await a_payout(town, keys, approved=ended == "approved")
    async with town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        if ended == "rejected":
            await payouts.reject(session, fresh, by=town.treasurer.id, reason="kas kosong")
        if ended == "cancelled":
            await payouts.cancel(session, fresh, by=town.resident.id, reason="")
    await make_due(town)
    before = await standing(town)
    assert not await expire(town)
    assert (await state_of(town, payout)).status == ended
    assert await standing(town) == before


async def test_a_payout_from_before_there_were_limits_never_expires(town: Town, keys: Keys) -> None:
    payout = await a_payout(town, keys, approved=False)
    async with town.database.transaction() as session:
        await session.exec(
            update(Payout).where(col(Payout.bank_id) == town.bank_id).values(expires_at=None)
        )
    assert not await expire(town)
    assert (await state_of(town, payout)).status == PayoutStatus.REQUESTED


def deciding(town: Town, payout: Payout, verb: str) -> Act:
    async def act(session: AsyncSession) -> None:
        fresh = await payout_in(session, payout)
        if verb == "approve":
            await payouts.approve(session, fresh, by=town.treasurer.id)
        elif verb == "reject":
            await payouts.reject(session, fresh, by=town.treasurer.id, reason="kas kosong")
        elif verb == "cancel":
            await payouts.cancel(session, fresh, by=town.resident.id, reason="")
        elif verb == "expire":
            assert await payouts.expire_next(session, [town.bank_id])

    return act


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
async def test_who_decides_after_the_time_ran_out_is_too_late(
    town: Town, keys: Keys, verb: str
) -> None:
    payout = await a_payout(town, keys, approved=False)
    await make_due(town)
    refusal = await slower_of(town, deciding(town, payout, "expire"), deciding(town, payout, verb))
    assert isinstance(refusal, PayoutNotOpen)
    assert (await state_of(town, payout)).reason == payouts.NOT_APPROVED_IN_TIME
    assert (await standing(town))[1] == 0


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
async def test_a_decision_that_was_first_stands(town: Town, keys: Keys, verb: str) -> None:
    payout = await a_payout(town, keys, approved=False)
    await make_due(town)
    held = (await standing(town))[1]
    async with town.database.transaction() as session:
        await deciding(town, payout, verb)(session)
        sweeping = asyncio.create_task(expire(town))
        if town.database.is_sqlite:
            await someone_waits(town.database)
        else:
            # Nobody waits here: what somebody is deciding on is passed over.
            assert not await asyncio.wait_for(sweeping, 30)
    assert not await sweeping
    assert not await expire(town)
    assert (await state_of(town, payout)).status != PayoutStatus.REQUESTED
    assert await standing(town) != (0, 0)
    assert (await standing(town))[1] == (held if verb == "approve" else 0)


async def test_two_workers_give_a_payout_back_once(town: Town, keys: Keys) -> None:
    await a_payout(town, keys, approved=False)
    await make_due(town)
    assert sorted(await asyncio.gather(*(expire(town) for _ in range(4)))).count(True) == 1
    assert (await standing(town))[1] == 0
    assert await events_of(town, "payout_expired") == 1


async def a_hold(town: Town, amount: int) -> Movement:
    """What resolves a hold of this amount on a passbook that has exactly so much."""
    async with town.database.transaction() as session:
        theirs = chart.available(town.resident.id)
        fund = Movement(f"fund:{town.bank_id}", chart.PURCHASES, theirs, amount)
        await ledger.post(session, town.bank_id, Draft("test", [fund], utc_now()))
        hold = Movement("hold", theirs, chart.IN_TRANSIT, amount, TransferKind.HOLD)
        (hold_id,) = await ledger.post(session, town.bank_id, Draft("test", [hold], utc_now()))
    kind = TransferKind.SETTLE
    return Movement("resolve", theirs, chart.IN_TRANSIT, amount, kind, pending_id=hold_id)


def resolving(town: Town, fit: Movement, kind: TransferKind, amount: int, key: str) -> Act:
    async def act(session: AsyncSession) -> None:
        move = Movement(key, fit.debit, fit.credit, amount, kind, pending_id=fit.pending_id)
        await ledger.post(session, town.bank_id, Draft("test", [move], utc_now()))

    return act


async def test_a_hold_settled_in_part_leaves_the_rest_available(town: Town) -> None:
    held = await a_hold(town, 1_000)
    async with town.database.transaction() as session:
        await resolving(town, held, TransferKind.SETTLE, 600, "part")(session)
    assert await standing(town) == (400, 0)
    for kind, amount in ((TransferKind.SETTLE, 400), (TransferKind.VOID, 1_000)):
        with pytest.raises(HoldAlreadyResolved):
            async with town.database.transaction() as session:
                await resolving(town, held, kind, amount, f"again {kind}")(session)
    assert await standing(town) == (400, 0)


SETTLE, VOID = TransferKind.SETTLE, TransferKind.VOID


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [(SETTLE, VOID, 400), (VOID, SETTLE, 1_000), (SETTLE, SETTLE, 400)],
)
async def test_of_two_who_resolve_a_hold_one_does(
    town: Town, first: TransferKind, second: TransferKind, left: int
) -> None:
    held = await a_hold(town, 1_000)
    amounts = {SETTLE: 600, VOID: 1_000}
    refusal = await slower_of(
        town,
        resolving(town, held, first, amounts[first], "one"),
        resolving(town, held, second, amounts[second], "other"),
    )
    assert isinstance(refusal, HoldAlreadyResolved)
    assert await standing(town) == (left, 0)


async def test_of_two_withdrawals_of_one_balance_one_is_held(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)

    def holding(key: str) -> Act:
        async def act(session: AsyncSession) -> None:
            theirs = chart.available(town.resident.id)
            hold = Movement(key, theirs, chart.IN_TRANSIT, earned, TransferKind.HOLD)
            await ledger.post(session, town.bank_id, Draft("test", [hold], utc_now()))

        return act

    refusal = await slower_of(town, holding("one"), holding("other"))
    assert isinstance(refusal, BalanceTooLow)
    assert await standing(town) == (0, earned)
