"""The desk of reconciliation over HTTP: a file in, what agrees, and deciding the rest."""

import asyncio
import csv
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.base import utc_now
from models.people import Person, Role
from models.reconciliation import LineType
from service import reconciliation
from service.banks import day_at
from service.database import Database, one_at_a_time
from service.keys import Keys
from service.reconciliation.readers import Row
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, another, make_town
from tests.paid import a_row, lines_of, pay_through
from tests.unloading import fetch, weighed

HEADER = [
    "Product ID",
    "Transaction ID",
    "Transaction Type",
    "Line Type",
    "Payment Channel",
    "Reference",
    "Currency",
    "Amount",
    "Balance",
    "Debit or Credit",
    "Created UTC ISO",
]
SAYS = {
    LineType.OUT: "TRANSACTION",
    LineType.IN: "TRANSACTION",
    LineType.FEE: "FEE",
    LineType.VAT: "VAT",
    LineType.OUT_BACK: "TRANSACTION_REVERSAL",
}


def a_report(rows: Sequence[Row], *, opening_idr: int = 1_000_000) -> str:
    """A balance report, as the gateway writes it."""
    text, balance = StringIO(), opening_idr
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for row in rows:
        balance += row.amount_idr
        side = "CREDIT" if row.amount_idr > 0 else "DEBIT"
        writer.writerow(
            [
                *(row.gateway_id, row.external_id, "DISBURSEMENT", SAYS[row.kind], "ID_DANA"),
                *(row.reference, "IDR", abs(row.amount_idr), balance, side),
                row.booked_at.isoformat().replace("+00:00", "Z"),
            ]
        )
    return text.getvalue()


@pytest.fixture
async def generous(database: Database) -> Town:
    return await make_town(database, correction_limit_idr=10_000_000)


def path(town: Town, what: str) -> str:
    return f"/v1/banks/{town.bank_id}/{what}"


async def send(
    asking: Asking, town: Town, content: str | bytes, *, who: Person | None = None, **query: Any
) -> httpx.Response:
    """Bring a file in."""
    headers = asking.headers(who or town.treasurer) | {"Content-Type": "text/csv"}
    asked = {"gateway": "xendit"} | query
    body = content.encode() if isinstance(content, str) else content
    return await asking.client.post(
        path(town, "statements"), params=asked, content=body, headers=headers
    )


async def desk(asking: Asking, town: Town, **query: Any) -> dict[str, Any]:
    today = day_at(town.bank, utc_now())
    days = {"from": str(today - timedelta(days=30)), "to": str(today + timedelta(days=1))}
    answer = await asking.get(town.treasurer, path(town, "reconciliation"), **(days | query))
    found: dict[str, Any] = done(answer)
    return found


async def one_off(asking: Asking, town: Town, amount_idr: int = -10_700) -> dict[str, Any]:
    """The exception of a payout of which more left than was asked for."""
    payout = await pay_through(town, 10_000)
    first, *rest = lines_of(payout)
    done(await send(asking, town, a_report([first._replace(amount_idr=amount_idr), *rest])), 201)
    (found,) = (await desk(asking, town))["exceptions"]
    assert (found["external_id"], found["reference"]) == (first.external_id, payout.key)
    case: dict[str, Any] = found
    return case


def resolve(case: dict[str, Any]) -> str:
    return f"/v1/reconciliation/{case['id']}/resolve"


async def test_a_treasurer_brings_a_report_in_and_all_agrees(asking: Asking, town: Town) -> None:
    paid = [await pay_through(town, amount) for amount in (10_000, 20_000)]
    report = a_report([row for payout in paid for row in lines_of(payout)])
    told = done(await send(asking, town, report, dry_run="true"))
    assert (told["dry_run"], told["id"], told["new_count"]) == (True, None, 6)
    first = done(await send(asking, town, report), 201)
    assert first["matched"] == told["matched"] == {"reference": 2, "fee": 4}
    assert (first["profile"], first["opening_idr"], first["closing_idr"]) == (
        "xendit",
        1_000_000,
        964_450,
    )
    async with nothing_changes(town):
        again = done(await send(asking, town, report))
    assert (again["id"], again["new_count"], again["known_count"]) == (first["id"], 0, 6)
    found = await desk(asking, town)
    assert (found["matched"], found["exceptions"], found["difference_idr"]) == (6, [], 0)
    assert found["ledger_idr"] == found["statement_idr"] == -35_550
    (gateway,) = found["gateways"]
    assert (gateway["gateway"], gateway["adds_up"], gateway["unexplained_idr"]) == (
        "xendit",
        True,
        0,
    )
    assert (gateway["paid_count"], gateway["paid_idr"], gateway["fees_idr"]) == (2, 30_000, 5_550)
    (entered,) = done(await asking.get(town.treasurer, path(town, "statements")))["items"]
    assert (entered["id"], entered["line_count"]) == (first["id"], 6)


async def test_an_exception_shows_both_sides_and_is_resolved(
    asking: Asking, generous: Town
) -> None:
    town = generous
    case = await one_off(asking, town)
    assert (case["kind"], case["expected_idr"], case["found_idr"]) == (
        "amount_differs",
        10_000,
        10_700,
    )
    assert case["payout_id"]
    assert case["statement_line_id"]
    assert (case["age_days"], case["status"], case["gateway"]) == (2, "open", "xendit")
    assert case["actions"][0] == case["proposed_action"] == "suspense"
    body = {"action": "fee", "reason": "biaya tambahan"}
    decided = done(await asking.post(town.treasurer, resolve(case), body, key="a"))
    assert (decided["status"], decided["action"], decided["actions"]) == ("resolved", "fee", [])
    assert decided["transfer_id"]
    async with nothing_changes(town):
        again = await asking.post(town.treasurer, resolve(case), body, key="a")
        assert done(again) == decided
        assert again.headers["Idempotency-Replayed"] == "true"
        refused(await asking.post(town.treasurer, resolve(case), body), 409, "case_not_open")
    found = await desk(asking, town)
    assert (found["exceptions"], found["difference_idr"], found["matched"]) == ([], 0, 3)
    (ended,) = (await desk(asking, town, status="ended"))["exceptions"]
    assert ended["transfer_id"] == decided["transfer_id"]


async def test_a_resolution_needs_a_key_a_reason_and_an_action_that_fits(
    asking: Asking, town: Town
) -> None:
    case = await one_off(asking, town)
    good = {"action": "fee", "reason": "x"}
    async with nothing_changes(town):
        for body, pointer in (
            ({"action": "fee"}, "/reason"),
            ({"action": "fee", "reason": " "}, "/reason"),
            ({"action": "keep", "reason": "x"}, "/action"),
            ({"reason": "x"}, "/action"),
            (good | {"account": "A B"}, "/account"),
        ):
            answer = await asking.post(town.treasurer, resolve(case), body)
            refused(answer, 422, "request_malformed", pointer)
        answer = await asking.post(town.treasurer, resolve(case), good, key=None)
        refused(answer, 400, "idempotency_key_missing")
        answer = await asking.post(town.treasurer, resolve(case), good | {"action": "reverse"})
        refused(answer, 409, "action_does_not_fit")
        assert "fee" in answer.json()["detail"]


async def test_above_the_limit_another_treasurer_decides(
    database: Database, asking: Asking
) -> None:
    town = await make_town(database, correction_limit_idr=100)
    case, body = await one_off(asking, town), {"action": "fee", "reason": "x"}
    async with nothing_changes(town):
        refused(await asking.post(town.treasurer, resolve(case), body), 403, "own_reconciliation")
    second = await another(town, Role.TREASURER)
    done(await asking.post(second, resolve(case), body))


async def test_an_exception_has_an_owner(asking: Asking, town: Town) -> None:
    case = await one_off(asking, town)
    assign = f"/v1/reconciliation/{case['id']}/assign"
    body = {"owner_id": str(town.treasurer.id)}
    assert done(await asking.post(town.treasurer, assign, body))["owner_id"] == body["owner_id"]
    stranger = {"owner_id": str(town.operator.id)}
    refused(
        await asking.post(town.treasurer, assign, stranger),
        422,
        "owner_not_treasurer",
        "/owner_id",
    )


async def test_a_payout_that_came_back_is_given_back(asking: Asking, generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    back = a_row(payout, LineType.OUT_BACK, 10_000, external_id="back", after_s=3_600)
    done(await send(asking, town, a_report([*lines_of(payout), back])), 201)
    (case,) = (await desk(asking, town))["exceptions"]
    assert (case["kind"], case["found_idr"], case["proposed_action"]) == (
        "reversed",
        -10_000,
        "reverse",
    )
    done(await asking.post(town.treasurer, resolve(case), {"action": "reverse", "reason": "retur"}))
    passbook = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    assert passbook["available_idr"] == 10_000
    seen = done(await asking.get(town.resident, f"/v1/payouts/{payout.id}"))
    assert seen["status"] == "reversed"


async def test_lines_are_listed_with_their_matches_and_a_match_is_undone(
    asking: Asking, generous: Town
) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    stray = a_row(payout, LineType.OUT, -7, external_id="s", gateway_id="", reference="")
    done(await send(asking, town, a_report([*lines_of(payout), stray])), 201)
    today = day_at(town.bank, utc_now())
    days = {"from": str(today - timedelta(days=30)), "to": str(today)}
    lines = path(town, "statement-lines")
    pages = await asking.walk(town.treasurer, lines, **days, limit=3)
    assert [len(page) for page in pages] == [3, 1]
    assert {line["amount_idr"] for page in pages for line in page} == {-10_000, -2_500, -275, -7}
    answer = await asking.get(town.treasurer, lines, **days, status="unmatched")
    assert [line["external_id"] for line in done(answer)["items"]] == ["s"]
    matched = done(await asking.get(town.treasurer, lines, **days, status="matched"))["items"]
    (match,) = next(line["matches"] for line in matched if line["line_type"] == "out")
    assert (match["payout_id"], match["rule"]) == (str(payout.id), "reference")
    undo = path(town, f"statement-matches/{match['id']}/undo")
    undone = done(await asking.post(town.treasurer, undo, {"reason": "bukan ini"}))
    assert (undone["undone_by"], undone["undone_reason"]) == (str(town.treasurer.id), "bukan ini")
    async with nothing_changes(town):
        again = await asking.post(town.treasurer, undo, {"reason": "x"})
        refused(again, 409, "match_already_undone")
        unknown = path(town, f"statement-matches/{uuid4()}/undo")
        refused(await asking.post(town.treasurer, unknown, {"reason": "x"}), 404, "no_such_thing")
    whys = {case["why"] for case in (await desk(asking, town))["exceptions"]}
    assert whys == {"not_ours", "undone"}


async def test_exceptions_come_page_by_page_and_by_gateway(asking: Asking, town: Town) -> None:
    payout = await pay_through(town, 10_000)
    strays = [
        a_row(payout, LineType.OUT, -amount, external_id=f"s{amount}", gateway_id="", reference="")
        for amount in (1, 2, 3)
    ]
    done(await send(asking, town, a_report([*lines_of(payout), *strays])), 201)
    first = await desk(asking, town, limit=2)
    rest = await desk(asking, town, limit=2, cursor=first["next_cursor"])
    assert rest["next_cursor"] is None
    found = [case["found_idr"] for page in (first, rest) for case in page["exceptions"]]
    assert sorted(found) == [1, 2, 3]
    other = await desk(asking, town, gateway="iris")
    assert (other["exceptions"], other["gateways"], other["matched"]) == ([], [], 0)


async def test_a_file_that_can_not_be_read_is_refused_cell_by_cell(
    asking: Asking, town: Town
) -> None:
    payout = await pay_through(town, 10_000)
    report = (
        a_report(lines_of(payout)).replace(",2500,", ",2500.5,").replace(",IDR,275", ",USD,275")
    )
    async with nothing_changes(town):
        answer = await send(asking, town, report)
    refused(answer, 422, "statement_not_readable", "/3/Amount")
    assert {field["pointer"] for field in answer.json()["errors"]} == {"/3/Amount", "/4/Currency"}
    for content in ("", "a,b\n1,2\n"):
        assert (await send(asking, town, content)).status_code == 422
    answer = await send(asking, town, report, gateway="Not a name")
    refused(answer, 422, "request_malformed", "/gateway")
    answer = await send(asking, town, report, gateway="xendti", dry_run="true")
    refused(answer, 422, "unknown_source", "/gateway")
    told = answer.json()["errors"][0]["detail"]
    assert all(f" {name}" in told for name in ("bca", "iris", "main", "xendit")), told
    answer = await send(asking, town, report, profile="nowhere")
    refused(answer, 422, "unknown_profile", "/profile")


async def test_a_line_that_says_something_else_than_before_is_refused(
    asking: Asking, town: Town
) -> None:
    rows = lines_of(await pay_through(town, 10_000))
    done(await send(asking, town, a_report(rows)), 201)
    async with nothing_changes(town):
        answer = await send(
            asking, town, a_report([rows[0]._replace(amount_idr=-9_000), *rows[1:]])
        )
        refused(answer, 409, "statement_contradicts")


async def test_a_large_report_is_matched_before_anything_is_written(
    asking: Asking, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "MANY", 1)
    rows = lines_of(await pay_through(town, 10_000))
    brought = done(await send(asking, town, a_report(rows)), 201)
    assert brought["matched"] == {"reference": 1, "fee": 2}
    assert done(await send(asking, town, a_report(rows)))["new_count"] == 0
    changed = a_report([rows[0]._replace(amount_idr=-9_000), *rows[1:]])
    async with nothing_changes(town):
        refused(await send(asking, town, changed), 409, "statement_contradicts")


async def test_a_wrong_file_is_withdrawn_with_a_reason(asking: Asking, town: Town) -> None:
    report = a_report(lines_of(await pay_through(town, 10_000)))
    brought = done(await send(asking, town, report), 201)
    way, why = path(town, f"statements/{brought['id']}/withdraw"), {"reason": "rekening lain"}
    refused(await asking.post(town.operator, way, why), 403, "not_allowed")
    refused(await asking.post(town.treasurer, way, {}), 422, "request_malformed", "/reason")
    nowhere = path(town, f"statements/{uuid4()}/withdraw")
    refused(await asking.post(town.treasurer, nowhere, why), 404, "no_such_thing")
    told = done(await asking.post(town.treasurer, way, why))
    assert (told["withdrawn_by"], told["withdrawn_reason"]) == (
        *(str(town.treasurer.id), "rekening lain"),
    )
    refused(await asking.post(town.treasurer, way, why), 409, "statement_withdrawn")
    assert (await desk(asking, town))["matched"] == 0
    assert done(await send(asking, town, report), 201)["new_count"] == 3
    listed = done(await asking.get(town.treasurer, path(town, "statements")))["items"]
    assert [one["withdrawn_at"] is None for one in listed] == [True, False]


async def test_a_report_may_be_larger_than_other_bodies_and_not_endless(
    asking: Asking, town: Town
) -> None:
    rows = lines_of(await pay_through(town, 10_000))
    large = a_report(rows) + "\n" * 2_000_000
    done(await send(asking, town, large), 201)
    answer = await asking.client.post(
        path(town, "statements?gateway=xendit"),
        content=b"x",
        headers=asking.headers(town.treasurer) | {"Content-Length": str(40_000_000)},
    )
    refused(answer, 413, "body_too_large")
    answer = await asking.client.post(
        "/v1/pickups", content=b"x" * 1_100_000, headers=asking.headers(town.treasurer)
    )
    refused(answer, 413, "body_too_large")


async def test_a_bank_declares_how_its_bank_writes(asking: Asking, town: Town) -> None:
    payout = await pay_through(town, 10_000, gateway="bpd", fee_idr=0)
    assert payout.sent_at
    day = (payout.sent_at + timedelta(hours=1)).strftime("%d-%m-%Y %H:%M")
    text = f"tgl;ket;keluar;masuk\n{day};{payout.key.upper()};10.000,00;\n"
    refused(await send(asking, town, text, gateway="bpd"), 422, "statement_not_readable", "/1")
    body = {
        "name": "bpd",
        "booked_at": "tgl",
        "reference": "ket",
        "debit": "keluar",
        "credit": "masuk",
        "decimal": ",",
        "thousands": ".",
        "date_format": "%d-%m-%Y %H:%M",
        "zone": "UTC",
        "holding": "bank_account",
    }
    declared = done(await asking.post(town.treasurer, path(town, "column-maps"), body), 201)
    assert declared["columns"]["debit"] == "keluar"
    told = done(await send(asking, town, text, gateway="bpd"), 201)
    assert (told["profile"], told["matched"]) == ("bpd", {"reference": 1})
    listed = done(await asking.get(town.treasurer, path(town, "column-maps")))["items"]
    assert [one["name"] for one in listed] == ["bpd"]


async def test_a_dry_run_waits_for_nobody_who_writes(asking: Asking, quiet: Town) -> None:
    report = a_report(lines_of(await pay_through(quiet, 10_000)))
    async with quiet.database.transaction() as session, asyncio.timeout(20):
        await one_at_a_time(session, f"statements of {quiet.bank_id}")
        told = done(await send(asking, quiet, report, dry_run="true"))
    assert (told["new_count"], told["matched"]) == (3, {"reference": 1, "fee": 2})


async def test_a_file_that_a_better_map_reads_otherwise_is_refused(
    asking: Asking, quiet: Town
) -> None:
    town, columns = quiet, path(quiet, "column-maps")
    text = "tgl;no;jumlah\n2026-03-02;a1;10.000,00\n"
    body = {"name": "bpd", "booked_at": "tgl", "amount": "jumlah", "decimal": ",", "thousands": "."}
    done(await asking.post(town.treasurer, columns, body), 201)
    done(await send(asking, town, text, gateway="bpd"), 201)
    done(await asking.post(town.treasurer, columns, body | {"external_id": "no"}), 201)
    async with nothing_changes(town):
        answer = await send(asking, town, text, gateway="bpd")
    refused(answer, 409, "statement_already_imported")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"amount": "", "debit": "x"}, ""),
        ({"amount": "a", "debit": "x", "credit": "y"}, ""),
        ({"decimal": ",", "thousands": ","}, ""),
        ({"zone": "Mars/Olympus"}, ""),
        ({"name": "../x"}, "/name"),
        ({"separator": "::"}, "/separator"),
        ({"line_types": {"X": "gift"}}, "/line_types/X"),
        ({"booked_at": ""}, "/booked_at"),
    ],
)
async def test_a_map_that_can_not_be_is_refused(
    asking: Asking, quiet: Town, wrong: dict[str, Any], pointer: str
) -> None:
    body = {"name": "own", "booked_at": "d", "amount": "a"} | wrong
    answer = await asking.post(quiet.treasurer, path(quiet, "column-maps"), body)
    refused(answer, 422, "request_malformed", pointer)


async def test_grams_stand_beside_the_rupiah(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys, weighed(5_000))
    receive = path(town, f"loads/{town.collector.id}/receive")
    scale = {"weighings": [{"material": "PET-BNG-B", "grams": 4_900}]}
    done(await asking.post(town.operator, receive, scale), 201)
    (grams,) = (await desk(asking, town))["mass"]
    assert (grams["door_grams"], grams["station_grams"], grams["sold_grams"]) == (5_000, 4_900, 0)
    assert (grams["weighing_difference_grams"], grams["balance_grams"]) == (100, 0)


async def asks(asking: Asking, town: Town, who: Person | None, case: str) -> list[httpx.Response]:
    """Every request of the desk, in somebody's name."""
    today = str(day_at(town.bank, utc_now()))
    days = {"from": today, "to": today}
    headers = asking.headers(who)
    body = {"name": "x", "booked_at": "d", "amount": "a"}
    return [
        await asking.client.post(
            path(town, "statements?gateway=xendit"), content=b"a,b\n", headers=headers
        ),
        await asking.get(who, path(town, "statements")),
        await asking.get(who, path(town, "column-maps")),
        await asking.post(who, path(town, "column-maps"), body),
        await asking.get(who, path(town, "reconciliation"), **days),
        await asking.get(who, path(town, "statement-lines"), **days),
        await asking.post(who, path(town, f"statement-matches/{uuid4()}/undo"), {"reason": "x"}),
        await asking.get(who, path(town, f"books/{today}.csv")),
        await asking.get(who, path(town, f"books/{today}/{today}.xlsx")),
        await asking.post(
            who, f"/v1/reconciliation/{case}/resolve", {"action": "fee", "reason": "x"}
        ),
        await asking.post(
            who, f"/v1/reconciliation/{case}/assign", {"owner_id": str(town.treasurer.id)}
        ),
    ]


async def test_only_the_treasurer_of_the_bank_sits_at_the_desk(asking: Asking, town: Town) -> None:
    case = (await one_off(asking, town))["id"]
    far = await make_town(town.database)
    async with nothing_changes(town):
        for who in (town.operator, town.resident, town.collector, town.city, far.treasurer):
            found = await asks(asking, town, who, case)
            *in_bank, resolving, assigning = found
            for answer in in_bank:
                refused(answer, 403, "not_allowed")
            status = 404 if who is far.treasurer else 403
            assert {resolving.status_code, assigning.status_code} == {status}
        for answer in await asks(asking, town, None, case):
            refused(answer, 401, "no_valid_token")
