"""The whole loop over HTTP, once, as its users do it."""

from uuid import UUID, uuid4

import httpx

from service.keys import Keys
from tests.factories import LUBUK_PAKAM, PET, Town, bearer

HERE = {"lat": LUBUK_PAKAM.lat, "lon": LUBUK_PAKAM.lon}


async def test_waste_is_listed_claimed_weighed_credited_and_paid(
    client: httpx.AsyncClient, town: Town, keys: Keys
) -> None:
    listing = {
        "bank_id": str(town.bank_id),
        "position": HERE,
        "address": "Jl. Diponegoro 12",
        "items": [{"material": PET, "condition": "clean", "estimated_grams": 7_850}],
    }
    listed = await client.post("/v1/pickups", json=listing, headers=bearer(keys, town.resident))
    assert listed.status_code == 201, listed.text
    pickup = listed.json()
    assert pickup["status"] == "open"
    assert pickup["estimate_idr"] == 19_421
    assert pickup["handover_code"] == keys.handover_code(UUID(pickup["id"]))

    board = await client.get("/v1/jobs/nearest", params=HERE, headers=bearer(keys, town.collector))
    assert [job["pickup_id"] for job in board.json()["items"]] == [pickup["id"]]

    wish = {"position": HERE, "max_jobs": 3, "capacity_grams": 400_000}
    claimed = await client.post("/v1/jobs/claim", json=wish, headers=bearer(keys, town.collector))
    assert claimed.status_code == 201, claimed.text
    assert [stop["pickup_id"] for stop in claimed.json()["route"]["stops"]] == [pickup["id"]]

    arrived = await client.post(
        f"/v1/pickups/{pickup['id']}/arrive",
        json={"position": HERE},
        headers=bearer(keys, town.collector),
    )
    assert arrived.json()["status"] == "arrived"
    assert arrived.json()["handover_code"] is None

    handover = {
        "handover_code": pickup["handover_code"],
        "weighings": [{"material": PET, "grams": 8_000, "rejected_grams": 250, "reason": "basah"}],
        "position": HERE,
    }
    collected = await client.post(
        f"/v1/pickups/{pickup['id']}/collect", json=handover, headers=bearer(keys, town.collector)
    )
    assert collected.status_code == 200, collected.text
    assert collected.json()["credited_idr"] == 19_792

    asked = await client.post(
        "/v1/payouts",
        json={"bank_id": str(town.bank_id), "amount_idr": 10_000, "method": "cash"},
        headers=bearer(keys, town.resident),
    )
    assert asked.status_code == 201, asked.text
    payout = asked.json()["id"]
    passbook = (
        await client.get(f"/v1/passbooks/{town.bank_id}", headers=bearer(keys, town.resident))
    ).json()
    assert (passbook["available_idr"], passbook["held_idr"]) == (9_792, 10_000)

    for act, body in (("approve", None), ("pay-cash", {"proof": "kuitansi 1"})):
        done = await client.post(
            f"/v1/payouts/{payout}/{act}", json=body, headers=bearer(keys, town.treasurer)
        )
        assert done.status_code == 200, done.text
    assert done.json()["status"] == "paid"

    lines = (
        await client.get(f"/v1/passbooks/{town.bank_id}/lines", headers=bearer(keys, town.resident))
    ).json()["items"]
    assert [(line["in_idr"], line["out_idr"], line["balance_idr"]) for line in lines] == [
        (0, 10_000, 9_792),
        (19_792, 0, 19_792),
    ]
    assert lines[0]["payout_id"] == payout
    assert lines[1]["pickup_id"] == pickup["id"]

    trial = await client.get(
        f"/v1/banks/{town.bank_id}/ledger/trial-balance", headers=bearer(keys, town.treasurer)
    )
    assert set(trial.json()["sums"].values()) == {0}


async def test_a_repeated_request_has_one_effect_and_the_first_answer(
    client: httpx.AsyncClient, town: Town, keys: Keys
) -> None:
    headers = bearer(keys, town.operator)
    dropped = {
        "resident_id": str(town.resident.id),
        "weighings": [{"material": PET, "grams": 1_000}],
    }
    path = f"/v1/banks/{town.bank_id}/dropoffs"
    first = await client.post(path, json=dropped, headers=headers)
    again = await client.post(path, json=dropped, headers=headers)
    other = await client.post(path, json={**dropped, "resident_id": str(uuid4())}, headers=headers)

    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency_key_reused"
    passbook = (
        await client.get(f"/v1/passbooks/{town.bank_id}", headers=bearer(keys, town.resident))
    ).json()
    assert passbook["available_idr"] == 2_600
