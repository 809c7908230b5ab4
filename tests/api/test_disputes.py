"""Door against station beyond the tolerance: both sides see it, somebody else decides."""

from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.base import utc_now
from models.event import Event
from models.people import Person, Role
from models.pickup import PickupItem
from models.sale import Lot
from service.banks import day_at
from service.database import Database
from service.keys import Keys
from service.ledger import chart
from tests.api.asking import Asking, done, nothing_changes, payout, refused
from tests.factories import KARDUS, PET, Town, another, give, make_town
from tests.unloading import DOOR, SHARED, STATION, fetch, is_sound, standing, there, weighed

PET_IDR, DIRTY_IDR, KARDUS_IDR = 2_474, 1_200, 1_190


def on_scale(grams: int, material: str = PET, condition: str = "clean") -> dict[str, Any]:
    return {"material": material, "condition": condition, "grams": grams}


async def disputed(asking: Asking, town: Town, *scale: dict[str, Any]) -> dict[str, Any]:
    """All that is on the load of the town's collector, received like this, and disputed."""
    path = f"/v1/banks/{town.bank_id}/loads/{town.collector.id}/receive"
    received: dict[str, Any] = done(
        await asking.post(town.operator, path, {"weighings": list(scale)}), 201
    )
    assert received["status"] == "disputed"
    return received


async def decide(
    asking: Asking,
    who: Person,
    dispute: dict[str, Any],
    decision: Any,
    reason: Any = "karung bocor",
) -> httpx.Response:
    body = {"decision": decision, "reason": reason}
    return await asking.post(who, f"/v1/disputes/{dispute['id']}/decide", body)


async def custody(town: Town, resident: Person | None = None) -> list[int]:
    """PET in the store, on the vehicle, lost between scales, and out of the household."""
    return await there(
        town,
        chart.stock(PET),
        chart.load(town.collector.id, PET),
        chart.weighing_difference(PET),
        chart.source((resident or town.resident).id, PET),
    )


async def last_told(town: Town, person: Person) -> str:
    async with town.database.reading() as session:
        query = (
            select(Event.kind)
            .where(Event.bank_id == town.bank_id, Event.person_id == person.id)
            .order_by(col(Event.id).desc())
        )
        return (await session.exec(query)).first() or ""


async def lots_of(town: Town) -> list[tuple[str, int, int]]:
    """Grams that wait for a buyer, by condition and price."""
    grams: Counter[tuple[str, int]] = Counter()
    async with town.database.reading() as session:
        for lot in await session.exec(select(Lot).where(Lot.bank_id == town.bank_id)):
            grams[lot.condition, lot.price_idr] += lot.grams
    return sorted((condition, sum_, price) for (condition, price), sum_ in grams.items())


async def test_a_dispute_moves_what_was_brought_and_waits_with_the_rest(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **STATION)
    pickup = await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(8_000))
    assert await custody(town) == [8_000, 2_000, 0, -10_000]
    assert await standing(town) == (0, 10 * PET_IDR)
    assert await last_told(town, town.resident) == "pickup_disputed"
    assert await last_told(town, town.collector) == "load_disputed"
    for who in (town.resident, town.collector, town.operator, town.treasurer):
        (seen,) = done(await asking.get(who, "/v1/disputes"))["items"]
        assert seen == dispute
        assert done(await asking.get(who, f"/v1/disputes/{dispute['id']}")) == dispute
    shown = done(await asking.get(town.resident, f"/v1/pickups/{pickup.id}"))
    assert shown["received"] == "disputed"
    assert await is_sound(town)


@pytest.mark.parametrize("station", [8_000, 12_000])
async def test_if_the_door_is_right_the_difference_is_the_banks(
    asking: Asking, database: Database, keys: Keys, station: int
) -> None:
    town = await make_town(database, **STATION)
    pickup = await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(station))
    decided = done(await decide(asking, town.treasurer, dispute, "door"))
    assert (decided["status"], decided["decision"]) == ("decided", "door")
    assert (decided["reason"], decided["decided_by"]) == ("karung bocor", str(town.treasurer.id))
    assert await custody(town) == [station, 0, 10_000 - station, -10_000]
    assert await standing(town) == (10 * PET_IDR, 0)
    shown = done(await asking.get(town.resident, f"/v1/pickups/{pickup.id}"))
    assert (shown["received"], shown["credited_idr"]) == ("decided", 10 * PET_IDR)
    lines = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    assert "imbang ulang" in lines[0]["description"]
    assert "karung bocor" in lines[0]["description"]
    assert lines[0]["pickup_id"] == str(pickup.id)
    assert await last_told(town, town.resident) == "pickup_dispute_decided"
    assert await last_told(town, town.collector) == "load_dispute_decided"
    assert await is_sound(town)


@pytest.mark.parametrize("station", [8_000, 12_000])
@pytest.mark.parametrize("terms", [DOOR, STATION], ids=["door", "station"])
async def test_if_the_station_is_right_the_resident_gets_its_grams(
    asking: Asking, database: Database, keys: Keys, terms: dict[str, Any], station: int
) -> None:
    town = await make_town(database, **terms)
    pickup = await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(station))
    done(await decide(asking, town.treasurer, dispute, "station"))
    worth = station * PET_IDR // 1_000
    assert await standing(town) == (worth, 0)
    assert await there(town, chart.PURCHASES) == [worth]
    assert await custody(town) == [station, 0, 10_000 - station, -10_000]
    shown = done(await asking.get(town.resident, f"/v1/pickups/{pickup.id}"))
    assert shown["credited_idr"] == worth
    assert await is_sound(town)


@pytest.mark.parametrize("decision", ["door", "station"])
@pytest.mark.parametrize("station", [8_000, 12_000])
async def test_whoever_is_right_the_mass_balance_shows_what_one_scale_did_not_see(
    asking: Asking, town: Town, keys: Keys, decision: str, station: int
) -> None:
    await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(station))
    done(await decide(asking, town.treasurer, dispute, decision))
    today = str(day_at(town.bank, utc_now()))
    path, days = f"/v1/banks/{town.bank_id}/mass-balance", {"from": today, "to": today}
    (line,) = done(await asking.get(town.operator, path, **days))["items"]
    assert (line["collected_grams"], line["received_grams"]) == (10_000, station)
    assert (line["weighing_difference_grams"], line["on_loads_grams"]) == (10_000 - station, 0)
    assert line["balance_grams"] == 0


@pytest.mark.parametrize(
    ("decision", "station", "fee_idr"),
    [("door", 8_000, 2_500), ("station", 8_000, 2_200), ("station", 12_000, 2_800)],
)
async def test_the_collectors_fee_goes_by_the_grams_that_count(
    asking: Asking, town: Town, keys: Keys, decision: str, station: int, fee_idr: int
) -> None:
    await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(station))
    done(await decide(asking, town.treasurer, dispute, decision))
    earnings = chart.earnings(town.collector.id)
    assert await there(town, earnings, chart.COLLECTOR_FEES) == [-fee_idr, fee_idr]
    assert await is_sound(town)


@pytest.mark.parametrize(("decision", "bought_idr"), [("door", 2 * PET_IDR), ("station", 0)])
async def test_shared_goods_are_what_is_there_and_the_bank_buys_the_rest(
    asking: Asking, database: Database, keys: Keys, decision: str, bought_idr: int
) -> None:
    town = await make_town(database, **SHARED)
    await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(8_000))
    assert await lots_of(town) == [("clean", 8_000, PET_IDR)], "what both scales agree on"
    done(await decide(asking, town.treasurer, dispute, decision))
    assert await lots_of(town) == [("clean", 8_000, PET_IDR)]
    assert await there(town, chart.goods(town.resident.id, PET), chart.goods_held(PET)) == [
        -8_000,
        8_000,
    ]
    assert await standing(town) == (bought_idr, 0)
    lines = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    said = ["Susut timbang dibeli bank (karung bocor)"] if bought_idr else []
    assert [line["description"] for line in lines] == said
    assert await is_sound(town)


async def test_of_re_graded_goods_only_what_is_missing_is_bought(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    await fetch(town, keys, weighed(5_000))
    dispute = await disputed(asking, town, on_scale(4_900, PET, "dirty"))
    assert await lots_of(town) == [], "the scales agree on nothing"
    assert await is_sound(town)
    done(await decide(asking, town.treasurer, dispute, "door"))
    assert await lots_of(town) == [("clean", 4_900, PET_IDR)]
    assert await there(town, chart.goods(town.resident.id, PET)) == [-4_900]
    assert await standing(town) == (5 * PET_IDR - 12_123, 0)
    assert await is_sound(town)


@pytest.mark.parametrize(
    ("scale", "own", "decision", "kept"),
    [
        (on_scale(4_900, PET, "dirty"), 4_900, "door", []),
        (on_scale(4_900, PET, "dirty"), 4_000, "door", [("clean", 900, PET_IDR)]),
        (on_scale(4_900, PET, "dirty"), 4_900, "station", []),
        (on_scale(7_000), 1_500, "station", [("clean", 5_500, PET_IDR)]),
        (on_scale(7_000), 2_000, "door", [("clean", 5_000, PET_IDR)]),
    ],
)
async def test_what_left_the_store_before_the_decision_is_bought(
    asking: Asking,
    database: Database,
    keys: Keys,
    scale: dict[str, Any],
    own: int,
    decision: str,
    kept: list[tuple[str, int, int]],
) -> None:
    town = await make_town(database, **SHARED)
    await fetch(town, keys, weighed(5_000))
    dispute = await disputed(asking, town, scale)
    path = f"/v1/banks/{town.bank_id}/residue"
    thrown = {"material": PET, "grams": own, "reason": "basah"}
    done(await asking.post(town.operator, path, thrown), 201)
    done(await decide(asking, town.treasurer, dispute, decision))
    assert await lots_of(town) == kept
    waiting = sum(grams for _, grams, _ in kept)
    price = DIRTY_IDR if decision == "station" and scale["condition"] == "dirty" else PET_IDR
    counts = scale["grams"] if decision == "station" else 5_000
    assert await there(town, chart.goods(town.resident.id, PET)) == [-waiting]
    assert (await standing(town))[0] == (counts - waiting) * price // 1_000
    assert await is_sound(town)


async def test_goods_that_came_on_top_are_the_residents(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(11_000))
    done(await decide(asking, town.treasurer, dispute, "station"))
    assert await lots_of(town) == [("clean", 11_000, PET_IDR)]
    assert await there(town, chart.goods(town.resident.id, PET)) == [-11_000]
    assert await custody(town) == [11_000, 0, -1_000, -10_000]


async def test_a_shared_load_is_divided_and_each_sees_their_part(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **STATION)
    neighbour = await another(town, Role.RESIDENT)
    mine = await fetch(town, keys, weighed(6_000), weighed(2_000, KARDUS))
    theirs = await fetch(town, keys, weighed(3_001), resident=neighbour)
    dispute = await disputed(asking, town, on_scale(8_000), on_scale(2_000, KARDUS))
    (seen,) = done(await asking.get(town.resident, "/v1/disputes"))["items"]
    assert seen["pickup_ids"] == [str(mine.id)]
    assert [
        (line["material"], line["door_grams"], line["station_grams"]) for line in seen["lines"]
    ] == [
        (KARDUS, 2_000, 2_000),
        (PET, 6_000, 5_333),
    ]
    (other,) = done(await asking.get(neighbour, "/v1/disputes"))["items"]
    assert other["pickup_ids"] == [str(theirs.id)]
    assert [(line["door_grams"], line["station_grams"]) for line in other["lines"]] == [
        (3_001, 2_667)
    ]
    stranger = await another(town, Role.RESIDENT)
    for who, status, slug in (
        (stranger, 404, "no_such_thing"),
        (town.city, 403, "not_allowed"),
    ):
        assert done(await asking.get(who, "/v1/disputes"))["items"] == []
        refused(await asking.get(who, f"/v1/disputes/{dispute['id']}"), status, slug)

    done(await decide(asking, town.treasurer, dispute, "station"))
    assert await standing(town) == (13_194 + 2 * KARDUS_IDR, 0)
    assert await standing(town, neighbour.id) == (6_598, 0)
    assert await custody(town) == [8_000, 0, 1_001, -6_000]
    assert await there(town, chart.source(neighbour.id, PET)) == [-3_001]
    assert await is_sound(town)


async def test_one_condition_less_and_another_more_between_two_residents(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **SHARED)
    neighbour = await another(town, Role.RESIDENT)
    await fetch(town, keys, weighed(5_000))
    await fetch(town, keys, weighed(3_000, condition="dirty"), resident=neighbour)
    dispute = await disputed(asking, town, on_scale(4_000), on_scale(3_900, PET, "dirty"))
    assert await custody(town) == [7_900, 100, 0, -5_000]
    done(await decide(asking, town.treasurer, dispute, "station"))
    assert await custody(town) == [7_900, 0, 100, -5_000]
    assert await custody(town, neighbour) == [7_900, 0, 100, -3_000]
    assert await lots_of(town) == [("clean", 4_000, PET_IDR), ("dirty", 3_900, DIRTY_IDR)]
    assert await is_sound(town)


async def test_a_re_grade_is_paid_at_its_own_price(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **STATION)
    await fetch(town, keys, weighed(5_000))
    dispute = await disputed(asking, town, on_scale(4_900, PET, "dirty"))
    assert await custody(town) == [4_900, 100, 0, -5_000]
    done(await decide(asking, town.treasurer, dispute, "station"))
    assert await standing(town) == (4_900 * DIRTY_IDR // 1_000, 0)
    assert await custody(town) == [4_900, 0, 100, -5_000]
    assert await is_sound(town)


async def test_a_re_grade_takes_the_price_that_was_locked(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **STATION)
    pickup = await fetch(town, keys, weighed(5_000, condition="dirty"))
    async with database.transaction() as session:
        await session.exec(
            update(PickupItem)
            .where(col(PickupItem.bank_id) == town.bank_id, col(PickupItem.pickup_id) == pickup.id)
            .values(price_idr=3_000)
        )
    dispute = await disputed(asking, town, on_scale(5_000))
    done(await decide(asking, town.treasurer, dispute, "station"))
    assert await standing(town) == (15_000, 0)


async def test_money_that_was_spent_can_not_be_taken_back(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await make_town(database, **DOOR)
    await fetch(town, keys, weighed(10_000))
    dispute = await disputed(asking, town, on_scale(8_000))
    done(await asking.post(town.resident, "/v1/payouts", payout(town, 10 * PET_IDR)), 201)
    async with nothing_changes(town):
        answer = await decide(asking, town.treasurer, dispute, "station")
        refused(answer, 409, "balance_too_low")
    (seen,) = done(await asking.get(town.treasurer, "/v1/disputes"))["items"]
    assert seen["status"] == "disputed"
    done(await decide(asking, town.treasurer, dispute, "door"))


async def test_a_dispute_is_decided_once(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    dispute = await disputed(asking, town, on_scale(4_000))
    done(await decide(asking, town.treasurer, dispute, "station"))
    async with nothing_changes(town):
        for decision in ("door", "station"):
            answer = await decide(asking, town.treasurer, dispute, decision)
            refused(answer, 409, "dispute_already_decided")
    for status, count in (("disputed", 0), ("decided", 1)):
        found = done(await asking.get(town.treasurer, "/v1/disputes", status=status))["items"]
        assert len(found) == count


async def test_nobody_decides_in_their_own_cause(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    dispute = await disputed(asking, town, on_scale(4_000))
    for who in (town.collector, town.resident):
        async with nothing_changes(town):
            refused(await decide(asking, who, dispute, "door"), 403, "not_allowed")
        await give(town, who, Role.TREASURER)
    async with nothing_changes(town):
        for who in (town.collector, town.resident, town.operator):
            refused(await decide(asking, who, dispute, "door"), 403, "own_dispute")
        refused(await decide(asking, town.city, dispute, "door"), 403, "not_allowed")
        stranger = (await make_town(town.database)).treasurer
        refused(await decide(asking, stranger, dispute, "door"), 404, "no_such_thing")


async def test_what_is_no_dispute_is_not_decided(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys)
    path = f"/v1/banks/{town.bank_id}/loads/{town.collector.id}/receive"
    settled = done(await asking.post(town.operator, path), 201)
    async with nothing_changes(town):
        for receiving in (settled, {"id": uuid4()}):
            answer = await decide(asking, town.treasurer, receiving, "door")
            refused(answer, 404, "no_such_thing")


@pytest.mark.parametrize(
    ("decision", "reason", "pointer"),
    [
        ("both", "x", "/decision"),
        (None, "x", "/decision"),
        ("door", "", "/reason"),
        ("door", "  ", "/reason"),
        ("door", "a" * 301, "/reason"),
        ("door", None, "/reason"),
    ],
)
async def test_a_decision_says_which_and_why(
    asking: Asking, quiet: Town, decision: Any, reason: Any, pointer: str
) -> None:
    answer = await decide(asking, quiet.treasurer, {"id": uuid4()}, decision, reason)
    refused(answer, 422, "request_malformed", pointer)


async def test_disputes_are_listed_newest_first(asking: Asking, town: Town, keys: Keys) -> None:
    made = []
    for _ in range(3):
        await fetch(town, keys)
        made.append((await disputed(asking, town, on_scale(4_000)))["id"])
    pages = await asking.walk(town.resident, "/v1/disputes", limit=2)
    assert [[each["id"] for each in page] for page in pages] == [[made[2], made[1]], [made[0]]]
