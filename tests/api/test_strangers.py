"""Whoever has no business there: nobody, people of another bank, and ids that are none."""

import re
from typing import Any
from uuid import uuid4

import pytest

from models.people import Person, Role
from service.api.access import TABLE
from service.keys import Keys
from tests.api.asking import (
    HERE,
    Asking,
    done,
    handover,
    listing,
    nothing_changes,
    payout,
    refused,
    weighing,
)
from tests.factories import Town, claim_pickup, earn, list_pickup, make_town

REASON = {"reason": "x"}
DAYS = "from=2026-11-01&to=2026-11-30"
Request = tuple[str, str, Any]


def on_a_pickup(keys: Keys, pickup_id: Any) -> list[Request]:
    path = f"/v1/pickups/{pickup_id}"
    return [
        ("GET", path, None),
        ("POST", f"{path}/cancel", REASON),
        ("POST", f"{path}/claim", None),
        ("POST", f"{path}/release", REASON),
        ("POST", f"{path}/arrive", {"position": HERE}),
        ("POST", f"{path}/collect", handover(keys, pickup_id)),
        ("POST", f"{path}/decide", {"decision": "accept", **REASON}),
    ]


def on_a_payout(payout_id: Any) -> list[Request]:
    path = f"/v1/payouts/{payout_id}"
    return [
        ("GET", path, None),
        ("POST", f"{path}/cancel", None),
        ("POST", f"{path}/approve", None),
        ("POST", f"{path}/reject", REASON),
        ("POST", f"{path}/pay-cash", {"proof": "x"}),
        ("POST", f"{path}/retry", None),
        ("POST", f"{path}/decide", {"was_paid": True, **REASON}),
        ("GET", f"{path}/moves", None),
    ]


def in_a_bank(bank_id: Any, resident: Person) -> list[Request]:
    resident_id = str(resident.id)
    price = {"material": "KAIN", "channel": "pickup", "price_idr": 1}
    return [
        ("GET", f"/v1/passbooks/{bank_id}", None),
        ("GET", f"/v1/passbooks/{bank_id}?resident_id={resident_id}", None),
        ("GET", f"/v1/passbooks/{bank_id}/lines", None),
        ("GET", f"/v1/passbooks/{bank_id}/lines?resident_id={resident_id}", None),
        ("GET", f"/v1/earnings/{bank_id}", None),
        ("GET", f"/v1/earnings/{bank_id}?collector_id={resident_id}", None),
        ("GET", f"/v1/earnings/{bank_id}/lines", None),
        ("GET", f"/v1/banks/{bank_id}/members", None),
        ("GET", f"/v1/banks/{bank_id}/ledger/trial-balance", None),
        ("GET", f"/v1/banks/{bank_id}/floats", None),
        ("POST", f"/v1/banks/{bank_id}/floats/gate/top-ups", {"amount_idr": 1, "drawer": "main"}),
        ("POST", f"/v1/banks/{bank_id}/floats/gate/resume", None),
        ("GET", f"/v1/passbooks/{bank_id}/destination", None),
        ("GET", f"/v1/banks/{bank_id}/loads", None),
        ("GET", f"/v1/banks/{bank_id}/loads/bias?{DAYS}", None),
        ("GET", f"/v1/banks/{bank_id}/mass-balance?{DAYS}", None),
        ("POST", f"/v1/banks/{bank_id}/loads/{resident_id}/receive", None),
        ("POST", f"/v1/banks/{bank_id}/members", {"phone": resident.phone}),
        ("POST", f"/v1/banks/{bank_id}/prices", {"items": [price]}),
        (
            "POST",
            f"/v1/banks/{bank_id}/dropoffs",
            {"resident_id": resident_id, "weighings": [weighing()]},
        ),
    ]


def new_things(town: Town) -> list[Request]:
    resident_id = str(town.resident.id)
    return [
        ("POST", "/v1/pickups", listing(town)),
        ("POST", "/v1/pickups", listing(town, resident_id=resident_id)),
        ("POST", "/v1/payouts", payout(town)),
        ("POST", "/v1/payouts", payout(town, resident_id=resident_id)),
    ]


ID = re.compile(r"(?<=/)[0-9a-f-]{36}")


def far_away(request: Request, role: Role) -> tuple[int, str]:
    """What a thing is to somebody who may see such things, but not this one; and to others."""
    method, path, _ = request
    noun = path.split("/")[2].removesuffix("s")
    access = TABLE[f"{method} {ID.sub(f'{{{noun}_id}}', path)}"]
    return (404, "no_such_thing") if role in access.roles else (403, "not_allowed")


async def check(
    asking: Asking, who: Person | None, request: Request, status: int, slug: str
) -> None:
    method, path, body = request
    headers = asking.headers(who)
    answer = await asking.client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, (request, answer.text)
    refused(answer, status, slug)


@pytest.mark.parametrize("role", list(Role))
async def test_nobody_acts_on_what_is_another_banks(
    asking: Asking, town: Town, keys: Keys, role: Role
) -> None:
    await earn(town, keys)
    pickup = await claim_pickup(town, await list_pickup(town))
    asked = done(await asking.post(town.resident, "/v1/payouts", payout(town)), 201)["id"]
    far = await make_town(town.database)
    stranger: Person = getattr(far, role)
    async with nothing_changes(town), nothing_changes(far):
        for request in (*on_a_pickup(keys, pickup.id), *on_a_payout(asked)):
            await check(asking, stranger, request, *far_away(request, role))
        for request in (*in_a_bank(town.bank_id, town.resident), *new_things(town)):
            await check(asking, stranger, request, 403, "not_allowed")


async def test_an_unknown_id_is_answered_as_a_foreign_one(
    asking: Asking, town: Town, keys: Keys
) -> None:
    people = {role: getattr(town, role) for role in Role}
    async with nothing_changes(town):
        for role, who in people.items():
            for request in (*on_a_pickup(keys, uuid4()), *on_a_payout(uuid4())):
                await check(asking, who, request, *far_away(request, role))
            for request in in_a_bank(uuid4(), town.resident):
                await check(asking, who, request, 403, "not_allowed")
        answer = await asking.post(town.resident, f"/v1/banks/{uuid4()}/join", key=None)
        refused(answer, 404, "no_such_thing")


async def test_nobody_gets_in_without_signing_in(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await list_pickup(town)
    requests = [
        *on_a_pickup(keys, pickup.id),
        *on_a_payout(uuid4()),
        *in_a_bank(town.bank_id, town.resident),
        *new_things(town),
        ("GET", "/v1/me", None),
        ("PATCH", "/v1/me", {"name": "x"}),
        ("GET", "/v1/pickups", None),
        ("GET", "/v1/payouts", None),
        ("GET", "/v1/disputes", None),
        ("GET", f"/v1/disputes/{uuid4()}", None),
        ("POST", f"/v1/disputes/{uuid4()}/decide", {"decision": "door", **REASON}),
        ("GET", "/v1/jobs/nearest?lat=3.56&lon=98.87", None),
        ("POST", "/v1/jobs/claim", {"position": HERE}),
        ("POST", f"/v1/banks/{town.bank_id}/join", None),
    ]
    async with nothing_changes(town):
        for request in requests:
            await check(asking, None, request, 401, "no_valid_token")


@pytest.mark.parametrize(
    "word", ["1", "abc", "%00", "00000000-0000-0000-0000-00000000000g", "a" * 300, "null"]
)
async def test_an_id_that_is_none_is_refused(asking: Asking, quiet: Town, word: str) -> None:
    paths = {
        f"/v1/pickups/{word}": "/pickup_id",
        f"/v1/payouts/{word}": "/payout_id",
        f"/v1/passbooks/{word}": "/bank_id",
        f"/v1/passbooks/{word}/lines": "/bank_id",
        f"/v1/banks/{word}/prices": "/bank_id",
        f"/v1/banks/{word}/members": "/bank_id",
        f"/v1/banks/{word}/ledger/trial-balance": "/bank_id",
        f"/v1/banks/{word}/loads": "/bank_id",
        f"/v1/disputes/{word}": "/receiving_id",
    }
    for path, pointer in paths.items():
        refused(await asking.get(quiet.treasurer, path), 422, "request_malformed", pointer)


async def test_a_resident_of_two_banks_uses_each_ones_passbook(
    asking: Asking, town: Town, keys: Keys
) -> None:
    far = await make_town(town.database)
    done(await asking.post(town.resident, f"/v1/banks/{far.bank_id}/join", key=None), 201)
    earned = await earn(town, keys)
    here, there = [
        done(await asking.get(town.resident, f"/v1/passbooks/{bank}"))["available_idr"]
        for bank in (town.bank_id, far.bank_id)
    ]
    assert (here, there) == (earned, 0)
    async with nothing_changes(town), nothing_changes(far):
        answer = await asking.post(town.resident, "/v1/payouts", payout(far))
    refused(answer, 409, "balance_too_low")


async def test_the_city_reads_totals_and_changes_nothing(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    pickup = await claim_pickup(town, await list_pickup(town))
    asked = done(await asking.post(town.resident, "/v1/payouts", payout(town)), 201)["id"]
    async with nothing_changes(town):
        for request in (*on_a_pickup(keys, pickup.id), *on_a_payout(asked), *new_things(town)):
            method, path, body = request
            answer = await asking.client.request(
                method, path, json=body, headers=asking.headers(town.city)
            )
            assert answer.status_code in {403, 404}, (request, answer.text)
    trial = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    done(await asking.get(town.city, trial))
