"""Transfers over HTTP: what they cost, where they go, what gateways say of them."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.base import utc_now
from models.event import Event
from models.payout import GatewayCallback, NameCheck, Payout
from models.people import Role
from service import drawers
from service.api.dependencies import Parts
from service.app import create_app
from service.gateways import Reported, Stage, Unknown
from service.keys import Keys
from service.ledger import chart
from service.payouts import DOUBT_FOR, callbacks, upkeep
from tests.api.asking import Asking, done, nothing_changes, payout, refused
from tests.factories import Town, another, earn, payout_in
from tests.paying import FEE_IDR, TOKEN, OneGateway, Till, taken

PAYOUTS = "/v1/payouts"
BCA = {
    "channel_code": "BCA",
    "account_number": "123-456-7890",
    "account_holder_name": "Siti  Aminah",
}
DANA = {"channel_code": "DANA", "account_number": "0812 3456 7890", "account_holder_name": "Siti"}
EARNED = 123_700


@pytest.fixture
async def till(town: Town, keys: Keys) -> Till:
    assert await earn(town, keys, grams=50_000) == EARNED
    opened = Till(town, OneGateway())
    await opened.open()
    return opened


@pytest.fixture
async def paying(till: Till, parts: Parts, keys: Keys) -> Any:
    """Asking a server that pays through the till's gateway."""
    app = create_app(parts.settings)
    app.state.parts = Parts(
        parts.settings, parts.database, keys, parts.messenger, None, None, till.gateways
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jumpa", headers={"Accept-Language": "en"}
    ) as client:
        yield Asking(client, keys)


def transfer(town: Town, amount_idr: int = 50_000, **changes: Any) -> dict[str, Any]:
    return payout(town, amount_idr, method="bank", destination=BCA) | changes


async def ask(paying: Asking, town: Town, **changes: Any) -> dict[str, Any]:
    answer = await paying.post(town.resident, PAYOUTS, transfer(town, **changes))
    asked: dict[str, Any] = done(answer, 201)
    return asked


async def approve(paying: Asking, town: Town, payout_id: str) -> dict[str, Any]:
    answer = await paying.post(town.treasurer, f"{PAYOUTS}/{payout_id}/approve")
    approved: dict[str, Any] = done(answer)
    return approved


async def test_every_way_is_shown_with_what_it_costs_the_cheapest_first(
    paying: Asking, till: Till
) -> None:
    path = f"/v1/banks/{till.town.bank_id}/payout-channels"
    ways = done(await paying.get(till.town.resident, path, amount_idr=50_000))["items"]
    assert [(way["channel_code"], way["fee_idr"]) for way in ways] == [
        ("CASH", 0),
        ("DANA", 1_000),
        ("BCA", FEE_IDR),
    ]
    assert {way["hurdle"] for way in ways} == {""}
    small = done(await paying.get(till.town.resident, path, amount_idr=12_000))["items"]
    assert [way["hurdle"] for way in small] == ["", "", "fee_too_high"]
    refused(await paying.get(None, path, amount_idr=1), 401, "no_valid_token")
    refused(await paying.get(till.town.resident, path, amount_idr=0), 422, "request_malformed")


async def test_a_transfer_is_asked_for_approved_sent_and_told(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town, expected_fee_idr=FEE_IDR)
    assert (asked["status"], asked["receives_idr"], asked["fee_by"]) == (
        "requested",
        50_000,
        "bank",
    )
    assert asked["account_number"] == "1234567890"
    assert asked["account_holder_name"] == "Siti Aminah"
    approved = await approve(paying, till.town, asked["id"])
    assert approved["account_number"] == "••••••7890"
    assert approved["leaves_at"] is not None
    await till.work()
    sent = done(await paying.get(till.town.resident, f"{PAYOUTS}/{asked['id']}"))
    assert (sent["status"], sent["gateway"]) == ("sent", "gate")
    moves = done(await paying.get(till.town.resident, f"{PAYOUTS}/{asked['id']}/moves"))["items"]
    assert [(move["to_status"], move["cause"]) for move in moves] == [
        ("requested", "person"),
        ("approved", "person"),
        ("sending", "worker"),
        ("sent", "answer"),
    ]
    assert moves[1]["actor_id"] == str(till.town.treasurer.id)


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "fee changed": ({"expected_fee_idr": 2_500}, 409, "fee_changed", None),
    "fee too high": ({"amount_idr": 20_000}, 409, "fee_too_high", None),
    "unknown channel": (
        {"destination": BCA | {"channel_code": "BNI"}},
        409,
        "channel_not_offered",
        None,
    ),
    "wallet as a bank": ({"destination": DANA}, 409, "channel_not_offered", None),
    "no destination": ({"destination": None}, 422, "destination_not_valid", None),
    "letters": (
        {"destination": BCA | {"account_number": "saya"}},
        422,
        "destination_not_valid",
        "/destination/account_number",
    ),
    "a blank name": (
        {"destination": BCA | {"account_holder_name": "  "}},
        422,
        "request_malformed",
        "/destination/account_holder_name",
    ),
    "no wallet's number": (
        {"method": "ewallet", "destination": DANA | {"account_number": "12345678"}},
        422,
        "destination_not_valid",
        "/destination/account_number",
    ),
    "a fee as text": ({"expected_fee_idr": "2775"}, 422, "request_malformed", "/expected_fee_idr"),
    "more than there is": ({"amount_idr": EARNED + 1}, 409, "balance_too_low", None),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_transfer_that_cannot_be_is_refused_and_changes_nothing(
    paying: Asking, till: Till, name: str
) -> None:
    changes, status, slug, pointer = BAD[name]
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.resident, PAYOUTS, transfer(till.town) | changes)
    refused(answer, status, slug, pointer)


async def test_the_last_destination_is_used_again(paying: Asking, till: Till) -> None:
    await ask(paying, till.town)
    path = f"/v1/passbooks/{till.town.bank_id}/destination"
    own = done(await paying.get(till.town.resident, path))
    assert own["account_number"] == "1234567890"
    officers = await paying.get(till.town.operator, path, resident_id=str(till.town.resident.id))
    assert done(officers)["account_number"] == "••••••7890"
    again = await ask(paying, till.town, destination=None, amount_idr=30_000)
    assert again["account_number"] == "1234567890"


async def test_who_has_no_destination_has_none_to_show(paying: Asking, till: Till) -> None:
    path = f"/v1/passbooks/{till.town.bank_id}/destination"
    refused(await paying.get(till.town.resident, path), 404, "no_such_thing")


async def test_a_changed_destination_waits_a_day_and_the_old_one_hears_of_it(
    paying: Asking, till: Till
) -> None:
    first = await ask(paying, till.town, method="ewallet", destination=DANA)
    assert first["account_number"] == "+6281234567890"
    second = await ask(paying, till.town)
    approved = await approve(paying, till.town, second["id"])
    assert approved["destination"]["usable_from"] == approved["leaves_at"]
    leaves_at = (await till.state(await _payout(till, second["id"]))).due_at
    assert leaves_at is not None
    assert leaves_at - utc_now() > timedelta(hours=23)
    await till.sender.send_due([till.town.bank_id])
    assert till.gateway.sent == []
    bodies = await _event_bodies(till, "destination_changed")
    assert [body.get("to_phone") for body in bodies] == [None, "+6281234567890"]


async def test_an_account_of_several_residents_is_flagged_for_the_treasurer(
    paying: Asking, till: Till, keys: Keys
) -> None:
    await ask(paying, till.town)
    other = await another(till.town, Role.RESIDENT)
    town = till.town
    town.resident, old = other, town.resident
    await earn(town, keys, grams=50_000)
    asked = await ask(paying, town)
    assert asked["destination"] is None
    seen = done(await paying.get(town.treasurer, f"{PAYOUTS}/{asked['id']}"))
    assert seen["destination"]["shared_with"] == 1
    assert old.id != other.id


@pytest.mark.parametrize(
    ("holders", "check", "name"),
    [
        ({"1234567890": "SITI AMINAH"}, NameCheck.SAME, "SITI AMINAH"),
        ({"1234567890": "BUDI SANTOSO"}, NameCheck.OTHER, "BUDI SANTOSO"),
        ({}, NameCheck.NO_ACCOUNT, ""),
        (None, NameCheck.NOT_TOLD, ""),
    ],
)
async def test_whose_account_it_is_is_asked_where_the_gateway_tells(
    paying: Asking, till: Till, holders: dict[str, str | None] | None, check: str, name: str
) -> None:
    asked = await ask(paying, till.town)
    till.gateway.holders = holders
    await upkeep.check_names(till.town.database, till.gateways, [till.town.bank_id])
    seen = done(await paying.get(till.town.treasurer, f"{PAYOUTS}/{asked['id']}"))
    assert (seen["destination"]["name_check"], seen["destination"]["name_found"]) == (check, name)


async def test_a_treasurer_sees_the_float_and_tops_it_up(paying: Asking, till: Till) -> None:
    base = f"/v1/banks/{till.town.bank_id}/floats"
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    till.gateway.balance = 7
    await till.work()
    (stopped,) = done(await paying.get(till.town.operator, base))["items"]
    assert (stopped["gateway_idr"], stopped["under_way_idr"]) == (7, 50_000 + FEE_IDR)
    assert stopped["stopped_why"] == "FLOAT_TOO_LOW"
    body = {"amount_idr": 100_000, "drawer": "main"}
    topped = done(await paying.post(till.town.treasurer, f"{base}/gate/top-ups", body), 201)
    assert UUID(topped["top_up_id"])
    assert (topped["ledger_idr"], topped["stopped_at"]) == (100_000, None)
    again = await paying.post(till.town.treasurer, f"{base}/gate/resume")
    refused(again, 409, "queue_not_stopped")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount_idr": 1}, ""),
        ({"amount_idr": 1, "drawer": "main", "bank_account": "bri"}, ""),
        ({"amount_idr": 0, "drawer": "main"}, "/amount_idr"),
        ({"amount_idr": 1, "drawer": "a b"}, "/drawer"),
    ],
)
async def test_a_top_up_comes_from_one_place(
    paying: Asking, till: Till, body: dict[str, Any], pointer: str
) -> None:
    path = f"/v1/banks/{till.town.bank_id}/floats/gate/top-ups"
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, path, body)
    refused(answer, 422, "request_malformed", pointer)


async def test_only_treasurers_top_up_and_only_gateways_there_are(
    paying: Asking, till: Till
) -> None:
    body = {"amount_idr": 1, "drawer": "main"}
    base = f"/v1/banks/{till.town.bank_id}/floats"
    async with nothing_changes(till.town):
        operator = await paying.post(till.town.operator, f"{base}/gate/top-ups", body)
        unknown = await paying.post(till.town.treasurer, f"{base}/other/top-ups", body)
        waiting = await paying.post(till.town.treasurer, f"{base}/other/resume")
    refused(operator, 403, "not_allowed")
    refused(unknown, 404, "no_such_gateway")
    refused(waiting, 404, "no_such_gateway")


async def test_a_top_up_comes_out_of_a_drawer_there_is(paying: Asking, till: Till) -> None:
    path = f"/v1/banks/{till.town.bank_id}/floats/gate/top-ups"
    async with nothing_changes(till.town):
        answer = await paying.post(
            till.town.treasurer, path, {"amount_idr": 1_000, "drawer": "zzz"}
        )
    refused(answer, 404, "no_such_thing")


async def test_a_transfer_is_not_paid_at_the_counter(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    answer = await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/pay-cash")
    refused(answer, 409, "not_paid_in_cash")


async def test_a_failed_transfer_is_sent_once_more(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    refused(
        await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/retry"),
        409,
        "not_retryable",
    )
    till.gateway.answers = [Reported(Stage.FAILED, "disb-1", "COMPLIANCE_REJECTED")]
    await till.work()
    failed = done(await paying.get(till.town.resident, f"{PAYOUTS}/{asked['id']}"))
    assert "after a review" in failed["failure_words"]["en"]
    assert "setelah pemeriksaan" in failed["failure_words"]["id"]
    (told,) = await _event_bodies(till, "payout_failed")
    assert told["failure"] == failed["failure"] == "COMPLIANCE_REJECTED"
    again = done(await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/retry"), 201)
    assert (again["retry_of"], again["status"]) == (asked["id"], "approved")
    assert again["failure_words"] is None


async def test_a_batch_is_approved_as_a_whole_or_not_at_all(paying: Asking, till: Till) -> None:
    asked = [(await ask(paying, till.town, amount_idr=30_000))["id"] for _ in range(3)]
    batch = f"{PAYOUTS}/approvals"
    await approve(paying, till.town, asked[1])
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, batch, {"payout_ids": asked})
        unknown = {"payout_ids": [asked[0], str(uuid4())]}
        missing = await paying.post(till.town.treasurer, batch, unknown)
        own = await paying.post(till.town.resident, batch, {"payout_ids": asked[:1]})
        empty = await paying.post(till.town.treasurer, batch, {"payout_ids": []})
    refused(answer, 409, "payout_not_open", "/payout_ids/1")
    refused(missing, 404, "no_such_thing", "/payout_ids/1")
    refused(own, 403, "not_allowed")
    refused(empty, 422, "request_malformed", "/payout_ids")
    rest = {"payout_ids": [asked[2], asked[0]]}
    approved = done(await paying.post(till.town.treasurer, batch, rest))["items"]
    assert {one["status"] for one in approved} == {"approved"}


async def test_a_payout_in_doubt_is_decided_with_a_reason(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    path = f"{PAYOUTS}/{asked['id']}/decide"
    second = await another(till.town, Role.TREASURER)
    async with nothing_changes(till.town):
        mute = await paying.post(second, path, {"was_paid": True})
        soon = await paying.post(second, path, {"was_paid": True, "reason": "mutasi"})
        own = await paying.post(till.town.treasurer, path, {"was_paid": True, "reason": "x"})
    refused(mute, 422, "request_malformed", "/reason")
    refused(soon, 409, "still_in_doubt")
    refused(own, 403, "own_payout")
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, await _payout(till, asked["id"]))
        fresh.unknown_at = utc_now() - DOUBT_FOR
    body = {"was_paid": False, "reason": "tidak ada di mutasi"}
    assert done(await paying.post(second, path, body))["status"] == "failed"


async def call_back(paying: Asking, body: Any, token: str = TOKEN) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await paying.client.post(
        "/v1/gateways/gate/callbacks", content=content, headers={"X-Token": token}
    )


async def sent(paying: Asking, till: Till) -> Payout:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    await till.work()
    return await _payout(till, asked["id"])


def notice(till: Till, stage: str = "paid", **changes: Any) -> dict[str, Any]:
    order = till.gateway.sent[-1]
    told = {"key": order.key, "gateway_id": taken(order).gateway_id, "amount_idr": order.amount_idr}
    return told | {"stage": stage, "nonce": str(uuid4())} | changes


async def test_a_callback_pays_at_once_and_the_same_again_does_nothing(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till)
    answers = [await call_back(paying, body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert (await till.state(payout)).status == "paid"
    assert await till.float_idr() == -50_000 - FEE_IDR
    assert await _kept(till, body) == [("moved", True)]


async def test_a_callback_that_is_not_genuine_is_refused_and_not_kept(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till)
    refused(await call_back(paying, body, token="guessed"), 401, "callback_not_genuine")
    assert await _kept(till, body) == []
    assert (await till.state(payout)).status == "sent"


async def test_a_callback_of_another_amount_is_not_believed(paying: Asking, till: Till) -> None:
    payout = await sent(paying, till)
    body = notice(till, amount_idr=1)
    assert (await call_back(paying, body)).status_code == 204
    asked = await till.state(payout)
    assert asked.status == "sent"
    assert asked.due_at is not None
    assert asked.due_at <= utc_now()
    assert await _kept(till, body) == [("amount_differs", True)]


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
    payout = await _payout(till, asked["id"])
    assert payout.status == "paid"
    assert await till.statuses(payout) == ["requested", "approved", "sending", "paid"]


async def test_a_callback_that_comes_too_early_is_handled_when_its_payout_is_known(
    paying: Asking, till: Till
) -> None:
    payout = await sent(paying, till)
    body = notice(till, key="", gateway_id="iris-77")
    assert (await call_back(paying, body)).status_code == 204
    assert await _kept(till, body) == [("no_payout", False)]
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

    async def breaks(*_: object) -> str:
        raise RuntimeError("the disk is gone for a moment")

    with monkeypatch.context() as broken:
        broken.setattr(callbacks, "_apply", breaks)
        assert (await call_back(paying, body)).status_code == 204
    assert await _kept(till, body) == [("failed", False)]
    async with till.town.database.transaction() as session:
        kept = (await session.exec(_callback(body))).one()
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
        (await session.exec(_callback(body))).one().due_at = utc_now()
    till.gateway.name = "another"
    await callbacks.handle_waiting(till.town.database, till.gateways)
    assert await _kept(till, body) == [("gateway_missing", False)]
    async with till.town.database.reading() as session:
        assert (await session.exec(_callback(body))).one().due_at > utc_now()


async def test_old_callbacks_are_forgotten_once_they_were_handled(
    paying: Asking, till: Till
) -> None:
    await sent(paying, till)
    body = notice(till)
    await call_back(paying, body)
    async with till.town.database.transaction() as session:
        (await session.exec(_callback(body))).one().received_at = utc_now() - callbacks.KEPT_FOR
        await session.flush()
        await callbacks.forget_old(session)
    assert await _kept(till, body) == []


async def test_treasurers_hear_of_a_second_end(paying: Asking, till: Till) -> None:
    await sent(paying, till)
    await call_back(paying, notice(till, "failed"))
    assert await _event_bodies(till, "payout_contradicted") == []
    await call_back(paying, notice(till, "paid"))
    (told,) = await _event_bodies(till, "payout_contradicted")
    assert told["status"] == "failed"


async def test_cash_is_signed_for_with_the_code_that_only_the_resident_sees(
    paying: Asking, till: Till
) -> None:
    body = payout(till.town, 10_000)
    asked = done(await paying.post(till.town.resident, PAYOUTS, body), 201)
    path = f"{PAYOUTS}/{asked['id']}"
    assert (await approve(paying, till.town, asked["id"]))["payout_code"] is None
    code = asked["payout_code"]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    refused(
        await paying.post(till.town.treasurer, f"{path}/pay-cash", {"code": wrong}),
        409,
        "wrong_payout_code",
    )
    paid = done(await paying.post(till.town.treasurer, f"{path}/pay-cash", {"code": code}))
    assert (paid["status"], paid["code_given"]) == ("paid", True)


async def test_five_wrong_codes_are_enough(paying: Asking, till: Till) -> None:
    asked = done(await paying.post(till.town.resident, PAYOUTS, payout(till.town, 10_000)), 201)
    await approve(paying, till.town, asked["id"])
    path = f"{PAYOUTS}/{asked['id']}/pay-cash"
    code = asked["payout_code"]
    wrong = {"code": f"{(int(code) + 1) % 10**6:06d}"}
    for left in (4, 3, 2, 1, 0):
        answer = await paying.post(till.town.treasurer, path, wrong)
        refused(answer, 409, "wrong_payout_code")
        assert str(left) in answer.json()["detail"]
    refused(await paying.post(till.town.treasurer, path, {"code": code}), 409, "wrong_payout_code")


async def test_a_bank_may_pay_cash_only_against_the_code(paying: Asking, till: Till) -> None:
    rules = f"/v1/banks/{till.town.bank_id}/policies"
    done(await paying.post(till.town.treasurer, rules, {"cash_needs_code": True}), 201)
    asked = done(await paying.post(till.town.resident, PAYOUTS, payout(till.town, 10_000)), 201)
    await approve(paying, till.town, asked["id"])
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/pay-cash")
    refused(answer, 409, "cash_needs_code", "/code")


async def test_an_operator_pays_from_their_own_drawer_against_the_code(
    paying: Asking, till: Till
) -> None:
    town = till.town
    async with town.database.transaction() as session:
        await drawers.open_drawer(
            session, town.bank_id, "ani", officer_id=town.operator.id, by=town.treasurer.id
        )
        move = drawers.Move(town.bank_id, 30_000, "", town.treasurer.id)
        await drawers.float_in(session, move, "ani")
    asked = done(await paying.post(town.resident, PAYOUTS, payout(town, 10_000)), 201)
    path, code = f"{PAYOUTS}/{asked['id']}/pay-cash", {"code": asked["payout_code"]}
    early = await paying.post(town.operator, path, code)
    refused(early, 409, "payout_not_open")
    await approve(paying, town, asked["id"])
    refused(await paying.post(town.operator, path), 409, "cash_needs_code", "/code")
    paid = done(await paying.post(town.operator, path, code))
    assert (paid["paid_by"], paid["code_given"]) == (str(town.operator.id), True)
    assert await till.balance(chart.drawer("ani")) == 20_000
    entered = await _entered_by_the_operator(paying, till)
    refused(await paying.post(town.operator, entered), 403, "own_payout")


async def _entered_by_the_operator(paying: Asking, till: Till) -> str:
    """Where an approved payout is paid that the operator asked for."""
    body = payout(till.town, 10_000, resident_id=str(till.town.resident.id))
    asked = done(await paying.post(till.town.operator, PAYOUTS, body), 201)
    await approve(paying, till.town, asked["id"])
    return f"{PAYOUTS}/{asked['id']}/pay-cash"


async def _payout(till: Till, payout_id: str) -> Payout:
    async with till.town.database.reading() as session:
        query = select(Payout).where(
            Payout.bank_id == till.town.bank_id, Payout.id == UUID(payout_id)
        )
        return (await session.exec(query)).one()


async def _event_bodies(till: Till, kind: str) -> list[dict[str, Any]]:
    query = (
        select(Event.body)
        .where(Event.bank_id == till.town.bank_id, Event.kind == kind)
        .order_by(col(Event.id))
    )
    async with till.town.database.reading() as session:
        return [json.loads(body) for body in await session.exec(query)]


def _callback(body: dict[str, Any]) -> SelectOfScalar[GatewayCallback]:
    return select(GatewayCallback).where(GatewayCallback.body == json.dumps(body))


async def _kept(till: Till, body: dict[str, Any]) -> list[tuple[str, bool]]:
    async with till.town.database.reading() as session:
        kept = list(await session.exec(_callback(body)))
    return [(one.outcome, one.handled_at is not None) for one in kept]
