"""Transfers on their way: whatever a gateway says, and whoever dies, each is paid at most once."""

import asyncio

from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Cause, PayoutStatus
from service import payouts
from service.gateways import Channel, Missing, Refused, Stage, Unknown
from service.ledger import chart
from service.payouts import queue, sending, upkeep
from tests.factories import payout_in
from tests.paying import FEE_IDR, ScriptedGateway, Till, said, taken
from tests.races import slower_of
from tests.service.payouts.standing import FREE, GONE, HELD, set_rules


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
    await set_rules(till, payout_fee_permille=1_000, destination_waits_h=0)
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
    await set_rules(till, payout_fee_by="resident")
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


async def test_the_name_that_a_gateway_gave_it_is_kept_whenever_it_is_told(till: Till) -> None:
    payout = await till.approved()
    till.gateway.answers = [Unknown("cut off"), Unknown("cut off again", "disb-1")]
    till.gateway.findings = [Missing(may_send=True)]
    await till.work()
    assert (await till.state(payout)).gateway_id == ""
    await till.work()
    unknown = await till.state(payout)
    assert (unknown.status, unknown.gateway_id) == (PayoutStatus.UNKNOWN, "disb-1")
