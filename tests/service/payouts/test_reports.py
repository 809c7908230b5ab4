"""What is told of a payout that was sent: it comes back, contradicts, or is looked at again."""

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Cause, PayoutStatus
from service import ledger
from service.gateways import Missing, Reported, Stage, Unknown
from service.ledger import chart
from service.payouts import queue, settling
from service.payouts.settling import Effect
from tests.paying import FEE_IDR, Till, said
from tests.races import slower_of
from tests.service.payouts.standing import FREE, set_rules


async def test_what_comes_back_is_on_the_passbook_again_and_the_fee_is_the_banks(
    till: Till,
) -> None:
    await set_rules(till, payout_fee_by="resident")
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [Stage.REVERSED]
    await till.work(rounds=2)
    assert (await till.state(payout)).status == PayoutStatus.REVERSED
    assert await till.standing() == FREE
    assert await till.float_idr() == -FEE_IDR
    assert await till.balance(chart.FEES) == FEE_IDR
    async with till.town.database.reading() as session:
        assert (
            sum(row.balance for row in await ledger.trial_balance(session, till.town.bank_id)) == 0
        )


async def test_a_payment_that_fails_later_is_one_that_came_back(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [Stage.FAILED]
    await till.work(rounds=2)
    assert (await till.state(payout)).status == PayoutStatus.REVERSED
    assert await till.standing() == FREE


async def test_what_is_paid_is_looked_at_twice_and_then_left_alone(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [Stage.PAID] * 5
    await till.work(rounds=5)
    assert len(till.gateway.asked) == 2
    assert (await till.state(payout)).due_at is None


async def test_a_report_under_another_id_moves_nothing(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    async with till.town.database.transaction() as session:
        effect = await settling.apply(
            session,
            payout.bank_id,
            payout.id,
            Reported(Stage.PAID, "disb-of-another"),
            Cause.CALLBACK,
        )
    assert effect == Effect.OTHER_ID
    assert (await till.state(payout)).status == PayoutStatus.SENT


@pytest.mark.parametrize("order", ["paid first", "failed first"])
async def test_reports_that_contradict_never_move_it_back(till: Till, order: str) -> None:
    payout = await till.approved()
    await till.work()
    stages = [Stage.PAID, Stage.SENT, Stage.CANCELLED]
    if order == "failed first":
        stages = [Stage.FAILED, Stage.SENT, Stage.PAID]
    effects = []
    for stage in stages:
        async with till.town.database.transaction() as session:
            report = said(stage, till.gateway.sent[0])
            effects.append(
                await settling.apply(session, payout.bank_id, payout.id, report, Cause.CALLBACK)
            )
    assert effects == [Effect.MOVED, Effect.NOTHING_NEW, Effect.CONTRADICTS]
    assert (await till.state(payout)).status == stages[0]


async def test_of_two_reports_of_one_payment_at_once_one_pays(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    report = said(Stage.PAID, till.gateway.sent[0])

    async def pay(session: AsyncSession) -> None:
        await settling.apply(session, payout.bank_id, payout.id, report, Cause.CALLBACK)

    assert await slower_of(till.town, pay, pay) is None
    assert await till.float_idr() == -50_000 - FEE_IDR


async def test_what_is_paid_is_not_sent_again_though_the_gateway_lost_it(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [Missing(may_send=True)]
    await till.work(rounds=2)
    assert (await till.state(payout)).status == PayoutStatus.PAID
    assert len(till.gateway.sent) == 1


async def test_a_look_that_nobody_answered_is_no_look(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [*[Unknown("down")] * 3, Stage.REVERSED]
    await till.work(rounds=5)
    assert (await till.state(payout)).status == PayoutStatus.REVERSED


async def test_what_is_paid_is_left_alone_once_nobody_ever_answers(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    till.gateway.findings = [Unknown("down")] * 50
    await till.work(rounds=queue.MOST_REFUSALS + 3)
    assert (await till.state(payout)).due_at is None
    assert len(till.gateway.asked) == queue.MOST_REFUSALS
