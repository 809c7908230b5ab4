"""What gateways refuse or fail: tried again, given back, and never twice."""

from datetime import timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Payout, PayoutStatus
from service import payouts
from service.gateways import Missing, Refused, Reported, Stage, Unknown
from service.payouts import queue
from service.payouts.queue import pause_after
from tests.factories import payout_in
from tests.paying import Till
from tests.races import slower_of
from tests.service.payouts.standing import FREE, GONE, HELD, REFUSED, told


async def test_a_refusal_for_now_is_tried_again_and_ends(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [REFUSED] * 50
    await till.work(rounds=3)
    assert (await till.state(payout)).status == PayoutStatus.SENDING
    assert till.gateway.asked == []
    await till.work(rounds=queue.MOST_REFUSALS)
    failed = await till.state(payout)
    assert (failed.status, failed.failure) == (PayoutStatus.FAILED, "RATE_LIMIT_EXCEEDED")
    assert len(till.gateway.sent) == queue.MOST_REFUSALS + 1
    assert await till.standing() == FREE


async def test_a_refusal_for_now_waits_as_long_as_the_gateway_says(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Refused("RATE_LIMIT_EXCEEDED", try_again=True, retry_after_s=90)]
    await till.work()
    due_at = (await till.state(payout)).due_at
    assert due_at is not None
    assert timedelta(seconds=60) < due_at - utc_now() <= timedelta(seconds=90)


async def test_a_refusal_for_good_gives_the_money_back(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Refused("CHANNEL_CODE_NOT_SUPPORTED", try_again=False)]
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.FAILED
    assert await till.standing() == FREE
    assert "payout_failed" in await told(till)


async def test_a_failure_at_the_gateway_gives_the_money_back(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.FAILED]
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.FAILED
    assert await till.standing() == FREE
    assert await till.float_idr() == 0


async def test_a_passing_failure_is_tried_again_as_a_new_payout_with_a_new_key(till: Till) -> None:
    payout = await till.approved()
    order_id = f"disb-{payout.key[-12:]}"
    till.gateway.answers = [Reported(Stage.FAILED, order_id, "TEMPORARY", try_again=True)]
    await till.work()
    (again,) = await _retries_of(till, payout)
    assert (await till.state(payout)).status == PayoutStatus.FAILED
    assert (again.status, again.key) == (PayoutStatus.APPROVED, f"payout-{again.id}")
    assert again.due_at is not None
    assert again.due_at > utc_now() + timedelta(minutes=4)
    assert await till.standing() == HELD
    till.gateway.answers = [Stage.PAID]
    await till.work()
    assert (await till.state(again)).status == PayoutStatus.PAID
    assert await till.standing() == GONE


async def test_a_failure_that_stays_is_tried_only_so_often(till: Till) -> None:
    payout = await till.approved()
    passing = [
        Reported(Stage.FAILED, f"disb-{number}", "TEMPORARY", try_again=True) for number in range(9)
    ]
    till.gateway.answers = list(passing)
    await till.work(rounds=8)
    assert len(till.gateway.sent) == 3
    assert len({order.key for order in till.gateway.sent}) == 3
    assert (await till.state(payout)).status == PayoutStatus.FAILED
    assert await till.standing() == FREE


async def test_a_refusal_says_nothing_of_an_earlier_call(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("cut off"), REFUSED]
    till.gateway.findings = [Missing(may_send=True), Stage.PAID]
    await till.work()
    first_asked = (await till.state(payout)).asked_at
    await till.work()
    assert (await till.state(payout)).asked_at == first_asked
    # The first call arrived after all: it is asked about, and not sent a third time.
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.PAID
    assert len(till.gateway.sent) == 2


async def test_a_treasurer_tries_again_what_failed_and_only_once(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.FAILED]
    await till.work()
    by = till.town.treasurer.id
    async with till.town.database.transaction() as session:
        again = await payouts.retry(session, await payout_in(session, payout), by=by)
    assert (again.retry_of, again.status) == (payout.id, PayoutStatus.APPROVED)
    async with till.town.database.transaction() as session:
        with pytest.raises(payouts.NotRetryable):
            await payouts.retry(session, await payout_in(session, payout), by=by)
        with pytest.raises(payouts.NotRetryable):
            await payouts.retry(session, await payout_in(session, again), by=by)


def test_pauses_double_and_end_at_an_hour() -> None:
    assert [pause_after(tries).total_seconds() for tries in (0, 1, 2, 10, 50)] == [
        2,
        4,
        8,
        2_048,
        3_600,
    ]


async def _retries_of(till: Till, payout: Payout) -> list[Payout]:
    async with till.town.database.reading() as session:
        query = select(Payout).where(Payout.bank_id == payout.bank_id, Payout.retry_of == payout.id)
        return list(await session.exec(query))


@pytest.mark.parametrize("for_good", [False, True])
async def test_refusals_never_end_what_an_earlier_call_may_have_paid(
    till: Till, for_good: bool
) -> None:
    payout = await till.approved()
    refused = Refused("INVALID", try_again=False) if for_good else REFUSED
    till.gateway.answers = [Unknown("cut off"), *[refused] * 20]
    till.gateway.findings = [Missing(may_send=True)] * 20
    await till.work(rounds=15)
    doubtful = await till.state(payout)
    assert (doubtful.status, doubtful.asked_at is None) == (PayoutStatus.UNKNOWN, False)
    assert await till.standing() == HELD


async def test_of_two_who_try_again_at_once_one_does(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.FAILED]
    await till.work()

    async def again(session: AsyncSession) -> None:
        fresh = await payout_in(session, payout)
        await payouts.retry(session, fresh, by=till.town.treasurer.id)

    assert isinstance(await slower_of(till.town, again, again), payouts.NotRetryable)
    assert len(await _retries_of(till, payout)) == 1
