"""Transfers over HTTP: what they cost, where they go, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from models.base import utc_now
from models.payout import NameCheck
from models.people import Role
from service.keys import Keys
from service.payouts import upkeep
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.api.transfers.transferring import (
    BCA,
    DANA,
    EARNED,
    PAYOUTS,
    approve,
    ask,
    event_bodies,
    payout_of,
    transfer,
)
from tests.factories import another, earn
from tests.paying import FEE_IDR, Till


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


async def test_a_saved_destination_of_the_other_kind_is_told_as_that(
    paying: Asking, till: Till
) -> None:
    named = (("ewallet", DANA, "bank"), ("bank", BCA, "ewallet"))
    for method, destination, other in named:
        await ask(paying, till.town, method=method, destination=destination, amount_idr=30_000)
        body = transfer(till.town, 30_000, method=other, destination=None)
        answer = await paying.post(till.town.resident, PAYOUTS, body)
        refused(answer, 422, "destination_not_valid", "/destination")
        assert destination["channel_code"] in answer.json()["errors"][0]["detail"]


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
    leaves_at = (await till.state(await payout_of(till, second["id"]))).due_at
    assert leaves_at is not None
    assert leaves_at - utc_now() > timedelta(hours=23)
    await till.sender.send_due([till.town.bank_id])
    assert till.gateway.sent == []
    bodies = await event_bodies(till, "destination_changed")
    assert [body.get("to_phone") for body in bodies] == [None, "+6281234567890"]


async def test_a_first_destination_that_a_helper_enters_waits_as_a_changed_one(
    paying: Asking, till: Till
) -> None:
    body = transfer(till.town, resident_id=str(till.town.resident.id))
    asked = done(await paying.post(till.town.operator, PAYOUTS, body), 201)
    approved = await approve(paying, till.town, asked["id"])
    assert approved["destination"]["usable_from"] == approved["leaves_at"]
    leaves_at = (await till.state(await payout_of(till, asked["id"]))).due_at
    assert leaves_at is not None
    assert leaves_at - utc_now() > timedelta(hours=23)
    (told,) = await event_bodies(till, "destination_changed")
    assert (told["channel"], told["account"]) == ("BCA", "••••••7890")


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
