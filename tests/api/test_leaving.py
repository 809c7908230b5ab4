"""Ending somebody's part in a bank, over HTTP."""

from typing import Any

import httpx
import pytest

from models.people import Person, Role
from service.keys import Keys
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, another, earn, make_town


async def end(asking: Asking, town: Town, by: Person, whose: Person, role: str) -> httpx.Response:
    path = f"/v1/banks/{town.bank_id}/members/{whose.id}/parts/{role}"
    return await asking.client.delete(path, headers=asking.headers(by))


async def test_a_part_is_over_with_the_next_request(asking: Asking, town: Town, keys: Keys) -> None:
    await earn(town, keys)
    left, members = town.operator, f"/v1/banks/{town.bank_id}/members"
    wanted = {"bank_id": str(town.bank_id), "amount_idr": 20_000}
    body = wanted | {"resident_id": str(town.resident.id)}
    done(await asking.post(left, "/v1/payouts", body), 201)
    ended = done(await end(asking, town, town.treasurer, left, "operator"))
    assert (ended["person_id"], ended["role"]) == (str(left.id), "operator")
    refused(await asking.get(left, members), 403, "not_allowed")
    assert done(await asking.get(left, "/v1/me"))["memberships"] == []
    refused(await end(asking, town, town.treasurer, left, "operator"), 404, "no_such_thing")

    path = f"/v1/banks/{town.bank_id}/audit"
    (entry,) = done(await asking.get(town.treasurer, path, act="end_part"))["items"]
    said = [entry[name] for name in ("actor_id", "about_kind", "about", "person_id", "status")]
    assert said == [str(town.treasurer.id), "role", "operator", str(left.id), 200]
    told = await own(asking, left)
    assert [(one["words"], one["roles"]) for one in told] == [
        ("Ended a part in the bank", ["treasurer"])
    ]
    # What they did while they had it is still told of as what it was.
    (asked,) = await own(asking, town.resident)
    assert (asked["roles"], asked["name"]) == (["operator"], "Somebody")

    again = {"phone": left.phone, "role": "collector"}
    done(await asking.post(town.treasurer, members, again), 201)


async def own(asking: Asking, who: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = done(await asking.get(who, "/v1/me/audit"))["items"]
    return items


@pytest.mark.parametrize(
    ("whose", "role", "status", "slug"),
    [
        ("treasurer", "treasurer", 409, "ends_own_part"),
        ("resident", "resident", 409, "passbook_stays"),
        ("resident", "city", 409, "city_stays"),
        ("resident", "mayor", 422, "request_malformed"),
    ],
)
async def test_parts_that_can_not_be_ended(
    asking: Asking, quiet: Town, whose: str, role: str, status: int, slug: str
) -> None:
    async with nothing_changes(quiet):
        answer = await end(asking, quiet, quiet.treasurer, getattr(quiet, whose), role)
    refused(answer, status, slug)


async def test_what_is_open_comes_first_and_only_treasurers_of_the_bank_end_parts(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    answer = await end(asking, town, town.treasurer, town.collector, "collector")
    refused(answer, 409, "load_not_settled")
    far = await make_town(town.database)
    second = await another(town, Role.OPERATOR)
    for nobody in (town.operator, far.treasurer):
        refused(await end(asking, town, nobody, second, "operator"), 403, "not_allowed")
