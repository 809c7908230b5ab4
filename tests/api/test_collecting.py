"""Weighing at the door: the handover code, the claim, and what goes on the scale."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from models.base import utc_now
from models.event import Event
from models.ledger import Journal
from models.people import Person, Role
from models.pickup import Pickup
from models.weighing import HandoverAttempt
from service.keys import Keys
from service.notices import notice_of
from tests.api.asking import Asking, done, handover, nothing_changes, refused, weighing
from tests.factories import (
    KAIN,
    KARDUS,
    PET,
    Town,
    another,
    change_pickup,
    claim_pickup,
    collect_pickup,
    give,
    list_pickup,
    reload,
)

MALFORMED = (422, "request_malformed")
LINE = "/weighings/0"


async def claimed(town: Town) -> Pickup:
    return await claim_pickup(town, await list_pickup(town))


@pytest.fixture(scope="session")
async def held(quiet: Town) -> Pickup:
    """A pickup that stays claimed, for weighings that are refused."""
    return await claimed(quiet)


async def collect(
    asking: Asking, who: Person, pickup: Pickup, body: Any, *, key: str | None = "new"
) -> httpx.Response:
    return await asking.post(who, f"/v1/pickups/{pickup.id}/collect", body, key=key)


async def decide(asking: Asking, who: Person, pickup: Pickup, decision: str) -> httpx.Response:
    body = {"decision": decision, "reason": "sudah ditelepon"}
    return await asking.post(who, f"/v1/pickups/{pickup.id}/decide", body)


def wrong_code(keys: Keys, pickup_id: UUID) -> str:
    return f"{(int(keys.handover_code(pickup_id)) + 1) % 1_000_000:06d}"


async def lock(asking: Asking, town: Town, pickup: Pickup, **changes: Any) -> None:
    """Try the code until no more tries are left."""
    wrong = {"handover_code": wrong_code(asking.keys, pickup.id)} | changes
    for _ in range(Pickup.MAX_CODE_TRIES):
        body = handover(asking.keys, pickup.id, **wrong)
        refused(await collect(asking, town.collector, pickup, body), 409, "wrong_handover_code")


async def available_idr(asking: Asking, town: Town) -> int:
    passbook = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    return int(passbook["available_idr"])


async def test_only_what_was_taken_is_paid(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await claimed(town)
    lines = [
        weighing(grams=4_000, rejected_grams=1_000, reason="basah"),
        weighing(material=KARDUS, grams=0, rejected_grams=500, reason="berminyak"),
        weighing(condition="dirty", grams=1_000),
    ]
    collected = done(
        await collect(asking, town.collector, pickup, handover(keys, pickup.id, weighings=lines))
    )
    assert [line["amount_idr"] for line in collected["weighings"]] == [9_896, 0, 1_200]
    assert collected["credited_idr"] == 11_096
    assert collected["collector_fee_idr"] == 1_000 + 150 * 5
    assert await available_idr(asking, town) == 11_096
    shown = done(await asking.get(town.resident, f"/v1/pickups/{pickup.id}"))
    assert (shown["status"], shown["credited_idr"]) == ("collected", 11_096)


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "nothing weighed": ({"weighings": []}, *MALFORMED, "/weighings"),
    "a thousand lines": ({"weighings": [weighing()] * 1_000}, *MALFORMED, "/weighings"),
    "no list": ({"weighings": weighing()}, *MALFORMED, "/weighings"),
    "weighings null": ({"weighings": None}, *MALFORMED, "/weighings"),
    "an empty line": ({"weighings": [weighing(grams=0)]}, *MALFORMED, LINE),
    "negative grams": ({"weighings": [weighing(grams=-1)]}, *MALFORMED, f"{LINE}/grams"),
    "absurd grams": ({"weighings": [weighing(grams=10**15)]}, *MALFORMED, f"{LINE}/grams"),
    "grams true": ({"weighings": [weighing(grams=True)]}, *MALFORMED, f"{LINE}/grams"),
    "grams as text": ({"weighings": [weighing(grams="5000")]}, *MALFORMED, f"{LINE}/grams"),
    "half a gram": ({"weighings": [weighing(grams=0.5)]}, *MALFORMED, f"{LINE}/grams"),
    "no grams": ({"weighings": [{"material": PET}]}, *MALFORMED, f"{LINE}/grams"),
    "negative rejection": (
        {"weighings": [weighing(rejected_grams=-1)]},
        *MALFORMED,
        f"{LINE}/rejected_grams",
    ),
    "rejected without a reason": (
        {"weighings": [weighing(rejected_grams=10)]},
        *MALFORMED,
        f"{LINE}/reason",
    ),
    "rejected with a blank reason": (
        {"weighings": [weighing(rejected_grams=10, reason="  ")]},
        *MALFORMED,
        f"{LINE}/reason",
    ),
    "long reason": ({"weighings": [weighing(reason="a" * 301)]}, *MALFORMED, f"{LINE}/reason"),
    "reason with a NUL": (
        {"weighings": [weighing(reason="\u0000")]},
        *MALFORMED,
        f"{LINE}/reason",
    ),
    "wrong condition": (
        {"weighings": [weighing(condition="wet")]},
        *MALFORMED,
        f"{LINE}/condition",
    ),
    "material with a NUL": (
        {"weighings": [weighing(material="PET\u0000")]},
        *MALFORMED,
        f"{LINE}/material",
    ),
    "unknown material": (
        {"weighings": [weighing(), weighing(material="EMAS")]},
        422,
        "unknown_material",
        "/weighings/1/material",
    ),
    "material that nobody buys": (
        {"weighings": [weighing(material=KAIN)]},
        409,
        "material_not_bought",
        f"{LINE}/material",
    ),
    "condition that nobody buys": (
        {"weighings": [weighing(material=KARDUS, condition="dirty")]},
        409,
        "material_not_bought",
        f"{LINE}/material",
    ),
    "no code": ({"handover_code": None}, *MALFORMED, "/handover_code"),
    "empty code": ({"handover_code": ""}, *MALFORMED, "/handover_code"),
    "code as a number": ({"handover_code": 123456}, *MALFORMED, "/handover_code"),
    "long code": ({"handover_code": "1" * 13}, *MALFORMED, "/handover_code"),
    "naive instant": ({"collected_at": "2026-11-22T08:00:00"}, *MALFORMED, "/collected_at"),
    "number as instant": ({"collected_at": 1_700_000_000}, *MALFORMED, "/collected_at"),
    "before the listing": (
        {"collected_at": "2020-01-01T00:00:00Z"},
        422,
        "collected_at_not_possible",
        "/collected_at",
    ),
    "in the future": (
        {"collected_at": "2090-01-01T00:00:00Z"},
        422,
        "collected_at_not_possible",
        "/collected_at",
    ),
    "off the globe": (
        {"position": {"lat": 91, "lon": 0}},
        *MALFORMED,
        "/position/lat",
    ),
}


@pytest.mark.parametrize(("changes", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_weighing_that_can_not_be_is_refused(
    asking: Asking,
    quiet: Town,
    held: Pickup,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    body = handover(asking.keys, held.id, **changes)
    async with nothing_changes(quiet):
        refused(await collect(asking, quiet.collector, held, body), status, slug, pointer)


async def test_a_weighing_needs_an_idempotency_key(
    asking: Asking, quiet: Town, held: Pickup
) -> None:
    async with nothing_changes(quiet):
        answer = await collect(
            asking, quiet.collector, held, handover(asking.keys, held.id), key=None
        )
    refused(answer, 400, "idempotency_key_missing")


async def test_nobody_weighs_what_they_do_not_hold(asking: Asking, town: Town, keys: Keys) -> None:
    second = await another(town, Role.COLLECTOR)
    held, unclaimed = await claimed(town), await list_pickup(town)
    async with nothing_changes(town):
        for pickup in (held, unclaimed):
            answer = await collect(asking, second, pickup, handover(keys, pickup.id))
            refused(answer, 409, "claim_not_held")


async def test_a_lapsed_claim_does_not_weigh(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await claimed(town)
    await change_pickup(town, pickup.id, claimed_until=utc_now() - timedelta(seconds=1))
    async with nothing_changes(town):
        answer = await collect(asking, town.collector, pickup, handover(keys, pickup.id))
    refused(answer, 409, "claim_not_held")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert "drop-off" in answer.json()["detail"]


async def test_a_pickup_is_collected_once(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await claimed(town)
    done(await collect(asking, town.collector, pickup, handover(keys, pickup.id)))
    async with nothing_changes(town):
        answer = await collect(asking, town.collector, pickup, handover(keys, pickup.id))
    refused(answer, 409, "pickup_already_collected")


async def test_what_one_collected_another_can_not_collect_again(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup = await claimed(town)
    await collect_pickup(town, keys, pickup)
    second = await another(town, Role.COLLECTOR)
    async with nothing_changes(town):
        answer = await collect(asking, second, pickup, handover(keys, pickup.id))
    refused(answer, 409, "claim_not_held")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OPERATOR, Role.TREASURER, Role.CITY])
async def test_only_collectors_weigh_at_the_door(
    asking: Asking, quiet: Town, held: Pickup, keys: Keys, role: Role
) -> None:
    async with nothing_changes(quiet):
        answer = await collect(asking, getattr(quiet, role), held, handover(keys, held.id))
    refused(answer, 403, "not_allowed")


async def test_a_resident_who_collects_does_not_weigh_for_themselves(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await give(town, town.resident, Role.COLLECTOR)
    pickup = await claim_pickup(town, await list_pickup(town), by=town.resident)
    async with nothing_changes(town):
        answer = await collect(asking, town.resident, pickup, handover(keys, pickup.id))
    refused(answer, 403, "own_weighing")


async def test_a_wrong_code_credits_nothing_and_counts(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    body = handover(asking.keys, pickup.id, handover_code=wrong_code(asking.keys, pickup.id))
    answer = await collect(asking, town.collector, pickup, body)
    refused(answer, 409, "wrong_handover_code")
    assert "4" in answer.json()["detail"]
    assert await available_idr(asking, town) == 0
    after = await reload(town, pickup)
    assert (after.status, after.code_tries) == ("claimed", 1)


@pytest.mark.parametrize("code", ["１２３４５６", "é", "12345", "\u0000", " ", "1234567"])
async def test_what_looks_like_no_code_is_a_wrong_code(
    asking: Asking, town: Town, code: str
) -> None:
    pickup = await claimed(town)
    body = handover(asking.keys, pickup.id, handover_code=code)
    refused(await collect(asking, town.collector, pickup, body), 409, "wrong_handover_code")
    assert await available_idr(asking, town) == 0


async def test_a_mistyped_weight_is_asked_about_before_it_is_paid(
    asking: Asking, town: Town
) -> None:
    pickup = await claimed(town)
    mistyped = handover(asking.keys, pickup.id, weighings=[weighing(grams=50_001)])
    async with nothing_changes(town):
        # Before the code is: a wrong one must not keep a weight that nobody meant.
        wrong = mistyped | {"handover_code": wrong_code(asking.keys, pickup.id)}
        for body in (mistyped, wrong):
            answer = await collect(asking, town.collector, pickup, body, key="mistyped")
            refused(answer, 422, "unusual_weighing", f"{LINE}/grams")
    meant = mistyped | {"unusual_confirmed": True}
    done(await collect(asking, town.collector, pickup, meant, key="mistyped"))


async def test_who_is_asked_about_a_weight_holds_the_job_meanwhile(
    asking: Asking, town: Town
) -> None:
    pickup = await claimed(town)
    mistyped = handover(asking.keys, pickup.id, weighings=[weighing(grams=50_001)])
    for hours, minutes in ((1, 29), (11.9, 5), (13, 0)):
        soon, long_ago = utc_now() + timedelta(seconds=20), utc_now() - timedelta(hours=hours)
        await change_pickup(town, pickup.id, claimed_until=soon, claimed_at=long_ago)
        answer = await collect(asking, town.collector, pickup, mistyped)
        refused(answer, 422, "unusual_weighing", f"{LINE}/grams")
        until = (await reload(town, pickup)).claimed_until
        assert until is not None
        assert until >= max(soon, utc_now() + timedelta(minutes=minutes))
        assert until <= max(soon, long_ago + timedelta(hours=12))


async def test_a_repeated_request_with_a_wrong_code_counts_once(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    body = handover(asking.keys, pickup.id, handover_code=wrong_code(asking.keys, pickup.id))
    for _ in range(7):
        answer = await collect(asking, town.collector, pickup, body, key="same")
        refused(answer, 409, "wrong_handover_code")
    assert (await reload(town, pickup)).code_tries == 1


async def test_the_right_code_after_four_wrong_ones_works(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    wrong = handover(asking.keys, pickup.id, handover_code=wrong_code(asking.keys, pickup.id))
    for _ in range(4):
        await collect(asking, town.collector, pickup, wrong)
    done(await collect(asking, town.collector, pickup, handover(asking.keys, pickup.id)))
    assert await available_idr(asking, town) == 12_370


async def test_after_five_wrong_codes_even_the_right_one_is_refused(
    asking: Asking, town: Town
) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with nothing_changes(town):
        answer = await collect(asking, town.collector, pickup, handover(asking.keys, pickup.id))
    refused(answer, 409, "handover_code_locked")


async def test_officers_hear_once_that_a_weighing_waits_for_them(
    asking: Asking, town: Town
) -> None:
    await give(town, town.operator, Role.TREASURER)
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with town.database.reading() as session:
        query = select(Event).where(
            Event.bank_id == town.bank_id, Event.kind == "pickup_waits_for_decision"
        )
        told = list(await session.exec(query))
    assert {one.person_id for one in told} == {town.operator.id, town.treasurer.id}
    assert len(told) == 2
    (english, indonesian) = (
        notice_of(told[0], Person(phone="+6281", language=one), asking.keys) for one in ("en", "id")
    )
    assert english
    assert "5,000 grams" in english.text
    assert indonesian
    assert "5.000 gram" in indonesian.text


async def test_every_weighing_with_a_wrong_code_is_kept(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with town.database.reading() as session:
        query = select(HandoverAttempt).where(
            HandoverAttempt.bank_id == town.bank_id, HandoverAttempt.pickup_id == pickup.id
        )
        kept = list(await session.exec(query))
    assert len(kept) == 5
    assert {attempt.collector_id for attempt in kept} == {town.collector.id}
    assert all('"grams": 5000' in attempt.weighings for attempt in kept)


async def test_an_operator_accepts_what_the_collector_weighed(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup, weighings=[weighing(grams=4_000)])
    decided = done(await decide(asking, town.operator, pickup, "accept"))
    assert (decided["status"], decided["credited_idr"]) == ("collected", 9_896)
    assert await available_idr(asking, town) == 9_896
    async with nothing_changes(town):
        refused(await decide(asking, town.operator, pickup, "accept"), 409, "nothing_to_decide")


async def test_an_operator_refuses_and_the_job_is_open_with_new_tries(
    asking: Asking, town: Town
) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    assert done(await decide(asking, town.operator, pickup, "refuse"))["status"] == "open"
    assert await available_idr(asking, town) == 0
    second = await another(town, Role.COLLECTOR)
    done(await asking.post(second, f"/v1/pickups/{pickup.id}/claim"))
    done(await collect(asking, second, pickup, handover(asking.keys, pickup.id)))
    assert await available_idr(asking, town) == 12_370


async def test_there_is_nothing_to_decide_before_the_code_is_locked(
    asking: Asking, town: Town
) -> None:
    pickup = await claimed(town)
    async with nothing_changes(town):
        for decision in ("accept", "refuse"):
            answer = await decide(asking, town.operator, pickup, decision)
            refused(answer, 409, "nothing_to_decide")


async def test_only_an_officer_decides(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with nothing_changes(town):
        for who in (town.collector, town.resident, town.city):
            refused(await decide(asking, who, pickup, "accept"), 403, "not_allowed")


async def test_an_operator_sees_what_to_decide_on(asking: Asking, town: Town) -> None:
    other = await claimed(town)
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    waiting = done(await asking.get(town.operator, "/v1/pickups", waits_for_decision=True))
    assert [one["id"] for one in waiting["items"]] == [str(pickup.id)]
    path = f"/v1/pickups/{pickup.id}/attempts"
    sent = done(await asking.get(town.operator, path))["items"]
    assert len(sent) == 5
    assert {line["grams"] for attempt in sent for line in attempt["weighings"]} == {5_000}
    refused(await asking.get(town.collector, path), 403, "not_allowed")
    refused(await asking.get(town.resident, f"/v1/pickups/{other.id}/attempts"), 403, "not_allowed")


async def test_a_weighing_that_waits_for_a_decision_is_not_lost(asking: Asking, town: Town) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with nothing_changes(town):
        for who in (town.resident, town.operator):
            answer = await asking.post(who, f"/v1/pickups/{pickup.id}/cancel", {"reason": "lupa"})
            refused(answer, 409, "waits_for_operator")
    decided = done(await decide(asking, town.operator, pickup, "accept"))
    assert decided["credited_idr"] > 0
    async with town.database.reading() as session:
        query = select(Journal).where(Journal.bank_id == town.bank_id, Journal.kind == "pickup")
        journal = (await session.exec(query)).one()
    assert journal.actor_id == town.operator.id
    assert journal.memo


async def test_nobody_decides_on_a_weighing_of_their_own(asking: Asking, town: Town) -> None:
    await give(town, town.collector, Role.OPERATOR)
    await give(town, town.resident, Role.OPERATOR)
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with nothing_changes(town):
        for who in (town.collector, town.resident):
            refused(await decide(asking, who, pickup, "accept"), 403, "own_weighing")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decision": "maybe", "reason": "x"}, "/decision"),
        ({"decision": True, "reason": "x"}, "/decision"),
        ({"reason": "x"}, "/decision"),
        ({"decision": "accept"}, "/reason"),
        ({"decision": "accept", "reason": ""}, "/reason"),
        ({}, "/decision"),
    ],
)
async def test_a_decision_is_accept_or_refuse_with_a_reason(
    asking: Asking, town: Town, body: dict[str, Any], pointer: str
) -> None:
    pickup = await claimed(town)
    await lock(asking, town, pickup)
    async with nothing_changes(town):
        answer = await asking.post(town.operator, f"/v1/pickups/{pickup.id}/decide", body)
    refused(answer, *MALFORMED, pointer)
