"""Lists: newest first, page by page, filtered."""

import base64
from typing import Any

import pytest

from models.people import Role
from routing.geo import Point
from service.keys import Keys
from tests.api.asking import Asking, done, payout, refused
from tests.factories import Town, another, claim_pickup, earn, give, list_pickup, make_town

MALFORMED = (422, "request_malformed")


def ids(pages: list[list[dict[str, Any]]], name: str = "id") -> list[str]:
    return [item[name] for page in pages for item in page]


async def test_my_pickups_come_newest_first_and_each_once(asking: Asking, town: Town) -> None:
    listed = [str((await list_pickup(town)).id) for _ in range(5)]
    for who in (town.resident, town.operator):
        pages = await asking.walk(who, "/v1/pickups", limit=2)
        assert [len(page) for page in pages] == [2, 2, 1]
        assert ids(pages) == listed[::-1]
    assert len(await asking.walk(town.resident, "/v1/pickups", limit=5)) == 1


async def test_what_is_listed_meanwhile_does_not_shift_the_next_page(
    asking: Asking, town: Town
) -> None:
    older, newer = [str((await list_pickup(town)).id) for _ in range(2)]
    first = done(await asking.get(town.resident, "/v1/pickups", limit=1))
    await list_pickup(town)
    second = done(
        await asking.get(town.resident, "/v1/pickups", limit=1, cursor=first["next_cursor"])
    )
    assert ids([first["items"], second["items"]]) == [newer, older]
    assert second["next_cursor"] is None


async def test_pickups_are_filtered_by_status(asking: Asking, town: Town) -> None:
    unclaimed = await list_pickup(town)
    held = await claim_pickup(town, await list_pickup(town))
    for status, expected in (("open", [unclaimed]), ("claimed", [held]), ("collected", [])):
        found = done(await asking.get(town.resident, "/v1/pickups", status=status))["items"]
        assert [each["id"] for each in found] == [str(pickup.id) for pickup in expected]
    held_by_me = done(await asking.get(town.collector, "/v1/pickups"))["items"]
    assert [each["id"] for each in held_by_me] == [str(held.id)]


async def test_payouts_come_newest_first_filtered_and_each_once(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys, grams=10_000)
    asked = [
        done(await asking.post(town.resident, "/v1/payouts", payout(town, 1_000)), 201)["id"]
        for _ in range(5)
    ]
    done(await asking.post(town.treasurer, f"/v1/payouts/{asked[1]}/approve"))
    for who in (town.resident, town.treasurer):
        pages = await asking.walk(who, "/v1/payouts", limit=2)
        assert [len(page) for page in pages] == [2, 2, 1]
        assert ids(pages) == asked[::-1]
    approved = await asking.walk(town.treasurer, "/v1/payouts", status="approved")
    assert ids(approved) == [asked[1]]
    requested = await asking.walk(town.treasurer, "/v1/payouts", status="requested", limit=3)
    assert ids(requested) == [asked[4], asked[3], asked[2], asked[0]]


async def test_payouts_are_filtered_by_bank(asking: Asking, town: Town, keys: Keys) -> None:
    far = await make_town(town.database)
    asked: list[str] = []
    for place in (town, far):
        await earn(place, keys, grams=1_000)
        answer = await asking.post(place.resident, "/v1/payouts", payout(place, 1_000))
        asked.append(done(answer, 201)["id"])
    await give(far, town.treasurer, Role.TREASURER)
    assert ids(await asking.walk(town.treasurer, "/v1/payouts")) == asked[::-1]
    for who, bank_id, seen in (
        (town.treasurer, town.bank_id, asked[:1]),
        (town.treasurer, far.bank_id, asked[1:]),
        (town.resident, far.bank_id, []),
    ):
        found = await asking.walk(who, "/v1/payouts", bank_id=str(bank_id))
        assert ids(found) == seen
    answer = await asking.get(town.treasurer, "/v1/payouts", bank_id="induk")
    refused(answer, *MALFORMED, "/bank_id")


async def test_passbook_lines_come_newest_first_and_add_up(
    asking: Asking, town: Town, keys: Keys
) -> None:
    for grams in (1_000, 2_000, 3_000, 4_000, 5_000):
        await earn(town, keys, grams=grams)
    pages = await asking.walk(town.resident, f"/v1/passbooks/{town.bank_id}/lines", limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    lines = [line for page in pages for line in page]
    assert [line["in_idr"] for line in lines] == [12_370, 9_896, 7_422, 4_948, 2_474]
    assert [line["balance_idr"] for line in lines] == [37_110, 24_740, 14_844, 7_422, 2_474]
    assert len(set(ids(pages))) == 5


async def test_members_are_listed_each_once_for_every_part_they_have(
    asking: Asking, town: Town
) -> None:
    await give(town, town.resident, Role.COLLECTOR, Role.TREASURER)
    await give(town, town.city, Role.RESIDENT)
    whole = done(await asking.get(town.operator, f"/v1/banks/{town.bank_id}/members"))["items"]
    assert len(whole) == 8
    for limit in (1, 2, 3):
        pages = await asking.walk(town.operator, f"/v1/banks/{town.bank_id}/members", limit=limit)
        assert [member for page in pages for member in page] == whole


async def test_members_come_newest_first(asking: Asking, town: Town) -> None:
    newest = await another(town, Role.RESIDENT)
    pages = await asking.walk(town.operator, f"/v1/banks/{town.bank_id}/members", limit=4)
    found = ids(pages, "person_id")
    assert found[0] == str(newest.id)
    assert found == sorted(found, reverse=True)


async def test_banks_are_walked_nearest_first_and_each_once(asking: Asking, town: Town) -> None:
    for _ in range(3):
        await make_town(town.database, at=Point(-8.5, 140.4))
    pages = await asking.walk(None, "/v1/banks", lat=-8.5, lon=140.4, limit=200)
    found = [bank for page in pages for bank in page]
    assert len({bank["id"] for bank in found}) == len(found) >= 4
    distances = [bank["distance_m"] for bank in found]
    assert distances == sorted(distances)
    small = done(await asking.get(None, "/v1/banks", lat=-8.5, lon=140.4, limit=2))
    rest = await asking.get(
        None, "/v1/banks", lat=-8.5, lon=140.4, limit=1, cursor=small["next_cursor"]
    )
    assert ids([small["items"], done(rest)["items"]]) == [bank["id"] for bank in found[:3]]


def cursor(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def lists(town: Town) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/v1/pickups", {}),
        ("/v1/payouts", {}),
        (f"/v1/passbooks/{town.bank_id}/lines", {"resident_id": str(town.resident.id)}),
        (f"/v1/banks/{town.bank_id}/members", {}),
        ("/v1/banks", {"lat": 3.56, "lon": 98.87}),
    ]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "abc", "1.5", "", "9" * 30])
async def test_a_limit_is_between_1_and_200(asking: Asking, quiet: Town, limit: str) -> None:
    for path, query in lists(quiet):
        answer = await asking.get(quiet.operator, path, **query, limit=limit)
        refused(answer, *MALFORMED, "/limit")


@pytest.mark.parametrize("limit", [1, 200])
async def test_the_smallest_and_the_largest_limit_work(
    asking: Asking, quiet: Town, limit: int
) -> None:
    for path, query in lists(quiet):
        done(await asking.get(quiet.operator, path, **query, limit=limit))


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!",
        "é",
        "abc=",
        "A" * 64,
        "A" * 65,
        cursor(b"\xff" * 15),
        cursor(b"\xff" * 40),
        "\u0000",
    ],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(
    asking: Asking, quiet: Town, cursor: str
) -> None:
    for path, query in lists(quiet):
        answer = await asking.get(quiet.operator, path, **query, cursor=cursor)
        refused(answer, *MALFORMED, "/cursor")


@pytest.mark.parametrize("number", [-1, -(2**63), 2**63 - 1])
async def test_a_cursor_made_up_of_a_number_is_refused(
    asking: Asking, quiet: Town, number: int
) -> None:
    made_up = cursor(number.to_bytes(8, "big", signed=True))
    for path, query in lists(quiet)[2:5:2]:
        answer = await asking.get(quiet.operator, path, **query, cursor=made_up)
        refused(answer, *MALFORMED, "/cursor")


@pytest.mark.parametrize("status", ["lost", "OPEN", "", "1"])
async def test_a_status_that_is_none_is_refused(asking: Asking, quiet: Town, status: str) -> None:
    for path in ("/v1/pickups", "/v1/payouts"):
        answer = await asking.get(quiet.resident, path, status=status)
        refused(answer, *MALFORMED, "/status")
