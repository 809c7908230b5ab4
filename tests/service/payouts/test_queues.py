"""Queues that stand still since a float is empty."""

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.base import utc_now
from models.payout import GatewayFloat, PayoutStatus
from service import payouts
from service.gateways import Refused, Stage
from service.ledger import chart
from tests.factories import payout_in
from tests.paying import FEE_IDR, Till
from tests.service.payouts.standing import FREE, told


async def test_an_empty_float_stops_the_queue_and_tells_the_treasurer_once(till: Till) -> None:
    first, second = await till.approved(), await till.approved()
    till.gateway.balance = 10_000
    await till.work()
    assert till.gateway.sent == []
    assert (await till.state(first)).status == PayoutStatus.SENDING
    assert (await told(till)).count("float_empty") == 1
    till.gateway.balance = 10**9
    await till.work()
    assert till.gateway.sent == []
    async with till.town.database.transaction() as session:
        entered = payouts.TopUp(
            "gate", chart.bank_account("bri"), 500_000, "", till.town.treasurer.id
        )
        await payouts.top_up(session, till.town.bank_id, entered)
    await till.sender.send_due([till.town.bank_id])
    assert len(till.gateway.sent) == 2
    assert await till.float_idr() == 500_000
    assert (await till.state(second)).status == PayoutStatus.SENT


async def test_a_gateway_that_says_it_is_empty_stops_its_queue(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Refused("INSUFFICIENT_BALANCE", try_again=True, float_empty=True)]
    await till.work(rounds=3)
    assert len(till.gateway.sent) == 1
    assert (await till.state(payout)).tries == 0
    async with till.town.database.transaction() as session:
        await payouts.resume(session, till.town.bank_id, "gate", by=till.town.treasurer.id)
        with pytest.raises(payouts.QueueNotStopped):
            await payouts.resume(session, till.town.bank_id, "gate", by=till.town.treasurer.id)
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.SENT


async def test_what_is_under_way_is_asked_about_while_the_queue_stands_still(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    await _stop_queue(till)
    till.gateway.findings = [Stage.PAID]
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.PAID


async def test_a_balance_that_cannot_be_asked_for_stops_nothing(till: Till) -> None:
    await till.approved()
    till.gateway.balance = None
    await till.work()
    assert len(till.gateway.sent) == 1


async def _stop_queue(till: Till) -> None:
    async with till.town.database.transaction() as session:
        await session.exec(
            update(GatewayFloat)
            .where(col(GatewayFloat.bank_id) == till.town.bank_id)
            .values(stopped_at=utc_now())
        )


async def test_what_waits_in_a_queue_that_stands_still_can_be_taken_back(till: Till) -> None:
    payout = await till.approved()
    till.gateway.balance = 1
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.SENDING
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        await payouts.cancel(session, fresh, by=till.town.resident.id, reason="mau tunai")
    assert (await till.state(payout)).status == PayoutStatus.CANCELLED
    assert await till.standing() == FREE


async def test_at_a_shared_gateway_a_bank_sends_only_what_it_has_put_in(till: Till) -> None:
    till.gateways.shared = True
    payout = await till.approved()
    await till.work()
    assert till.gateway.sent == []
    assert "float_empty" in await told(till)
    async with till.town.database.transaction() as session:
        entered = payouts.TopUp(
            "gate", chart.bank_account("bri"), 50_000 + FEE_IDR, "", till.town.treasurer.id
        )
        await payouts.top_up(session, till.town.bank_id, entered)
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.SENT
