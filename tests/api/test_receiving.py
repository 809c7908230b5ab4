"""Loads and the second weighing: what is settled by itself, and what is refused."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import col, select

from models.base import utc_now
from models.event import Event
from models.people import Person, Role
from models.pickup import Pickup
from models.sale import Lot
from service.banks import day_at
from service.database import Database
from service.keys import Keys
from service.ledger import chart
from service.prices import amount_idr
from tests.api.asking import Asking, done, handover, nothing_changes, refused
from tests.factories import (
    KARDUS,
    PET,
    Town,
    another,
    claim_pickup,
    give,
    list_pickup,
    make_town,
)
from tests.unloading import DOOR, SHARED, STATION, fetch, is_sound, standing, there, weighed

PET_IDR, DIRTY_IDR, KARDUS_IDR = 2_474, 1_200, 1_190


def on_scale(grams: Any, material: Any = PET, condition: str = "clean") -> dict[str, Any]:
    return {"material": material, "condition": condition, "grams": grams}


async def receive(
    asking: Asking,
    town: Town,
    body: Any = None,
    *,
    who: Person | None = None,
    collector_id: Any = None,
    key: str | None = "new",
) -> httpx.Response:
    path = f"/v1/banks/{town.bank_id}/loads/{collector_id or town.collector.id}/receive"
    return await asking.post(who or town.operator, path, body, key=key)


async def told(town: Town, person: Person) -> list[str]:
    async with town.database.reading() as session:
        query = (
            select(Event.kind)
            .where(Event.bank_id == town.bank_id, Event.person_id == person.id)
            .order_by(col(Event.id))
        )
        return list(await session.exec(query))


async def test_a_load_is_seen_received_and_gone(asking: Asking, town: Town, keys: Keys) -> None:
    first = await fetch(town, keys, weighed(5_000), weighed(2_000, KARDUS))
    second = await fetch(town, keys, weighed(1_000), weighed(700, condition="dirty"))
    path = f"/v1/banks/{town.bank_id}/loads"
    (load,) = done(await asking.get(town.operator, path))["items"]
    assert load["collector_id"] == str(town.collector.id)
    assert load["lines"] == [on_scale(2_000, KARDUS), on_scale(6_000), on_scale(700, PET, "dirty")]
    assert load["pickup_count"] == 2
    assert [(each["id"], each["grams"]) for each in load["pickups"]] == [
        (str(first.id), 7_000),
        (str(second.id), 1_700),
    ]
    received = done(await receive(asking, town), 201)
    assert (received["status"], received["weighed"]) == ("settled", False)
    assert received["pickup_ids"] == [str(first.id), str(second.id)]
    assert received["lines"][1] == {
        "material": PET,
        "condition": "clean",
        "door_grams": 6_000,
        "station_grams": 6_000,
    }
    assert done(await asking.get(town.operator, path))["items"] == []
    shown = done(await asking.get(town.resident, f"/v1/pickups/{first.id}"))
    assert (shown["status"], shown["received"]) == ("collected", "settled")
    assert await there(
        town, chart.stock(PET), chart.stock(KARDUS), chart.load(town.collector.id, PET)
    ) == [6_700, 2_000, 0]
    assert await is_sound(town)


async def test_a_collector_sees_their_own_load_only(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    other = await another(town, Role.COLLECTOR)
    path = f"/v1/banks/{town.bank_id}/loads"
    assert len(done(await asking.get(town.collector, path))["items"]) == 1
    assert done(await asking.get(other, path))["items"] == []
    assert len(done(await asking.get(town.treasurer, path))["items"]) == 1
    for who in (town.resident, town.city):
        refused(await asking.get(who, path), 403, "not_allowed")


async def test_only_the_named_pickups_are_received(asking: Asking, town: Town, keys: Keys) -> None:
    first, second = await fetch(town, keys), await fetch(town, keys, weighed(1_000))
    body = {"pickup_ids": [str(second.id)], "weighings": [on_scale(600), on_scale(390)]}
    received = done(await receive(asking, town, body), 201)
    assert received["pickup_ids"] == [str(second.id)]
    assert (received["status"], received["lines"][0]["station_grams"]) == ("settled", 990)
    (load,) = done(await asking.get(town.operator, f"/v1/banks/{town.bank_id}/loads"))["items"]
    assert [each["id"] for each in load["pickups"]] == [str(first.id)]


@pytest.mark.parametrize("station", [9_700, 10_000, 10_300])
async def test_money_that_waits_is_available_once_the_scales_agree(
    asking: Asking, database: Database, keys: Keys, station: int
) -> None:
    town = await make_town(database, **STATION)
    neighbour = await another(town, Role.RESIDENT)
    pickup = await fetch(town, keys, weighed(6_000))
    await fetch(town, keys, weighed(4_000), resident=neighbour)
    assert await standing(town) == (0, 6 * PET_IDR)
    received = done(await receive(asking, town, {"weighings": [on_scale(station)]}), 201)
    assert received["status"] == "settled"
    assert await standing(town) == (6 * PET_IDR, 0)
    assert await standing(town, neighbour.id) == (4 * PET_IDR, 0)
    assert await there(
        town,
        chart.stock(PET),
        chart.load(town.collector.id, PET),
        chart.weighing_difference(PET),
        chart.source(town.resident.id, PET),
    ) == [station, 0, 10_000 - station, -6_000]
    lines = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    assert [(line["description"], line["in_idr"], line["pickup_id"]) for line in lines] == [
        ("Timbang ulang", 6 * PET_IDR, str(pickup.id))
    ]
    assert (await told(town, town.resident))[-1] == "pickup_confirmed"
    assert await is_sound(town)


async def test_what_was_paid_at_the_door_stays_as_it_is(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **DOOR)
    await fetch(town, keys, weighed(6_000))
    done(await receive(asking, town, {"weighings": [on_scale(5_900)]}), 201)
    assert await standing(town) == (6 * PET_IDR, 0)
    assert await there(town, chart.stock(PET), chart.weighing_difference(PET)) == [5_900, 100]
    assert "pickup_confirmed" not in await told(town, town.resident)


async def test_of_shared_goods_the_bank_buys_what_is_missing(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    pickup = await fetch(town, keys, weighed(6_000), weighed(500, condition="dirty"))
    body = {"weighings": [on_scale(5_900), on_scale(510, PET, "dirty")]}
    done(await receive(asking, town, body), 201)
    async with database.reading() as session:
        lots = list(await session.exec(select(Lot).where(Lot.bank_id == town.bank_id)))
    assert sorted((lot.condition, lot.grams, lot.price_idr) for lot in lots) == [
        ("clean", 5_910, PET_IDR),
        ("dirty", 500, DIRTY_IDR),
    ]
    assert {(lot.pickup_id, lot.collector_id) for lot in lots} == {(pickup.id, town.collector.id)}
    bought = 6 * PET_IDR - 14_621
    assert await standing(town) == (bought, 0)
    assert await there(
        town, chart.stock(PET), chart.goods(town.resident.id, PET), chart.goods_held(PET)
    ) == [6_410, -6_410, 6_410]
    lines = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    assert [(line["description"], line["in_idr"], line["pickup_id"]) for line in lines] == [
        ("Susut timbang dibeli bank", bought, str(pickup.id))
    ]
    assert (await told(town, town.resident))[-1] == "pickup_confirmed"
    assert await is_sound(town)


async def test_what_is_missing_is_bought_of_each_who_was_on_the_load(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    neighbour = await another(town, Role.RESIDENT)
    await fetch(town, keys, weighed(4_000), weighed(2_000))
    await fetch(town, keys, weighed(4_000), resident=neighbour)
    done(await receive(asking, town, {"weighings": [on_scale(9_799)]}), 201)
    async with database.reading() as session:
        lots = list(await session.exec(select(Lot).where(Lot.bank_id == town.bank_id)))
    assert sum(lot.grams for lot in lots) == 9_799
    kept = [amount_idr(PET_IDR, lot.grams, 1_000) for lot in lots]
    own = (await standing(town))[0], (await standing(town, neighbour.id))[0]
    assert sum(own) + sum(kept) == 10 * PET_IDR
    goods = await there(town, chart.goods(town.resident.id, PET), chart.goods(neighbour.id, PET))
    assert goods == [-5_880, -3_919]
    assert await is_sound(town)


async def test_goods_that_weigh_more_are_lots_of_the_doors_grams(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    await fetch(town, keys, weighed(6_000))
    done(await receive(asking, town, {"weighings": [on_scale(6_100)]}), 201)
    async with database.reading() as session:
        (lot,) = await session.exec(select(Lot).where(Lot.bank_id == town.bank_id))
    assert (lot.grams, await standing(town)) == (6_000, (0, 0))
    assert "pickup_confirmed" not in await told(town, town.resident)
    assert await is_sound(town)


async def test_a_second_receiving_finds_nothing(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await fetch(town, keys)
    done(await receive(asking, town), 201)
    async with nothing_changes(town):
        refused(await receive(asking, town), 409, "load_already_received")
        body = {"pickup_ids": [str(pickup.id)]}
        refused(await receive(asking, town, body), 409, "load_already_received", "/pickup_ids/0")


async def test_a_repeated_receiving_has_one_effect(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    first = await receive(asking, town, key="muatan-1")
    again = await receive(asking, town, key="muatan-1")
    assert done(again, 201) == done(first, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(await receive(asking, town, key=None), 400, "idempotency_key_missing")


async def test_what_is_not_on_the_load_is_named(asking: Asking, town: Town, keys: Keys) -> None:
    mine = await fetch(town, keys)
    is_open = await list_pickup(town)
    held = await claim_pickup(town, await list_pickup(town))
    locked = await claim_pickup(town, await list_pickup(town))
    wrong = handover(keys, locked.id, handover_code="x")
    for _ in range(Pickup.MAX_CODE_TRIES):
        await asking.post(town.collector, f"/v1/pickups/{locked.id}/collect", wrong)
    other = await another(town, Role.COLLECTOR)
    far = await make_town(town.database)
    foreign = await fetch(far, keys)
    async with nothing_changes(town):
        for wanted in (is_open.id, held.id, foreign.id, uuid4()):
            body = {"pickup_ids": [str(mine.id), str(wanted)]}
            answer = await receive(asking, town, body)
            refused(answer, 409, "not_on_this_load", "/pickup_ids/1")
        body = {"pickup_ids": [str(locked.id)]}
        refused(await receive(asking, town, body), 409, "waits_for_operator", "/pickup_ids/0")
        body = {"pickup_ids": [str(mine.id)]}
        answer = await receive(asking, town, body, collector_id=other.id)
        refused(answer, 409, "not_on_this_load", "/pickup_ids/0")
        for nobody in (other.id, uuid4()):
            refused(await receive(asking, town, collector_id=nobody), 404, "no_such_thing")


MALFORMED = (422, "request_malformed")
BAD: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "no pickups": ({"pickup_ids": []}, *MALFORMED, "/pickup_ids"),
    "no id": ({"pickup_ids": ["x"]}, *MALFORMED, "/pickup_ids/0"),
    "no weighings": ({"weighings": []}, *MALFORMED, "/weighings"),
    "grams true": ({"weighings": [on_scale(True)]}, *MALFORMED, "/weighings/0/grams"),
    "grams below 0": ({"weighings": [on_scale(-1)]}, *MALFORMED, "/weighings/0/grams"),
    "grams absurd": ({"weighings": [on_scale(10**9)]}, *MALFORMED, "/weighings/0/grams"),
    "no grams": ({"weighings": [{"material": PET}]}, *MALFORMED, "/weighings/0/grams"),
    "no condition": (
        {"weighings": [on_scale(1, PET, "wet")]},
        *MALFORMED,
        "/weighings/0/condition",
    ),
    "unknown material": (
        {"weighings": [on_scale(5_000), on_scale(5, "EMAS")]},
        422,
        "unknown_material",
        "/weighings/1/material",
    ),
    "re-graded to what nobody buys": (
        {"weighings": [on_scale(5_000, KARDUS, "dirty")]},
        409,
        "material_not_bought",
        "/weighings/0/material",
    ),
}


@pytest.fixture(scope="session")
async def loaded(quiet: Town, keys: Keys) -> Pickup:
    """A pickup that stays on the load, for receivings that are refused."""
    return await fetch(quiet, keys)


@pytest.mark.parametrize(("body", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_receiving_that_can_not_be_is_refused(
    asking: Asking,
    quiet: Town,
    loaded: Pickup,
    body: dict[str, Any],
    status: int,
    slug: str,
    pointer: str,
) -> None:
    async with nothing_changes(quiet):
        answer = await receive(asking, quiet, {"pickup_ids": [str(loaded.id)]} | body)
        refused(answer, status, slug, pointer)


async def test_a_re_grade_needs_its_pickup_alone(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    await fetch(town, keys)
    body = {"weighings": [on_scale(9_000), on_scale(900, PET, "dirty")]}
    async with nothing_changes(town):
        answer = await receive(asking, town, body)
        refused(answer, 422, "receive_one_at_a_time", "/weighings/1")


async def test_nobody_receives_for_themselves(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    await give(town, town.collector, Role.OPERATOR)
    await give(town, town.resident, Role.OPERATOR)
    async with nothing_changes(town):
        for who in (town.collector, town.resident):
            refused(await receive(asking, town, who=who), 403, "own_weighing")
        for who in (town.treasurer, town.city):
            refused(await receive(asking, town, who=who), 403, "not_allowed")
        refused(
            await asking.post(None, f"/v1/banks/{town.bank_id}/loads/x/receive"),
            401,
            "no_valid_token",
        )


async def test_a_bias_is_what_a_collectors_doors_say_too_much(
    asking: Asking, town: Town, keys: Keys
) -> None:
    for station in (4_900, 4_850):
        await fetch(town, keys)
        done(await receive(asking, town, {"weighings": [on_scale(station)]}), 201)
    await fetch(town, keys)
    done(await receive(asking, town), 201)
    days = {"from": "2020-01-01", "to": "2020-12-31"}
    path = f"/v1/banks/{town.bank_id}/loads/bias"
    assert done(await asking.get(town.treasurer, path, **days))["items"] == []
    today = str(day_at(town.bank, utc_now()))
    (bias,) = done(await asking.get(town.treasurer, path, **{"from": today, "to": today}))["items"]
    assert bias == {
        "collector_id": str(town.collector.id),
        "receivings": 2,
        "door_grams": 10_000,
        "station_grams": 9_750,
        "difference_grams": -250,
        "permille": -25,
    }
    for who in (town.collector, town.resident, town.city):
        refused(await asking.get(who, path, **days), 403, "not_allowed")
