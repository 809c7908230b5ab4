"""The store over HTTP: what lies in it, and counting it."""

from typing import Any

import pytest

from models.base import utc_now
from service.banks import day_at
from service.database import Database
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import KARDUS, PET, Town, make_town
from tests.selling import bring, sharing_town
from tests.storing import has_own


def at(town: Town, path: str = "stock") -> str:
    return f"/v1/banks/{town.bank_id}/{path}"


@pytest.fixture(scope="session")
async def stocked(database: Database) -> Town:
    """A sharing town with goods in its store, for requests that are refused."""
    town = await sharing_town(database)
    await bring(town, 3_000)
    return town


async def test_what_lies_in_the_store_is_counted(asking: Asking, town: Town) -> None:
    await bring(town, 300_000)
    await bring(town, 700, material=KARDUS)
    body = {"material": PET, "counted_grams": 5_000, "note": "salah ketik"}
    for _ in range(2):
        path = at(town, "stock/counts")
        count = done(await asking.post(town.treasurer, path, body, key="opname"), 201)
    assert (count["difference_grams"], count["note"]) == (-295_000, "salah ketik")
    assert count["counted_by"] == str(town.treasurer.id)
    stock = done(await asking.get(town.operator, at(town)))
    bought = {"residents_grams": 0}
    assert stock == {
        "items": [
            {"material": KARDUS, "grams": 700, "own_grams": 700, "last_count": None} | bought,
            {"material": PET, "grams": 5_000, "own_grams": 5_000, "last_count": count} | bought,
        ]
    }
    today = str(day_at(town.bank, utc_now()))
    days = {"from": today, "to": today}
    lines = done(await asking.get(town.operator, at(town, "mass-balance"), **days))["items"]
    (pet,) = [line for line in lines if line["material"] == PET]
    assert (pet["received_grams"], pet["stock_difference_grams"]) == (300_000, 295_000)
    assert (pet["stock_grams"], pet["balance_grams"]) == (5_000, 0)
    (line,) = done(await asking.get(town.treasurer, at(town, "audit"), act="count_stock"))["items"]
    assert (line["about_kind"], line["about"]) == ("stock_count", count["id"])


async def test_whose_the_goods_are_is_told(asking: Asking, database: Database) -> None:
    sharing = await sharing_town(database)
    await bring(sharing, 3_000)
    await has_own(sharing, 200)
    (pet,) = done(await asking.get(sharing.treasurer, at(sharing)))["items"]
    assert (pet["grams"], pet["residents_grams"], pet["own_grams"]) == (3_200, 3_000, 200)


BAD_COUNTS: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "less than residents'": ({"counted_grams": 2_999}, 409, "goods_of_residents", "/counted_grams"),
    "unknown material": ({"material": "EMAS"}, 422, "unknown_material", "/material"),
    "below nothing": ({"counted_grams": -1}, 422, "request_malformed", "/counted_grams"),
}


@pytest.mark.parametrize(
    ("changes", "status", "slug", "pointer"), BAD_COUNTS.values(), ids=BAD_COUNTS
)
async def test_a_count_that_can_not_be_is_refused(
    asking: Asking, stocked: Town, changes: dict[str, Any], status: int, slug: str, pointer: str
) -> None:
    body = {"material": PET, "counted_grams": 3_000} | changes
    async with nothing_changes(stocked):
        answer = await asking.post(stocked.treasurer, at(stocked, "stock/counts"), body)
    refused(answer, status, slug, pointer)


async def test_only_a_treasurer_with_a_key_counts_and_only_officers_look(
    asking: Asking, stocked: Town
) -> None:
    far = await make_town(stocked.database)
    path, body = at(stocked, "stock/counts"), {"material": PET, "counted_grams": 3_000}
    async with nothing_changes(stocked):
        for who in (stocked.operator, stocked.city, stocked.collector, far.treasurer):
            refused(await asking.post(who, path, body), 403, "not_allowed")
        refused(await asking.post(None, path, body), 401, "no_valid_token")
        answer = await asking.post(stocked.treasurer, path, body, key=None)
        refused(answer, 400, "idempotency_key_missing")
    for who in (stocked.city, stocked.resident, far.operator):
        refused(await asking.get(who, at(stocked)), 403, "not_allowed")
