"""Transfers on their way: whatever a gateway says, and whoever dies, each is paid at most once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.event import Event
from models.payout import Cause, GatewayFloat, Payout, PayoutStatus
from models.people import Role
from service import banks, ledger, payouts
from service.gateways import Channel, Missing, Refused, Reported, Stage, Unknown
from service.ledger import chart
from service.payouts import queue, sending, settling, upkeep
from service.payouts.queue import pause_after
from service.payouts.settling import Effect
from tests.factories import another, payout_in
from tests.paying import FEE_IDR, ScriptedGateway, Till, said, taken
from tests.races import slower_of
from tests.service.payouts.conftest import EARNED

HELD = (EARNED - 50_000, 50_000)
FREE = (EARNED, 0)
GONE = (EARNED - 50_000, 0)
REFUSED = Refused("RATE_LIMIT_EXCEEDED", try_again=True)


async def test_it_is_sent_and_paid_and_every_move_is_written_down(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.SENT
    assert await till.standing() == HELD
    till.gateway.findings = [Stage.PAID]
    await till.work()
    paid = await till.state(payout)
    assert paid.status == PayoutStatus.PAID
    assert paid.gateway_id == taken(till.gateway.sent[0]).gateway_id
    assert await till.statuses(payout) == ["requested", "approved", "sending", "sent", "paid"]
    assert await till.standing() == GONE
    assert await till.float_idr() == -50_000 - FEE_IDR
    assert await till.balance(chart.FEES) == FEE_IDR
    assert await till.balance(chart.IN_TRANSIT) == 0


async def test_the_gateway_is_told_what_was_agreed_on(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    (order,) = till.gateway.sent
    assert (order.key, order.amount_idr) == (f"payout-{payout.id}", 50_000)
    assert (order.channel_code, order.account_number) == ("BCA", "1234567890")
    assert order.account_holder_name == "Siti Aminah"


async def test_a_gateway_that_never_answers_keeps_no_other_waiting(till: Till) -> None:
    await _set_rules(till, payout_fee_permille=1_000, destination_waits_h=0)
    slow, quick = till.gateway, ScriptedGateway("quick")
    slow.held = asyncio.Event()
    till.gateways.others = [quick]
    async with till.town.database.transaction() as session:
        dana = Channel("DANA", "DANA", True, 1, 100_000, 500)
        await upkeep.replace_channels(session, till.town.bank_id, "quick", [dana])
    for _ in range(sending.IN_FLIGHT + 1):
        await till.approved(10_000)
    others = [await till.approved(10_000, channel="DANA") for _ in range(2)]
    sender, stop, banks = till.sender, asyncio.Event(), [till.town.bank_id]
    begun = [await sender.begin_due(banks) for _ in range(3)]
    assert begun == [sending.IN_FLIGHT, len(others), 0]
    async with asyncio.timeout(30):
        while {(await till.state(one)).status for one in others} != {PayoutStatus.SENT}:
            await sender.until_free(stop)
        assert len(slow.sent) == sending.IN_FLIGHT
        slow.held.set()
        while not await sender.begin_due(banks):
            await sender.until_free(stop)


async def test_nothing_is_sent_before_a_treasurer_agrees(till: Till) -> None:
    payout = await till.ask()
    await till.work()
    assert till.gateway.sent == []
    assert (await till.state(payout)).status == PayoutStatus.REQUESTED


async def test_a_resident_who_bears_the_fee_gets_less_and_the_bank_pays_none(till: Till) -> None:
    await _set_rules(till, payout_fee_by="resident")
    payout = await till.approved()
    till.gateway.answers = [Stage.PAID]
    await till.work()
    assert till.gateway.sent[0].amount_idr == 50_000 - FEE_IDR
    assert (await till.state(payout)).status == PayoutStatus.PAID
    assert await till.standing() == GONE
    assert await till.float_idr() == -50_000
    assert await till.balance(chart.FEES) == 0


async def test_no_certain_answer_is_asked_about_and_never_sent_twice(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    unknown = await till.state(payout)
    assert (unknown.status, unknown.cause_detail) == (PayoutStatus.UNKNOWN, "time-out")
    assert unknown.unknown_at is not None
    assert await till.standing() == HELD
    till.gateway.findings = [Unknown("time-out"), Stage.SENT, Stage.PAID]
    await till.work(rounds=3)
    assert (await till.state(payout)).status == PayoutStatus.PAID
    assert len(till.gateway.sent) == 1
    assert len(till.gateway.asked) == 3


async def test_an_adapter_that_stumbles_leaves_it_unknown(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [RuntimeError("a bug")]
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.UNKNOWN
    assert await till.standing() == HELD


async def test_what_the_gateway_never_heard_of_is_sent_under_the_same_key(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("cut off"), Stage.SENT]
    till.gateway.findings = [Missing(may_send=True)]
    await till.work(rounds=2)
    assert (await till.state(payout)).status == PayoutStatus.SENT
    assert {order.key for order in till.gateway.sent} == {payout.key}
    assert len(till.gateway.sent) == 2


async def test_what_may_no_longer_be_sent_waits_for_a_person(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("cut off")]
    till.gateway.findings = [Missing(may_send=False)] * 3
    await till.work(rounds=4)
    assert (await till.state(payout)).status == PayoutStatus.UNKNOWN
    assert len(till.gateway.sent) == 1
    assert await till.standing() == HELD


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
    assert "payout_failed" in await _told(till)


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


async def test_what_comes_back_is_on_the_passbook_again_and_the_fee_is_the_banks(
    till: Till,
) -> None:
    await _set_rules(till, payout_fee_by="resident")
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


async def test_an_empty_float_stops_the_queue_and_tells_the_treasurer_once(till: Till) -> None:
    first, second = await till.approved(), await till.approved()
    till.gateway.balance = 10_000
    await till.work()
    assert till.gateway.sent == []
    assert (await till.state(first)).status == PayoutStatus.SENDING
    assert (await _told(till)).count("float_empty") == 1
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


async def test_a_worker_that_dies_after_taking_is_followed_by_one_that_asks_first(
    till: Till,
) -> None:
    payout = await till.approved()
    async with till.town.database.transaction() as session:
        (task,) = await queue.take(session, [till.town.bank_id], 5)
    assert not task.must_ask
    await till.sender.send_due([till.town.bank_id])
    assert till.gateway.asked == []
    await till.work()
    assert len(till.gateway.asked) == 1
    assert len(till.gateway.sent) == 1
    assert (await till.state(payout)).status == PayoutStatus.SENT


async def test_a_worker_whose_lease_was_taken_over_writes_nothing_uncertain(till: Till) -> None:
    payout = await till.approved()
    async with till.town.database.transaction() as session:
        (slow,) = await queue.take(session, [till.town.bank_id], 5)
    await till.work()
    async with till.town.database.transaction() as session:
        await queue.record(session, slow, Refused("LATE", try_again=False), Cause.ANSWER)
        await queue.record(session, slow, Unknown("late"), Cause.ANSWER)
    assert (await till.state(payout)).status == PayoutStatus.SENT
    async with till.town.database.transaction() as session:
        late = said(Stage.PAID, till.gateway.sent[0])
        await queue.record(session, slow, late, Cause.ANSWER)
    assert (await till.state(payout)).status == PayoutStatus.PAID


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


async def test_the_name_that_a_gateway_gave_it_is_kept_whenever_it_is_told(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("cut off"), Unknown("cut off again", "disb-1")]
    till.gateway.findings = [Missing(may_send=True)]
    await till.work()
    assert (await till.state(payout)).gateway_id == ""
    await till.work()
    unknown = await till.state(payout)
    assert (unknown.status, unknown.gateway_id) == (PayoutStatus.UNKNOWN, "disb-1")


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


async def test_a_gateway_that_is_not_set_up_any_more_leaves_what_was_sent_as_it_is(
    till: Till,
) -> None:
    payout = await till.approved()
    await till.work()
    till.gateways.gateway.name = "another"
    await till.work(rounds=queue.MOST_REFUSALS + 2)
    assert (await till.state(payout)).status == PayoutStatus.SENT
    assert await till.standing() == HELD


async def test_a_gateway_that_was_never_set_up_gives_the_money_back_in_the_end(till: Till) -> None:
    payout = await till.approved()
    till.gateways.gateway.name = "another"
    await till.work(rounds=queue.MOST_REFUSALS + 1)
    assert (await till.state(payout)).failure == "GATEWAY_NOT_SET_UP"
    assert await till.standing() == FREE


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


async def test_a_cancel_that_waits_for_the_worker_comes_too_late(till: Till) -> None:
    payout = await till.approved()

    async def take(session: AsyncSession) -> None:
        assert len(await queue.take(session, [till.town.bank_id], 5)) == 1

    async def cancel(session: AsyncSession) -> None:
        fresh = await payout_in(session, payout)
        await payouts.cancel(session, fresh, by=till.town.resident.id, reason="")

    refusal = await slower_of(till.town, take, cancel)
    assert isinstance(refusal, payouts.PayoutNotOpen)
    assert await till.standing() == HELD


async def test_two_workers_at_once_send_each_payout_once(till: Till) -> None:
    for _ in range(2):
        await till.approved()
    till.gateway.held = asyncio.Event()
    working = [asyncio.create_task(till.sender.send_due([till.town.bank_id])) for _ in range(2)]
    for _ in range(2_000):
        if len(till.gateway.sent) == 2:
            break
        await asyncio.sleep(0.005)
    till.gateway.held.set()
    assert sum(await asyncio.gather(*working)) == 2
    assert len({order.key for order in till.gateway.sent}) == len(till.gateway.sent) == 2


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


async def _set_rules(till: Till, **rules: object) -> None:
    async with till.town.database.transaction() as session:
        await banks.change_rules(
            session, till.town.bank_id, rules, valid_from=utc_now(), entered_by=None
        )


async def _stop_queue(till: Till) -> None:
    async with till.town.database.transaction() as session:
        await session.exec(
            update(GatewayFloat)
            .where(col(GatewayFloat.bank_id) == till.town.bank_id)
            .values(stopped_at=utc_now())
        )


async def _told(till: Till) -> list[str]:
    async with till.town.database.reading() as session:
        query = select(Event.kind).where(Event.bank_id == till.town.bank_id)
        return list(await session.exec(query))


async def _retries_of(till: Till, payout: Payout) -> list[Payout]:
    async with till.town.database.reading() as session:
        query = select(Payout).where(Payout.bank_id == payout.bank_id, Payout.retry_of == payout.id)
        return list(await session.exec(query))


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
    assert "float_empty" in await _told(till)
    async with till.town.database.transaction() as session:
        entered = payouts.TopUp(
            "gate", chart.bank_account("bri"), 50_000 + FEE_IDR, "", till.town.treasurer.id
        )
        await payouts.top_up(session, till.town.bank_id, entered)
    await till.work()
    assert (await till.state(payout)).status == PayoutStatus.SENT
