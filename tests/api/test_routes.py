"""Routes over HTTP: as they stand, with one job more, as GeoJSON and as a picture."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from models.base import utc_now
from models.people import Person, Role
from models.pickup import Pickup
from routing.geo import Point
from service.claims import label_of
from service.keys import Keys
from tests.api.asking import HERE, Asking, done, nothing_changes, refused
from tests.factories import (
    LUBUK_PAKAM,
    Town,
    another,
    change_pickup,
    claim_pickup,
    collect_pickup,
    list_pickup,
    make_town,
    phone_of,
    reload,
)


def north(metres: float) -> Point:
    return Point(LUBUK_PAKAM.lat + metres / 111_195, LUBUK_PAKAM.lon)


async def a_route(asking: Asking, town: Town, jobs: int = 3, who: Person | None = None) -> str:
    wish = {"position": HERE, "max_jobs": jobs}
    answer = await asking.post(who or town.collector, "/v1/jobs/claim", wish)
    return str(done(answer, 201)["route"]["id"])


async def route_of(asking: Asking, town: Town, route_id: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = done(
        await asking.get(town.collector, f"/v1/routes/{route_id}", **query)
    )
    return answer


async def test_a_route_says_what_is_left_and_when(asking: Asking, town: Town, keys: Keys) -> None:
    listed = [await list_pickup(town, at=north(metres)) for metres in (400, 800, 1_200)]
    route_id = await a_route(asking, town)
    route = await route_of(asking, town, route_id)
    # Nobody agreed to have the place kept.
    assert (route["status"], route["done"], route["start_is_rounded"]) == ("running", [], True)
    stops, home = route["halts"][:-1], route["halts"][-1]
    assert [stop["pickup_id"] for stop in stops] == [str(pickup.id) for pickup in listed]
    assert [stop["sequence"] for stop in stops] == [1, 2, 3]
    assert [stop["load_grams"] for stop in stops] == [5_000, 10_000, 15_000]
    assert home["kind"] == "bank"
    assert route["total_m"] == sum(halt["leg_m"] for halt in route["halts"])
    assert [halt["eta"] for halt in route["halts"]] == sorted(h["eta"] for h in route["halts"])
    await collect_pickup(town, keys, await reload(town, listed[0]))
    route = await route_of(asking, town, route_id)
    assert (route["done"], route["start_is_rounded"]) == ([str(listed[0].id)], False)
    assert [halt["sequence"] for halt in route["halts"]] == [2, 3, None]
    assert route["start"]["lat"] == pytest.approx(listed[0].lat)


async def test_it_is_done_when_nothing_is_left(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await list_pickup(town)
    route_id = await a_route(asking, town)
    await collect_pickup(town, keys, await reload(town, pickup))
    route = await route_of(asking, town, route_id)
    assert (route["status"], route["halts"], route["total_m"]) == ("done", [], 0)


async def test_a_full_vehicle_unloads_on_the_way(asking: Asking, town: Town) -> None:
    for metres in (400, 800, 1_200):
        await list_pickup(town, at=north(metres))
    route_id = await a_route(asking, town)
    route = await route_of(asking, town, route_id, capacity_grams=10_000)
    kinds = [halt["kind"] for halt in route["halts"]]
    assert kinds == ["stop", "stop", "bank", "stop", "bank"]


async def test_who_is_there_only_later_waits_for_nobody_else(asking: Asking, town: Town) -> None:
    later, far = await list_pickup(town, at=north(400)), await list_pickup(town, at=north(1_200))
    opens, closes = utc_now() + timedelta(hours=2), utc_now() + timedelta(hours=4)
    await change_pickup(town, later.id, window_start=opens, window_end=closes)
    wish = {"position": HERE, "max_jobs": 2}
    claimed = done(await asking.post(town.collector, "/v1/jobs/claim", wish), 201)["route"]
    first, second = claimed["stops"]
    assert [first["pickup_id"], second["pickup_id"]] == [str(far.id), str(later.id)]
    assert first["begin"] == first["eta"]
    assert (second["begin"] > second["eta"], second["late_min"]) == (True, 0)
    path = f"/v1/routes/{claimed['id']}"
    told = done(await asking.get(town.collector, f"{path}.geojson"))["features"][2]["properties"]
    drawn = await asking.get(town.collector, f"{path}.svg", language="en")
    assert (told["begin"][-1], told["eta"][-1]) == ("Z", "Z")
    begins = datetime.fromisoformat(told["begin"])
    assert timedelta() <= begins - opens <= timedelta(seconds=1)
    assert datetime.fromisoformat(told["eta"]) < begins - timedelta(hours=1)
    assert f"{begins.astimezone(ZoneInfo('Asia/Jakarta')):%H:%M} · 5 kg" in drawn.text


def test_a_stop_says_when_it_begins_and_on_which_day() -> None:
    there = datetime(2026, 11, 28, 9, 2, tzinfo=UTC)
    same, other = there + timedelta(hours=1), there + timedelta(days=5)
    assert label_of(there, there, 5_000, "id") == "09:02 · 5 kg"
    assert label_of(there, same, 5_000, "id") == "09:02, mulai 10:02 · 5 kg"
    assert label_of(there, other, 5_000, "en") == "09:02, begins 3/12 09:02 · 5 kg"


async def test_who_comes_after_the_window_is_named_late(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town, at=north(4_000))
    now = utc_now()
    await change_pickup(town, pickup.id, window_start=now, window_end=now + timedelta(minutes=9))
    claimed = done(
        await asking.post(town.collector, "/v1/jobs/claim", {"position": HERE, "max_jobs": 1}), 201
    )["route"]
    # 4 km are 6.05 km of road at 20 km/h: 18.2 minutes.
    assert claimed["stops"][0]["late_min"] in (9, 10)
    route = await route_of(asking, town, claimed["id"])
    assert route["halts"][0]["late_min"] in (9, 10)


async def test_one_more_job_says_what_it_adds_and_then_adds_it(asking: Asking, town: Town) -> None:
    near = await list_pickup(town, at=north(400))
    far = await list_pickup(town, at=north(2_000))
    route_id = await a_route(asking, town, 2)
    between = await list_pickup(town, at=north(1_000))
    path = f"/v1/routes/{route_id}/insertion"
    more = done(await asking.get(town.collector, path, pickup_id=between.id))
    assert more["after_pickup_id"] == str(near.id)
    assert more["late"] == []
    assert 0 < more["added_m"] < 700
    assert more["collector_fee_idr"] > 0
    assert (await reload(town, between)).status == "open"
    before = await route_of(asking, town, route_id)
    body = {"pickup_id": str(between.id)}
    route = done(await asking.post(town.collector, f"/v1/routes/{route_id}/stops", body))
    order = [halt["pickup_id"] for halt in route["halts"][:-1]]
    assert order == [str(near.id), str(between.id), str(far.id)]
    assert route["total_m"] - before["total_m"] == more["added_m"]
    claimed = await reload(town, between)
    assert (claimed.status, claimed.route_sequence) == ("claimed", 2)
    assert claimed.leg_m == pytest.approx(1.45 * 600 + 250, abs=5)


async def test_what_is_not_open_is_not_added(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    route_id = await a_route(asking, town, 1)
    taken = await claim_pickup(
        town, await list_pickup(town), by=await another(town, Role.COLLECTOR)
    )
    body = {"pickup_id": str(taken.id)}
    async with nothing_changes(town):
        answer = await asking.post(town.collector, f"/v1/routes/{route_id}/stops", body)
        refused(answer, 409, "pickup_not_open")
        path = f"/v1/routes/{route_id}/insertion"
        answer = await asking.get(town.collector, path, pickup_id=taken.id)
        refused(answer, 409, "pickup_not_open")
        body = {"pickup_id": str(uuid4())}
        answer = await asking.post(town.collector, f"/v1/routes/{route_id}/stops", body)
        refused(answer, 404, "no_such_thing")


async def test_a_limit_holds_for_one_more_job_as_well(asking: Asking, town: Town) -> None:
    strict = await make_town(town.database, max_held_jobs=1)
    await list_pickup(strict)
    route_id = await a_route(asking, strict, 1)
    body = {"pickup_id": str((await list_pickup(strict)).id)}
    async with nothing_changes(strict):
        answer = await asking.post(strict.collector, f"/v1/routes/{route_id}/stops", body)
    refused(answer, 409, "too_many_jobs_held")


async def test_a_route_is_its_collectors_and_the_officers(asking: Asking, town: Town) -> None:
    more = await list_pickup(town), await list_pickup(town)
    route_id = await a_route(asking, town, 1)
    second = await another(town, Role.COLLECTOR)
    stranger = (await make_town(town.database)).operator
    for path in ("", ".geojson", ".svg"):
        address = f"/v1/routes/{route_id}{path}"
        assert (await asking.get(town.operator, address)).status_code == 200
        for who in (second, stranger):
            refused(await asking.get(who, address), 404, "no_such_thing")
        for who in (town.resident, town.city):
            refused(await asking.get(who, address), 403, "not_allowed")
        refused(await asking.get(None, address), 401, "no_valid_token")
    (left,) = [one for one in more if (await reload(town, one)).status == "open"]
    body = {"pickup_id": str(left.id)}
    async with nothing_changes(town):
        answer = await asking.post(town.operator, f"/v1/routes/{route_id}/stops", body)
        refused(answer, 403, "not_allowed")


async def test_the_list_is_newest_first_and_ones_own(asking: Asking, town: Town) -> None:
    for _ in range(3):
        await list_pickup(town)
    mine = [await a_route(asking, town, 1) for _ in range(2)]
    second = await another(town, Role.COLLECTOR)
    theirs = await a_route(asking, town, 1, second)
    pages = await asking.walk(town.collector, "/v1/routes", limit=1)
    assert [route["id"] for page in pages for route in page] == mine[::-1]
    everybody = done(await asking.get(town.treasurer, "/v1/routes"))["items"]
    assert [route["id"] for route in everybody] == [theirs, *mine[::-1]]
    assert done(await asking.get(town.resident, "/v1/routes"))["items"] == []


async def _one_with_a_name(asking: Asking, town: Town) -> tuple[str, Pickup]:
    pickup = await list_pickup(town, at=north(700))
    return await a_route(asking, town, 1), pickup


async def test_as_geojson_longitude_comes_first(asking: Asking, town: Town) -> None:
    route_id, pickup = await _one_with_a_name(asking, town)
    answer = await asking.get(town.collector, f"/v1/routes/{route_id}.geojson")
    assert answer.headers["Content-Type"] == "application/geo+json"
    line, stop, home = done(answer)["features"]
    assert line["geometry"]["type"] == "LineString"
    assert line["properties"]["start_is_rounded"] is True
    assert len(line["geometry"]["coordinates"]) == 3
    assert stop["geometry"]["coordinates"] == [pickup.lon, pickup.lat]
    assert stop["properties"]["pickup_id"] == str(pickup.id)
    assert home["properties"]["kind"] == "bank"
    assert "Diponegoro" not in answer.text


async def test_as_a_picture_it_holds_no_address(asking: Asking, town: Town) -> None:
    route_id, pickup = await _one_with_a_name(asking, town)
    answer = await asking.get(town.collector, f"/v1/routes/{route_id}.svg", language="en")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.text.startswith("<svg")
    assert " km · 1 stop · 5 kg" in answer.text
    path, bahasa = f"/v1/routes/{route_id}.svg", {"Accept-Language": "id-ID"}
    told = await asking.client.get(path, headers=asking.headers(town.collector) | bahasa)
    assert "garis menebal" in told.text
    assert " km · 1 perhentian · 5 kg" in told.text
    assert "lines thicken" in (await asking.get(town.collector, path)).text
    for secret in ("Diponegoro", phone_of(town.resident), town.resident.name, str(pickup.id)):
        assert secret not in answer.text


@pytest.mark.parametrize("query", [{"capacity_grams": 0}, {"capacity_grams": "x"}])
async def test_malformed_questions_are_refused(
    asking: Asking, town: Town, query: dict[str, Any]
) -> None:
    answer = await asking.get(town.collector, f"/v1/routes/{UUID(int=1)}", **query)
    refused(answer, 422, "request_malformed", "/capacity_grams")
