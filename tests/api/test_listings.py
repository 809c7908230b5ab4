"""Listing waste, and taking a listing back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from models.base import utc_now
from models.people import Role
from routing.geo import Point
from service.api.dependencies import Parts
from service.keys import Keys
from tests.api.asking import HERE, Asking, done, item, listing, nothing_changes, refused
from tests.factories import (
    KACA,
    KAIN,
    KARDUS,
    PET,
    Town,
    another,
    claim_pickup,
    collect_pickup,
    list_pickup,
    make_town,
)

PICKUPS = "/v1/pickups"
MALFORMED = (422, "request_malformed")


def in_hours(hours: float) -> str:
    return (utc_now() + timedelta(hours=hours)).isoformat()


def window(start: Any, end: Any) -> dict[str, Any]:
    return {"window": {"start": start, "end": end}}


def at(lat: Any, lon: Any) -> dict[str, Any]:
    return {"position": {"lat": lat, "lon": lon}}


def items(**changes: Any) -> dict[str, Any]:
    return {"items": [item(**changes)]}


async def test_prices_and_the_estimate_are_locked_in_the_listing(
    asking: Asking, town: Town
) -> None:
    lines = [
        item(estimated_grams=2_500),
        item(material=PET, condition="dirty", estimated_grams=1_000),
        item(material=KACA, estimated_grams=1_000),
    ]
    pickup = done(await asking.post(town.resident, PICKUPS, listing(town, items=lines)), 201)
    assert [(line["line"], line["price_idr"]) for line in pickup["items"]] == [
        (0, 2_474),
        (1, 1_200),
        (2, 500),
    ]
    # 2.5 kg at 2,474, 1 kg at 1,200, and 2.5 bottles at 500 each.
    assert pickup["estimate_idr"] == 6_185 + 1_200 + 1_250
    assert pickup["estimated_grams"] == 4_500


async def test_a_listing_without_a_window_is_open_for_a_week(asking: Asking, town: Town) -> None:
    pickup = done(await asking.post(town.resident, PICKUPS, listing(town)), 201)
    start, end = (datetime.fromisoformat(pickup["window"][side]) for side in ("start", "end"))
    assert end - start == timedelta(days=7)
    assert abs(utc_now() - start) < timedelta(minutes=1)


async def test_instants_of_any_zone_are_answered_in_utc(asking: Asking, town: Town) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    body = listing(town, **window(f"{tomorrow}T08:00:00+07:00", f"{tomorrow}T10:30:00+07:00"))
    pickup = done(await asking.post(town.resident, PICKUPS, body), 201)
    assert pickup["window"] == {"start": f"{tomorrow}T01:00:00Z", "end": f"{tomorrow}T03:30:00Z"}
    again = done(await asking.get(town.resident, f"{PICKUPS}/{pickup['id']}"))
    assert again["window"] == pickup["window"]


async def test_an_operator_lists_for_a_resident(asking: Asking, town: Town) -> None:
    body = listing(town, resident_id=str(town.resident.id))
    pickup = done(await asking.post(town.operator, PICKUPS, body), 201)
    assert pickup["resident"]["id"] == str(town.resident.id)
    # Told once, to be handed over: the resident may have no phone to read it on.
    assert len(pickup["handover_code"]) == 6
    later = done(await asking.get(town.operator, f"{PICKUPS}/{pickup['id']}"))
    assert later["handover_code"] is None
    own = done(await asking.get(town.resident, f"{PICKUPS}/{pickup['id']}"))
    assert own["handover_code"] == pickup["handover_code"]


async def test_what_may_be_left_out_may_be_null(asking: Asking, town: Town) -> None:
    pickup = done(await asking.post(town.resident, PICKUPS, {**listing(town), "note": None}), 201)
    assert pickup["note"] == ""


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "north of the pole": (at(91, 98.87), *MALFORMED, "/position/lat"),
    "south of the pole": (at(-90.001, 98.87), *MALFORMED, "/position/lat"),
    "off the globe": (at(3.56, -180.5), *MALFORMED, "/position/lon"),
    "latitude as text": (at("3.56", 98.87), *MALFORMED, "/position/lat"),
    "latitude true": (at(True, 98.87), *MALFORMED, "/position/lat"),
    "latitude null": (at(None, 98.87), *MALFORMED, "/position/lat"),
    "no longitude": ({"position": {"lat": 3.56}}, *MALFORMED, "/position/lon"),
    "position as a list": ({"position": [3.56, 98.87]}, *MALFORMED, "/position"),
    "no position": ({"position": None}, *MALFORMED, "/position"),
    "another island": (at(-6.2, 106.8), 409, "outside_service_area", "/position"),
    "the north pole": (at(90, 0), 409, "outside_service_area", "/position"),
    "latitude and longitude swapped": (at(80.0, 3.56), 409, "outside_service_area", "/position"),
    "window backwards": (
        window(in_hours(5), in_hours(4)),
        422,
        "window_not_possible",
        "/window",
    ),
    "window of no length": (
        window("2090-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
        422,
        "window_not_possible",
        "/window",
    ),
    "window in the past": (
        window(in_hours(-3), in_hours(-1)),
        422,
        "window_not_possible",
        "/window",
    ),
    "window too far ahead": (
        window(in_hours(1), in_hours(24 * 61)),
        422,
        "window_not_possible",
        "/window",
    ),
    "naive start": (window("2026-11-22T08:00:00", in_hours(4)), *MALFORMED, "/window/start"),
    "a day as the start": (window("2026-11-22", in_hours(4)), *MALFORMED, "/window/start"),
    "a number as the start": (window(1_700_000_000, in_hours(4)), *MALFORMED, "/window/start"),
    "a number in text": (window("1700000000", in_hours(4)), *MALFORMED, "/window/start"),
    "words as the end": (window(in_hours(1), "besok"), *MALFORMED, "/window/end"),
    "the 31st of February": (
        window("2027-02-31T08:00:00Z", in_hours(4)),
        *MALFORMED,
        "/window/start",
    ),
    "before the year 1": (
        window("0001-01-01T00:00:00+07:00", in_hours(4)),
        *MALFORMED,
        "/window/start",
    ),
    "after the year 9999": (
        window(in_hours(1), "9999-12-31T23:59:59-07:00"),
        *MALFORMED,
        "/window/end",
    ),
    "end true": (window(in_hours(1), True), *MALFORMED, "/window/end"),
    "no end": ({"window": {"start": in_hours(1)}}, *MALFORMED, "/window/end"),
    "no lines": ({"items": []}, *MALFORMED, "/items"),
    "a thousand lines": ({"items": [item()] * 1_000}, *MALFORMED, "/items"),
    "lines as an object": ({"items": item()}, *MALFORMED, "/items"),
    "a line as text": ({"items": [PET]}, *MALFORMED, "/items/0"),
    "zero grams": (items(estimated_grams=0), *MALFORMED, "/items/0/estimated_grams"),
    "negative grams": (items(estimated_grams=-5_000), *MALFORMED, "/items/0/estimated_grams"),
    "six tonnes": (items(estimated_grams=6_000_000), *MALFORMED, "/items/0/estimated_grams"),
    "absurd grams": (items(estimated_grams=10**30), *MALFORMED, "/items/0/estimated_grams"),
    "half a gram": (items(estimated_grams=1_000.5), *MALFORMED, "/items/0/estimated_grams"),
    "grams as text": (items(estimated_grams="1000"), *MALFORMED, "/items/0/estimated_grams"),
    "grams true": (items(estimated_grams=True), *MALFORMED, "/items/0/estimated_grams"),
    "grams null": (items(estimated_grams=None), *MALFORMED, "/items/0/estimated_grams"),
    "unknown material": (
        items(material="EMAS"),
        422,
        "unknown_material",
        "/items/0/material",
    ),
    "the second line's material": (
        {"items": [item(), item(material="EMAS")]},
        422,
        "unknown_material",
        "/items/1/material",
    ),
    "material that nobody buys": (
        items(material=KAIN),
        409,
        "material_not_bought",
        "/items/0/material",
    ),
    "material only bought clean": (
        items(material=KARDUS, condition="dirty"),
        409,
        "material_not_bought",
        "/items/0/material",
    ),
    "empty material": (items(material=""), *MALFORMED, "/items/0/material"),
    "long material": (items(material="P" * 21), *MALFORMED, "/items/0/material"),
    "material as a number": (items(material=7), *MALFORMED, "/items/0/material"),
    "material with a NUL": (items(material="PET\u0000"), *MALFORMED, "/items/0/material"),
    "wrong condition": (items(condition="wet"), *MALFORMED, "/items/0/condition"),
    "condition null": (items(condition=None), *MALFORMED, "/items/0/condition"),
    "below the minimum weight": (
        items(estimated_grams=999),
        409,
        "below_minimum_weight",
        "/items",
    ),
    "empty address": ({"address": ""}, *MALFORMED, "/address"),
    "long address": ({"address": "a" * 301}, *MALFORMED, "/address"),
    "address with a NUL": ({"address": "Jl. \u0000"}, *MALFORMED, "/address"),
    "address of blanks": ({"address": "   "}, *MALFORMED, "/address"),
    "address that nobody sees": ({"address": "\u200b"}, *MALFORMED, "/address"),
    "address that turns around": ({"address": "Jl. \u202e"}, *MALFORMED, "/address"),
    "address as a number": ({"address": 12}, *MALFORMED, "/address"),
    "address null": ({"address": None}, *MALFORMED, "/address"),
    "long note": ({"note": "a" * 501}, *MALFORMED, "/note"),
    "note with a bell": ({"note": "\u0007"}, *MALFORMED, "/note"),
    "bank as a word": ({"bank_id": "induk"}, *MALFORMED, "/bank_id"),
    "bank as a number": ({"bank_id": 1}, *MALFORMED, "/bank_id"),
    "no such bank": ({"bank_id": str(uuid4())}, 403, "not_allowed", None),
    "resident as a word": ({"resident_id": "saya"}, *MALFORMED, "/resident_id"),
    "another resident": ({"resident_id": str(uuid4())}, 403, "not_allowed", None),
}


@pytest.mark.parametrize(("changes", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_listing_that_can_not_be_is_refused(
    asking: Asking,
    quiet: Town,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.resident, PICKUPS, listing(quiet, **changes))
    refused(answer, status, slug, pointer)


@pytest.mark.parametrize("field", ["bank_id", "address", "items"])
async def test_a_listing_names_its_bank_address_and_lines(
    asking: Asking, quiet: Town, field: str
) -> None:
    body = listing(quiet)
    del body[field]
    async with nothing_changes(quiet):
        refused(await asking.post(quiet.resident, PICKUPS, body), *MALFORMED, f"/{field}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_a_number_that_is_none_is_refused(asking: Asking, quiet: Town, number: str) -> None:
    bodies = {
        "/position/lat": listing(quiet, **at("#", 98.87)),
        "/position/lon": listing(quiet, **at(3.56, "#")),
        "/items/0/estimated_grams": listing(quiet, **items(estimated_grams="#")),
    }
    async with nothing_changes(quiet):
        for pointer, body in bodies.items():
            content = asking.client.build_request("POST", "/", json=body).content
            raw = content.replace(b'"#"', number.encode())
            refused(await asking.post_raw(quiet.resident, PICKUPS, raw), *MALFORMED, pointer)


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.OPERATOR, Role.TREASURER, Role.CITY])
async def test_only_a_resident_lists_for_themselves(
    asking: Asking, quiet: Town, role: Role
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(getattr(quiet, role), PICKUPS, listing(quiet))
    refused(answer, 403, "not_allowed")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_only_an_officer_lists_for_somebody_else(
    asking: Asking, town: Town, role: Role
) -> None:
    neighbour = await another(town, Role.RESIDENT)
    body = listing(town, resident_id=str(neighbour.id))
    async with nothing_changes(town):
        refused(await asking.post(getattr(town, role), PICKUPS, body), 403, "not_allowed")


async def test_an_operator_lists_for_residents_of_this_bank_only(
    asking: Asking, town: Town
) -> None:
    far = await make_town(town.database)
    async with nothing_changes(town):
        for stranger in (far.resident.id, town.collector.id, uuid4()):
            body = listing(town, resident_id=str(stranger))
            answer = await asking.post(town.operator, PICKUPS, body)
            refused(answer, 404, "no_such_thing", "/resident_id")


async def test_a_resident_takes_a_listing_back(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    path = f"{PICKUPS}/{pickup.id}/cancel"
    cancelled = done(await asking.post(town.resident, path, {"reason": "sudah dijual"}))
    assert (cancelled["status"], cancelled["ended_reason"]) == ("cancelled", "sudah dijual")
    async with nothing_changes(town):
        again = await asking.post(town.resident, path, {"reason": "lagi"})
    refused(again, 409, "pickup_already_ended")


async def test_an_operator_takes_a_claimed_listing_back(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path = f"{PICKUPS}/{pickup.id}/cancel"
    assert done(await asking.post(town.operator, path, {"reason": "banjir"}))["status"] == (
        "cancelled"
    )


async def test_what_was_collected_is_not_cancelled(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await collect_pickup(town, keys, pickup)
    async with nothing_changes(town):
        for who in (town.resident, town.operator):
            answer = await asking.post(who, f"{PICKUPS}/{pickup.id}/cancel", {"reason": "batal"})
            refused(answer, 409, "pickup_already_ended")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "a" * 301}, "/reason"),
        ({"reason": "\u0000"}, "/reason"),
        ({"reason": 5}, "/reason"),
        (None, ""),
    ],
)
async def test_a_cancellation_says_why(
    asking: Asking, town: Town, body: object, pointer: str
) -> None:
    pickup = await list_pickup(town)
    async with nothing_changes(town):
        answer = await asking.post(town.resident, f"{PICKUPS}/{pickup.id}/cancel", body)
    refused(answer, *MALFORMED, pointer)


async def test_the_collector_who_holds_a_pickup_can_not_cancel_it(
    asking: Asking, town: Town
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    async with nothing_changes(town):
        answer = await asking.post(
            town.collector, f"{PICKUPS}/{pickup.id}/cancel", {"reason": "jauh"}
        )
    refused(answer, 403, "not_allowed")


class FarAway:
    """Knows of every address that it is on another island."""

    async def locate(self, address: str) -> Point:
        return Point(-6.2, 106.8)


async def test_an_address_outside_of_the_service_area_is_what_is_at_fault(
    asking: Asking, app: FastAPI, parts: Parts, quiet: Town
) -> None:
    app.state.parts = replace(parts, geocoder=FarAway())
    body = {name: value for name, value in listing(quiet).items() if name != "position"}
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.resident, PICKUPS, body)
    refused(answer, 409, "outside_service_area", "/address")


async def test_the_corners_of_the_service_area_are_served(asking: Asking, town: Town) -> None:
    near = {"lat": HERE["lat"] + 0.22, "lon": HERE["lon"]}
    done(await asking.post(town.resident, PICKUPS, listing(town, position=near)), 201)
    far = {"lat": HERE["lat"] + 0.23, "lon": HERE["lon"]}
    answer = await asking.post(town.resident, PICKUPS, listing(town, position=far))
    refused(answer, 409, "outside_service_area")
    assert "look for a waste bank that is nearer" in answer.json()["detail"]
