"""What gateways say of transfers by themselves."""

import asyncio

import pytest

from models.base import utc_now
from service.payouts import arriving, callbacks
from tests.api.asking import Asking, refused
from tests.api.transfers.transferring import (
    approve,
    ask,
    call_back,
    callback_like,
    event_bodies,
    kept_of,
    notice,
    payout_of,
    sent,
)
from tests.paying import FEE_IDR, Till


async def test_a_callback_pays_at_once_and_the_same_again_does_nothing(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till)
    answers = [await call_back(paying, body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert (await till.state(payout)).status == "paid"
    assert await till.float_idr() == -50_000 - FEE_IDR
    assert await kept_of(till, body) == [("moved", True)]


async def test_a_callback_that_is_not_genuine_is_refused_and_not_kept(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till)
    refused(await call_back(paying, body, token="guessed"), 401, "callback_not_genuine")
    assert await kept_of(till, body) == []
    assert (await till.state(payout)).status == "sent"


async def test_a_callback_of_another_amount_is_not_believed(paying: Asking, till: Till) -> None:
    payout = await sent(paying, till)
    body = notice(till, amount_idr=1)
    assert (await call_back(paying, body)).status_code == 204
    asked = await till.state(payout)
    assert asked.status == "sent"
    assert asked.due_at is not None
    assert asked.due_at <= utc_now()
    assert await kept_of(till, body) == [("amount_differs", True)]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\x00", b'{"stage": "melted"}'])
async def test_a_callback_that_nobody_can_read_is_kept(
    paying: Asking, till: Till, body: bytes
) -> None:
    assert (await call_back(paying, body)).status_code == 204


async def test_a_callback_can_come_before_the_answer(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    till.gateway.held = asyncio.Event()
    await till.make_due()
    working = asyncio.create_task(till.sender.send_due([till.town.bank_id]))
    for _ in range(2_000):
        if till.gateway.sent:
            break
        await asyncio.sleep(0.005)
    assert (await call_back(paying, notice(till))).status_code == 204
    till.gateway.held.set()
    await working
    payout = await payout_of(till, asked["id"])
    assert payout.status == "paid"
    assert await till.statuses(payout) == ["requested", "approved", "sending", "paid"]


async def test_a_callback_that_comes_too_early_is_handled_when_its_payout_is_known(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till, key="", gateway_id="iris-77")
    assert (await call_back(paying, body)).status_code == 204
    assert await kept_of(till, body) == [("no_payout", False)]
    assert (await till.state(payout)).status == "sent"


async def test_an_unknown_gateway_has_no_callbacks(paying: Asking, asking: Asking) -> None:
    answer = await paying.client.post("/v1/gateways/other/callbacks", content=b"{}")
    refused(answer, 404, "gateway_unknown")
    none_at_all = await asking.client.post("/v1/gateways/gate/callbacks", content=b"{}")
    refused(none_at_all, 404, "gateway_unknown")


async def test_a_callback_that_is_too_large_is_refused(paying: Asking) -> None:
    refused(await call_back(paying, b" " * 70_000), 413, "body_too_large")


async def test_a_callback_that_failed_here_is_tried_again(
    paying: Asking, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payout = await sent(paying, till)
    body = notice(till)

    async def breaks(*_: object) -> None:
        raise RuntimeError("the disk is gone for a moment")

    with monkeypatch.context() as broken:
        broken.setattr(arriving, "pay", breaks)
        assert (await call_back(paying, body)).status_code == 204
    assert await kept_of(till, body) == [("failed", False)]
    async with till.town.database.transaction() as session:
        kept = (await session.exec(callback_like(body))).one()
        kept.due_at = utc_now()
    await callbacks.handle_waiting(till.town.database, till.gateways)
    assert (await till.state(payout)).status == "paid"


async def test_a_callback_whose_gateway_is_not_set_up_any_more_waits_and_holds_up_nobody(
    paying: Asking, till: Till
) -> None:
    await sent(paying, till)
    body = notice(till, key="", gateway_id="of-nobody-yet")
    assert (await call_back(paying, body)).status_code == 204
    async with till.town.database.transaction() as session:
        (await session.exec(callback_like(body))).one().due_at = utc_now()
    till.gateway.name = "another"
    await callbacks.handle_waiting(till.town.database, till.gateways)
    assert await kept_of(till, body) == [("gateway_missing", False)]
    async with till.town.database.reading() as session:
        assert (await session.exec(callback_like(body))).one().due_at > utc_now()


async def test_old_callbacks_are_forgotten_once_they_were_handled(
    paying: Asking, till: Till
) -> None:
    await sent(paying, till)
    body = notice(till)
    await call_back(paying, body)
    async with till.town.database.transaction() as session:
        (await session.exec(callback_like(body))).one().received_at = utc_now() - callbacks.KEPT_FOR
        await session.flush()
        await callbacks.forget_old(session)
    assert await kept_of(till, body) == []


async def test_treasurers_hear_of_a_second_end(paying: Asking, till: Till) -> None:
    await sent(paying, till)
    await call_back(paying, notice(till, "failed"))
    assert await event_bodies(till, "payout_contradicted") == []
    await call_back(paying, notice(till, "paid"))
    (told,) = await event_bodies(till, "payout_contradicted")
    assert told["status"] == "failed"
