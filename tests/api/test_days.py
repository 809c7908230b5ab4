"""Days are closed with their drawers, and opened again, over HTTP."""

import base64
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.base import utc_now
from models.people import Role
from service import banks
from service.keys import Keys
from service.sealing import Count, InDrawer, Reopened
from service.sealing.heads import DayFacts
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, another
from tests.service.sealing import TOMORROW, act, close, seal, today, turn
from tests.service.test_closing import unknown
from tests.service.test_drawers import floated, opened

REASON = {"reason": "Kuitansi tertinggal"}


def days(town: Town, act: str = "", *, ahead: int = 0) -> str:
    day = banks.day_at(town.bank, utc_now()) + ahead * TOMORROW
    return f"/v1/banks/{town.bank_id}/days" + (f"/{day}/{act}" if act else "")


async def test_a_day_is_opened_again_with_a_reason(asking: Asking, town: Town, keys: Keys) -> None:
    second = await another(town, Role.TREASURER)
    await act(town, 5)
    done(await asking.post(town.treasurer, days(town, "close"), {"counted_cash_idr": 0}))
    await seal(town, keys)
    opened = done(await asking.post(second, days(town, "reopen"), REASON))
    assert (opened["version"], opened["first_page"]) == (1, 3)
    assert (opened["reopened_by"], opened["reason"]) == (str(second.id), REASON["reason"])
    (open_again,) = done(await asking.get(town.operator, days(town)))["items"]
    assert (open_again["version"], open_again["is_open_again"]) == (1, True)
    await act(town, 6)
    body = {"counted_cash_idr": 40}
    closed = done(await asking.post(town.treasurer, days(town, "close"), body))
    assert (closed["version"], closed["last_page"]) == (2, 3)
    await seal(town, keys)
    (newest,), (first,) = await asking.walk(town.operator, days(town), limit=1)
    assert (newest["version"], newest["reopened_by"]) == (2, str(second.id))
    assert (newest["reason"], newest["sealed"]) == (REASON["reason"], True)
    assert (first["version"], first["reason"], first["sealed"]) == (1, "", True)
    for item in (newest, first):
        assert item["is_open_again"] is False
        assert (item["counts"], item["despite_unknown"]) == ([], "")
    seen = done(await asking.get(town.city, days(town)))["items"]
    nobody = {"closed_by": None, "reopened_by": None, "reason": "", "counted_cash_idr": None}
    assert seen == [newest | nobody, first | nobody]


async def test_anybody_can_check_the_seals_of_all_versions(
    asking: Asking, town: Town, keys: Keys
) -> None:
    second = await another(town, Role.TREASURER)
    await act(town, 5)
    await close(town, 10)
    done(await asking.post(second, days(town, "reopen"), REASON))
    await act(town, 6)
    await close(town, 10)
    await seal(town, keys)
    seals = await asking.walk(None, f"/v1/banks/{town.bank_id}/seals", limit=1)
    key = done(await asking.get(None, "/v1/keys"))["items"][0]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["raw"]))
    for (published,), difference, reopened in zip(
        seals, (0, 10), (Reopened(3, second.id, REASON["reason"]), Reopened()), strict=True
    ):
        facts = DayFacts(
            town.bank_id,
            date.fromisoformat(published["day"]),
            published["page"],
            published["transfers"],
            bytes.fromhex(published["head"]),
            bytes.fromhex(published["balances"]),
            Count(10, difference, town.treasurer.id),
            published["version"],
            reopened,
            published["form"],
        )
        assert published["count"] == facts.counted.hash().hex()
        assert published["reopening"] == reopened.hash().hex()
        public.verify(base64.b64decode(published["signature"]), facts.message())


async def test_what_can_not_be_opened_again(asking: Asking, town: Town) -> None:
    second = await another(town, Role.TREASURER)
    path = days(town, "reopen")
    refused(await asking.post(second, path, REASON), 409, "day_not_closed")
    await close(town)
    refused(await asking.post(town.treasurer, path, REASON), 403, "own_close")
    earlier = await asking.post(second, days(town, "reopen", ahead=-1), REASON)
    refused(earlier, 409, "not_the_newest_day")
    later = await asking.post(second, days(town, "reopen", ahead=1), REASON)
    refused(later, 409, "day_not_closed")
    done(await asking.post(second, path, REASON))
    refused(await asking.post(second, path, REASON), 409, "day_not_closed")


async def test_a_day_is_opened_once_however_often_that_is_sent(asking: Asking, town: Town) -> None:
    second = await another(town, Role.TREASURER)
    await close(town)
    first = await asking.post(second, days(town, "reopen"), REASON, key="once")
    again = await asking.post(second, days(town, "reopen"), REASON, key="once")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert done(again) == done(first)


async def test_only_a_treasurer_opens_a_day_and_only_with_a_key(
    asking: Asking, quiet: Town
) -> None:
    path = days(quiet, "reopen")
    async with nothing_changes(quiet):
        for who in (quiet.operator, quiet.resident, quiet.city):
            refused(await asking.post(who, path, REASON), 403, "not_allowed")
        refused(await asking.post(None, path, REASON), 401, "no_valid_token")
        answer = await asking.post(quiet.treasurer, path, REASON, key=None)
        refused(answer, 400, "idempotency_key_missing")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 5}])
async def test_a_day_is_not_opened_without_a_reason(
    asking: Asking, quiet: Town, body: dict[str, Any]
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.treasurer, days(quiet, "reopen"), body)
    refused(answer, 422, "request_malformed", "/reason")


async def test_a_statement_and_a_receipt_know_the_day(
    asking: Asking, town: Town, keys: Keys
) -> None:
    second = await another(town, Role.TREASURER)
    day = await today(town)
    await act(town, 100)
    await close(town)
    await act(town, 20)
    done(await asking.post(second, days(town, "reopen"), REASON))
    (late,) = await act(town, 3)
    await close(town)
    await turn(town)
    await seal(town, keys)
    book = f"/v1/passbooks/{town.bank_id}"
    of_day = done(await asking.get(town.resident, f"{book}/statement", **{"from": day, "to": day}))
    assert (of_day["opening_idr"], of_day["closing_idr"]) == (0, 103)
    after = day + TOMORROW
    asked = {"from": after, "to": after}
    of_next = done(await asking.get(town.resident, f"{book}/statement", **asked))
    assert (of_next["opening_idr"], of_next["closing_idr"]) == (103, 123)
    lines = done(await asking.get(town.resident, f"{book}/lines"))["items"]
    assert [line["balance_idr"] for line in lines] == [123, 120, 100]
    done(await asking.post(second, days(town, "reopen"), REASON))
    whole = done(await asking.get(town.resident, f"{book}/statement"))
    assert (whole["last_day"], whole["closing_idr"]) == (str(after), 123)
    journal_id = next(line["journal_id"] for line in lines if UUID(line["id"]) == late)
    receipt = f"/v1/receipts/{town.bank_id}/{journal_id}"
    assert done(await asking.get(town.resident, receipt))["transfers"][0]["page"]["page"] == 3


async def test_a_day_is_closed_with_its_drawers(asking: Asking, town: Town, keys: Keys) -> None:
    await opened(town)
    await floated(town, 500)
    body: dict[str, Any] = {"counted_cash_idr": 0}
    answer = await asking.post(town.treasurer, days(town, "close"), body)
    refused(answer, 409, "drawers_not_counted")
    assert "ani" in answer.json()["detail"]
    body["counts"] = [{"drawer": "ani", "counted_idr": 480}]
    closed = done(await asking.post(town.treasurer, days(town, "close"), body))
    assert (closed["ledger_cash_idr"], closed["cash_difference_idr"]) == (-500, 500)
    assert closed["counts"] == [{"drawer": "ani", "counted_idr": 480, "difference_idr": -20}]
    await seal(town, keys)
    (listed,) = done(await asking.get(town.treasurer, days(town)))["items"]
    assert listed["counts"] == closed["counts"]
    (sealed,) = done(await asking.get(None, f"/v1/banks/{town.bank_id}/seals"))["items"]
    said = Count(0, 500, town.treasurer.id, "", (InDrawer("ani", 480, -20),))
    assert sealed["count"] == said.hash().hex()
    (safe, ani) = done(await asking.get(town.treasurer, f"/v1/banks/{town.bank_id}/drawers"))[
        "items"
    ]
    assert (safe["last_count"]["counted_idr"], ani["last_count"]["counted_idr"]) == (0, 480)


async def test_payouts_in_doubt_need_a_reason(asking: Asking, town: Town, keys: Keys) -> None:
    await unknown(town, keys, utc_now())
    body = {"counted_cash_idr": 0}
    refused(await asking.post(town.treasurer, days(town, "close"), body), 409, "payouts_unknown")
    why = {"despite_unknown": "Bank belum menjawab"}
    closed = done(await asking.post(town.treasurer, days(town, "close"), body | why))
    assert closed["despite_unknown"] == why["despite_unknown"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"counts": [{"drawer": "main", "counted_idr": 0}]}, ""),
        ({"counts": [{"drawer": "ani", "counted_idr": 0}] * 2}, ""),
        ({"counts": [{"drawer": "ani", "counted_idr": -1}]}, "/counts/0/counted_idr"),
        ({"counts": [{"drawer": "A", "counted_idr": 1}]}, "/counts/0/drawer"),
        ({"despite_unknown": "x" * 301}, "/despite_unknown"),
    ],
)
async def test_counts_that_can_not_be_read(
    asking: Asking, quiet: Town, changes: dict[str, Any], pointer: str
) -> None:
    body = {"counted_cash_idr": 0} | changes
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.treasurer, days(quiet, "close"), body)
    refused(answer, 422, "request_malformed", pointer)


async def test_drawers_that_are_not_there_are_not_counted(asking: Asking, quiet: Town) -> None:
    body = {"counted_cash_idr": 0, "counts": [{"drawer": "nowhere", "counted_idr": 0}]}
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.treasurer, days(quiet, "close"), body)
    refused(answer, 404, "no_such_thing")
