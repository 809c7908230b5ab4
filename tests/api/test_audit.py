"""The audit over HTTP: acts and looks are in it, the treasurer reads it, and everybody their own."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from models.people import Person
from service.keys import Keys
from tests.api.asking import Asking, done, refused
from tests.counting import statements_of
from tests.factories import Town, earn, list_pickup


async def _audit(asking: Asking, town: Town, **query: Any) -> list[dict[str, Any]]:
    path = f"/v1/banks/{town.bank_id}/audit"
    items: list[dict[str, Any]] = done(await asking.get(town.treasurer, path, **query))["items"]
    return items


async def _own(asking: Asking, who: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = done(await asking.get(who, "/v1/me/audit"))["items"]
    return items


async def test_a_payout_leaves_who_asked_and_who_agreed(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    wanted = {"bank_id": str(town.bank_id), "amount_idr": 20_000}
    body = {**wanted, "resident_id": str(town.resident.id)}
    payout = done(await asking.post(town.operator, "/v1/payouts", body), 201)
    path = f"/v1/payouts/{payout['id']}/approve"
    done(await asking.post(town.treasurer, path, {}))
    agreed, asked = await _audit(asking, town, about=payout["id"])
    assert (asked["act"], asked["status"], asked["about_kind"]) == ("request_payout", 201, "payout")
    assert asked["actor_id"] == str(town.operator.id)
    assert asked["on_behalf_of"] == asked["person_id"] == str(town.resident.id)
    assert asked["address"] == "127.0.0.0/24"
    assert UUID(asked["device_id"])
    assert (agreed["act"], agreed["person_id"]) == ("approve_payout", str(town.resident.id))
    assert agreed["on_behalf_of"] is None
    assert [one["act"] for one in await _audit(asking, town, act="approve_payout")] == [
        "approve_payout"
    ]
    assert len(await _audit(asking, town, person=town.resident.id)) == 2
    assert await _audit(asking, town, to=asked["at"]) == []
    mine = await _own(asking, town.resident)
    told = [(one["words"], one["roles"], one["name"], one["assisted"]) for one in mine]
    assert told == [
        ("Approved a payout", ["treasurer"], "Somebody", False),
        ("Asked for a payout", ["operator"], "Somebody", True),
    ]
    assert {one["address"] for one in mine} == {""}


async def test_a_repeat_is_no_act_and_a_refusal_is_one(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys, grams=1_000)
    body = {"bank_id": str(town.bank_id), "amount_idr": 20_000}
    for _ in range(2):
        answer = await asking.post(town.resident, "/v1/payouts", body, key="once")
        refused(answer, 409, "balance_too_low")
    (entry,) = await _audit(asking, town)
    assert (entry["act"], entry["status"], entry["about"]) == ("request_payout", 409, "")
    await asking.post(town.collector, f"/v1/banks/{town.bank_id}/days/2026-01-01/close", {})
    assert len(await _audit(asking, town)) == 1


async def test_a_claim_is_an_act_about_each_pickup_and_needs_no_key(
    asking: Asking, town: Town
) -> None:
    pickups = {str((await list_pickup(town)).id) for _ in range(2)}
    here = {"lat": town.bank.lat, "lon": town.bank.lon}
    body = {"position": here, "max_jobs": 2}
    done(await asking.post(town.collector, "/v1/jobs/claim", body, key=None), 201)
    entries = await _audit(asking, town, act="claim_nearest")
    assert {one["about"] for one in entries} == pickups
    assert {one["person_id"] for one in entries} == {str(town.resident.id)}
    (_, told) = await _own(asking, town.resident)
    assert (told["roles"], told["name"], told["by_me"]) == (["collector"], "", False)


async def test_an_entry_and_the_answer_are_one_round_trip(asking: Asking, town: Town) -> None:
    pickup = await list_pickup(town)
    with statements_of(town.database) as sent:
        body = {"reason": "sudah dijual"}
        done(await asking.post(town.resident, f"/v1/pickups/{pickup.id}/cancel", body))
    (audited,) = [one for one in sent if "INTO audit_entry" in one]
    assert ("INTO idempotency" in audited) == (not town.database.is_sqlite)
    (entry,) = await _audit(asking, town)
    assert (entry["about"], entry["person_id"]) == (str(pickup.id), str(town.resident.id))


async def test_a_look_at_somebody_is_noted_once_a_day(asking: Asking, town: Town) -> None:
    path = f"/v1/passbooks/{town.bank_id}"
    for _ in range(2):
        done(await asking.get(town.operator, path, resident_id=town.resident.id))
    done(await asking.get(town.resident, path))
    done(await asking.get(town.operator, f"/v1/banks/{town.bank_id}/members"))
    with statements_of(town.database) as sent:
        done(await asking.get(town.operator, path, resident_id=town.resident.id))
    assert not [one for one in sent if "audit_entry" in one]
    mine = await _own(asking, town.resident)
    assert [one["act"] for one in mine] == ["read_member", "read_passbook"]
    assert [one["act"] for one in await _own(asking, town.treasurer)] == ["read_member"]


async def test_what_i_did_with_my_account_is_mine_alone(asking: Asking, town: Town) -> None:
    patch = {"name": "Siti"}
    headers = asking.headers(town.resident)
    done(await asking.client.patch("/v1/me", json=patch, headers=headers))
    (entry,) = await _own(asking, town.resident)
    assert (entry["act"], entry["by_me"], entry["address"]) == ("change_me", True, "127.0.0.0/24")
    assert entry["bank_id"] is None
    assert await _audit(asking, town) == []


async def test_joining_is_an_act(asking: Asking, town: Town) -> None:
    done(await asking.post(town.treasurer, f"/v1/banks/{town.bank_id}/join"), 201)
    (entry,) = await _audit(asking, town)
    assert (entry["act"], entry["person_id"]) == ("join_person", str(town.treasurer.id))


@pytest.mark.parametrize("part", ["operator", "collector", "resident", "city"])
async def test_only_the_treasurer_reads_a_bank_s_audit(
    asking: Asking, quiet: Town, part: str
) -> None:
    who = getattr(quiet, part)
    refused(await asking.get(who, f"/v1/banks/{quiet.bank_id}/audit"), 403, "not_allowed")
    refused(await asking.get(who, f"/v1/banks/{uuid4()}/audit"), 403, "not_allowed")


async def test_an_audit_may_begin_before_there_were_computers(asking: Asking, town: Town) -> None:
    path = f"/v1/banks/{town.bank_id}/audit"
    done(await asking.post(town.treasurer, f"/v1/banks/{town.bank_id}/join"), 201)
    whole = done(await asking.get(town.treasurer, path))
    assert whole["items"] != []
    since = {"from": "1000-01-01T00:00:00Z"}
    assert done(await asking.get(town.treasurer, path, **since)) == whole
    assert done(await asking.get(town.treasurer, path, to="1900-01-01T00:00:00Z"))["items"] == []


async def test_pages_follow_one_another(asking: Asking, town: Town) -> None:
    for day in range(3):
        path = f"/v1/banks/{town.bank_id}/days/2020-01-0{day + 1}/close"
        await asking.post(town.treasurer, path, {"counted_cash_idr": 0})
    pages = await asking.walk(town.treasurer, f"/v1/banks/{town.bank_id}/audit", limit=2)
    assert [[one["about"] for one in page] for page in pages] == [
        ["2020-01-03", "2020-01-02"],
        ["2020-01-01"],
    ]
    cut = await asking.walk(town.treasurer, "/v1/me/audit", limit=1)
    assert cut == [[]]
