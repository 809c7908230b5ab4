"""Payouts in doubt for so long that a person says how they ended."""

import pytest
from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Cause, Payout, PayoutStatus
from models.people import Role
from service import payouts
from service.gateways import Stage, Unknown
from service.payouts import settling
from tests.factories import another, payout_in
from tests.paying import FEE_IDR, Till, said
from tests.races import slower_of
from tests.service.payouts.standing import FREE, GONE


async def test_a_payout_in_doubt_for_a_day_is_decided_by_another_treasurer(till: Till) -> None:
    payout = await _in_doubt(till)
    second = await another(till.town, Role.TREASURER)
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        with pytest.raises(payouts.StillInDoubt):
            await payouts.decide(session, fresh, was_paid=True, by=second.id, reason="mutasi")
    await _make_old(till, payout)
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        with pytest.raises(payouts.OwnPayout):
            by = till.town.treasurer.id
            await payouts.decide(session, fresh, was_paid=True, by=by, reason="mutasi")
        await payouts.decide(session, fresh, was_paid=True, by=second.id, reason="ada di mutasi")
    decided = await till.state(payout)
    assert (decided.status, decided.reason) == (PayoutStatus.PAID, "ada di mutasi")
    assert (decided.cause, decided.moved_by) == (Cause.PERSON, second.id)
    assert await till.float_idr() == -50_000 - FEE_IDR


async def test_what_was_decided_not_to_be_paid_is_given_back_once(till: Till) -> None:
    payout = await _in_doubt(till)
    second = await another(till.town, Role.TREASURER)
    await _make_old(till, payout)
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        await payouts.decide(session, fresh, was_paid=False, by=second.id, reason="tidak ada")
        with pytest.raises(payouts.PayoutNotOpen):
            await payouts.decide(session, fresh, was_paid=False, by=second.id, reason="tidak ada")
    assert (await till.state(payout)).status == PayoutStatus.FAILED
    assert await till.standing() == FREE


async def _in_doubt(till: Till) -> Payout:
    payout = await till.approved()
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    return payout


async def _make_old(till: Till, payout: Payout) -> None:
    async with till.town.database.transaction() as session:
        await session.exec(
            update(Payout)
            .where(col(Payout.bank_id) == payout.bank_id, col(Payout.id) == payout.id)
            .values(unknown_at=utc_now() - payouts.DOUBT_FOR)
        )


async def test_a_payment_that_is_told_while_somebody_decides_stays_paid(till: Till) -> None:
    payout = await _in_doubt(till)
    second = await another(till.town, Role.TREASURER)
    await _make_old(till, payout)
    report = said(Stage.PAID, till.gateway.sent[0])

    async def arrives(session: AsyncSession) -> None:
        await settling.apply(session, payout.bank_id, payout.id, report, Cause.CALLBACK)

    async def decides(session: AsyncSession) -> None:
        fresh = await payout_in(session, payout)
        await payouts.decide(session, fresh, was_paid=False, by=second.id, reason="tidak ada")

    assert isinstance(await slower_of(till.town, arrives, decides), payouts.PayoutNotOpen)
    assert (await till.state(payout)).status == PayoutStatus.PAID
    assert await till.standing() == GONE


async def test_what_its_gateway_never_ends_is_decided_too(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    second = await another(till.town, Role.TREASURER)
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        fresh.sent_at = utc_now() - payouts.DOUBT_FOR
        await session.flush()
        await payouts.decide(session, fresh, was_paid=True, by=second.id, reason="ada di mutasi")
    assert (await till.state(payout)).status == PayoutStatus.PAID
