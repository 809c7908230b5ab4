"""The price list: in force since when, entered by whom, and never changed afterwards."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.base import utc_now
from models.people import Role
from service.keys import Keys
from tests.api.asking import (
    Asking,
    done,
    item,
    listing,
    nothing_changes,
    refused,
    weighing,
)
from tests.factories import KAIN, KARDUS, PET, Town, make_town

MALFORMED = (422, "request_malformed")


def path_of(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/prices"


def in_days(days: float) -> str:
    return (utc_now() + timedelta(days=days)).isoformat()


def price(**changes: Any) -> dict[str, Any]:
    return {
        "material": PET,
        "condition": "clean",
        "channel": "pickup",
        "price_idr": 3_000,
    } | changes


async def enter(asking: Asking, town: Town, *items: dict[str, Any]) -> None:
    answer = await asking.post(town.operator, path_of(town), {"items": list(items)})
    assert done(answer, 201) == {"entered": len(items)}


async def listed(asking: Asking, town: Town, **query: str) -> dict[tuple[str, str], int]:
    """What the list says, by material and condition; no pair comes twice."""
    items = done(await asking.get(None, path_of(town), **query))["items"]
    found = {(each["material"], each["condition"]): each["price_idr"] for each in items}
    assert len(found) == len(items)
    return found


async def test_anybody_sees_the_prices_of_each_channel(asking: Asking, town: Town) -> None:
    pickup = done(await asking.get(None, path_of(town), channel="pickup"))["items"]
    assert [(each["material"], each["condition"], each["price_idr"]) for each in pickup] == [
        ("KACA-BTL", "clean", 500),
        ("KRD-BGS", "clean", 1_190),
        ("PET-BNG-B", "clean", 2_474),
        ("PET-BNG-B", "dirty", 1_200),
    ]
    assert (pickup[0]["unit"], pickup[0]["grams_per_unit"]) == ("pcs", 400)
    dropoff = await listed(asking, town, channel="dropoff")
    assert dropoff == {(KARDUS, "clean"): 1_250, (PET, "clean"): 2_600}
    assert await listed(asking, town) == await listed(asking, town, channel="pickup")


async def test_a_new_price_is_in_force_at_once_for_its_channel_and_condition_only(
    asking: Asking, town: Town
) -> None:
    await enter(asking, town, price(price_idr=3_000))
    now = await listed(asking, town)
    assert (now[PET, "clean"], now[PET, "dirty"]) == (3_000, 1_200)
    assert (await listed(asking, town, channel="dropoff"))[PET, "clean"] == 2_600


async def test_the_past_stays_and_the_future_is_told(asking: Asking, town: Town) -> None:
    await enter(
        asking,
        town,
        price(price_idr=3_000),
        price(price_idr=4_000, valid_from=in_days(2)),
        price(price_idr=5_000, valid_from=in_days(4)),
    )
    seen = [
        (await listed(asking, town, at=in_days(days))).get((PET, "clean"))
        for days in (-400, -1, 0.01, 1.9, 2.1, 3.9, 4.1, 300)
    ]
    assert seen == [None, 2_474, 3_000, 3_000, 4_000, 4_000, 5_000, 5_000]


async def test_a_price_ends_where_the_next_begins(asking: Asking, town: Town) -> None:
    begins = (utc_now() + timedelta(days=2)).replace(microsecond=0)
    await enter(asking, town, price(price_idr=4_000, valid_from=begins.isoformat()))
    just_before = (begins - timedelta(microseconds=1)).isoformat()
    assert (await listed(asking, town, at=just_before))[PET, "clean"] == 2_474
    assert (await listed(asking, town, at=begins.isoformat()))[PET, "clean"] == 4_000


async def test_two_prices_do_not_begin_at_one_instant(asking: Asking, town: Town) -> None:
    later = in_days(2)
    await enter(asking, town, price(valid_from=later))
    path = path_of(town)
    async with nothing_changes(town):
        again = {"items": [price(price_idr=1), price(material=KARDUS), price(valid_from=later)]}
        refused(
            await asking.post(town.operator, path, again),
            409,
            "price_exists",
            "/items/2/valid_from",
        )
        twice = {"items": [price(valid_from=in_days(3))] * 2}
        refused(
            await asking.post(town.operator, path, twice),
            409,
            "price_exists",
            "/items/1/valid_from",
        )
    assert (await listed(asking, town))[PET, "clean"] == 2_474


async def test_a_price_can_not_begin_in_the_past(asking: Asking, town: Town) -> None:
    before = await listed(asking, town, at=in_days(-0.5))
    body = {"items": [price(material=KARDUS), price(valid_from=in_days(-1))]}
    async with nothing_changes(town):
        answer = await asking.post(town.operator, path_of(town), body)
    refused(answer, 409, "past_price", "/items/1/valid_from")
    assert await listed(asking, town, at=in_days(-0.5)) == before


async def test_a_price_from_a_slow_clock_begins_now_and_not_before(
    asking: Asking, town: Town
) -> None:
    asked = utc_now()
    slow = (asked - timedelta(minutes=4)).isoformat()
    await enter(asking, town, price(valid_from=slow))
    items = done(await asking.get(None, path_of(town)))["items"]
    (entry,) = [each for each in items if each["price_idr"] == 3_000]
    assert datetime.fromisoformat(entry["valid_from"]) >= asked


async def test_null_ends_the_buying(asking: Asking, town: Town) -> None:
    await enter(asking, town, price(price_idr=None))
    assert (PET, "clean") not in await listed(asking, town)
    async with nothing_changes(town):
        answer = await asking.post(town.resident, "/v1/pickups", listing(town))
    refused(answer, 409, "material_not_bought", "/items/0/material")
    await enter(asking, town, price(price_idr=2_000))
    assert (await listed(asking, town))[PET, "clean"] == 2_000


async def test_a_price_of_zero_is_a_price(asking: Asking, town: Town) -> None:
    await enter(asking, town, price(material=KAIN, price_idr=0))
    body = listing(town, items=[item(material=KAIN)])
    assert done(await asking.post(town.resident, "/v1/pickups", body), 201)["estimate_idr"] == 0


async def test_what_may_be_mistyped_is_asked_about_and_nothing_entered(
    asking: Asking, town: Town
) -> None:
    path = path_of(town)
    rows = [
        price(price_idr=2_500),
        price(price_idr=25_000, valid_from=in_days(2)),
        price(material=KARDUS, price_idr=119),
    ]
    async with nothing_changes(town):
        answer = await asking.post(town.operator, path, {"items": rows})
        for line in (1, 2):
            refused(answer, 422, "unusual_price", f"/items/{line}/price_idr")
    meant = {"items": rows, "unusual_confirmed": True}
    assert done(await asking.post(town.operator, path, meant), 201) == {"entered": 3}


async def test_a_slow_clock_is_asked_about_the_price_that_is_in_force(
    asking: Asking, town: Town
) -> None:
    await enter(asking, town, price(price_idr=2_000))
    late = price(price_idr=20_000, valid_from=in_days(-2 / (24 * 60)))
    answer = await asking.post(town.operator, path_of(town), {"items": [late]})
    refused(answer, 422, "unusual_price", "/items/0/price_idr")
    assert "Rp2,000" in answer.json()["errors"][0]["detail"]


async def test_a_pickup_keeps_the_prices_it_was_listed_at(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup = done(await asking.post(town.resident, "/v1/pickups", listing(town)), 201)
    await enter(asking, town, price(price_idr=900), price(material=KARDUS, price_idr=None))
    path = f"/v1/pickups/{pickup['id']}"
    shown = done(await asking.get(town.resident, path))
    assert [line["price_idr"] for line in shown["items"]] == [2_474]
    assert shown["estimate_idr"] == 12_370

    done(await asking.post(town.collector, f"{path}/claim"))
    # What wasn't listed has the price of the day of the listing too.
    lines = [weighing(grams=1_000), weighing(material=KARDUS, grams=1_000)]
    body = {"handover_code": pickup["handover_code"], "weighings": lines}
    collected = done(await asking.post(town.collector, f"{path}/collect", body))
    assert [line["price_idr"] for line in collected["weighings"]] == [2_474, 1_190]


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "negative": ({"price_idr": -1}, "request_malformed", "/items/0/price_idr"),
    "absurd": ({"price_idr": 10**13}, "request_malformed", "/items/0/price_idr"),
    "true": ({"price_idr": True}, "request_malformed", "/items/0/price_idr"),
    "text": ({"price_idr": "3000"}, "request_malformed", "/items/0/price_idr"),
    "a fraction": ({"price_idr": 0.5}, "request_malformed", "/items/0/price_idr"),
    "unknown material": ({"material": "EMAS"}, "unknown_material", "/items/0/material"),
    "empty material": ({"material": ""}, "request_malformed", "/items/0/material"),
    "material with a NUL": ({"material": "\u0000"}, "request_malformed", "/items/0/material"),
    "condition": ({"condition": "wet"}, "request_malformed", "/items/0/condition"),
    "channel": ({"channel": "post"}, "request_malformed", "/items/0/channel"),
    "channel null": ({"channel": None}, "request_malformed", "/items/0/channel"),
    "naive": (
        {"valid_from": "2090-01-01T00:00:00"},
        "request_malformed",
        "/items/0/valid_from",
    ),
    "number": ({"valid_from": 4_000_000_000}, "request_malformed", "/items/0/valid_from"),
    "after the year 9999": (
        {"valid_from": "9999-12-31T23:59:59-01:00"},
        "request_malformed",
        "/items/0/valid_from",
    ),
}


@pytest.mark.parametrize(("changes", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_price_that_can_not_be_is_refused(
    asking: Asking, quiet: Town, changes: dict[str, Any], slug: str, pointer: str
) -> None:
    body = {"items": [price(**changes), price(material=KARDUS)]}
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.operator, path_of(quiet), body)
    refused(answer, 422, slug, pointer)


@pytest.mark.parametrize("items", [[], [price()] * 501, None, {}])
async def test_a_price_list_has_one_to_five_hundred_lines(
    asking: Asking, quiet: Town, items: object
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.operator, path_of(quiet), {"items": items})
    refused(answer, *MALFORMED, "/items")


@pytest.mark.parametrize("field", ["material", "channel", "price_idr"])
async def test_a_price_says_what_for_and_how_much(asking: Asking, quiet: Town, field: str) -> None:
    lacking = {name: value for name, value in price().items() if name != field}
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.operator, path_of(quiet), {"items": [lacking]})
    refused(answer, *MALFORMED, f"/items/0/{field}")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_only_officers_enter_prices(asking: Asking, quiet: Town, role: Role) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(getattr(quiet, role), path_of(quiet), {"items": [price()]})
    refused(answer, 403, "not_allowed")


async def test_officers_of_another_bank_enter_none_here(asking: Asking, town: Town) -> None:
    far = await make_town(town.database)
    async with nothing_changes(town):
        answer = await asking.post(far.operator, path_of(town), {"items": [price()]})
    refused(answer, 403, "not_allowed")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"channel": "post"}, "/channel"),
        ({"channel": ""}, "/channel"),
        ({"at": "now"}, "/at"),
        ({"at": "1700000000"}, "/at"),
        ({"at": "2026-11-22T08:00:00"}, "/at"),
        ({"at": "0001-01-01T00:00:00+07:00"}, "/at"),
        ({"at": "9999-12-31T23:59:59-07:00"}, "/at"),
    ],
)
async def test_a_list_of_no_channel_or_instant_is_refused(
    asking: Asking, quiet: Town, query: dict[str, str], pointer: str
) -> None:
    refused(await asking.get(None, path_of(quiet), **query), *MALFORMED, pointer)


async def test_there_is_no_list_of_a_bank_that_is_none(asking: Asking) -> None:
    refused(await asking.get(None, f"/v1/banks/{uuid4()}/prices"), 404, "no_such_thing")
    refused(await asking.get(None, "/v1/banks/induk/prices"), *MALFORMED, "/bank_id")
