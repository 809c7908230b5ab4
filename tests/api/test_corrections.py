"""Taking a wrong act back over HTTP, and everybody who may not."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.people import Membership, Person, Role
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, done, nothing_changes, payout, refused, weighing
from tests.factories import Town, another, earn, give, make_town

MALFORMED = (422, "request_malformed")
REASON = {"reason": "salah timbang"}


@pytest.fixture
async def strict(database: Database) -> Town:
    """A town whose every correction takes two people."""
    return await make_town(database, correction_limit_idr=0)


def path(town: Town, *parts: str) -> str:
    return "/".join((f"/v1/banks/{town.bank_id}/corrections", *parts))


async def drop(asking: Asking, town: Town) -> dict[str, Any]:
    """A drop-off of 5 kg, worth Rp13.000."""
    body = {"resident_id": str(town.resident.id), "weighings": [weighing()]}
    brought = await asking.post(town.operator, f"/v1/banks/{town.bank_id}/dropoffs", body)
    answer: dict[str, Any] = done(brought, 201)
    return answer


async def lines(asking: Asking, town: Town, who: Person | None = None) -> list[dict[str, Any]]:
    query = {"resident_id": str(town.resident.id)} if who else {}
    book = f"/v1/passbooks/{town.bank_id}/lines"
    items: list[dict[str, Any]] = done(await asking.get(who or town.resident, book, **query))[
        "items"
    ]
    return items


async def asked(asking: Asking, town: Town, by: Person | None = None) -> dict[str, Any]:
    """A correction of the newest line."""
    journal_id = (await lines(asking, town))[0]["journal_id"]
    body = {"journal_id": journal_id, **REASON}
    answer: dict[str, Any] = done(await asking.post(by or town.operator, path(town), body), 201)
    return answer


async def available(asking: Asking, town: Town) -> int:
    passbook = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    return int(passbook["available_idr"])


async def test_an_officer_corrects_what_the_passbook_shows(asking: Asking, town: Town) -> None:
    brought = await drop(asking, town)
    (wrong,) = await lines(asking, town, town.treasurer)
    body = {"journal_id": wrong["journal_id"], **REASON}
    made = done(await asking.post(town.treasurer, path(town), body), 201)
    assert (made["status"], made["needs_two"], made["amount_idr"]) == ("made", False, 13_000)
    assert (made["asked_by"], made["decided_by"]) == (str(town.treasurer.id), None)
    correcting, wrong = await lines(asking, town)
    assert correcting["description"] == "Koreksi: setoran langsung (salah timbang)"
    assert (correcting["out_idr"], correcting["balance_idr"]) == (13_000, 0)
    assert correcting["dropoff_id"] == wrong["dropoff_id"] == brought["id"]
    assert correcting["journal_id"] == wrong["corrected_by_journal_id"] == made["reversal_id"]
    assert correcting["corrects_journal_id"] == wrong["journal_id"] == made["journal_id"]


async def test_a_weighing_is_named_by_its_own_id_as_well(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    pickup_id = (await lines(asking, town))[0]["pickup_id"]
    body = {"about_id": pickup_id, **REASON}
    done(await asking.post(town.operator, path(town), body), 201)
    assert await available(asking, town) == 0
    assert (
        done(await asking.get(town.resident, f"/v1/pickups/{pickup_id}"))["status"] == "cancelled"
    )
    async with nothing_changes(town):
        again = await asking.post(town.operator, path(town), body)
    refused(again, 409, "already_reversed")


async def test_the_same_request_again_corrects_once(asking: Asking, town: Town) -> None:
    await drop(asking, town)
    journal_id = (await lines(asking, town))[0]["journal_id"]
    body = {"journal_id": journal_id, **REASON}
    first = await asking.post(town.operator, path(town), body, key="koreksi-1")
    async with nothing_changes(town):
        again = await asking.post(town.operator, path(town), body, key="koreksi-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert done(again, 201) == done(first, 201)


async def test_above_the_limit_a_second_officer_agrees(asking: Asking, strict: Town) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    assert (waiting["status"], waiting["reversal_id"]) == ("asked", None)
    assert await available(asking, strict) == 13_000
    agree = path(strict, waiting["id"], "agree")
    async with nothing_changes(strict):
        refused(await asking.post(strict.operator, agree), 403, "own_correction")
    made = done(await asking.post(strict.treasurer, agree))
    assert (made["status"], made["decided_by"]) == ("made", str(strict.treasurer.id))
    assert await available(asking, strict) == 0
    async with nothing_changes(strict):
        refused(await asking.post(strict.treasurer, agree), 409, "correction_not_open")
        refuse = path(strict, waiting["id"], "refuse")
        refused(await asking.post(strict.treasurer, refuse, REASON), 409, "correction_not_open")


async def test_a_second_officer_refuses(asking: Asking, strict: Town) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    refuse = path(strict, waiting["id"], "refuse")
    async with nothing_changes(strict):
        refused(await asking.post(strict.treasurer, refuse, {}), *MALFORMED, "/reason")
        refused(await asking.post(strict.operator, refuse, REASON), 403, "own_correction")
    answer = done(await asking.post(strict.treasurer, refuse, {"reason": "sudah benar"}))
    assert (answer["status"], answer["decision_reason"]) == ("refused", "sudah benar")
    assert await available(asking, strict) == 13_000


async def test_a_correction_is_asked_for_once(asking: Asking, strict: Town) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    async with nothing_changes(strict):
        body = {"journal_id": waiting["journal_id"], **REASON}
        answer = await asking.post(strict.treasurer, path(strict), body)
    refused(answer, 409, "correction_already_asked")


async def test_what_was_spent_is_not_taken_back(asking: Asking, strict: Town) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    done(await asking.post(strict.resident, "/v1/payouts", payout(strict)), 201)
    async with strict.database.transaction() as session:
        theirs = col(Membership.person_id) == strict.resident.id
        await session.exec(update(Membership).where(theirs).values(passbook_number="0077"))
    async with nothing_changes(strict):
        answer = await asking.post(strict.treasurer, path(strict, waiting["id"], "agree"))
    refused(answer, 409, "balance_too_low")
    assert answer.json()["detail"].endswith(" This is passbook 0077.")
    (listed,) = done(await asking.get(strict.operator, path(strict), status="asked"))["items"]
    assert listed == waiting


async def test_holds_are_cancelled_and_not_corrected(asking: Asking, town: Town) -> None:
    await drop(asking, town)
    done(await asking.post(town.resident, "/v1/payouts", payout(town)), 201)
    book = await lines(asking, town)
    assert len(book) == 1
    wanted = done(await asking.get(town.resident, "/v1/payouts"))["items"][0]["id"]
    async with nothing_changes(town):
        answer = await asking.post(town.operator, path(town), {"about_id": wanted, **REASON})
    refused(answer, 409, "not_reversible")
    done(await asking.post(town.resident, f"/v1/payouts/{wanted}/cancel"))
    async with nothing_changes(town):
        answer = await asking.post(town.operator, path(town), {"about_id": wanted, **REASON})
    refused(answer, 409, "not_reversible")


async def test_a_correction_is_not_corrected(asking: Asking, town: Town) -> None:
    await drop(asking, town)
    made = await asked(asking, town)
    async with nothing_changes(town):
        body = {"journal_id": made["reversal_id"], **REASON}
        refused(await asking.post(town.operator, path(town), body), 409, "not_reversible")


async def test_nobody_corrects_their_own_passbook(asking: Asking, town: Town) -> None:
    await drop(asking, town)
    await give(town, town.resident, Role.OPERATOR)
    journal_id = (await lines(asking, town))[0]["journal_id"]
    async with nothing_changes(town):
        body = {"journal_id": journal_id, **REASON}
        refused(await asking.post(town.resident, path(town), body), 403, "own_correction")


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_only_officers_correct(asking: Asking, strict: Town, role: Role) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    who: Person = getattr(strict, role)
    body = {"journal_id": waiting["journal_id"], **REASON}
    async with nothing_changes(strict):
        refused(await asking.get(who, path(strict)), 403, "not_allowed")
        refused(await asking.post(who, path(strict), body), 403, "not_allowed")
        for verb in ("agree", "refuse"):
            answer = await asking.post(who, path(strict, waiting["id"], verb), REASON)
            refused(answer, 403, "not_allowed")


async def test_officers_of_another_bank_correct_nothing_here(asking: Asking, strict: Town) -> None:
    await drop(asking, strict)
    waiting = await asked(asking, strict)
    far = await make_town(strict.database)
    body = {"journal_id": waiting["journal_id"], **REASON}
    async with nothing_changes(strict), nothing_changes(far):
        refused(await asking.post(far.operator, path(strict), body), 403, "not_allowed")
        refused(await asking.post(far.operator, path(far), body), 404, "no_such_thing")
        for verb in ("agree", "refuse"):
            for correction in (waiting["id"], str(uuid4())):
                answer = await asking.post(far.treasurer, path(far, correction, verb), REASON)
                refused(answer, 404, "no_such_thing")


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "no reason": ({"reason": None}, *MALFORMED, "/reason"),
    "an empty reason": ({"reason": " "}, *MALFORMED, "/reason"),
    "a long reason": ({"reason": "a" * 301}, *MALFORMED, "/reason"),
    "a reason with a NUL": ({"reason": "a\u0000"}, *MALFORMED, "/reason"),
    "neither": ({"journal_id": None}, *MALFORMED, ""),
    "both": ({"about_id": str(uuid4())}, *MALFORMED, ""),
    "a word": ({"journal_id": "kemarin"}, *MALFORMED, "/journal_id"),
    "a number": ({"journal_id": 7}, *MALFORMED, "/journal_id"),
    "nothing known": ({"journal_id": str(uuid4())}, 404, "no_such_thing", None),
    "about nothing known": (
        {"journal_id": None, "about_id": str(uuid4())},
        404,
        "no_such_thing",
        None,
    ),
}


@pytest.mark.parametrize(("changes", "status", "slug", "pointer"), BAD.values(), ids=BAD)
async def test_a_correction_that_can_not_be_is_refused(
    asking: Asking,
    quiet: Town,
    changes: dict[str, Any],
    status: int,
    slug: str,
    pointer: str | None,
) -> None:
    async with nothing_changes(quiet):
        body = {"journal_id": str(uuid4()), **REASON} | changes
        answer = await asking.post(quiet.operator, path(quiet), body)
    refused(answer, status, slug, pointer)


async def test_what_moves_money_needs_a_key(asking: Asking, quiet: Town) -> None:
    body = {"journal_id": str(uuid4()), **REASON}
    answer = await asking.post(quiet.operator, path(quiet), body, key=None)
    refused(answer, 400, "idempotency_key_missing")


async def test_corrections_are_listed_newest_first(asking: Asking, strict: Town) -> None:
    other = await another(strict, Role.TREASURER)
    ids = []
    for _ in range(3):
        await drop(asking, strict)
        ids.append((await asked(asking, strict))["id"])
    done(await asking.post(other, path(strict, ids[0], "agree")))
    pages = await asking.walk(strict.treasurer, path(strict), limit=2)
    assert [[each["id"] for each in page] for page in pages] == [[ids[2], ids[1]], [ids[0]]]
    for status, expected in (("asked", [ids[2], ids[1]]), ("made", [ids[0]]), ("refused", [])):
        found = done(await asking.get(strict.operator, path(strict), status=status))
        assert [each["id"] for each in found["items"]] == expected
    refused(await asking.get(strict.operator, path(strict), status="x"), *MALFORMED, "/status")
