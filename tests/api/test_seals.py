"""Days are closed, seals published and receipts proven over HTTP."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.base import utc_now
from models.payout import Payout, PayoutMethod
from models.people import Role
from service import banks, ledger, members, payouts, sealing
from service.api.receipts import as_json
from service.keys import Keys, key_id_of
from service.sealing import NoReceipt, prove
from service.sealing.heads import Count, DayFacts
from tests import factories
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town
from tests.service.sealing import act, behind_the_ledger, close, journals, seal, turn


def days_of(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/days"


def close_path(town: Town, days_ahead: int = 0) -> str:
    day = banks.day_at(town.bank, utc_now()) + timedelta(days=days_ahead)
    return f"{days_of(town)}/{day}/close"


async def collected(town: Town, keys: Keys) -> str:
    """The id of a pickup that was weighed; its page is final and sealed."""
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    await factories.collect_pickup(town, keys, pickup)
    await turn(town)
    await seal(town, keys)
    return str(pickup.id)


async def test_a_treasurer_closes_a_day(asking: Asking, town: Town, keys: Keys) -> None:
    await factories.earn(town, keys, 8_000)
    answer = done(await asking.post(town.treasurer, close_path(town), {"counted_cash_idr": 2_500}))
    assert (answer["counted_cash_idr"], answer["cash_difference_idr"]) == (2_500, 2_500)
    assert (answer["ledger_cash_idr"], answer["last_page"], answer["sealed"]) == (0, 1, False)
    assert set(answer["sums"].values()) == {0}
    refused(
        await asking.post(town.treasurer, close_path(town), {"counted_cash_idr": 0}),
        409,
        "day_closed",
    )
    await seal(town, keys)
    (day,) = done(await asking.get(town.treasurer, days_of(town)))["items"]
    assert (day["closed_by"], day["sealed"]) == (str(town.treasurer.id), True)


async def test_a_repeated_close_is_answered_as_before(asking: Asking, town: Town) -> None:
    body = {"counted_cash_idr": 10}
    first = await asking.post(town.treasurer, close_path(town), body, key="once")
    again = await asking.post(town.treasurer, close_path(town), body, key="once")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert done(again) == done(first)


async def test_a_day_that_has_not_begun_is_refused(asking: Asking, quiet: Town) -> None:
    async with nothing_changes(quiet):
        refused(
            await asking.post(quiet.treasurer, close_path(quiet, 1), {"counted_cash_idr": 0}),
            409,
            "day_not_begun",
        )


@pytest.mark.parametrize("counted", [-1, 1.5, "5", True, None, 10**13])
async def test_a_count_is_a_whole_number_of_rupiah(
    asking: Asking, quiet: Town, counted: Any
) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(
            quiet.treasurer, close_path(quiet), {"counted_cash_idr": counted}
        )
    refused(answer, 422, "request_malformed", "/counted_cash_idr")


async def test_only_a_treasurer_closes_and_only_with_a_key(asking: Asking, quiet: Town) -> None:
    body = {"counted_cash_idr": 0}
    async with nothing_changes(quiet):
        for who in (quiet.operator, quiet.resident, quiet.city):
            refused(await asking.post(who, close_path(quiet), body), 403, "not_allowed")
        refused(await asking.post(None, close_path(quiet), body), 401, "no_valid_token")
        refused(
            await asking.post(quiet.treasurer, close_path(quiet), body, key=None),
            400,
            "idempotency_key_missing",
        )
        refused(
            await asking.post(quiet.treasurer, f"{days_of(quiet)}/2026-13-01/close", body),
            422,
            "request_malformed",
            "/day",
        )
    refused(await asking.get(quiet.resident, days_of(quiet)), 403, "not_allowed")


async def test_anybody_can_check_the_seals_of_days(asking: Asking, town: Town, keys: Keys) -> None:
    for amount in (5, 6):
        await act(town, amount)
        await _close_yesterday(town)
    await seal(town, keys)
    pages = await asking.walk(None, f"/v1/banks/{town.bank_id}/seals", limit=1)
    second, first = [items[0] for items in pages]
    assert (first["page"], first["transfers"]) == (1, 1)
    assert (second["page"], second["transfers"]) == (2, 2)
    assert first["day"] < second["day"]
    second_day = done(await asking.get(town.treasurer, days_of(town)))["items"][0]
    public = done(await asking.get(None, "/v1/keys"))["items"][0]
    assert public["key_id"] == second["key_id"]
    facts = DayFacts(
        town.bank_id,
        date.fromisoformat(second["day"]),
        second["page"],
        second["transfers"],
        bytes.fromhex(second["head"]),
        bytes.fromhex(second["balances"]),
        Count(0, second_day["cash_difference_idr"], town.treasurer.id),
    )
    assert second["count"] == facts.counted.hash().hex()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public["raw"]))
    key.verify(base64.b64decode(second["signature"]), facts.message())
    page = done(await asking.get(None, f"/v1/banks/{town.bank_id}/seals/pages/2"))
    assert (page["head"], page["previous"]) == (second["head"], first["head"])


@pytest.mark.parametrize("day", ["1700006400", "2026-11-22T00:00:00", "2026-13-01"])
async def test_a_day_is_written_as_one(asking: Asking, quiet: Town, day: str) -> None:
    body = {"counted_cash_idr": 0}
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.treasurer, f"{days_of(quiet)}/{day}/close", body)
    refused(answer, 422, "request_malformed", "/day")


async def test_seals_that_are_not_there(asking: Asking, quiet: Town) -> None:
    for path in (f"{town_seals(quiet)}/pages/9999", f"/v1/banks/{quiet.resident.id}/seals"):
        refused(await asking.get(None, path), 404, "no_such_thing")
    refused(await asking.get(None, f"{town_seals(quiet)}/pages/0"), 422, "request_malformed")
    assert done(await asking.get(None, town_seals(quiet)))["items"] == []


def town_seals(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/seals"


async def test_a_resident_gets_a_receipt_that_proves_itself(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup_id = await collected(town, keys)
    path = f"/v1/receipts/{town.bank_id}/{pickup_id}"
    receipt = done(await asking.get(town.resident, path))
    assert receipt["sealed"] is True
    assert receipt["credited_idr"] == 12_370
    assert [line["grams"] for line in receipt["weighings"]] == [5_000]
    assert {one["unit"] for one in receipt["transfers"]} == {"IDR", f"g:{factories.PET}"}
    proof = prove(receipt, [keys.sealing.public_key()])
    assert (proof.problems, proof.transfers) == ([], 2)
    assert prove(receipt, []).key_ids == proof.key_ids == [key_id_of(keys.sealing.public_key())]
    officers = done(await asking.get(town.operator, path))
    assert officers["transfers"] == receipt["transfers"]
    journal = receipt["transfers"][0]["fields"]["journal_id"]
    by_journal = done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{journal}"))
    assert by_journal["transfers"] == receipt["transfers"]


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("amount",), 999_999, "what is shown"),
        (("debit",), "available:me", "what is shown"),
        (("fields", "memo"), "x", "lead to the root"),
        (("index",), 7, "lead to the root"),
        (("path",), [], "lead to the root"),
        (("page", "root"), "00" * 32, "lead to the root"),
        (("page", "previous"), "00" * 31 + "01", "is not made of this root"),
        (("page", "head"), "00" * 32, "is not made of this root"),
        (("page", "signature"), base64.b64encode(bytes(64)).decode(), "is not signed"),
        (("fields", "page"), "77", "another page"),
        (("page", "form"), 9, "form"),
        (("page", "key_id"), "0" * 16, "signed with another key"),
    ],
)
async def test_a_receipt_that_was_touched_does_not_fit(
    asking: Asking, town: Town, keys: Keys, place: tuple[str, ...], value: Any, problem: str
) -> None:
    pickup_id = await collected(town, keys)
    receipt = done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{pickup_id}"))
    touched = receipt["transfers"][1]
    for name in place[:-1]:
        touched = touched[name]
    touched[place[-1]] = value
    (found,) = prove(receipt, [keys.sealing.public_key()]).problems
    assert receipt["transfers"][1]["fields"]["transfer_id"] in found
    assert problem in found


@pytest.mark.parametrize(
    "text", ["{}", '{"sealed": true}', '{"sealed": true, "transfers": 5, "public_keys": []}']
)
def test_what_is_no_receipt_is_told(text: str) -> None:
    with pytest.raises(NoReceipt):
        prove(json.loads(text), [])


async def test_a_receipt_of_a_bank_that_is_a_number_is_none(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup_id = await collected(town, keys)
    receipt = done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{pickup_id}"))
    with pytest.raises(NoReceipt):
        prove(receipt | {"bank_id": 5}, [])


async def test_a_transfer_counts_once_on_a_receipt(asking: Asking, town: Town, keys: Keys) -> None:
    pickup_id = await collected(town, keys)
    receipt = done(await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{pickup_id}"))
    receipt["transfers"].append(receipt["transfers"][0])
    (found,) = prove(receipt, [keys.sealing.public_key()]).problems
    assert "more than once" in found


async def test_a_receipt_over_a_change_of_keys_fits_both(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await factories.earn(town, keys)
    payout = await _asked_for(town)
    new = replace(keys, sealing=Ed25519PrivateKey.generate(), earlier=(keys.sealing.public_key(),))
    await turn(town)
    await seal(town, keys)
    async with town.database.transaction() as session:
        await payouts.cancel(
            session, await session.merge(payout), by=town.treasurer.id, reason="Batal"
        )
    await turn(town)
    await seal(town, new)
    caller = members.Caller(town.resident.id, {town.bank_id: frozenset({Role.RESIDENT})})
    async with town.database.reading() as session:
        found = await sealing.receipt(session, caller, town.bank_id, payout.id)
    receipt = as_json(found, new, "en").model_dump(mode="json")
    both = [keys.sealing.public_key(), new.sealing.public_key()]
    assert {one["key_id"] for one in receipt["public_keys"]} == set(map(key_id_of, both))
    for given in (both, []):
        assert prove(receipt, given).problems == []
    (problem,) = prove(receipt, both[1:]).problems
    assert f"signed with another key, {key_id_of(both[0])}" in problem


async def test_a_receipt_before_its_seal_says_so(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = await factories.claim_pickup(town, await factories.list_pickup(town))
    await factories.collect_pickup(town, keys, pickup)
    path = f"/v1/receipts/{town.bank_id}/{pickup.id}"
    receipt = done(await asking.get(town.resident, path))
    assert receipt["sealed"] is False
    assert "Not sealed yet" in receipt["note"]
    assert [one["path"] for one in receipt["transfers"]] == [None, None]
    assert prove(receipt, []).is_sealed is False
    text = await asking.get(town.resident, path, format="text")
    assert "Not sealed yet" in text.text


async def test_a_receipt_as_a_message_and_as_a_code(asking: Asking, town: Town, keys: Keys) -> None:
    pickup_id = await collected(town, keys)
    path = f"/v1/receipts/{town.bank_id}/{pickup_id}"
    receipt = done(await asking.get(town.resident, path))
    text = await asking.get(town.resident, path, format="text")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert "Credited: Rp12,370" in text.text
    assert receipt["transfers"][0]["page"]["head"][:16] in text.text
    assert len(text.text) < 600
    headers = asking.headers(town.resident) | {"Accept-Language": "id"}
    indonesian = await asking.client.get(path, params={"format": "text"}, headers=headers)
    assert "Masuk buku: Rp12.370" in indonesian.text
    drawn = await asking.get(town.resident, path, format="svg")
    assert drawn.headers["Content-Type"] == "image/svg+xml"
    assert drawn.text.startswith("<svg")


async def _asked_for(town: Town) -> Payout:
    async with town.database.transaction() as session:
        wanted = payouts.Request(
            bank_id=town.bank_id,
            resident_id=town.resident.id,
            entered_by=town.resident.id,
            amount_idr=4_000,
            method=PayoutMethod.CASH,
        )
        return await payouts.request(session, wanted)


async def test_the_receipt_of_a_payout_says_what_became_of_it(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await factories.earn(town, keys)
    treasurer = town.treasurer.id

    async def told(payout: Payout) -> tuple[Any, str]:
        await turn(town)
        await seal(town, keys)
        path = f"/v1/receipts/{town.bank_id}/{payout.id}"
        receipt = done(await asking.get(town.resident, path))
        assert prove(receipt, [keys.sealing.public_key()]).problems == []
        return receipt, (await asking.get(town.resident, path, format="text")).text

    kept, gone = await _asked_for(town), await _asked_for(town)
    receipt, text = await told(kept)
    assert (receipt["state"], receipt["credited_idr"]) == ("held", None)
    assert "Payout, requested, " in text
    assert "Rp4,000" in text
    async with town.database.transaction() as session:
        await payouts.reject(session, await session.merge(gone), by=treasurer, reason="Tidak")
        paying = await session.merge(kept)
        await payouts.approve(session, paying, by=treasurer)
        await payouts.pay_cash(session, paying, by=treasurer, proof="")
    receipt, text = await told(gone)
    assert receipt["state"] == "given_back"
    assert "Payout, not paid, given back, " in text
    receipt, text = await told(kept)
    assert receipt["state"] == "paid"
    paid = next(one for one in receipt["transfers"] if one["fields"]["kind"] == "settle")
    assert receipt["at"] == _instant(paid["fields"]["event_at"])
    assert "Payout, paid, " in text
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, UUID(paid["fields"]["journal_id"]))
        await ledger.reverse(session, town.bank_id, act, by=town.operator.id, reason="Salah")
    receipt, text = await told(kept)
    assert (receipt["state"], receipt["taken_back_idr"]) == ("corrected", 4_000)
    assert "Taken back: Rp4,000, " in text


def _instant(microseconds: str) -> str:
    at = datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)
    return at.isoformat().replace("+00:00", "Z")


async def test_the_receipt_of_a_corrected_pickup_says_so(
    asking: Asking, town: Town, keys: Keys
) -> None:
    pickup_id = await collected(town, keys)
    path = f"/v1/receipts/{town.bank_id}/{pickup_id}"
    receipt = done(await asking.get(town.resident, path))
    journal = receipt["transfers"][0]["fields"]["journal_id"]
    async with town.database.transaction() as session:
        act = await ledger.act_of(session, town.bank_id, UUID(journal))
        await ledger.reverse(session, town.bank_id, act, by=town.operator.id, reason="Salah")
    for one in (path, f"/v1/receipts/{town.bank_id}/{journal}"):
        receipt = done(await asking.get(town.resident, one))
        assert receipt["state"] == "corrected"
        assert (receipt["credited_idr"], receipt["taken_back_idr"]) == (12_370, 12_370)
        assert receipt["corrected_at"] > receipt["at"]
        text = (await asking.get(town.resident, one, format="text")).text
        assert "Pickup, corrected, " in text
        assert "Taken back: Rp12,370, " in text


async def test_a_receipt_about_nothing_lists_no_weighings(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await factories.earn(town, keys)
    await close(town, 700)
    (count,) = [one for one in await journals(town) if one.kind == "cash_count"]
    path = f"/v1/receipts/{town.bank_id}/{count.id}"
    receipt = done(await asking.get(town.treasurer, path))
    assert [one["amount"] for one in receipt["transfers"]] == [700]
    assert receipt["weighings"] == []


async def test_nobody_gets_the_receipt_of_somebody_else(
    asking: Asking, town: Town, keys: Keys, quiet: Town
) -> None:
    pickup_id = await collected(town, keys)
    path = f"/v1/receipts/{town.bank_id}/{pickup_id}"
    neighbour = await factories.another(town, Role.RESIDENT)
    refused(await asking.get(neighbour, path), 404, "no_such_thing")
    for who in (quiet.operator, quiet.resident, town.collector, town.city):
        refused(await asking.get(who, path), 403, "not_allowed")
    refused(await asking.get(None, path), 401, "no_valid_token")
    refused(
        await asking.get(town.resident, f"/v1/receipts/{town.bank_id}/{town.bank_id}"),
        404,
        "no_such_thing",
    )


async def test_a_book_that_is_busy_is_asked_again_with_the_same_key(
    asking: Asking, town: Town
) -> None:
    if town.database.is_sqlite:
        pytest.skip("On SQLite a close waits for its turn like everybody.")
    body = {"counted_cash_idr": 0}
    async with town.database.transaction() as session:
        move = ledger.Movement(
            "slow", ledger.chart.PURCHASES, ledger.chart.available(town.resident.id), 1
        )
        await ledger.post(session, town.bank_id, ledger.Draft("test", [move], utc_now()))
        busy = await asking.post(town.treasurer, close_path(town), body, key="again")
    refused(busy, 503, "book_busy")
    assert busy.headers["Retry-After"]
    done(await asking.post(town.treasurer, close_path(town), body, key="again"))


async def _close_yesterday(town: Town) -> None:
    """Close the open day; the first one is made yesterday's, so that there are two to close."""
    async with town.database.reading() as session:
        page = await ledger.open_page(session, town.bank_id)
    if page.number == 1:
        day = page.day - timedelta(days=1)
        value = day.isoformat() if town.database.is_sqlite else day
        await behind_the_ledger(
            town, "UPDATE ledger_page SET day = :day WHERE bank_id = :bank_id", day=value
        )
    await close(town)
