"""Plans over HTTP: asked for, looked at, cancelled, given out; and every refusal."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.base import utc_now
from models.people import Role
from service import plans
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, another, list_pickup, make_town
from tests.planning import asked, worked

MALFORMED = (422, "request_malformed")


def path(town: Town, *more: object) -> str:
    return "/".join([f"/v1/banks/{town.bank_id}/plans", *map(str, more)])


def body(town: Town, **changes: Any) -> dict[str, Any]:
    now = utc_now()
    shift = {"start": now.isoformat(), "end": (now + timedelta(hours=8)).isoformat()}
    vehicle = {"collector_id": str(town.collector.id), "shift": shift, "capacity_grams": 300_000}
    return {"vehicles": [vehicle | changes.pop("vehicle", {})], **changes}


async def test_asked_worked_out_and_given_out(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    plan = done(await asking.post(town.operator, path(town), body(town)), 201)
    assert (plan["status"], plan["progress"], plan["vehicles"]) == ("queued", 0.0, None)
    await plans.Desk(town.database).work_one([town.bank_id])
    plan = done(await asking.get(town.operator, path(town, plan["id"])))
    assert (plan["status"], plan["progress"], plan["unserved"]) == ("done", 1.0, [])
    (vehicle,) = plan["vehicles"]
    (visit,) = vehicle["trips"][0]["visits"]
    assert vehicle["collector_id"] == str(town.collector.id)
    assert (visit["pickup_id"], visit["sequence"]) == (str(pickup.id), 1)
    assert visit["arrival"] <= visit["begin"] < visit["departure"] <= vehicle["trips"][0]["ends"]
    given = done(await asking.post(town.operator, path(town, plan["id"], "apply")))
    assert given["given"] == [str(pickup.id)]
    mine = done(await asking.get(town.collector, f"/v1/pickups/{pickup.id}"))
    assert mine["status"] == "claimed"


async def test_the_list_is_newest_first(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    made = [str((await asked(town)).id) for _ in range(3)]
    pages = await asking.walk(town.treasurer, path(town), limit=2)
    assert [plan["id"] for page in pages for plan in page] == made[::-1]
    assert [len(page) for page in pages] == [2, 1]


async def test_a_repeat_asks_once(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    wanted = body(town)
    first = done(await asking.post(town.operator, path(town), wanted, key="k"), 201)
    again = await asking.post(town.operator, path(town), wanted, key="k")
    assert done(again, 201) == first
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_cancelled_it_can_not_be_cancelled_again(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    plan = await asked(town)
    cancelled = done(await asking.post(town.operator, path(town, plan.id, "cancel")))
    assert cancelled["status"] == "cancelled"
    async with nothing_changes(town):
        again = await asking.post(town.operator, path(town, plan.id, "cancel"))
        applied = await asking.post(town.operator, path(town, plan.id, "apply"))
    refused(again, 409, "plan_ended")
    refused(applied, 409, "plan_not_done")


async def test_given_out_it_can_not_be_given_out_again(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    plan = await worked(town)
    done(await asking.post(town.operator, path(town, plan.id, "apply")))
    again = await asking.post(town.operator, path(town, plan.id, "apply"))
    refused(again, 409, "plan_already_applied")


async def test_only_officers_plan(asking: Asking, town: Town) -> None:
    await list_pickup(town)
    plan = await asked(town)
    stranger = (await make_town(town.database)).operator
    async with nothing_changes(town):
        for who in (town.resident, town.collector, town.city, stranger):
            refused(await asking.post(who, path(town), body(town)), 403, "not_allowed")
            for call in ("cancel", "apply"):
                answer = await asking.post(who, path(town, plan.id, call))
                refused(answer, 403, "not_allowed")
            refused(await asking.get(who, path(town, plan.id)), 403, "not_allowed")
            refused(await asking.get(who, path(town)), 403, "not_allowed")
        refused(await asking.post(None, path(town), body(town)), 401, "no_valid_token")


async def test_what_is_not_there_is_not_found(asking: Asking, town: Town) -> None:
    other = await make_town(town.database)
    await list_pickup(other)
    theirs = (await asked(other)).id
    for plan_id in (uuid4(), theirs):
        refused(await asking.get(town.operator, path(town, plan_id)), 404, "no_such_thing")
        for call in ("cancel", "apply"):
            answer = await asking.post(town.operator, path(town, plan_id, call))
            refused(answer, 404, "no_such_thing")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"vehicles": []}, "/vehicles"),
        ({"vehicle": {"capacity_grams": 0}}, "/vehicles/0/capacity_grams"),
        ({"vehicle": {"max_trips": 0}}, "/vehicles/0/max_trips"),
        ({"vehicle": {"start": {"lat": 91, "lon": 0}}}, "/vehicles/0/start/lat"),
        ({"vehicle": {"shift": {"start": "8"}}}, "/vehicles/0/shift/start"),
        ({"budget_s": 0}, "/budget_s"),
        ({"budget_s": 301}, "/budget_s"),
        ({"planner": "magic"}, "/planner"),
        ({"seed": -1}, "/seed"),
        ({"day": "2026-13-01"}, "/day"),
        ({"pickup_ids": []}, "/pickup_ids"),
        ({"pickup_ids": ["x"]}, "/pickup_ids/0"),
        ({"service_s": -1}, "/service_s"),
        ({"unload_s": True}, "/unload_s"),
    ],
)
async def test_malformed_asks_are_refused(
    asking: Asking, town: Town, changes: dict[str, Any], pointer: str
) -> None:
    await list_pickup(town)
    wanted = body(town)
    wanted["vehicles"][0] |= changes.get("vehicle", {})
    wanted |= {name: value for name, value in changes.items() if name != "vehicle"}
    async with nothing_changes(town):
        answer = await asking.post(town.operator, path(town), wanted)
    refused(answer, *MALFORMED, pointer)


async def test_rules_that_an_ask_can_break(asking: Asking, town: Town) -> None:
    refused(await asking.post(town.operator, path(town), body(town)), 409, "nothing_to_plan")
    await list_pickup(town)
    resident = body(town, vehicle={"collector_id": str(town.resident.id)})
    stranger = (await make_town(town.database)).collector
    foreign = body(town, vehicle={"collector_id": str(stranger.id)})
    backwards = body(town)
    shift = backwards["vehicles"][0]["shift"]
    shift["start"], shift["end"] = shift["end"], shift["start"]
    async with nothing_changes(town):
        for wrong in (resident, foreign):
            answer = await asking.post(town.operator, path(town), wrong)
            refused(answer, 422, "not_their_collector", "/vehicles/0/collector_id")
        answer = await asking.post(town.operator, path(town), backwards)
        refused(answer, 422, "wrong_shift", "/vehicles/0/shift")


async def test_a_planner_that_is_not_there_is_said_so(
    asking: Asking, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.plan.vrp.is_installed", lambda: False)
    await list_pickup(town)
    answer = await asking.post(town.operator, path(town), body(town, planner="pyvrp"))
    refused(answer, 409, "planner_not_installed")


async def test_two_drivers_share_the_stops(asking: Asking, town: Town) -> None:
    second = await another(town, Role.COLLECTOR)
    for _ in range(4):
        await list_pickup(town)
    wanted = body(town)
    wanted["vehicles"].append(wanted["vehicles"][0] | {"collector_id": str(second.id)})
    plan = done(await asking.post(town.operator, path(town), wanted), 201)
    await plans.Desk(town.database).work_one([town.bank_id])
    vehicles = done(await asking.get(town.operator, path(town, plan["id"])))["vehicles"]
    drivers = [vehicle["collector_id"] for vehicle in vehicles]
    assert drivers == [str(town.collector.id), str(second.id)]
    assert sum(len(t["visits"]) for vehicle in vehicles for t in vehicle["trips"]) == 4


async def test_a_plan_as_picture_and_geojson(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    heavy = await list_pickup(town, grams=400_000)
    plan = await worked(town)
    drawn = await asking.get(town.operator, path(town, f"{plan.id}.svg"), language="en")
    assert drawn.headers["Content-Type"].startswith("image/svg+xml")
    assert "Vehicle 1" in drawn.text
    assert "left out" in drawn.text
    assert "Diponegoro" not in drawn.text
    bahasa = await asking.get(town.operator, path(town, f"{plan.id}.svg"), language="id")
    assert re.search(r"Kendaraan 1: \d+,\d km", bahasa.text)
    told = await asking.get(town.operator, path(town, f"{plan.id}.geojson"))
    trip, visit, left = done(told)["features"]
    assert trip["geometry"]["coordinates"][1] == [pickup.lon, pickup.lat]
    assert visit["properties"]["pickup_id"] == str(pickup.id)
    instants = ("arrival", "begin", "departure")
    assert {visit["properties"][name][-1] for name in instants} == {"Z"}
    assert left["properties"] == {
        "kind": "unserved",
        "pickup_id": str(heavy.id),
        "why": "too_heavy",
    }
    waiting = await asked(town)
    for ending in ("svg", "geojson"):
        answer = await asking.get(town.operator, path(town, f"{waiting.id}.{ending}"))
        refused(answer, 409, "plan_not_done")
        answer = await asking.get(town.collector, path(town, f"{plan.id}.{ending}"))
        refused(answer, 403, "not_allowed")
