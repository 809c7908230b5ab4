"""Callbacks that come at once: what is plain is paid together, what isn't by itself, each once."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlmodel import col, select

from models.payout import GatewayCallback, Payout, PayoutStatus
from service.ledger import chart
from service.payouts import Call, Lanes, arriving, receive, settling
from tests.paying import FEE_IDR, TOKEN, Till, taken
from tests.service.payouts.standing import set_rules

AMOUNT_IDR = 10_000


async def test_whatever_comes_at_once_ends_as_if_it_came_alone(till: Till) -> None:
    first, second, other = await _sent(till, 3)
    told = _notice(till, first)
    named_by_its_gateway = _notice(till, second, key="")
    bodies = [told, told, named_by_its_gateway, _notice(till, second)]
    bodies += [_notice(till, other, amount_idr=1), _notice(till, other, key="payout-of-nobody")]
    await _receive(till, bodies)
    assert await _states(till, [first, second, other]) == ["paid", "paid", "sent"]
    assert await till.statuses(first) == ["requested", "approved", "sending", "sent", "paid"]
    assert await till.float_idr() == -2 * (AMOUNT_IDR + FEE_IDR)
    assert (await till.balance(chart.IN_TRANSIT), (await till.standing())[1]) == (0, AMOUNT_IDR)
    outcomes = ["moved", "moved", "nothing_new", "amount_differs", "no_payout"]
    assert await _outcomes(till, bodies) == sorted(outcomes)


async def test_of_a_group_that_fails_each_is_paid_by_itself(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payouts = await _sent(till, 2)
    pay, paid_at_once = arriving.pay, list[int]()

    async def pays_no_two(session: Any, some: Any, *how: Any) -> None:
        paid = list(some)
        paid_at_once.append(len(paid))
        await pay(session, paid, *how)
        if len(paid) > 1:
            raise RuntimeError("the disk is gone for a moment")

    monkeypatch.setattr(arriving, "pay", pays_no_two)
    await _receive(till, [_notice(till, one) for one in payouts])
    assert paid_at_once == [2, 1, 1]
    assert await _states(till, payouts) == ["paid", "paid"]
    assert await till.float_idr() == -2 * (AMOUNT_IDR + FEE_IDR)


async def test_who_holds_a_payout_keeps_no_other_of_its_group_waiting(till: Till) -> None:
    if till.town.database.is_sqlite:
        pytest.skip("On SQLite one writes after the other")
    held, free = await _sent(till, 2)
    lanes: Lanes[Call] = Lanes()
    async with asyncio.timeout(30), till.town.database.transaction() as session:
        await settling.locked(session, held.bank_id, held.id)
        waiting = asyncio.create_task(_receive(till, [_notice(till, held)], lanes))
        await _receive(till, [_notice(till, free)], lanes)
        assert await _states(till, [held, free]) == ["sent", "paid"]
    await waiting
    assert await _states(till, [held, free]) == ["paid", "paid"]


async def test_who_comes_while_a_group_is_under_way_is_the_next_group() -> None:
    lanes: Lanes[int] = Lanes()
    groups: list[list[int]] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def do(asked: Sequence[int]) -> list[bool]:
        groups.append(list(asked))
        begun.set()
        await go_on.wait()
        return [one % 2 == 0 for one in asked]

    first = asyncio.create_task(lanes.ask("gate", 0, do))
    await begun.wait()
    others = [asyncio.create_task(lanes.ask("gate", number, do)) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    others.pop().cancel()
    go_on.set()
    assert await asyncio.gather(first, *others) == [True, False, True]
    assert groups == [[0], [1, 2]]


async def test_who_gives_up_waiting_ends_no_group() -> None:
    lanes: Lanes[int] = Lanes()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def do(asked: Sequence[int]) -> list[bool]:
        begun.set()
        await go_on.wait()
        return [True] * len(asked)

    asking = [asyncio.create_task(lanes.ask("gate", number, do)) for number in range(2)]
    await begun.wait()
    asking[0].cancel()
    go_on.set()
    assert await asking[1]


async def _sent(till: Till, count: int) -> list[Payout]:
    await set_rules(till, payout_fee_permille=1_000)
    payouts = [await till.approved(AMOUNT_IDR) for _ in range(count)]
    await till.work()
    return payouts


def _notice(till: Till, payout: Payout, **changes: Any) -> bytes:
    order = next(one for one in till.gateway.sent if one.key == payout.key)
    told = {"key": order.key, "gateway_id": taken(order).gateway_id, "amount_idr": order.amount_idr}
    return json.dumps(told | {"stage": "paid"} | changes).encode()


async def _receive(till: Till, bodies: Sequence[bytes], lanes: Lanes[Call] | None = None) -> None:
    headers, lanes = {"x-token": TOKEN}, lanes or Lanes()
    database, gateways = till.town.database, till.gateways
    await asyncio.gather(
        *(receive(database, gateways, lanes, "gate", headers, body) for body in bodies)
    )


async def _states(till: Till, payouts: Sequence[Payout]) -> list[PayoutStatus]:
    return [PayoutStatus((await till.state(one)).status) for one in payouts]


async def _outcomes(till: Till, bodies: Sequence[bytes]) -> list[str]:
    texts = [body.decode() for body in bodies]
    query = select(GatewayCallback.outcome).where(col(GatewayCallback.body).in_(texts))
    async with till.town.database.reading() as session:
        return sorted(await session.exec(query))
