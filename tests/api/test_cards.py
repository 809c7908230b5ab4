"""Acting for a resident who shows a card: which calls, for how much, and who may not."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.people import Person, Role
from service.database import Database
from service.keys import Keys
from tests.api.asking import HERE, Asking, done, payout, refused
from tests.factories import PET, Town, another, earn, make_town

PAYOUTS = "/v1/payouts"


def cards_of(town: Town, person: Person | None = None) -> str:
    return f"/v1/banks/{town.bank_id}/members/{(person or town.resident).id}/cards"


async def issued(asking: Asking, town: Town) -> dict[str, Any]:
    card: dict[str, Any] = done(await asking.post(town.operator, cards_of(town)), 201)
    return card


async def with_card(
    asking: Asking, who: Person, card: str, path: str, body: Any, *, key: str = "new"
) -> httpx.Response:
    headers = asking.headers(who, key) | {"On-Behalf-Of-Card": card}
    return await asking.client.post(path, json=body, headers=headers)


def listing(town: Town) -> dict[str, Any]:
    item = {"material": PET, "condition": "clean", "estimated_grams": 4_000}
    return {
        "bank_id": str(town.bank_id),
        "position": HERE,
        "address": "Jl. Diponegoro 12",
        "items": [item],
    }


async def test_a_resident_without_a_phone_is_registered_and_gets_a_card(
    asking: Asking, town: Town
) -> None:
    path = f"/v1/banks/{town.bank_id}/members"
    member = done(await asking.post(town.operator, path, {"name": "Nenek Ros"}), 201)
    assert (member["phone"], member["role"]) == (None, "resident")
    cards = f"{path}/{member['person_id']}/cards"
    card = done(await asking.post(town.operator, cards), 201)
    assert "Nenek Ros" in card["text"]
    assert card["svg"].startswith("<svg")
    assert 'viewBox="0 0 ' in card["svg"]
    assert 'fill="#fff"' in card["svg"]
    body = listing(town)
    pickup = done(await with_card(asking, town.collector, card["token"], "/v1/pickups", body), 201)
    assert pickup["resident"]["id"] == member["person_id"]
    assert pickup["assisted"] is True
    answer = await asking.post(town.operator, path, {"name": " "})
    refused(answer, 422, "request_malformed", "/name")
    answer = await asking.post(town.operator, path, {"name": "Budi", "role": "collector"})
    refused(answer, 422, "request_malformed", "/phone")


async def test_a_new_card_ends_the_one_before_and_a_revoked_one_is_no_use(
    asking: Asking, town: Town
) -> None:
    first, second = await issued(asking, town), await issued(asking, town)
    assert first["token"] != second["token"]
    body = listing(town)
    answer = await with_card(asking, town.collector, first["token"], "/v1/pickups", body)
    refused(answer, 403, "card_not_valid")
    path = f"{cards_of(town)}/{second['id']}"
    headers = asking.headers(town.resident)
    revoked = done(await asking.client.delete(path, headers=headers))
    assert revoked["revoked_by"] == str(town.resident.id)
    again = done(await asking.client.delete(path, headers=asking.headers(town.operator)))
    assert again == revoked
    answer = await with_card(asking, town.collector, second["token"], "/v1/pickups", body)
    refused(answer, 403, "card_not_valid")
    listed = done(await asking.get(town.resident, cards_of(town)))["items"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert all("token" not in one for one in listed)
    nowhere = f"{cards_of(town)}/{uuid4()}"
    answer = await asking.client.delete(nowhere, headers=asking.headers(town.operator))
    refused(answer, 404, "no_such_thing")


async def test_cards_are_for_officers_and_helpers_of_the_bank(asking: Asking, town: Town) -> None:
    refused(await asking.post(town.collector, cards_of(town)), 403, "not_allowed")
    refused(await asking.get(town.collector, cards_of(town)), 403, "not_allowed")
    refused(await asking.post(town.operator, cards_of(town, town.city)), 404, "no_such_thing")
    card = (await issued(asking, town))["token"]
    other = await make_town(town.database)
    body = listing(town)
    for who in (town.city, other.operator):
        refused(await with_card(asking, who, card, "/v1/pickups", body), 403, "not_allowed")
    elsewhere = await another(town, Role.OPERATOR)
    body = listing(other)
    refused(await with_card(asking, elsewhere, card, "/v1/pickups", body), 403, "not_allowed")
    named = {**listing(town), "resident_id": str(uuid4())}
    answer = await with_card(asking, town.operator, card, "/v1/pickups", named)
    refused(answer, 403, "not_allowed")
    answer = await with_card(asking, town.operator, "x" * 46, "/v1/pickups", listing(town))
    assert answer.status_code == 403


async def test_weighing_at_the_counter_and_the_passbook_go_by_card(
    asking: Asking, town: Town
) -> None:
    card = (await issued(asking, town))["token"]
    path = f"/v1/banks/{town.bank_id}/dropoffs"
    body = {"weighings": [{"material": PET, "condition": "clean", "grams": 4_000}]}
    brought = done(await with_card(asking, town.operator, card, path, body), 201)
    assert brought["resident_id"] == str(town.resident.id)
    answer = await asking.post(town.operator, path, body)
    refused(answer, 422, "request_malformed", "/resident_id")
    headers = asking.headers(town.collector) | {"On-Behalf-Of-Card": card}
    book = done(await asking.client.get(f"/v1/passbooks/{town.bank_id}", headers=headers))
    assert book["resident_id"] == str(town.resident.id)
    refused(await asking.get(town.collector, f"/v1/passbooks/{town.bank_id}"), 403, "not_allowed")
    statement = f"/v1/passbooks/{town.bank_id}/statement"
    printed = done(await asking.client.get(statement, headers=headers))
    assert printed["resident_id"] == str(town.resident.id)
    refused(await asking.get(town.collector, statement), 403, "not_allowed")
    audited = f"/v1/banks/{town.bank_id}/audit"
    (look,) = done(await asking.get(town.treasurer, audited, act="read_statement"))["items"]
    assert (look["actor_id"], look["on_behalf_of"]) == (str(town.collector.id), book["resident_id"])
    assert look["card_id"]


async def test_a_payout_by_card_is_marked_and_paid_to_who_shows_it(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    card = (await issued(asking, town))["token"]
    asked = done(await with_card(asking, town.operator, card, PAYOUTS, payout(town, 10_000)), 201)
    assert (asked["resident_id"], asked["assisted"]) == (str(town.resident.id), True)
    done(await asking.post(town.treasurer, f"{PAYOUTS}/{asked['id']}/approve", {}))
    path = f"{PAYOUTS}/{asked['id']}/pay-cash"
    paid = done(await with_card(asking, town.treasurer, card, path, {}))
    assert (paid["status"], paid["code_given"]) == ("paid", True)
    lines = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    marks = {line["kind"]: (line["assisted"], line["assisted_by"]) for line in lines}
    assert marks == {"payout": (True, "operator"), "pickup": (False, None)}
    receipt = done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{asked['id']}"))
    assert (receipt["assisted"], receipt["assisted_by"]) == (True, "operator")
    mine = done(await asking.get(town.resident, "/v1/me/audit"))["items"]
    assert ("request_payout", True) in [(one["act"], one["assisted"]) for one in mine]
    of_bank = done(
        await asking.get(town.treasurer, f"/v1/banks/{town.bank_id}/audit", act="request_payout")
    )
    assert [bool(one["card_id"]) for one in of_bank["items"]] == [True]


async def test_who_gave_the_card_out_does_not_sign_with_it(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, cash_needs_code=True)
    await earn(town, keys)
    asked = done(await asking.post(town.resident, PAYOUTS, payout(town, 10_000)), 201)
    done(await asking.post(town.treasurer, f"{PAYOUTS}/{asked['id']}/approve", {}))
    own = done(await asking.post(town.treasurer, cards_of(town)), 201)["token"]
    path = f"{PAYOUTS}/{asked['id']}/pay-cash"
    refused(await with_card(asking, town.treasurer, own, path, {}), 409, "card_issued_by_you")
    card = (await issued(asking, town))["token"]
    paid = done(await with_card(asking, town.treasurer, card, path, {}))
    assert (paid["status"], paid["code_given"]) == ("paid", True)


async def test_the_same_key_with_another_card_is_another_request(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    card = (await issued(asking, town))["token"]
    body = {**payout(town, 10_000), "resident_id": str(town.resident.id)}
    done(await with_card(asking, town.operator, card, PAYOUTS, body, key="one"), 201)
    answer = await asking.post(town.operator, PAYOUTS, body, key="one")
    refused(answer, 422, "idempotency_key_reused")


@pytest.mark.parametrize("by_card", [True, False], ids=["card", "officer"])
async def test_others_ask_for_so_much_a_day(
    asking: Asking, town: Town, keys: Keys, by_card: bool
) -> None:
    await earn(town, keys)
    rules = {"assisted_payout_limit_idr": 15_000}
    done(await asking.post(town.treasurer, f"/v1/banks/{town.bank_id}/policies", rules), 201)
    card = (await issued(asking, town))["token"]

    async def ask(amount_idr: int) -> httpx.Response:
        body = payout(town, amount_idr)
        if by_card:
            return await with_card(asking, town.operator, card, PAYOUTS, body)
        named = {**body, "resident_id": str(town.resident.id)}
        return await asking.post(town.operator, PAYOUTS, named)

    # Two at once: both may not be taken for the first of the day.
    answers = await asyncio.gather(ask(10_000), ask(10_000))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    refused(await ask(5_001), 409, "assisted_limit_reached")
    done(await ask(5_000), 201)
    done(await asking.post(town.resident, PAYOUTS, payout(town, 5_001)), 201)
