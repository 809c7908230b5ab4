"""Weighing at the counter, the passbook and the trial balance."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.base import utc_now
from models.people import Role
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, done, nothing_changes, refused, weighing
from tests.factories import (
    KACA,
    KAIN,
    KARDUS,
    PET,
    Town,
    another,
    earn,
    give,
    make_town,
)
from tests.selling import a_buyer

MALFORMED = (422, "request_malformed")
LINE = "/weighings/0"


def dropoffs(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/dropoffs"


def dropoff(town: Town, **changes: Any) -> dict[str, Any]:
    return {"resident_id": str(town.resident.id), "weighings": [weighing()]} | changes


def line(**changes: Any) -> dict[str, Any]:
    return {"weighings": [weighing(**changes)]}


async def test_what_is_brought_is_credited_at_drop_off_prices(asking: Asking, town: Town) -> None:
    lines = [weighing(grams=1_500), weighing(material=KARDUS, grams=2_000)]
    brought = done(
        await asking.post(town.operator, dropoffs(town), dropoff(town, weighings=lines)), 201
    )
    assert [each["price_idr"] for each in brought["weighings"]] == [2_600, 1_250]
    assert brought["credited_idr"] == 3_900 + 2_500
    book = f"/v1/passbooks/{town.bank_id}"
    assert done(await asking.get(town.resident, book)) == {
        "bank_id": str(town.bank_id),
        "resident_id": str(town.resident.id),
        "available_idr": 6_400,
        "pending_idr": 0,
        "held_idr": 0,
        "grams_total": 3_500,
        "unsold_grams": 0,
    }
    (entry,) = done(await asking.get(town.resident, f"{book}/lines"))["items"]
    assert (entry["kind"], entry["dropoff_id"], entry["pickup_id"]) == (
        "dropoff",
        brought["id"],
        None,
    )


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "nothing weighed": ({"weighings": []}, *MALFORMED, "/weighings"),
    "a thousand lines": ({"weighings": [weighing()] * 1_000}, *MALFORMED, "/weighings"),
    "an empty line": (line(grams=0), *MALFORMED, LINE),
    "negative grams": (line(grams=-1), *MALFORMED, f"{LINE}/grams"),
    "absurd grams": (line(grams=10**15), *MALFORMED, f"{LINE}/grams"),
    "grams true": (line(grams=True), *MALFORMED, f"{LINE}/grams"),
    "grams as text": (line(grams="5000"), *MALFORMED, f"{LINE}/grams"),
    "rejected without a reason": (line(rejected_grams=10), *MALFORMED, f"{LINE}/reason"),
    "wrong condition": (line(condition="wet"), *MALFORMED, f"{LINE}/condition"),
    "material with a NUL": (line(material="\u0000"), *MALFORMED, f"{LINE}/material"),
    "unknown material": (line(material="EMAS"), 422, "unknown_material", f"{LINE}/material"),
    "material that nobody buys": (
        line(material=KAIN),
        409,
        "material_not_bought",
        f"{LINE}/material",
    ),
    "material that is only fetched": (
        line(material=KACA),
        409,
        "material_not_bought",
        f"{LINE}/material",
    ),
    "dirty, which is only fetched": (
        line(material=PET, condition="dirty"),
        409,
        "material_not_bought",
        f"{LINE}/material",
    ),
    "resident as a word": ({"resident_id": "Siti"}, *MALFORMED, "/resident_id"),
    "resident null": ({"resident_id": None}, *MALFORMED, "/resident_id"),
    "nobody": ({"resident_id": str(uuid4())}, 404, "no_such_thing", "/resident_id"),
}


@pytest.mark.parametrize(("changes", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_drop_off_that_can_not_be_is_refused(
    asking: Asking,
    quiet: Town,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.operator, dropoffs(quiet), dropoff(quiet, **changes))
    refused(answer, status, slug, pointer)


async def test_a_bank_says_how_little_is_too_little(asking: Asking, database: Database) -> None:
    town = await make_town(database, min_dropoff_grams=2_000)
    async with nothing_changes(town):
        answer = await asking.post(
            town.operator, dropoffs(town), dropoff(town, **line(grams=1_999))
        )
        refused(answer, 409, "too_little_brought")
    dirty = line(grams=1_500, rejected_grams=500, reason="basah")
    done(await asking.post(town.operator, dropoffs(town), dropoff(town, **dirty)), 201)


async def test_more_than_a_vehicle_carries_is_asked_about(asking: Asking, town: Town) -> None:
    heavy = dropoff(town, **line(grams=400_001))
    async with nothing_changes(town):
        answer = await asking.post(town.operator, dropoffs(town), heavy)
        refused(answer, 422, "unusual_weighing", "/weighings/0/grams")
    done(await asking.post(town.operator, dropoffs(town), heavy | {"unusual_confirmed": True}), 201)


async def test_nobody_is_credited_who_is_no_resident_of_this_bank(
    asking: Asking, town: Town
) -> None:
    far = await make_town(town.database)
    async with nothing_changes(town):
        for stranger in (far.resident, town.collector):
            body = dropoff(town, resident_id=str(stranger.id))
            answer = await asking.post(town.operator, dropoffs(town), body)
            refused(answer, 404, "no_such_thing")


async def test_an_operator_does_not_weigh_for_themselves(asking: Asking, town: Town) -> None:
    await give(town, town.operator, Role.RESIDENT)
    body = dropoff(town, resident_id=str(town.operator.id))
    async with nothing_changes(town):
        refused(await asking.post(town.operator, dropoffs(town), body), 403, "own_weighing")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.TREASURER, Role.CITY])
async def test_only_operators_weigh_at_the_counter(asking: Asking, quiet: Town, role: Role) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(getattr(quiet, role), dropoffs(quiet), dropoff(quiet))
    refused(answer, 403, "not_allowed")


@pytest.mark.parametrize("part", ["", "/lines"])
async def test_a_passbook_is_its_residents_and_the_officers(
    asking: Asking, town: Town, keys: Keys, part: str
) -> None:
    await earn(town, keys)
    neighbour = await another(town, Role.RESIDENT)
    path = f"/v1/passbooks/{town.bank_id}{part}"
    own = done(await asking.get(town.resident, path))
    resident_id = str(town.resident.id)
    for officer in (town.operator, town.treasurer):
        assert done(await asking.get(officer, path, resident_id=resident_id)) == own
    for other in (neighbour, town.collector, town.city):
        answer = await asking.get(other, path, resident_id=resident_id)
        refused(answer, 403, "not_allowed")


@pytest.mark.parametrize("part", ["", "/lines"])
async def test_who_is_no_resident_has_no_passbook(asking: Asking, quiet: Town, part: str) -> None:
    path = f"/v1/passbooks/{quiet.bank_id}{part}"
    refused(await asking.get(quiet.collector, path), 403, "not_allowed")
    for stranger in (str(uuid4()), str(quiet.collector.id)):
        answer = await asking.get(quiet.operator, path, resident_id=stranger)
        refused(answer, 404, "no_such_thing")
    answer = await asking.get(quiet.operator, path, resident_id="Siti")
    refused(answer, *MALFORMED, "/resident_id")


async def test_a_passbook_begins_empty(asking: Asking, quiet: Town) -> None:
    book = f"/v1/passbooks/{quiet.bank_id}"
    empty = done(await asking.get(quiet.resident, book))
    assert [empty[name] for name in ("available_idr", "pending_idr", "held_idr")] == [0, 0, 0]
    assert done(await asking.get(quiet.resident, f"{book}/lines")) == {
        "items": [],
        "next_cursor": None,
    }


async def test_the_treasurer_sees_a_trial_balance_that_sums_to_zero(
    asking: Asking, town: Town, keys: Keys
) -> None:
    earned = await earn(town, keys, grams=10_000)
    path = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    trial = done(await asking.get(town.treasurer, path))
    assert trial["sums"] == {"IDR": 0, f"g:{PET}": 0}
    accounts = {each["account"]: each for each in trial["items"]}
    assert accounts["purchases"]["balance"] == earned
    assert accounts[f"available:{town.resident.id}"]["credit"] == earned
    assert accounts[f"source:{town.resident.id}"]["credit"] == 10_000


async def test_a_trial_balance_can_be_asked_for_as_it_was(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    path = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    before = (utc_now() - timedelta(days=1)).isoformat()
    after = (utc_now() + timedelta(days=1)).isoformat()
    then = done(await asking.get(town.treasurer, path, at=before))
    assert all(each["balance"] == 0 for each in then["items"])
    now = done(await asking.get(town.treasurer, path))
    later = done(await asking.get(town.treasurer, path, at=after))
    moved = [each for each in now["items"] if each["debit"] or each["credit"]]
    assert [each for each in later["items"] if each["debit"] or each["credit"]] == moved


async def test_the_treasurer_sees_whose_accounts_they_are(
    asking: Asking, town: Town, keys: Keys
) -> None:
    headers = asking.headers(town.resident, None)
    done(await asking.client.patch("/v1/me", json={"name": "Siti Aminah"}, headers=headers))
    await earn(town, keys)
    buyer = await a_buyer(town)
    body = {"amount_idr": 1_000}
    payments = f"/v1/banks/{town.bank_id}/buyers/{buyer.id}/payments"
    done(await asking.post(town.treasurer, payments, body), 201)
    path = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    rows = done(await asking.get(town.treasurer, path))["items"]
    assert {row["account"].partition(":")[0]: row["name"] for row in rows if row["name"]} == {
        "available": "Siti Aminah",
        "source": "Siti Aminah",
        "earnings": "Somebody",
        "load": "Somebody",
        "receivable": buyer.name,
    }


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.OPERATOR])
async def test_others_do_not_see_the_trial_balance(asking: Asking, quiet: Town, role: Role) -> None:
    path = f"/v1/banks/{quiet.bank_id}/ledger/trial-balance"
    refused(await asking.get(getattr(quiet, role), path), 403, "not_allowed")


@pytest.mark.parametrize(
    "at",
    [
        *("yesterday", "1700000000", "2026-11-22", "2026-11-22T08:00:00"),
        *("0001-01-01T00:00:00+07", "0001-01-01T00:00:00Z"),
    ],
)
async def test_an_instant_that_is_none_is_refused(asking: Asking, quiet: Town, at: str) -> None:
    path = f"/v1/banks/{quiet.bank_id}/ledger/trial-balance"
    refused(await asking.get(quiet.treasurer, path, at=at), *MALFORMED, "/at")
