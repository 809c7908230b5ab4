"""Claiming, giving back, arriving."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.base import utc_now
from models.people import Person, Role
from models.pickup import Pickup
from service.keys import Keys
from tests.api.asking import HERE, Asking, done, nothing_changes, refused
from tests.factories import (
    Town,
    another,
    change_pickup,
    claim_pickup,
    collect_pickup,
    list_pickup,
    make_town,
    reload,
)

CLAIM, BOARD = "/v1/jobs/claim", "/v1/jobs/nearest"
MALFORMED = (422, "request_malformed")
NOT_JSON_NUMBERS = ["abc", "nan", "inf", "-inf", "", "3,56"]


def act(pickup: Pickup, verb: str) -> str:
    return f"/v1/pickups/{pickup.id}/{verb}"


async def lapse(town: Town, pickup: Pickup) -> None:
    """Let the lease of a claim run out."""
    await change_pickup(town, pickup.id, claimed_until=utc_now() - timedelta(seconds=1))


async def board_of(asking: Asking, who: Person) -> list[str]:
    jobs = done(await asking.get(who, BOARD, **HERE))["items"]
    return [job["pickup_id"] for job in jobs]


async def test_a_claim_is_a_lease(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    claimed = done(await asking.post(town.collector, act(pickup, "claim")))
    assert claimed["status"] == "claimed"
    assert claimed["collector_id"] == str(town.collector.id)
    lease = datetime.fromisoformat(claimed["claimed_until"]) - utc_now()
    assert timedelta(minutes=59) < lease <= timedelta(hours=1)
    assert await board_of(asking, town.collector) == []


async def test_the_second_claimer_is_refused(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    second = await another(town, Role.COLLECTOR)
    async with nothing_changes(town):
        answer = await asking.post(second, act(pickup, "claim"))
    refused(answer, 409, "pickup_already_claimed")


async def test_of_many_claimers_at_once_one_gets_it(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    rivals = [town.collector, *[await another(town, Role.COLLECTOR) for _ in range(4)]]
    answers = await asyncio.gather(*(asking.post(who, act(pickup, "claim")) for who in rivals))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "pickup_already_claimed")


async def test_claiming_what_one_holds_changes_nothing(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    async with nothing_changes(town):
        done(await asking.post(town.collector, act(pickup, "claim")))


async def test_a_lapsed_claim_is_free_for_another(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await lapse(town, pickup)
    second = await another(town, Role.COLLECTOR)
    claimed = done(await asking.post(second, act(pickup, "claim")))
    assert claimed["collector_id"] == str(second.id)


async def test_what_has_ended_is_not_claimed(asking: Asking, town: Town, keys: Keys) -> None:
    collected = await claim_pickup(town, await list_pickup(town))
    await collect_pickup(town, keys, collected)
    cancelled = await list_pickup(town)
    done(await asking.post(town.resident, act(cancelled, "cancel"), {"reason": "batal"}))
    second = await another(town, Role.COLLECTOR)
    async with nothing_changes(town):
        for pickup in (collected, cancelled):
            refused(await asking.post(second, act(pickup, "claim")), 409, "pickup_not_open")


async def test_a_bank_limits_how_many_jobs_one_holds(asking: Asking, town: Town) -> None:
    strict = await make_town(town.database, max_held_jobs=1)
    await claim_pickup(strict, await list_pickup(strict))
    more = await list_pickup(strict)
    wish = {"position": HERE, "max_jobs": 1}
    async with nothing_changes(strict):
        one = await asking.post(strict.collector, act(more, "claim"))
        nearest = await asking.post(strict.collector, CLAIM, wish)
    refused(one, 409, "too_many_jobs_held")
    refused(nearest, 409, "too_many_jobs_held")


async def test_a_released_job_is_offered_to_others_only(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    released = done(
        await asking.post(town.collector, act(pickup, "release"), {"reason": "ban bocor"})
    )
    assert released == {"pickup_id": str(pickup.id), "status": "open"}
    assert await board_of(asking, town.collector) == []
    assert await board_of(asking, await another(town, Role.COLLECTOR)) == [str(pickup.id)]
    wish = {"position": HERE, "max_jobs": 1}
    refused(await asking.post(town.collector, CLAIM, wish), 404, "no_open_pickup")
    assert (await reload(town, pickup)).created_at == pickup.created_at


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/reason"), ({"reason": ""}, "/reason"), ({"reason": "\u0000"}, "/reason"), (None, "")],
)
async def test_a_release_says_why(asking: Asking, town: Town, body: object, pointer: str) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    async with nothing_changes(town):
        answer = await asking.post(town.collector, act(pickup, "release"), body)
    refused(answer, *MALFORMED, pointer)


@pytest.mark.parametrize(
    ("verb", "body"), [("release", {"reason": "jauh"}), ("arrive", {"position": HERE})]
)
async def test_nobody_acts_on_a_claim_of_somebody_else(
    asking: Asking, town: Town, verb: str, body: dict[str, Any]
) -> None:
    second = await another(town, Role.COLLECTOR)
    unclaimed = await list_pickup(town)
    held = await claim_pickup(town, await list_pickup(town))
    async with nothing_changes(town):
        for pickup in (unclaimed, held):
            refused(await asking.post(second, act(pickup, verb), body), 409, "claim_expired")


async def test_who_arrives_late_has_lost_the_claim(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await lapse(town, pickup)
    async with nothing_changes(town):
        answer = await asking.post(town.collector, act(pickup, "arrive"), {"position": HERE})
    refused(answer, 409, "claim_expired")


async def test_who_arrives_has_half_an_hour_at_the_door(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await change_pickup(town, pickup.id, claimed_until=utc_now() + timedelta(seconds=30))
    arrived = done(await asking.post(town.collector, act(pickup, "arrive"), {"position": HERE}))
    lease = datetime.fromisoformat(arrived["claimed_until"]) - utc_now()
    assert timedelta(minutes=29) < lease <= timedelta(minutes=30)


BAD_PLACES: dict[str, tuple[Any, str]] = {
    "none": (None, "/position"),
    "no latitude": ({"lon": 98.87}, "/position/lat"),
    "off the globe": ({"lat": 3.56, "lon": 181}, "/position/lon"),
    "true": ({"lat": 3.56, "lon": True}, "/position/lon"),
    "text": ({"lat": "3.56", "lon": 98.87}, "/position/lat"),
}


@pytest.mark.parametrize(("place", "pointer"), BAD_PLACES.values(), ids=BAD_PLACES)
async def test_a_place_that_is_none_is_refused(
    asking: Asking, town: Town, place: object, pointer: str
) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    await list_pickup(town)
    body = {"position": place, "max_jobs": 1}
    async with nothing_changes(town):
        for path in (act(pickup, "arrive"), CLAIM):
            refused(await asking.post(town.collector, path, body), *MALFORMED, pointer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_jobs", 0),
        ("max_jobs", -1),
        ("max_jobs", 51),
        ("max_jobs", 10**30),
        ("max_jobs", True),
        ("max_jobs", "3"),
        ("max_jobs", 1.5),
        ("max_jobs", None),
        ("capacity_grams", 0),
        ("capacity_grams", -1),
        ("capacity_grams", 10**12),
        ("capacity_grams", True),
        ("capacity_grams", "400000"),
    ],
)
async def test_a_wish_for_no_sensible_number_of_jobs_is_refused(
    asking: Asking, town: Town, field: str, value: object
) -> None:
    await list_pickup(town)
    async with nothing_changes(town):
        answer = await asking.post(town.collector, CLAIM, {"position": HERE, field: value})
    refused(answer, *MALFORMED, f"/{field}")


async def test_there_may_be_no_job_within_reach(asking: Asking, town: Town) -> None:
    wish = {"position": HERE, "max_jobs": 1}
    refused(await asking.post(town.collector, CLAIM, wish), 404, "no_open_pickup")
    await list_pickup(town, grams=5_000)
    async with nothing_changes(town):
        away = {"position": {"lat": -6.2, "lon": 106.8}}
        refused(await asking.post(town.collector, CLAIM, away), 404, "no_open_pickup")
        full = wish | {"capacity_grams": 4_999}
        refused(await asking.post(town.collector, CLAIM, full), 404, "no_open_pickup")


async def test_no_more_jobs_are_claimed_than_asked_for(asking: Asking, town: Town) -> None:
    for _ in range(3):
        await list_pickup(town)
    wish = {"position": HERE, "max_jobs": 2}
    route = done(await asking.post(town.collector, CLAIM, wish), 201)["route"]
    assert [stop["sequence"] for stop in route["stops"]] == [1, 2]
    assert len(await board_of(asking, town.collector)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(field, value) for field in ("lat", "lon", "within_m") for value in NOT_JSON_NUMBERS],
        ("lat", "90.1"),
        ("lon", "-180.1"),
        ("within_m", "0"),
        ("within_m", "-1"),
        ("within_m", "100001"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "abc"),
        ("limit", "1.5"),
    ],
)
async def test_the_board_refuses_what_is_no_place_or_number(
    asking: Asking, quiet: Town, field: str, value: str
) -> None:
    answer = await asking.get(quiet.collector, BOARD, **(HERE | {field: value}))
    refused(answer, *MALFORMED, f"/{field}")


@pytest.mark.parametrize("field", ["lat", "lon"])
async def test_the_board_needs_to_know_where_one_is(
    asking: Asking, quiet: Town, field: str
) -> None:
    here = {name: value for name, value in HERE.items() if name != field}
    refused(await asking.get(quiet.collector, BOARD, **here), *MALFORMED, f"/{field}")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OPERATOR, Role.TREASURER, Role.CITY])
async def test_only_collectors_see_the_board_and_claim(
    asking: Asking, town: Town, role: Role
) -> None:
    pickup = await list_pickup(town)
    who: Person = getattr(town, role)
    async with nothing_changes(town):
        refused(await asking.get(who, BOARD, **HERE), 403, "not_allowed")
        refused(await asking.post(who, CLAIM, {"position": HERE}), 403, "not_allowed")
        refused(await asking.post(who, act(pickup, "claim")), 403, "not_allowed")


async def test_on_the_way_it_lasts_longer(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    told = done(await asking.post(town.collector, act(pickup, "progress"), {"position": HERE}))
    assert told["pickup_id"] == str(pickup.id)
    assert told["distance_m"] >= 0
    assert told["claimed_until"].endswith("Z")


async def test_only_its_holder_is_on_the_way(asking: Asking, town: Town) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    body = {"position": HERE}
    second = await another(town, Role.COLLECTOR)
    async with nothing_changes(town):
        refused(await asking.post(second, act(pickup, "progress"), body), 409, "claim_expired")
        refused(await asking.post(town.resident, act(pickup, "progress"), body), 403, "not_allowed")
        malformed = await asking.post(town.collector, act(pickup, "progress"), {"position": {}})
    refused(malformed, *MALFORMED, "/position/lat")


async def test_a_bank_limits_how_much_one_holds(asking: Asking, town: Town) -> None:
    strict = await make_town(town.database, max_held_grams=8_000)
    await claim_pickup(strict, await list_pickup(strict))
    more = await list_pickup(strict)
    async with nothing_changes(strict):
        one = await asking.post(strict.collector, act(more, "claim"))
    refused(one, 409, "too_many_grams_held")
