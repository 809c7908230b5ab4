"""Who sees what of a resident, and when no longer."""

from datetime import timedelta
from typing import Any

import pytest

from models.base import utc_now
from models.people import Role
from models.pickup import Pickup
from routing.geo import Point
from service.keys import Keys
from tests.api.asking import HERE, Asking, done, handover, listing, nothing_changes, refused
from tests.factories import (
    Town,
    another,
    change_pickup,
    claim_pickup,
    collect_pickup,
    list_pickup,
    make_town,
    phone_of,
)

FAR = HERE | {"lat": HERE["lat"] + 0.01}
PRIVATE = ("Siti Aminah", "Diponegoro", "Pagar hijau")


async def list_with_a_name(asking: Asking, town: Town) -> dict[str, Any]:
    """A listing by somebody whose name, address and note are easily found in an answer."""
    headers = asking.headers(town.resident, None)
    done(await asking.client.patch("/v1/me", json={"name": PRIVATE[0]}, headers=headers))
    pickup: dict[str, Any] = done(
        await asking.post(town.resident, "/v1/pickups", listing(town)), 201
    )
    return pickup


async def test_the_board_shows_no_name_phone_address_note_or_code(
    asking: Asking, town: Town
) -> None:
    pickup = await list_with_a_name(asking, town)
    board = await asking.get(town.collector, "/v1/jobs/nearest", **HERE)
    (job,) = done(board)["items"]
    assert set(job) == {
        "pickup_id",
        "bank_id",
        "distance_m",
        "position",
        "area",
        "estimated_grams",
        "estimate_idr",
        "road_m",
        "road_s",
        "road_is_estimate",
        "why",
        "collector_fee_idr",
        "window",
        "waiting_s",
    }
    secrets = (*PRIVATE, phone_of(town.resident), str(town.resident.id), pickup["handover_code"])
    for secret in secrets:
        assert secret not in board.text.replace(job["pickup_id"], "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_houses_of_one_place_can_not_be_told_apart_before_the_claim(
    asking: Asking, town: Town
) -> None:
    """From wherever somebody looks, and however far: or they would find the door by it."""
    for lat, lon in ((3.56349, 98.87049), (3.56251, 98.86951)):
        await list_pickup(town, at=Point(lat, lon))
    for lat, within_m in ((3.5629, 50), (3.56, 333), (3.56, 339), (3.5, None), (3.6, 4_110)):
        query = {"lat": lat, "lon": 98.87} | ({"within_m": within_m} if within_m else {})
        items = done(await asking.get(town.collector, "/v1/jobs/nearest", **query))["items"]
        same = [
            {name: value for name, value in job.items() if name not in ("pickup_id", "waiting_s")}
            for job in items
        ]
        assert len(same) in (0, 2)
        if same:
            one, other = (job | {"why": None, "window": None} for job in same)
            assert one == other
            assert one["position"] == {"lat": 3.563, "lon": 98.87}


async def test_the_route_gives_the_address_but_no_name_phone_or_code(
    asking: Asking, town: Town
) -> None:
    pickup = await list_with_a_name(asking, town)
    answer = await asking.post(town.collector, "/v1/jobs/claim", {"position": HERE})
    (stop,) = done(answer, 201)["route"]["stops"]
    assert stop["address"] == "Jl. Diponegoro 12, Lubuk Pakam"
    for secret in (PRIVATE[0], phone_of(town.resident)):
        assert secret not in answer.text
    assert "handover_code" not in answer.text
    assert stop["pickup_id"] == pickup["id"]


async def test_who_has_no_part_in_a_pickup_does_not_see_it(asking: Asking, town: Town) -> None:
    held = await claim_pickup(town, await list_pickup(town))
    unclaimed = await list_pickup(town)
    far = await make_town(town.database)
    strangers = [
        await another(town, Role.COLLECTOR),
        await another(town, Role.RESIDENT),
        far.resident,
        far.collector,
        far.operator,
    ]
    for stranger in strangers:
        for pickup in (held, unclaimed):
            answer = await asking.get(stranger, f"/v1/pickups/{pickup.id}")
            refused(answer, 404, "no_such_thing")
            assert "Diponegoro" not in answer.text
        assert done(await asking.get(stranger, "/v1/pickups"))["items"] == []


async def test_a_collector_does_not_see_an_open_pickup_before_the_claim(
    asking: Asking, town: Town
) -> None:
    pickup = await list_pickup(town)
    path = f"/v1/pickups/{pickup.id}"
    refused(await asking.get(town.collector, path), 404, "no_such_thing")
    done(await asking.post(town.collector, f"{path}/claim"))
    seen = done(await asking.get(town.collector, path))
    assert seen["resident"]["phone"] == phone_of(town.resident)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_collector_sees_nothing_of_the_resident_once_the_day_is_over(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await collect_pickup(town, keys, pickup)
    path = f"/v1/pickups/{pickup.id}"
    today = done(await asking.get(town.collector, path))
    assert today["resident"]["phone"] == town.resident.phone
    await change_pickup(town, pickup.id, collected_at=utc_now() - timedelta(days=1))
    later = done(await asking.get(town.collector, path))
    (listed,) = done(await asking.get(town.collector, "/v1/pickups"))["items"]
    assert later == listed
    gone = {"resident": None, "address": "", "note": "", "position": {"lat": 3.56, "lon": 98.87}}
    assert later == today | gone | {"collected_at": later["collected_at"]}
    for who in (town.resident, town.operator):
        seen = done(await asking.get(who, path))
        assert seen["resident"]["phone"] == town.resident.phone
        assert "Diponegoro" in seen["address"]


async def test_a_collector_sees_nothing_of_who_cancelled(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path = f"/v1/pickups/{pickup.id}"
    done(await asking.post(town.resident, f"{path}/cancel", {"reason": "sudah dibawa sendiri"}))
    seen = done(await asking.get(town.collector, path))
    assert (seen["resident"], seen["address"], seen["status"]) == (None, "", "cancelled")


async def seen_codes(asking: Asking, town: Town, pickup: Pickup) -> list[str | None]:
    """The code as resident, collector, operator and treasurer see it."""
    people = (town.resident, town.collector, town.operator, town.treasurer)
    path = f"/v1/pickups/{pickup.id}"
    return [done(await asking.get(who, path))["handover_code"] for who in people]


async def test_only_the_resident_sees_the_handover_code(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    code = keys.handover_code(pickup.id)
    assert await seen_codes(asking, town, pickup) == [code, None, None, None]
    for who in (town.collector, town.operator):
        listed = done(await asking.get(who, "/v1/pickups"))["items"]
        assert [each["handover_code"] for each in listed] == [None]
    arrived = await asking.post(
        town.collector, f"/v1/pickups/{pickup.id}/arrive", {"position": HERE}
    )
    assert done(arrived)["handover_code"] is None
    await collect_pickup(town, keys, pickup)
    assert (await seen_codes(asking, town, pickup))[1:] == [None, None, None]


@pytest.mark.parametrize(
    ("arriving", "weighing_at", "off_m"),
    [(HERE, FAR, 0), (FAR, HERE, 1_112), (None, FAR, 1_112), (None, None, None)],
    ids=["arrived here", "arrived far off", "weighed far off", "never said"],
)
async def test_officers_see_how_far_off_a_collector_was(
    asking: Asking,
    town: Town,
    keys: Keys,
    arriving: dict[str, float] | None,
    weighing_at: dict[str, float] | None,
    off_m: int | None,
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path = f"/v1/pickups/{pickup.id}"
    if arriving:
        told = done(await asking.post(town.collector, f"{path}/arrive", {"position": arriving}))
        assert told["arrived_off_m"] is None
    body = handover(keys, pickup.id, position=weighing_at)
    done(await asking.post(town.collector, f"{path}/collect", body))
    seen = {
        who.id: done(await asking.get(who, path))["arrived_off_m"]
        for who in (town.operator, town.resident, town.collector)
    }
    assert seen == {town.operator.id: off_m, town.resident.id: None, town.collector.id: None}


async def test_no_refusal_tells_the_handover_code(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    code = keys.handover_code(pickup.id)
    body = handover(keys, pickup.id, handover_code=f"{(int(code) + 1) % 1_000_000:06d}")
    answer = await asking.post(town.collector, f"/v1/pickups/{pickup.id}/collect", body)
    refused(answer, 409, "wrong_handover_code")
    assert code not in answer.json()["detail"]


async def test_after_giving_back_a_collector_sees_no_more(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path = f"/v1/pickups/{pickup.id}"
    released = await asking.post(town.collector, f"{path}/release", {"reason": "jauh"})
    for secret in ("Diponegoro", phone_of(town.resident)):
        assert secret not in released.text
    refused(await asking.get(town.collector, path), 404, "no_such_thing")
    assert done(await asking.get(town.collector, "/v1/pickups"))["items"] == []


async def test_after_losing_a_claim_to_another_a_collector_sees_no_more(
    asking: Asking, town: Town
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    path = f"/v1/pickups/{pickup.id}"
    done(await asking.post(town.collector, f"{path}/release", {"reason": "jauh"}))
    second = await another(town, Role.COLLECTOR)
    done(await asking.post(second, f"{path}/claim"))
    refused(await asking.get(town.collector, path), 404, "no_such_thing")
    done(await asking.get(second, path))


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_a_payout_is_seen_by_its_resident_and_the_officers_only(
    asking: Asking, town: Town, keys: Keys, role: Role
) -> None:
    await collect_pickup(town, keys, await claim_pickup(town, await list_pickup(town)))
    body = {"bank_id": str(town.bank_id), "amount_idr": 10_000}
    asked = done(await asking.post(town.resident, "/v1/payouts", body), 201)["id"]
    stranger = await another(town, role)
    async with nothing_changes(town):
        part = role in (Role.RESIDENT, Role.COLLECTOR)
        there = (404, "no_such_thing") if part else (403, "not_allowed")
        refused(await asking.get(stranger, f"/v1/payouts/{asked}"), *there)
        assert done(await asking.get(stranger, "/v1/payouts"))["items"] == []
    for who in (town.resident, town.operator, town.treasurer):
        done(await asking.get(who, f"/v1/payouts/{asked}"))
