"""A collector's earnings over HTTP: what was earned by what, and who may see it."""

from typing import Any
from uuid import uuid4

from models.people import Role
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, done, nothing_changes, payout, refused
from tests.factories import PET, Town, another, make_town
from tests.selling import a_buyer, sell, sharing_town
from tests.unloading import fetch, weighed

FEE_IDR = 1_000 + 5 * 150
PAYOUTS = "/v1/payouts"


def of(town: Town) -> str:
    return f"/v1/earnings/{town.bank_id}"


async def test_a_collector_sees_fees_and_what_they_come_to(
    asking: Asking, town: Town, keys: Keys
) -> None:
    nothing = {"available_idr": 0, "held_idr": 0}
    whose = {"bank_id": str(town.bank_id), "collector_id": str(town.collector.id)}
    assert done(await asking.get(town.collector, of(town))) == whose | nothing
    assert done(await asking.get(town.collector, f"{of(town)}/lines"))["items"] == []
    pickup = await fetch(town, keys, weighed(5_000))
    await fetch(town, keys, weighed(5_000))
    assert done(await asking.get(town.collector, of(town)))["available_idr"] == 2 * FEE_IDR
    second, first = done(await asking.get(town.collector, f"{of(town)}/lines"))["items"]
    assert (first["description"], first["pickup_id"]) == ("Upah jemput", str(pickup.id))
    assert (first["in_idr"], first["out_idr"], first["balance_idr"]) == (FEE_IDR, 0, FEE_IDR)
    assert second["balance_idr"] == 2 * FEE_IDR
    pages = await asking.walk(town.collector, f"{of(town)}/lines", limit=1)
    assert pages == [[second], [first]]


async def test_a_fee_that_is_taken_back_shows_twice(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await fetch(town, keys, weighed(5_000))
    wrong = {"about_id": str(pickup.id), "reason": "salah timbang"}
    path = f"/v1/banks/{town.bank_id}/corrections"
    done(await asking.post(town.operator, path, wrong), 201)
    back, fee = done(await asking.get(town.collector, f"{of(town)}/lines"))["items"]
    assert back["description"] == "Koreksi: upah jemput (salah timbang)"
    assert (back["out_idr"], back["balance_idr"]) == (FEE_IDR, 0)
    assert back["corrects_journal_id"] == fee["journal_id"]
    assert fee["corrected_by_journal_id"] == back["journal_id"]


async def test_a_share_of_a_sale_names_the_material(
    asking: Asking, database: Database, keys: Keys
) -> None:
    town = await sharing_town(database)
    await fetch(town, keys, weighed(5_000))
    load = f"/v1/banks/{town.bank_id}/loads/{town.collector.id}/receive"
    done(await asking.post(town.operator, load), 201)
    await sell(town, await a_buyer(town), 5_000, 22_370)
    share, _ = done(await asking.get(town.collector, f"{of(town)}/lines"))["items"]
    assert (share["description"], share["in_idr"]) == (f"Bagi hasil: {PET.title()}", 1_000)


async def test_officers_name_the_collector_and_nobody_else_sees_it(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await fetch(town, keys, weighed(5_000))
    named = {"collector_id": str(town.collector.id)}
    for path in (of(town), f"{of(town)}/lines"):
        mine = done(await asking.get(town.collector, path))
        for officer in (town.operator, town.treasurer):
            assert done(await asking.get(officer, path, **named)) == mine
            refused(await asking.get(officer, path), 403, "not_allowed")
            for nobody in (town.resident.id, uuid4()):
                answer = await asking.get(officer, path, collector_id=str(nobody))
                refused(answer, 404, "no_such_thing")
        for other in (await another(town, Role.COLLECTOR), town.resident, town.city):
            refused(await asking.get(other, path, **named), 403, "not_allowed")
        stranger = (await make_town(town.database)).treasurer
        refused(await asking.get(stranger, path, **named), 403, "not_allowed")


async def test_a_collector_has_a_book_at_each_bank(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys, weighed(5_000))
    other = await make_town(town.database)
    refused(await asking.get(town.collector, of(other)), 403, "not_allowed")
    answer = await asking.get(town.collector, of(town), collector_id="Budi")
    refused(answer, 422, "request_malformed", "/collector_id")


async def test_a_collector_is_paid_what_they_earned(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys, weighed(5_000))
    asked = done(await asking.post(town.collector, PAYOUTS, draw(town)), 201)
    assert (asked["source"], asked["resident_id"]) == ("earnings", str(town.collector.id))
    standing = done(await asking.get(town.collector, of(town)))
    assert (standing["available_idr"], standing["held_idr"]) == (0, FEE_IDR)
    path = f"{PAYOUTS}/{asked['id']}"
    done(await asking.post(town.treasurer, f"{path}/approve"))
    code = {"code": asked["payout_code"]}
    assert done(await asking.post(town.treasurer, f"{path}/pay-cash", code))["status"] == "paid"
    assert done(await asking.get(town.collector, path))["source"] == "earnings"
    out, fee = done(await asking.get(town.collector, f"{of(town)}/lines"))["items"]
    assert (out["description"], out["out_idr"], out["balance_idr"]) == ("Pencairan", FEE_IDR, 0)
    assert fee["in_idr"] == FEE_IDR


async def test_earnings_that_are_not_paid_are_given_back(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await fetch(town, keys, weighed(5_000))
    for officer, verb, body in ((None, "cancel", {}), (town.treasurer, "reject", {"reason": "x"})):
        asked = done(await asking.post(town.collector, PAYOUTS, draw(town)), 201)
        path = f"{PAYOUTS}/{asked['id']}/{verb}"
        done(await asking.post(officer or town.collector, path, body))
        assert done(await asking.get(town.collector, of(town)))["available_idr"] == FEE_IDR


async def test_only_collectors_draw_earnings_and_no_more_than_theirs(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await fetch(town, keys, weighed(5_000))
    async with nothing_changes(town):
        resident = await asking.post(town.resident, PAYOUTS, draw(town))
        more = await asking.post(town.collector, PAYOUTS, draw(town, FEE_IDR + 1))
        passbook = draw(town) | {"source": "passbook"}
        mine = await asking.post(town.collector, PAYOUTS, passbook)
        named = draw(town) | {"resident_id": str(town.resident.id)}
        nobody = await asking.post(town.operator, PAYOUTS, named)
        odd = await asking.post(town.collector, PAYOUTS, draw(town) | {"source": "stock"})
    refused(resident, 403, "not_allowed")
    refused(more, 409, "balance_too_low")
    refused(mine, 403, "not_allowed")
    refused(nobody, 404, "no_such_thing")
    refused(odd, 422, "request_malformed", "/source")


def draw(town: Town, amount_idr: int = FEE_IDR) -> dict[str, Any]:
    """What a collector sends to be paid what they earned."""
    return payout(town, amount_idr, source="earnings")
