"""Both ways of settling, from the listing to the cash, over HTTP."""

from typing import Any
from uuid import UUID

import pytest

from service import ledger
from service.database import Database
from tests.api.asking import HERE, Asking, done, handover, listing, payout, weighing
from tests.factories import PET, Town, make_town

SHARING: dict[str, Any] = {"settlement": "bagi_hasil", "fee_per_km_idr": 400, "fee_free_m": 500}
A_KM_SOUTH = HERE | {"lat": HERE["lat"] - 0.00904}


async def collected(asking: Asking, town: Town, grams: int = 5_000) -> dict[str, Any]:
    """A pickup, listed, claimed from a kilometre away and weighed.

    What the collector hears of it, and of how far it was.
    """
    waste = listing(town, position=A_KM_SOUTH)
    pickup = done(await asking.post(town.resident, "/v1/pickups", waste), 201)
    wish = {"position": HERE, "max_jobs": 1}
    (stop,) = done(await asking.post(town.collector, "/v1/jobs/claim", wish), 201)["route"]["stops"]
    body = handover(asking.keys, UUID(pickup["id"]), weighings=[weighing(grams=grams)])
    path = f"/v1/pickups/{pickup['id']}/collect"
    answer: dict[str, Any] = done(await asking.post(town.collector, path, body))
    return answer | {"leg_m": stop["leg_m"]}


async def received(asking: Asking, town: Town) -> None:
    """The collector's load, taken into the store as weighed at the door."""
    path = f"/v1/banks/{town.bank_id}/loads/{town.collector.id}/receive"
    assert done(await asking.post(town.operator, path), 201)["status"] == "settled"


async def paid_out(asking: Asking, town: Town, amount_idr: int) -> None:
    asked = done(await asking.post(town.resident, "/v1/payouts", payout(town, amount_idr)), 201)
    for act in ("approve", "pay-cash"):
        path = f"/v1/payouts/{asked['id']}/{act}"
        done(await asking.post(town.treasurer, path, {"proof": "kuitansi"}))


async def standing(asking: Asking, town: Town) -> dict[str, int]:
    """What the resident's passbook says, but for what is nothing."""
    book = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    return {name: value for name, value in book.items() if isinstance(value, int) and value}


async def accounts(asking: Asking, town: Town) -> dict[str, int]:
    """Balances in rupiah by account; the books balance and agree with a replay."""
    path = f"/v1/banks/{town.bank_id}/ledger/trial-balance"
    trial = done(await asking.get(town.treasurer, path))
    assert set(trial["sums"].values()) == {0}
    async with town.database.reading() as session:
        assert (await ledger.verify(session, [town.bank_id])).is_clean
    return {
        row["account"]: row["balance"]
        for row in trial["items"]
        if row["unit"] == "IDR" and row["balance"]
    }


async def sold(asking: Asking, town: Town, *, grams: int, amount_idr: int) -> dict[str, Any]:
    """A batch, sold to a buyer who pays at once."""
    at = f"/v1/banks/{town.bank_id}"
    buyer = done(await asking.post(town.operator, f"{at}/buyers", {"name": "UD Jaya"}), 201)["id"]
    batch = {"buyer_id": buyer, "material": PET, "grams": grams, "amount_idr": amount_idr}
    sale: dict[str, Any] = done(await asking.post(town.operator, f"{at}/sales", batch), 201)
    path = f"{at}/buyers/{buyer}/payments"
    paid = done(await asking.post(town.operator, path, {"amount_idr": amount_idr}), 201)
    assert paid["owes_idr"] == 0
    return sale


async def test_bought_outright_it_is_rupiah_at_the_door(asking: Asking, town: Town) -> None:
    answer = await collected(asking, town)
    assert answer["settlement"] == "beli_putus"
    assert (answer["credited_idr"], answer["expected_idr"]) == (12_370, 12_370)
    assert await standing(asking, town) == {"available_idr": 12_370, "grams_total": 5_000}
    await paid_out(asking, town, 12_370)
    await received(asking, town)
    sale = await sold(asking, town, grams=5_000, amount_idr=20_000)
    assert (sale["lot_count"], sale["kept_idr"]) == (0, 20_000)
    assert await accounts(asking, town) == {
        "purchases": 12_370,
        "collector_fees": 1_750,
        f"earnings:{town.collector.id}": -1_750,
        "sales": -20_000,
        "cash:main": 20_000 - 12_370,
    }


async def test_bought_outright_it_may_wait_for_the_second_weighing(
    asking: Asking, database: Database
) -> None:
    town = await make_town(database, credit_when="station")
    answer = await collected(asking, town)
    assert (answer["credited_idr"], answer["expected_idr"]) == (12_370, 12_370)
    assert await standing(asking, town) == {"pending_idr": 12_370, "grams_total": 5_000}
    early = await asking.post(town.resident, "/v1/payouts", payout(town, 10_000))
    assert early.status_code == 409
    await received(asking, town)
    assert await standing(asking, town) == {"available_idr": 12_370, "grams_total": 5_000}
    await paid_out(asking, town, 12_370)
    assert (await accounts(asking, town))["cash:main"] == -12_370


async def test_a_drop_off_is_weighed_at_the_station_and_never_waits(
    asking: Asking, database: Database
) -> None:
    town = await make_town(database, credit_when="station")
    body = {"resident_id": str(town.resident.id), "weighings": [weighing(grams=1_000)]}
    path = f"/v1/banks/{town.bank_id}/dropoffs"
    assert done(await asking.post(town.operator, path, body), 201)["credited_idr"] == 2_600
    assert await standing(asking, town) == {"available_idr": 2_600, "grams_total": 1_000}


async def test_shared_it_is_grams_until_the_batch_is_sold(
    asking: Asking, database: Database
) -> None:
    town = await make_town(database, **SHARING)
    answer = await collected(asking, town)
    assert answer["settlement"] == "bagi_hasil"
    assert (answer["credited_idr"], answer["expected_idr"]) == (0, 12_370)
    assert answer["weighings"][0]["amount_idr"] == 12_370
    fee, leg_m = answer["collector_fee_idr"], answer["leg_m"]
    assert leg_m == pytest.approx(1_700, abs=20), "1.45 km of road and 250 m more"
    assert fee == 1_750 + (400 * (leg_m - 500) + 500) // 1_000
    pickup = done(await asking.get(town.resident, f"/v1/pickups/{answer['id']}"))
    assert (pickup["status"], pickup["credited_idr"]) == ("collected", 0)
    assert await standing(asking, town) == {"grams_total": 5_000, "unsold_grams": 5_000}
    await received(asking, town)

    body = {"resident_id": str(town.resident.id), "weighings": [weighing(grams=3_000)]}
    dropped = done(
        await asking.post(town.operator, f"/v1/banks/{town.bank_id}/dropoffs", body), 201
    )
    assert (dropped["settlement"], dropped["credited_idr"]) == ("bagi_hasil", 0)
    assert dropped["expected_idr"] == 7_800

    sale = await sold(asking, town, grams=6_000, amount_idr=24_000)
    lots = f"/v1/banks/{town.bank_id}/sales/{sale['id']}/lots"
    first, second = done(await asking.get(town.operator, lots))["items"]
    assert (first["pickup_id"], first["grams"]) == (answer["id"], 5_000)
    assert (second["dropoff_id"], second["grams"]) == (dropped["id"], 1_000)
    due, gain = 12_370 + 2_600, 24_000 - 12_370 - 2_600
    assert gain == 9_030
    residents, share = 6_321, 753
    assert (sale["lots_idr"], sale["residents_idr"]) == (due, residents)
    assert sale["collectors_idr"] == share
    assert sale["kept_idr"] == gain - residents - share
    assert await standing(asking, town) == {
        "available_idr": due + residents,
        "grams_total": 8_000,
        "unsold_grams": 2_000,
    }
    await paid_out(asking, town, due + residents)
    assert await accounts(asking, town) == {
        "purchases": due + residents,
        "collector_fees": fee + share,
        f"earnings:{town.collector.id}": -fee - share,
        "sales": -24_000,
        "cash:main": 24_000 - due - residents,
    }


async def test_what_was_listed_before_keeps_its_way_of_settling(asking: Asking, town: Town) -> None:
    pickup = done(await asking.post(town.resident, "/v1/pickups", listing(town)), 201)
    rules = f"/v1/banks/{town.bank_id}/policies"
    done(await asking.post(town.treasurer, rules, {"settlement": "bagi_hasil"}), 201)
    done(await asking.post(town.collector, f"/v1/pickups/{pickup['id']}/claim"))
    body = handover(asking.keys, UUID(pickup["id"]))
    before = done(await asking.post(town.collector, f"/v1/pickups/{pickup['id']}/collect", body))
    after = await collected(asking, town)
    assert (before["settlement"], before["credited_idr"]) == ("beli_putus", 12_370)
    assert (after["settlement"], after["credited_idr"]) == ("bagi_hasil", 0)
