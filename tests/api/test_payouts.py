"""Asking for money, and everybody who may not approve or pay it."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.people import Person, Role
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, done, nothing_changes, payout, refused
from tests.factories import Town, another, earn, give, make_town

PAYOUTS = "/v1/payouts"
MALFORMED = (422, "request_malformed")
EARNED = 24_740


@pytest.fixture
async def rich(town: Town, keys: Keys) -> Town:
    """A town whose resident has money."""
    assert await earn(town, keys, grams=10_000) == EARNED
    return town


@pytest.fixture(scope="session")
async def saving(database: Database, keys: Keys) -> Town:
    """A rich town for requests that are refused; it stays as it is."""
    town = await make_town(database)
    await earn(town, keys, grams=10_000)
    return town


async def ask(asking: Asking, town: Town, amount_idr: int = 10_000) -> str:
    """A payout that the resident asked for; its id."""
    answer = await asking.post(town.resident, PAYOUTS, payout(town, amount_idr))
    return str(done(answer, 201)["id"])


def why(verb: str, reason: str) -> dict[str, str]:
    """The reason that some decisions need, and the others have no place for."""
    return {} if verb in ("approve", "pay-cash") else {"reason": reason}


async def act(
    asking: Asking, who: Person, payout_id: str, verb: str, body: Any = None
) -> httpx.Response:
    return await asking.post(who, f"{PAYOUTS}/{payout_id}/{verb}", body)


async def standing(asking: Asking, town: Town) -> tuple[int, int]:
    """What is available and what is held."""
    passbook = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    return passbook["available_idr"], passbook["held_idr"]


async def test_what_is_asked_for_is_held_at_once(asking: Asking, rich: Town) -> None:
    asked = done(await asking.post(rich.resident, PAYOUTS, payout(rich)), 201)
    assert (asked["status"], asked["amount_idr"]) == ("requested", 10_000)
    assert await standing(asking, rich) == (14_740, 10_000)


async def test_the_whole_balance_can_be_asked_for_and_not_a_rupiah_more(
    asking: Asking, rich: Town
) -> None:
    async with nothing_changes(rich):
        answer = await asking.post(rich.resident, PAYOUTS, payout(rich, EARNED + 1))
    refused(answer, 409, "balance_too_low", "/amount_idr")
    assert answer.json()["errors"][0]["detail"] == answer.json()["detail"]
    await ask(asking, rich, EARNED - 10_000)
    async with nothing_changes(rich):
        again = await asking.post(rich.resident, PAYOUTS, payout(rich, 10_001))
    refused(again, 409, "balance_too_low")
    assert again.json()["detail"].endswith("There is Rp10,000, and this takes Rp10,001.")
    await ask(asking, rich, 10_000)
    assert await standing(asking, rich) == (0, EARNED)


async def test_the_last_of_a_balance_is_paid_in_cash_however_little_it_is(
    asking: Asking, rich: Town
) -> None:
    for amount_idr in (EARNED - 260, 260):
        async with nothing_changes(rich):
            answer = await asking.post(rich.resident, PAYOUTS, payout(rich, 259))
            refused(answer, 409, "payout_too_small")
        asked = await ask(asking, rich, amount_idr)
        done(await act(asking, rich.treasurer, asked, "approve"))
        done(await act(asking, rich.treasurer, asked, "pay-cash", {"proof": "kuitansi"}))
    assert await standing(asking, rich) == (0, 0)


async def test_of_two_requests_for_the_whole_balance_at_once_one_is_held(
    asking: Asking, rich: Town
) -> None:
    body = payout(rich, EARNED)
    both = await asyncio.gather(*(asking.post(rich.resident, PAYOUTS, body) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [201, 409]
    assert await standing(asking, rich) == (0, EARNED)


async def test_a_resident_without_a_weighing_has_nothing_to_ask_for(
    asking: Asking, town: Town
) -> None:
    async with nothing_changes(town):
        answer = await asking.post(town.resident, PAYOUTS, payout(town, 1_000))
    refused(answer, 409, "balance_too_low")


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "zero": ({"amount_idr": 0}, *MALFORMED, "/amount_idr"),
    "negative": ({"amount_idr": -10_000}, *MALFORMED, "/amount_idr"),
    "absurd": ({"amount_idr": 10**20}, *MALFORMED, "/amount_idr"),
    "true": ({"amount_idr": True}, *MALFORMED, "/amount_idr"),
    "text": ({"amount_idr": "10000"}, *MALFORMED, "/amount_idr"),
    "a fraction": ({"amount_idr": 10_000.5}, *MALFORMED, "/amount_idr"),
    "null": ({"amount_idr": None}, *MALFORMED, "/amount_idr"),
    "below the minimum": ({"amount_idr": 999}, 409, "payout_too_small", "/amount_idr"),
    "another method": ({"method": "gold"}, *MALFORMED, "/method"),
    "a method as a number": ({"method": 1}, *MALFORMED, "/method"),
    "by bank": ({"method": "bank"}, 409, "method_not_offered", None),
    "by wallet": ({"method": "ewallet"}, 409, "method_not_offered", None),
    "no such bank": ({"bank_id": str(uuid4())}, 403, "not_allowed", None),
    "bank as a word": ({"bank_id": "induk"}, *MALFORMED, "/bank_id"),
    "another resident": ({"resident_id": str(uuid4())}, 403, "not_allowed", None),
    "half a destination": (
        {"destination": {"channel_code": "ID_BRI", "account_number": "1"}},
        *MALFORMED,
        "/destination/account_holder_name",
    ),
    "a destination with a NUL": (
        {
            "destination": {
                "channel_code": "ID_BRI",
                "account_number": "\u0000",
                "account_holder_name": "Siti",
            }
        },
        *MALFORMED,
        "/destination/account_number",
    ),
    "a long destination": (
        {
            "destination": {
                "channel_code": "B" * 41,
                "account_number": "1",
                "account_holder_name": "Siti",
            }
        },
        *MALFORMED,
        "/destination/channel_code",
    ),
}


@pytest.mark.parametrize(("changes", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_payout_that_can_not_be_is_refused(
    asking: Asking,
    saving: Town,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    async with nothing_changes(saving):
        answer = await asking.post(saving.resident, PAYOUTS, payout(saving, **changes))
    refused(answer, status, slug, pointer)


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.OPERATOR, Role.TREASURER, Role.CITY])
async def test_only_a_resident_asks_for_themselves(
    asking: Asking, saving: Town, role: Role
) -> None:
    async with nothing_changes(saving):
        answer = await asking.post(getattr(saving, role), PAYOUTS, payout(saving))
    refused(answer, 403, "not_allowed")


async def test_an_officer_asks_for_a_resident_of_this_bank_only(asking: Asking, rich: Town) -> None:
    body = payout(rich, resident_id=str(rich.resident.id))
    assert done(await asking.post(rich.operator, PAYOUTS, body), 201)["entered_by"] == str(
        rich.operator.id
    )
    far = await make_town(rich.database)
    async with nothing_changes(rich):
        for stranger in (far.resident.id, rich.collector.id, uuid4()):
            body = payout(rich, resident_id=str(stranger))
            answer = await asking.post(rich.operator, PAYOUTS, body)
            refused(answer, 404, "no_such_thing", "/resident_id")


async def test_a_treasurer_approves_once(asking: Asking, rich: Town) -> None:
    asked = await ask(asking, rich)
    approved = done(await act(asking, rich.treasurer, asked, "approve"))
    assert (approved["status"], approved["approved_by"]) == ("approved", str(rich.treasurer.id))
    other = await another(rich, Role.TREASURER)
    async with nothing_changes(rich):
        for who in (rich.treasurer, other):
            refused(await act(asking, who, asked, "approve"), 409, "payout_not_open")


@pytest.mark.parametrize("verb", ["approve", "pay-cash", "reject"])
@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OPERATOR, Role.COLLECTOR, Role.CITY])
async def test_who_is_no_treasurer_decides_on_no_payout(
    asking: Asking, rich: Town, verb: str, role: Role
) -> None:
    asked = await ask(asking, rich)
    async with nothing_changes(rich):
        answer = await act(asking, getattr(rich, role), asked, verb, why(verb, "tidak"))
    needs_drawer = (verb, role) == ("pay-cash", Role.OPERATOR)
    refused(answer, 403, "no_own_drawer" if needs_drawer else "not_allowed")


@pytest.mark.parametrize("verb", ["approve", "pay-cash", "reject"])
async def test_a_treasurer_decides_on_no_payout_of_their_own(
    asking: Asking, rich: Town, verb: str
) -> None:
    await give(rich, rich.resident, Role.TREASURER)
    asked = await ask(asking, rich)
    if verb == "pay-cash":
        done(await act(asking, rich.treasurer, asked, "approve"))
    async with nothing_changes(rich):
        answer = await act(asking, rich.resident, asked, verb, why(verb, "tidak"))
    refused(answer, 403, "own_payout")


@pytest.mark.parametrize("verb", ["approve", "pay-cash", "reject"])
async def test_a_treasurer_decides_on_no_payout_they_entered(
    asking: Asking, rich: Town, verb: str
) -> None:
    body = payout(rich, resident_id=str(rich.resident.id))
    asked = done(await asking.post(rich.treasurer, PAYOUTS, body), 201)["id"]
    other = await another(rich, Role.TREASURER)
    if verb == "pay-cash":
        done(await act(asking, other, asked, "approve"))
    async with nothing_changes(rich):
        answer = await act(asking, rich.treasurer, asked, verb, why(verb, "tidak"))
    refused(answer, 403, "own_payout")


async def test_nothing_is_paid_before_it_is_approved(asking: Asking, rich: Town) -> None:
    asked = await ask(asking, rich)
    async with nothing_changes(rich):
        answer = await act(asking, rich.treasurer, asked, "pay-cash", {"proof": "1"})
    refused(answer, 409, "payout_not_open")


async def test_what_was_paid_is_neither_paid_again_nor_taken_back(
    asking: Asking, rich: Town
) -> None:
    asked = await ask(asking, rich)
    done(await act(asking, rich.treasurer, asked, "approve"))
    paid = done(await act(asking, rich.treasurer, asked, "pay-cash", {"proof": "kuitansi 7"}))
    assert (paid["status"], paid["proof"]) == ("paid", "kuitansi 7")
    assert await standing(asking, rich) == (14_740, 0)
    async with nothing_changes(rich):
        for who, verb in (
            (rich.treasurer, "pay-cash"),
            (rich.treasurer, "approve"),
            (rich.treasurer, "reject"),
            (rich.treasurer, "cancel"),
            (rich.resident, "cancel"),
        ):
            answer = await act(asking, who, asked, verb, why(verb, "salah"))
            refused(answer, 409, "payout_not_open")


async def test_a_rejection_gives_back(asking: Asking, rich: Town) -> None:
    asked = await ask(asking, rich)
    rejected = done(await act(asking, rich.treasurer, asked, "reject", {"reason": "kas kosong"}))
    assert (rejected["status"], rejected["reason"]) == ("rejected", "kas kosong")
    assert await standing(asking, rich) == (EARNED, 0)
    async with nothing_changes(rich):
        for verb in ("reject", "approve", "pay-cash", "cancel"):
            answer = await act(asking, rich.treasurer, asked, verb, why(verb, "lagi"))
            refused(answer, 409, "payout_not_open")


@pytest.mark.parametrize("approved", [False, True])
async def test_a_resident_takes_a_payout_back_before_it_is_paid(
    asking: Asking, rich: Town, approved: bool
) -> None:
    asked = await ask(asking, rich)
    if approved:
        done(await act(asking, rich.treasurer, asked, "approve"))
    assert done(await act(asking, rich.resident, asked, "cancel"))["status"] == "cancelled"
    assert await standing(asking, rich) == (EARNED, 0)


async def test_of_paying_and_cancelling_at_once_one_happens(asking: Asking, rich: Town) -> None:
    asked = await ask(asking, rich)
    done(await act(asking, rich.treasurer, asked, "approve"))
    both = await asyncio.gather(
        act(asking, rich.treasurer, asked, "pay-cash"),
        act(asking, rich.resident, asked, "cancel"),
    )
    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert await standing(asking, rich) in {(14_740, 0), (EARNED, 0)}


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("reject", {}, "/reason"),
        ("reject", {"reason": ""}, "/reason"),
        ("reject", {"reason": "a" * 301}, "/reason"),
        ("reject", None, ""),
        ("pay-cash", {"proof": "a" * 301}, "/proof"),
        ("pay-cash", {"proof": "\u0000"}, "/proof"),
        ("pay-cash", {"proof": 7}, "/proof"),
        ("cancel", {"reason": "\u0000"}, "/reason"),
        ("cancel", {"reason": True}, "/reason"),
    ],
)
async def test_reasons_and_proofs_are_words(
    asking: Asking, rich: Town, verb: str, body: object, pointer: str
) -> None:
    asked = await ask(asking, rich)
    async with nothing_changes(rich):
        answer = await act(asking, rich.treasurer, asked, verb, body)
    refused(answer, *MALFORMED, pointer)
