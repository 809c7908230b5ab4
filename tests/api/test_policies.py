"""The rules of a bank: they change from an instant on, and the past stays as it was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.base import utc_now
from models.people import Role
from tests.api.asking import HERE, Asking, done, listing, nothing_changes, refused
from tests.factories import Town, make_town

MALFORMED = (422, "request_malformed")


def rules(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/policies"


def days(count: int) -> str:
    return (utc_now() + timedelta(days=count)).isoformat()


async def test_rules_change_one_by_one_and_the_rest_stays(asking: Asking, town: Town) -> None:
    (before,) = done(await asking.get(town.operator, rules(town)))["items"]
    changes = {"fee_per_stop_idr": 1_500, "fee_per_km_idr": 400, "settlement": None}
    after = done(await asking.post(town.treasurer, rules(town), changes), 201)
    assert after == before | {
        "id": after["id"],
        "valid_from": after["valid_from"],
        "created_at": after["created_at"],
        "entered_by": str(town.treasurer.id),
        "fee_per_stop_idr": 1_500,
        "fee_per_km_idr": 400,
    }
    for who in (town.operator, town.treasurer):
        assert done(await asking.get(who, rules(town)))["items"] == [after, before]
    seen = done(await asking.get(town.city, rules(town)))["items"]
    assert seen == [after | {"entered_by": None}, before | {"entered_by": None}]


async def test_rules_that_begin_later_do_not_hold_yet(asking: Asking, town: Town) -> None:
    body = {"min_payout_idr": 5_000, "valid_from": days(7)}
    later = done(await asking.post(town.treasurer, rules(town), body), 201)
    now = done(await asking.post(town.treasurer, rules(town), {"min_pickup_grams": 2_000}), 201)
    body = {"lease_s": 60, "valid_from": days(14)}
    last = done(await asking.post(town.treasurer, rules(town), body), 201)
    assert (now["min_payout_idr"], last["min_payout_idr"]) == (1_000, 5_000)
    assert (later["min_pickup_grams"], last["min_pickup_grams"]) == (1_000, 1_000)
    pages = await asking.walk(town.city, rules(town), limit=2)
    ids = [[each["id"] for each in page] for page in pages]
    assert ids == [[last["id"], later["id"]], [now["id"], str(town.policy.id)]]
    light = listing(town, items=[{"material": "PET-BNG-B", "estimated_grams": 1_500}])
    answer = await asking.post(town.resident, "/v1/pickups", light)
    refused(answer, 409, "below_minimum_weight")


async def test_no_two_rules_begin_at_one_instant(asking: Asking, town: Town) -> None:
    body = {"lease_s": 600, "valid_from": days(3)}
    done(await asking.post(town.treasurer, rules(town), body), 201)
    async with nothing_changes(town):
        answer = await asking.post(town.treasurer, rules(town), body | {"lease_s": 900})
    refused(answer, 409, "rules_exist")


@pytest.mark.parametrize(
    "body",
    [{}, {"fee_per_stop_idr": 1_000}, {"settlement": "beli_putus", "lease_s": None}],
    ids=["nothing", "as it is", "as it is, in part"],
)
async def test_rules_that_change_nothing_are_not_entered(
    asking: Asking, quiet: Town, body: dict[str, Any]
) -> None:
    async with nothing_changes(quiet):
        for valid_from in ({}, {"valid_from": days(3)}):
            answer = await asking.post(quiet.treasurer, rules(quiet), body | valid_from)
            refused(answer, 409, "rules_unchanged")


async def test_what_is_in_force_by_then_decides_whether_rules_change(
    asking: Asking, town: Town
) -> None:
    for at, stop_idr in ((3, 1_500), (6, 1_000)):
        body = {"fee_per_stop_idr": stop_idr, "valid_from": days(at)}
        done(await asking.post(town.treasurer, rules(town), body), 201)


async def test_rules_never_change_the_past(asking: Asking, quiet: Town) -> None:
    async with nothing_changes(quiet):
        body = {"lease_s": 600, "valid_from": days(-1)}
        answer = await asking.post(quiet.treasurer, rules(quiet), body)
    refused(answer, 409, "past_rules", "/valid_from")


async def test_a_clock_that_is_a_little_behind_means_now(asking: Asking, town: Town) -> None:
    behind = utc_now() - timedelta(minutes=4)
    body = {"lease_s": 600, "valid_from": behind.isoformat()}
    entered = done(await asking.post(town.treasurer, rules(town), body), 201)
    assert datetime.fromisoformat(entered["valid_from"]) > behind


async def test_nobody_gets_more_than_there_is_to_share(asking: Asking, quiet: Town) -> None:
    async with nothing_changes(quiet):
        for body in (
            {"residents_permille": 901},
            {"residents_permille": 600, "collectors_permille": 401},
        ):
            answer = await asking.post(quiet.treasurer, rules(quiet), body)
            refused(answer, 409, "parts_too_large")


BAD: dict[str, tuple[str, Any]] = {
    "negative fee": ("fee_per_kg_idr", -1),
    "absurd fee": ("fee_per_stop_idr", 10**9),
    "fee true": ("fee_per_km_idr", True),
    "fee as text": ("fee_floor_idr", "1000"),
    "no reach": ("service_radius_m", 0),
    "payouts of nothing": ("min_payout_idr", 0),
    "no lease": ("lease_s", 0),
    "no jobs": ("max_held_jobs", 0),
    "no ageing floor": ("age_floor_m", 0),
    "ageing that is no number": ("age_tau_s", "inf"),
    "more than all": ("residents_permille", 1_001),
    "less than none": ("collectors_permille", -1),
    "tolerance above all": ("tolerance_permille", 1_001),
    "another way of settling": ("settlement", "kredit"),
    "another place of credit": ("credit_when", "later"),
    "expiry at once": ("payout_expires_h", 0),
    "an instant that is none": ("valid_from", "tomorrow"),
}


@pytest.mark.parametrize(("field", "value"), BAD.values(), ids=BAD)
async def test_rules_that_can_not_be_are_refused(
    asking: Asking, quiet: Town, field: str, value: Any
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.treasurer, rules(quiet), {field: value})
    refused(answer, *MALFORMED, f"/{field}")


async def test_only_the_treasurer_sets_rules(asking: Asking, quiet: Town) -> None:
    far = await make_town(quiet.database)
    body = {"lease_s": 600}
    async with nothing_changes(quiet):
        others = [getattr(quiet, role) for role in Role if role != Role.TREASURER]
        for who in (*others, far.treasurer):
            refused(await asking.post(who, rules(quiet), body), 403, "not_allowed")
        refused(await asking.post(None, rules(quiet), body), 401, "no_valid_token")
    for who in (quiet.resident, quiet.collector, far.city):
        refused(await asking.get(who, rules(quiet)), 403, "not_allowed")


async def test_the_board_says_what_a_far_job_earns(asking: Asking, town: Town) -> None:
    done(await asking.post(town.treasurer, rules(town), {"fee_per_km_idr": 1_000}), 201)
    done(await asking.post(town.resident, "/v1/pickups", listing(town)), 201)
    near = done(await asking.get(town.collector, "/v1/jobs/nearest", **HERE))["items"]
    there = HERE | {"lat": HERE["lat"] - 0.1}
    far = done(await asking.get(town.collector, "/v1/jobs/nearest", **there))["items"]
    assert near[0]["collector_fee_idr"] == 1_750
    (job,) = far
    by_distance = job["collector_fee_idr"] - 1_750
    assert by_distance == pytest.approx(job["distance_m"], rel=0.01), "Rp1,000 a kilometre"
