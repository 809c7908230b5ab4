"""Buyers, sales and residue over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.base import utc_now
from models.people import Person, Role
from models.sale import Buyer, Lot
from service.banks import day_at
from service.database import Database
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import KACA, KARDUS, PET, Town, another, make_town
from tests.selling import a_buyer, bring, sharing_town
from tests.storing import has_own

MALFORMED = (422, "request_malformed")
BUYER = {"name": "UD Plastik Jaya", "phone": "0812-6000-1234", "note": "Medan"}


@pytest.fixture(scope="session")
async def stocked(database: Database) -> Town:
    """A town with 10 kg of a resident's PET in its store, for sales that are refused."""
    town = await sharing_town(database)
    await bring(town, 10_000)
    return town


@pytest.fixture(scope="session")
async def yard(stocked: Town) -> Buyer:
    return await a_buyer(stocked)


@pytest.fixture
async def sharing(database: Database) -> Town:
    return await sharing_town(database, correction_limit_idr=100_000)


def at(town: Town, noun: str) -> str:
    return f"/v1/banks/{town.bank_id}/{noun}"


def batch(buyer: object, /, **changes: Any) -> dict[str, Any]:
    sold = {"buyer_id": str(buyer), "material": PET, "grams": 5_000, "amount_idr": 20_000}
    return sold | changes


async def test_a_sale_says_how_its_money_was_divided(asking: Asking, sharing: Town) -> None:
    await bring(sharing, 4_000)
    await bring(sharing, 2_000)
    buyer = await a_buyer(sharing)
    body = batch(buyer.id, note="truk 1")
    sold = done(await asking.post(sharing.operator, at(sharing, "sales"), body), 201)
    assert sold["lot_count"] == 2
    path = f"{at(sharing, 'sales')}/{sold['id']}"
    first, second = done(await asking.get(sharing.treasurer, f"{path}/lots"))["items"]
    assert (first["grams"], first["amount_idr"], first["share_idr"]) == (4_000, 10_400, 3_920)
    assert (second["grams"], second["amount_idr"], second["share_idr"]) == (1_000, 2_600, 980)
    assert first["resident_id"] == str(sharing.resident.id)
    figures = ("lot_grams", "lots_idr", "residents_idr", "collectors_idr", "kept_idr")
    assert [sold[name] for name in figures] == [5_000, 13_000, 4_900, 0, 2_100]
    for overseer in (sharing.operator, sharing.treasurer):
        assert done(await asking.get(overseer, path)) == sold
        (listed,) = done(await asking.get(overseer, at(sharing, "sales")))["items"]
        assert listed == {name: value for name, value in sold.items() if name != "lot_count"}


async def test_lots_of_a_sale_are_listed_page_by_page_first_in_first(
    asking: Asking, sharing: Town
) -> None:
    for grams in (1_000, 2_000, 3_000):
        await bring(sharing, grams)
    # The newest id was weighed first, as what a vehicle brings late.
    async with sharing.database.transaction() as session:
        of_bank = (col(Lot.bank_id) == sharing.bank_id, col(Lot.grams) == 3_000)
        await session.exec(
            update(Lot).where(*of_bank).values(weighed_at=utc_now() - timedelta(days=1))
        )
    body = batch((await a_buyer(sharing)).id, grams=6_000)
    sale = done(await asking.post(sharing.operator, at(sharing, "sales"), body), 201)
    path = at(sharing, f"sales/{sale['id']}/lots")
    for limit, pages in ((2, [[3_000, 1_000], [2_000]]), (1, [[3_000], [1_000], [2_000]])):
        walked = await asking.walk(sharing.operator, path, limit=limit)
        assert [[lot["grams"] for lot in page] for page in walked] == pages
    for other in (sharing.resident, sharing.collector):
        refused(await asking.get(other, path), 403, "not_allowed")
    refused(await asking.get(sharing.city, path), 403, "city_sees_sums")


async def test_a_resident_sees_what_waits_and_what_it_brought(
    asking: Asking, sharing: Town
) -> None:
    await bring(sharing, 4_000)
    book = f"/v1/passbooks/{sharing.bank_id}"
    standing = done(await asking.get(sharing.resident, book))
    assert (standing["available_idr"], standing["unsold_grams"]) == (0, 4_000)
    buyer = await a_buyer(sharing)
    body = batch(buyer.id, grams=3_000, amount_idr=9_000)
    sold = done(await asking.post(sharing.treasurer, at(sharing, "sales"), body), 201)
    standing = done(await asking.get(sharing.resident, book))
    assert (standing["available_idr"], standing["unsold_grams"]) == (8_640, 1_000)
    assert standing["grams_total"] == 4_000
    lines = done(await asking.get(sharing.resident, f"{book}/lines"))["items"]
    assert [(line["description"], line["in_idr"]) for line in lines] == [
        (f"Bagi hasil: {PET.title()}", 840),
        (f"Terjual: {PET.title()}", 7_800),
    ]
    (lot,) = done(await asking.get(sharing.resident, f"{book}/lots"))["items"]
    of_sale = at(sharing, f"sales/{sold['id']}/lots")
    (gone,) = done(await asking.get(sharing.operator, of_sale))["items"]
    assert gone["lot_id"] == lot["id"]
    assert (lot["grams"], lot["sold_grams"]) == (4_000, 3_000)
    assert (lot["paid_idr"], lot["shared_idr"]) == (7_800, 840)


async def test_lots_are_listed_page_by_page_newest_first(asking: Asking, sharing: Town) -> None:
    for grams in (1_000, 2_000, 3_000):
        await bring(sharing, grams)
    path = f"/v1/passbooks/{sharing.bank_id}/lots"
    pages = await asking.walk(sharing.resident, path, limit=2)
    assert [[lot["grams"] for lot in page] for page in pages] == [[3_000, 2_000], [1_000]]
    resident_id = str(sharing.resident.id)
    assert await asking.walk(sharing.operator, path, limit=2, resident_id=resident_id) == pages
    for other in (await another(sharing, Role.RESIDENT), sharing.collector, sharing.city):
        answer = await asking.get(other, path, resident_id=resident_id)
        refused(answer, 403, "not_allowed")


async def test_a_buyer_owes_until_they_pay(asking: Asking, sharing: Town) -> None:
    await bring(sharing, 10_000)
    buyer = done(await asking.post(sharing.operator, at(sharing, "buyers"), BUYER), 201)
    assert (buyer["phone"], buyer["owes_idr"]) == ("+6281260001234", 0)
    sold = await asking.post(sharing.operator, at(sharing, "sales"), batch(buyer["id"]))
    assert sold.status_code == 201
    paying = at(sharing, f"buyers/{buyer['id']}/payments")
    body = {"amount_idr": 15_000, "drawer": "truk", "note": "nota 7"}
    unknown = await asking.post(sharing.operator, paying, body)
    refused(unknown, 404, "no_such_thing", "/drawer")
    truck = {"name": "truk", "officer_id": str(sharing.operator.id)}
    done(await asking.post(sharing.treasurer, at(sharing, "drawers"), truck), 201)
    paid = done(await asking.post(sharing.operator, paying, body), 201)
    assert (paid["drawer"], paid["owes_idr"], paid["paid_ahead_idr"]) == ("truk", 5_000, 0)
    ahead = done(await asking.post(sharing.treasurer, paying, {"amount_idr": 6_000}), 201)
    assert (ahead["buyer_id"], ahead["drawer"]) == (buyer["id"], "main")
    assert (ahead["amount_idr"], ahead["owes_idr"]) == (6_000, -1_000)
    assert ahead["paid_ahead_idr"] == 1_000
    (listed,) = done(await asking.get(sharing.treasurer, at(sharing, "buyers")))["items"]
    assert listed == buyer | {"owes_idr": -1_000, "paid_ahead_idr": 1_000}
    trial = await accounts(asking, sharing)
    assert (trial["cash:truk"], trial["cash:main"]) == (15_000, 6_000)


async def test_a_buyer_is_entered_once_in_a_bank(asking: Asking, sharing: Town) -> None:
    done(await asking.post(sharing.operator, at(sharing, "buyers"), BUYER), 201)
    async with nothing_changes(sharing):
        answer = await asking.post(sharing.operator, at(sharing, "buyers"), BUYER)
    refused(answer, 409, "buyer_exists")
    far = await make_town(sharing.database)
    done(await asking.post(far.operator, at(far, "buyers"), BUYER | {"phone": None}), 201)


async def test_buyers_and_sales_are_listed_page_by_page(asking: Asking, sharing: Town) -> None:
    await bring(sharing, 10_000)
    buyers = [str((await a_buyer(sharing)).id) for _ in range(3)]
    made = [
        done(await asking.post(sharing.operator, at(sharing, "sales"), batch(each, grams=1)), 201)
        for each in buyers
    ]
    for noun, ids in (("buyers", buyers), ("sales", [sale["id"] for sale in made])):
        pages = await asking.walk(sharing.operator, at(sharing, noun), limit=2)
        assert [[each["id"] for each in page] for page in pages] == [ids[:0:-1], ids[:1]]


async def test_what_nobody_buys_leaves_the_store(asking: Asking, town: Town) -> None:
    await bring(town, 1_000, material=KARDUS)
    body = {"material": KARDUS, "grams": 400, "reason": "basah"}
    thrown = done(await asking.post(town.operator, at(town, "residue"), body), 201)
    assert (thrown["material"], thrown["grams"]) == (KARDUS, 400)
    trial = await accounts(asking, town, unit=f"g:{KARDUS}")
    assert (trial["stock"], trial["residue"]) == (600, 400)


async def test_what_the_buyers_scale_did_not_find_is_told(asking: Asking, sharing: Town) -> None:
    await bring(sharing, 4_000)
    buyer, today = await a_buyer(sharing), str(day_at(sharing.bank, utc_now()))
    for grams, missing in ((1_000, None), (2_900, 100)):
        body = batch(buyer.id, grams=grams, missing_grams=missing)
        sold = done(await asking.post(sharing.operator, at(sharing, "sales"), body), 201)
    assert (sold["grams"], sold["missing_grams"], sold["lot_grams"]) == (2_900, 100, 3_000)
    days = {"from": today, "to": today}
    (line,) = done(await asking.get(sharing.operator, at(sharing, "mass-balance"), **days))["items"]
    names = ("received", "sold", "missing", "weighing_difference", "stock", "balance")
    assert [line[f"{name}_grams"] for name in names] == [4_000, 3_900, 100, 0, 0, 0]


async def test_what_was_entered_wrongly_is_taken_back_by_its_id(
    asking: Asking, sharing: Town
) -> None:
    await bring(sharing, 4_000)
    buyer = await a_buyer(sharing)
    body = batch(buyer.id, grams=4_000)
    sold = done(await asking.post(sharing.operator, at(sharing, "sales"), body), 201)
    assert sold["taken_back_at"] is None
    payments, money = at(sharing, f"buyers/{buyer.id}/payments"), {"amount_idr": 5_000}
    paid = done(await asking.post(sharing.operator, payments, money), 201)
    await has_own(sharing, 500)
    thrown = {"material": PET, "grams": 500, "reason": "basah"}
    residue = done(await asking.post(sharing.operator, at(sharing, "residue"), thrown), 201)
    for wrong in (sold, paid, residue):
        body = {"about_id": wrong["id"], "reason": "salah ketik"}
        done(await asking.post(sharing.treasurer, at(sharing, "corrections"), body), 201)
    path = f"{at(sharing, 'sales')}/{sold['id']}"
    seen = done(await asking.get(sharing.operator, path))
    assert seen == sold | {"taken_back_at": seen["taken_back_at"]}
    (listed,) = done(await asking.get(sharing.operator, at(sharing, "sales")))["items"]
    (part,) = done(await asking.get(sharing.operator, f"{path}/lots"))["items"]
    assert seen["taken_back_at"] == listed["taken_back_at"] == part["taken_back_at"] is not None
    (owing,) = done(await asking.get(sharing.operator, at(sharing, "buyers")))["items"]
    assert (owing["owes_idr"], owing["paid_ahead_idr"]) == (0, 0)
    async with nothing_changes(sharing):
        answer = await asking.post(sharing.operator, at(sharing, "corrections"), body)
    refused(answer, 409, "already_reversed")
    lines = done(await asking.get(sharing.resident, f"/v1/passbooks/{sharing.bank_id}/lines"))
    assert [line["description"] for line in lines["items"]] == [
        "Koreksi: terjual, Pet-Bng-B (salah ketik)",
        "Koreksi: bagi hasil, Pet-Bng-B (salah ketik)",
        "Bagi hasil: Pet-Bng-B",
        "Terjual: Pet-Bng-B",
    ]
    receipt = f"/v1/receipts/{sharing.bank_id}/{sold['id']}"
    text = (await asking.get(sharing.resident, receipt, format="text")).text.splitlines()
    got = sum(line["in_idr"] for line in lines["items"])
    assert text[1].startswith("Sale, corrected, ")
    assert text[2] == f"Rp{got:,}"
    assert text[3].startswith(f"Taken back: Rp{got:,}, ")


async def test_a_repeated_sale_happens_once(asking: Asking, sharing: Town) -> None:
    await bring(sharing, 10_000)
    body = batch((await a_buyer(sharing)).id)
    first = await asking.post(sharing.operator, at(sharing, "sales"), body, key="truk-1")
    async with nothing_changes(sharing):
        again = await asking.post(sharing.operator, at(sharing, "sales"), body, key="truk-1")
        other = body | {"grams": 5_001}
        reused = await asking.post(sharing.operator, at(sharing, "sales"), other, key="truk-1")
    assert again.json() == done(first, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(reused, 422, "idempotency_key_reused")


BAD_NUMBERS = {"zero": 0, "negative": -1, "absurd": 10**15, "true": True, "half": 0.5, "text": "1"}
BAD_SALES: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    **{
        f"{name} {field}": ({field: value}, *MALFORMED, f"/{field}")
        for field in ("grams", "amount_idr")
        for name, value in BAD_NUMBERS.items()
    },
    "less than nothing missing": ({"missing_grams": -1}, *MALFORMED, "/missing_grams"),
    "half a gram missing": ({"missing_grams": 0.5}, *MALFORMED, "/missing_grams"),
    "more missing than found": ({"missing_grams": 5_001}, *MALFORMED, "/missing_grams"),
    "missing from nowhere": (
        {"grams": 9_000, "missing_grams": 1_001},
        409,
        "stock_too_low",
        "/grams",
    ),
    "unknown material": ({"material": "EMAS"}, 422, "unknown_material", "/material"),
    "material with a NUL": ({"material": "\u0000"}, *MALFORMED, "/material"),
    "more than the stock": ({"grams": 10_001}, 409, "stock_too_low", "/grams"),
    "nothing of it in the store": ({"material": KACA}, 409, "stock_too_low", "/grams"),
    "unknown buyer": ({"buyer_id": str(uuid4())}, 404, "no_such_thing", "/buyer_id"),
    "buyer as a word": ({"buyer_id": "Jaya"}, *MALFORMED, "/buyer_id"),
    "long note": ({"note": "a" * 301}, *MALFORMED, "/note"),
}


@pytest.mark.parametrize(
    ("changes", "status", "slug", "pointer"), BAD_SALES.values(), ids=BAD_SALES
)
async def test_a_sale_that_can_not_be_is_refused(
    asking: Asking,
    stocked: Town,
    yard: Buyer,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    async with nothing_changes(stocked):
        body = batch(yard.id, **changes)
        answer = await asking.post(stocked.operator, at(stocked, "sales"), body)
    refused(answer, status, slug, pointer)


BAD_PAYMENTS: dict[str, tuple[dict[str, Any], str]] = {
    **{name: ({"amount_idr": value}, "/amount_idr") for name, value in BAD_NUMBERS.items()},
    "no amount": ({}, "/amount_idr"),
    "drawer with a colon": ({"amount_idr": 1, "drawer": "main:2"}, "/drawer"),
    "drawer of nothing": ({"amount_idr": 1, "drawer": ""}, "/drawer"),
}


@pytest.mark.parametrize(("body", "pointer"), BAD_PAYMENTS.values(), ids=BAD_PAYMENTS)
async def test_a_payment_that_can_not_be_is_refused(
    asking: Asking, stocked: Town, yard: Buyer, body: dict[str, Any], pointer: str
) -> None:
    async with nothing_changes(stocked):
        path = at(stocked, f"buyers/{yard.id}/payments")
        refused(await asking.post(stocked.operator, path, body), *MALFORMED, pointer)


BAD_RESIDUE: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    **{name: ({"grams": value}, *MALFORMED, "/grams") for name, value in BAD_NUMBERS.items()},
    "more than the stock": ({"grams": 10_001}, 409, "stock_too_low", "/grams"),
    "residents' goods": ({"grams": 1}, 409, "goods_of_residents", None),
    "unknown material": ({"material": "EMAS"}, 422, "unknown_material", "/material"),
    "no reason": ({"reason": " "}, *MALFORMED, "/reason"),
}


@pytest.mark.parametrize(
    ("changes", "status", "slug", "pointer"), BAD_RESIDUE.values(), ids=BAD_RESIDUE
)
async def test_residue_that_can_not_be_is_refused(
    asking: Asking,
    stocked: Town,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    body = {"material": PET, "grams": 10, "reason": "basah"} | changes
    async with nothing_changes(stocked):
        answer = await asking.post(stocked.operator, at(stocked, "residue"), body)
    refused(answer, status, slug, pointer)


@pytest.mark.parametrize(
    ("changes", "slug", "pointer"),
    [
        ({"name": ""}, "request_malformed", "/name"),
        ({"name": "  "}, "request_malformed", "/name"),
        ({"name": None}, "request_malformed", "/name"),
        ({"name": "a" * 121}, "request_malformed", "/name"),
        ({"phone": "12"}, "phone_not_valid", "/phone"),
    ],
)
async def test_a_buyer_that_can_not_be_is_refused(
    asking: Asking, stocked: Town, changes: dict[str, Any], slug: str, pointer: str
) -> None:
    async with nothing_changes(stocked):
        answer = await asking.post(stocked.operator, at(stocked, "buyers"), BUYER | changes)
    refused(answer, 422, slug, pointer)


def writes(town: Town, buyer_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    return [
        (at(town, "buyers"), BUYER),
        (at(town, "sales"), batch(buyer_id)),
        (at(town, f"buyers/{buyer_id}/payments"), {"amount_idr": 1_000}),
        (at(town, "residue"), {"material": PET, "grams": 1, "reason": "basah"}),
    ]


async def test_only_officers_sell(asking: Asking, stocked: Town, yard: Buyer) -> None:
    far = await make_town(stocked.database)
    people: list[Person | None] = [stocked.resident, stocked.collector, stocked.city, far.operator]
    async with nothing_changes(stocked):
        for path, body in writes(stocked, yard.id):
            for who in people:
                refused(await asking.post(who, path, body), 403, "not_allowed")
            refused(await asking.post(None, path, body), 401, "no_valid_token")


async def test_what_moves_money_or_goods_needs_a_key(
    asking: Asking, stocked: Town, yard: Buyer
) -> None:
    async with nothing_changes(stocked):
        for path, body in writes(stocked, yard.id)[1:]:
            answer = await asking.post(stocked.operator, path, body, key=None)
            refused(answer, 400, "idempotency_key_missing")


async def test_a_buyer_of_another_bank_is_none_here(
    asking: Asking, stocked: Town, yard: Buyer
) -> None:
    far = await sharing_town(stocked.database)
    await bring(far, 10_000)
    async with nothing_changes(far), nothing_changes(stocked):
        for path, body in writes(far, yard.id)[1:3]:
            refused(await asking.post(far.operator, path, body), 404, "no_such_thing")


async def test_a_mistyped_sale_is_asked_about_before_residents_get_it(
    asking: Asking, sharing: Town
) -> None:
    await bring(sharing, 5_000)
    buyer = await a_buyer(sharing)
    mistyped = batch(buyer.id, amount_idr=20_000_000)
    path = at(sharing, "sales")
    async with nothing_changes(sharing):
        answer = await asking.post(sharing.operator, path, mistyped, key="sale")
        refused(answer, 422, "unusual_sale", "/amount_idr")
    meant = mistyped | {"unusual_confirmed": True}
    done(await asking.post(sharing.operator, path, meant, key="sale"), 201)


async def test_sales_are_seen_by_officers_alone(asking: Asking, stocked: Town) -> None:
    """One sale less the others would be what few residents' goods brought, so no city sees one."""
    far = await make_town(stocked.database)
    for noun in ("sales", "buyers", f"sales/{uuid4()}", f"sales/{uuid4()}/lots"):
        for who in (stocked.resident, stocked.collector, far.treasurer, far.city):
            refused(await asking.get(who, at(stocked, noun)), 403, "not_allowed")
        told = "not_allowed" if noun == "buyers" else "city_sees_sums"
        refused(await asking.get(stocked.city, at(stocked, noun)), 403, told)
        refused(await asking.get(None, at(stocked, noun)), 401, "no_valid_token")
    for noun in (f"sales/{uuid4()}", f"sales/{uuid4()}/lots"):
        answer = await asking.get(stocked.operator, at(stocked, noun))
        refused(answer, 404, "no_such_thing")


async def accounts(asking: Asking, town: Town, *, unit: str = "IDR") -> dict[str, int]:
    """The balances of the accounts in a unit; the books balance."""
    trial = done(await asking.get(town.treasurer, at(town, "ledger/trial-balance")))
    assert set(trial["sums"].values()) == {0}
    return {row["account"]: row["balance"] for row in trial["items"] if row["unit"] == unit}
