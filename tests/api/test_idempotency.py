"""The same key and the same request: one effect, and the first answer again."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import func
from sqlmodel import col, select

from models.base import utc_now
from models.idempotency import Answer
from models.people import Role
from models.pickup import Pickup
from service.api.remembered import CODES
from service.keys import CODE_DIGITS, Keys
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
from tests.api.test_views import models_in
from tests.factories import (
    Town,
    another,
    change_pickup,
    claim_pickup,
    collect_pickup,
    earn,
    list_pickup,
    make_town,
    new_phone,
)
from tests.races import someone_waits

PICKUPS, PAYOUTS = "/v1/pickups", "/v1/payouts"


def replayed(answer: httpx.Response, first: httpx.Response) -> None:
    """Check that an answer is the first one again."""
    assert answer.headers.get("Idempotency-Replayed") == "true", answer.text
    assert answer.status_code == first.status_code
    assert answer.json() == first.json()
    assert answer.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers


async def pickups_of(town: Town) -> int:
    async with town.database.reading() as session:
        query = select(func.count(col(Pickup.id))).where(Pickup.bank_id == town.bank_id)
        return (await session.exec(query)).one()


def dropoff(town: Town) -> tuple[str, dict[str, Any]]:
    body = {"resident_id": str(town.resident.id), "weighings": [weighing()]}
    return f"/v1/banks/{town.bank_id}/dropoffs", body


async def available_idr(asking: Asking, town: Town) -> int:
    passbook = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    return int(passbook["available_idr"])


async def test_a_repeated_listing_is_one_pickup(asking: Asking, town: Town) -> None:
    body = listing(town)
    first = await asking.post(town.resident, PICKUPS, body, key="a")
    done(first, 201)
    for _ in range(3):
        replayed(await asking.post(town.resident, PICKUPS, body, key="a"), first)
    assert await pickups_of(town) == 1


async def test_the_same_request_with_another_key_is_another_pickup(
    asking: Asking, town: Town
) -> None:
    for key in ("a", "b"):
        done(await asking.post(town.resident, PICKUPS, listing(town), key=key), 201)
    assert await pickups_of(town) == 2


async def test_without_a_key_a_repeat_is_another_pickup(asking: Asking, town: Town) -> None:
    for _ in range(2):
        done(await asking.post(town.resident, PICKUPS, listing(town), key=None), 201)
    assert await pickups_of(town) == 2


async def test_a_repeated_refusal_is_answered_as_the_first_time(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    second = await another(town, Role.COLLECTOR)
    path = f"{PICKUPS}/{pickup.id}/claim"
    first = await asking.post(second, path, key="a")
    refused(first, 409, "pickup_already_claimed")
    await change_pickup(town, pickup.id, claimed_until=utc_now() - timedelta(seconds=1))
    async with nothing_changes(town):
        replayed(await asking.post(second, path, key="a"), first)
    assert done(await asking.post(second, path, key="b"))["collector_id"] == str(second.id)


async def test_a_repeat_is_answered_so_even_after_the_thing_has_moved_on(
    asking: Asking, town: Town
) -> None:
    pickup = await list_pickup(town)
    path = f"{PICKUPS}/{pickup.id}"
    done(await asking.post(town.collector, f"{path}/claim"))
    arrived = await asking.post(town.collector, f"{path}/arrive", {"position": HERE}, key="a")
    done(arrived)
    await change_pickup(town, pickup.id, claimed_until=utc_now() + timedelta(hours=9))
    async with nothing_changes(town):
        repeat = await asking.post(town.collector, f"{path}/arrive", {"position": HERE}, key="a")
        replayed(repeat, arrived)


async def test_a_repeat_shows_no_household_that_is_theirs_no_more(
    asking: Asking, town: Town, keys: Keys
) -> None:
    released, weighed = await list_pickup(town), await list_pickup(town)
    for pickup in (released, weighed):
        await change_pickup(town, pickup.id, lat=3.56042, lon=98.87042)
    wish = {"position": HERE, "max_jobs": 2}
    both = await asking.post(town.collector, "/v1/jobs/claim", wish, key="a")
    arrive = f"{PICKUPS}/{weighed.id}/arrive"
    arrived = await asking.post(town.collector, arrive, {"position": HERE}, key="b")
    done(await asking.post(town.collector, f"{PICKUPS}/{released.id}/release", {"reason": "x"}))
    await collect_pickup(town, keys, weighed)
    stops = {stop["pickup_id"]: stop for stop in done(both, 201)["route"]["stops"]}
    repeat = done(await asking.post(town.collector, "/v1/jobs/claim", wish, key="a"), 201)
    again = {stop["pickup_id"]: stop for stop in repeat["route"]["stops"]}
    assert again[str(weighed.id)] == stops[str(weighed.id)]
    assert again[str(released.id)]["address"] == ""
    assert again[str(released.id)]["position"] == {"lat": 3.56, "lon": 98.87}
    await change_pickup(town, weighed.id, collected_at=utc_now() - timedelta(days=1))
    nothing = {"address": "", "note": "", "resident": None}
    rounded = {"position": {"lat": 3.56, "lon": 98.87}}
    repeat = done(await asking.post(town.collector, arrive, {"position": HERE}, key="b"))
    assert repeat == done(arrived) | nothing | rounded


async def test_codes_stand_in_no_remembered_answer_and_are_told_again(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    forged = {"note": '"handover_code":"111111"'}
    for path, body in ((PICKUPS, listing(town, **forged)), (PAYOUTS, payout(town))):
        first = await asking.post(town.resident, path, body, key=path)
        told = done(first, 201)
        code = told.get("payout_code") or told["handover_code"]
        async with town.database.reading() as session:
            query = select(Answer.body).where(Answer.bank_id == town.bank_id, Answer.key == path)
            stored = (await session.exec(query)).one()
        assert len(code) == CODE_DIGITS
        assert code not in stored
        replayed(await asking.post(town.resident, path, body, key=path), first)


def takes_key(needs: Dependant) -> bool:
    named = {header.alias for header in needs.header_params}
    return "Idempotency-Key" in named or any(map(takes_key, needs.dependencies))


def test_every_code_that_an_answer_tells_is_left_out_when_it_is_remembered(app: FastAPI) -> None:
    told = {
        name
        for route in app.router.routes
        if isinstance(route, APIRoute) and takes_key(route.dependant)
        for model in models_in(route.response_model)
        for name in model.model_fields
        if name.endswith(("code", "codes", "secret", "token"))
    }
    assert told - {"channel_code", "cash_needs_code"} == set(CODES)


async def test_a_key_is_not_for_another_request(asking: Asking, town: Town) -> None:
    body = listing(town)
    done(await asking.post(town.resident, PICKUPS, body, key="a"), 201)
    slug = "idempotency_key_reused"
    async with nothing_changes(town):
        other_body = body | {"note": "Pagar biru"}
        refused(await asking.post(town.resident, PICKUPS, other_body, key="a"), 422, slug)
        refused(await asking.post(town.resident, f"{PICKUPS}?x=1", body, key="a"), 422, slug)
        refused(await asking.post(town.resident, PAYOUTS, payout(town), key="a"), 422, slug)


async def test_the_same_key_of_another_person_is_another_request(
    asking: Asking, town: Town
) -> None:
    neighbour = await another(town, Role.RESIDENT)
    mine, theirs = [
        done(await asking.post(who, PICKUPS, listing(town), key="a"), 201)
        for who in (town.resident, neighbour)
    ]
    assert mine["id"] != theirs["id"]
    assert theirs["resident"]["id"] == str(neighbour.id)


async def test_a_malformed_request_does_not_use_the_key_up(asking: Asking, town: Town) -> None:
    bad = listing(town, items=[])
    refused(await asking.post(town.resident, PICKUPS, bad, key="a"), 422, "request_malformed")
    done(await asking.post(town.resident, PICKUPS, listing(town), key="a"), 201)


async def test_a_request_for_what_there_is_not_does_not_use_the_key_up(
    asking: Asking, town: Town
) -> None:
    wish = {"position": HERE, "max_jobs": 1}
    refused(
        await asking.post(town.collector, "/v1/jobs/claim", wish, key="a"), 404, "no_open_pickup"
    )
    await list_pickup(town)
    done(await asking.post(town.collector, "/v1/jobs/claim", wish, key="a"), 201)


@pytest.mark.parametrize("key", ["a", "!", "~", "k" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324"])
async def test_a_key_is_1_to_255_visible_characters(asking: Asking, town: Town, key: str) -> None:
    first = await asking.post(town.resident, PICKUPS, listing(town), key=key)
    done(first, 201)
    replayed(await asking.post(town.resident, PICKUPS, listing(town), key=key), first)


@pytest.mark.parametrize("key", ["", "a b", " a b ", "k" * 256, "k" * 300, "\t", "a\tb"])
async def test_another_key_is_refused(asking: Asking, quiet: Town, key: str) -> None:
    async with nothing_changes(quiet):
        for who, path, body in (
            (quiet.resident, PICKUPS, listing(quiet)),
            (quiet.resident, PAYOUTS, payout(quiet)),
        ):
            answer = await asking.post(who, path, body, key=key)
            refused(answer, 422, "request_malformed", "/Idempotency-Key")


async def test_a_key_of_other_letters_is_refused(asking: Asking, quiet: Town) -> None:
    headers = asking.headers(quiet.resident, None).items()
    raw = [(name.encode(), value.encode()) for name, value in headers]
    raw.append((b"Idempotency-Key", "kunci-é".encode()))
    async with nothing_changes(quiet):
        answer = await asking.client.post(PICKUPS, json=listing(quiet), headers=raw)
    refused(answer, 422, "request_malformed", "/Idempotency-Key")


async def test_what_moves_money_needs_a_key(asking: Asking, town: Town, keys: Keys) -> None:
    await earn(town, keys)
    asked = done(await asking.post(town.resident, PAYOUTS, payout(town)), 201)["id"]
    pickup = await claim_pickup(town, await list_pickup(town))
    act = f"{PAYOUTS}/{asked}"
    requests: list[tuple[Any, str, Any]] = [
        (town.operator, *dropoff(town)),
        (town.collector, f"{PICKUPS}/{pickup.id}/collect", handover(keys, pickup.id)),
        (town.operator, f"{PICKUPS}/{pickup.id}/decide", {"decision": "accept", "reason": "x"}),
        (town.resident, PAYOUTS, payout(town)),
        (town.resident, f"{act}/cancel", None),
        (town.treasurer, f"{act}/approve", None),
        (town.treasurer, f"{act}/reject", {"reason": "x"}),
        (town.treasurer, f"{act}/pay-cash", {"proof": "x"}),
    ]
    async with nothing_changes(town):
        for who, path, body in requests:
            answer = await asking.post(who, path, body, key=None)
            refused(answer, 400, "idempotency_key_missing")


async def twice(request: Callable[[], Any]) -> list[httpx.Response]:
    """The same request two times at once; both answers are the same and good."""
    both: list[httpx.Response] = await asyncio.gather(request(), request())
    assert both[0].status_code == both[1].status_code < 300, [each.text for each in both]
    assert both[0].json() == both[1].json()
    assert sorted("Idempotency-Replayed" in each.headers for each in both) == [False, True]
    return both


async def test_two_listings_at_once_are_one_pickup(asking: Asking, town: Town) -> None:
    await twice(lambda: asking.post(town.resident, PICKUPS, listing(town), key="a"))
    assert await pickups_of(town) == 1


async def test_two_drop_offs_at_once_are_credited_once(asking: Asking, town: Town) -> None:
    path, body = dropoff(town)
    await twice(lambda: asking.post(town.operator, path, body, key="a"))
    assert await available_idr(asking, town) == 13_000


async def test_two_weighings_at_once_are_credited_once(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path, body = f"{PICKUPS}/{pickup.id}/collect", handover(keys, pickup.id)
    await twice(lambda: asking.post(town.collector, path, body, key="a"))
    assert await available_idr(asking, town) == 12_370


async def test_two_requests_for_money_at_once_are_held_once(
    asking: Asking, town: Town, keys: Keys
) -> None:
    earned = await earn(town, keys)
    await twice(lambda: asking.post(town.resident, PAYOUTS, payout(town, 1_000), key="a"))
    await twice(lambda: asking.post(town.resident, PAYOUTS, payout(town, earned - 1_000), key="b"))
    assert await available_idr(asking, town) == 0


async def test_two_cash_payments_at_once_are_paid_once(
    asking: Asking, town: Town, keys: Keys
) -> None:
    earned = await earn(town, keys)
    asked = done(await asking.post(town.resident, PAYOUTS, payout(town)), 201)["id"]
    act = f"{PAYOUTS}/{asked}"
    await twice(lambda: asking.post(town.treasurer, f"{act}/approve", key="a"))
    await twice(lambda: asking.post(town.treasurer, f"{act}/pay-cash", {"proof": "1"}, key="b"))
    assert await available_idr(asking, town) == earned - 10_000
    trial = await asking.get(town.treasurer, f"/v1/banks/{town.bank_id}/ledger/trial-balance")
    cash = [each for each in done(trial)["items"] if each["account"] == "cash:main"]
    assert [each["credit"] for each in cash] == [10_000]


async def test_two_wishes_for_jobs_at_once_claim_once(asking: Asking, town: Town) -> None:
    for _ in range(4):
        await list_pickup(town)
    wish = {"position": HERE, "max_jobs": 2}
    both = await twice(lambda: asking.post(town.collector, "/v1/jobs/claim", wish, key="a"))
    stops = both[0].json()["route"]["stops"]
    held = done(await asking.get(town.collector, PICKUPS, status="claimed"))["items"]
    assert {each["id"] for each in held} == {stop["pickup_id"] for stop in stops}


async def test_two_registrations_at_once_make_one_member(asking: Asking, town: Town) -> None:
    path = f"/v1/banks/{town.bank_id}/members"
    body = {"phone": new_phone(), "name": "Siti"}
    await twice(lambda: asking.post(town.operator, path, body, key="a"))
    found = done(await asking.get(town.operator, path, phone=body["phone"]))["items"]
    assert len(found) == 1


async def test_who_comes_while_the_first_is_being_answered_gets_its_answer(
    asking: Asking, town: Town
) -> None:
    path, body = dropoff(town)
    content = json.dumps(body).encode()
    headers = asking.headers(town.operator, "a") | {"Content-Type": "application/json"}
    first = {"credited_idr": 13_000, "from": "the first"}
    async with town.database.transaction() as session:
        # The first request as it stands before its commit: its answer is written.
        session.add(
            Answer(
                bank_id=town.bank_id,
                person_id=town.operator.id,
                key="a",
                request_hash=hashlib.sha256(f"POST {path}?\n".encode() + content).hexdigest(),
                status=201,
                body=json.dumps(first),
            )
        )
        await session.flush()
        second = asyncio.create_task(asking.client.post(path, content=content, headers=headers))
        await someone_waits(town.database)
        assert not second.done()
    answer = await second
    assert done(answer, 201) == first
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert await available_idr(asking, town) == 0


async def test_if_the_first_fails_the_one_that_waited_does_it(asking: Asking, town: Town) -> None:
    path, body = dropoff(town)
    waiting: asyncio.Task[httpx.Response] | None = None
    with pytest.raises(RuntimeError, match="the power went"):
        async with town.database.transaction() as session:
            session.add(
                Answer(
                    bank_id=town.bank_id,
                    person_id=town.operator.id,
                    key="a",
                    request_hash="",
                    status=201,
                    body="{}",
                )
            )
            await session.flush()
            waiting = asyncio.create_task(asking.post(town.operator, path, body, key="a"))
            await someone_waits(town.database)
            raise RuntimeError("the power went")
    assert waiting is not None
    answer = await waiting
    done(answer, 201)
    assert "Idempotency-Replayed" not in answer.headers
    assert await available_idr(asking, town) == 13_000


async def test_a_key_is_kept_apart_by_bank_for_who_works_in_two(asking: Asking, town: Town) -> None:
    far = await make_town(town.database)
    join = await asking.post(town.resident, f"/v1/banks/{far.bank_id}/join", key=None)
    done(join, 201)
    first = await asking.post(town.resident, PICKUPS, listing(town), key="a")
    done(first, 201)
    answer = await asking.post(town.resident, PICKUPS, listing(far), key="a")
    refused(answer, 422, "idempotency_key_reused")
    replayed(await asking.post(town.resident, PICKUPS, listing(town), key="a"), first)


async def test_nobody_gets_an_answer_by_knowing_the_key(asking: Asking, town: Town) -> None:
    key = str(uuid4())
    done(await asking.post(town.resident, PICKUPS, listing(town), key=key), 201)
    answer = await asking.post(None, PICKUPS, listing(town), key=key)
    refused(answer, 401, "no_valid_token")
    answer = await asking.post(town.collector, PICKUPS, listing(town), key=key)
    refused(answer, 403, "not_allowed")
