"""What somebody agreed to, takes along, and ends; and what a bank says when data got out."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import CheckConstraint
from sqlmodel import col, select

from models.base import utc_now
from models.belonging import OWNERS, THROUGH
from models.event import Event
from models.payout import Cause, PayoutStatus
from models.people import Person, Role
from models.pickup import Route
from models.privacy import Consent, Purpose, Told
from models.registry import METADATA
from service import consents, members, notices
from service.api.nik_tries import MOST_A_DAY
from service.database import Database
from service.keys import Keys
from service.privacy import breaches
from service.privacy.export import Row, columns_shown
from service.privacy.heads import HEADS
from service.privacy.page import as_page
from service.privacy.titles import FIRST, LAST, TITLES
from service.privacy.values import meaning_of
from tests.api.asking import Asking, done, refused
from tests.factories import Town, another, list_pickup, new_phone, phone_of
from tests.paid import pay_through

CONSENTS, EXPORT, DELETION = "/v1/me/consents", "/v1/me/export", "/v1/me/deletion"
CONFIRMED = {"confirm": "delete my account"}
NIK = "1207281507900002"


def by_purpose(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["purpose"]: item for item in answer["items"]}


async def without_phone(town: Town) -> Person:
    """A resident whom an officer registered, and who has no phone."""
    async with town.database.transaction() as session:
        person = Person(name="Nek Rohani")
        session.add(person)
        await session.flush()
        await members.register(session, town.bank_id, person, Role.RESIDENT, entered_by=None)
    return person


async def test_i_agree_purpose_by_purpose_and_may_take_it_back(asking: Asking, town: Town) -> None:
    asked = by_purpose(done(await asking.get(town.resident, CONSENTS)))
    assert {name: item["given"] for name, item in asked.items()} == {
        "service": None,
        "notices": None,
        "location": None,
    }
    for given in (True, False):
        body = {"purpose": "notices", "given": given}
        now = by_purpose(done(await asking.post(town.resident, CONSENTS, body)))
        assert (now["notices"]["given"], now["notices"]["entered_by_other"]) == (given, False)
    async with town.database.reading() as session:
        said = await consents.history(session, town.resident.id)
    assert [one.given for one in said] == [True, False]
    needed = await asking.post(town.resident, CONSENTS, {"purpose": "service", "given": False})
    refused(needed, 409, "consent_needed_for_service")


async def test_an_officer_enters_what_was_said_at_the_counter(asking: Asking, town: Town) -> None:
    path = f"/v1/banks/{town.bank_id}/members/{town.resident.id}/consents"
    body = {"purpose": "service", "given": True}
    entered = by_purpose(done(await asking.post(town.operator, path, body)))
    assert entered["service"]["entered_by_other"] is True
    assert done(await asking.get(town.treasurer, path))["items"] == list(entered.values())
    elsewhere = path.replace(str(town.resident.id), str(town.city.id))
    refused(await asking.post(town.operator, elsewhere, body), 404, "no_such_thing")


def test_other_words_are_asked_for_anew() -> None:
    person = Person(name="x").id
    old: dict[str, Any] = {
        "person_id": person,
        "entered_by": person,
        "purpose": Purpose.NOTICES,
        "given": True,
    }
    assert consents.Standing(Purpose.NOTICES, Consent(**old, version=1)).is_given
    assert not consents.Standing(Purpose.NOTICES, Consent(**old, version=0)).is_given


async def test_where_a_collector_begins_is_kept_exactly_only_if_they_agree(
    asking: Asking, town: Town
) -> None:
    here = {"position": {"lat": 3.561234, "lon": 98.871234}}
    for agreed in (False, True, False):
        body = {"purpose": "location", "given": agreed}
        done(await asking.post(town.collector, CONSENTS, body))
        await list_pickup(town)
        done(await asking.post(town.collector, "/v1/jobs/claim", here), 201)
    async with town.database.reading() as session:
        query = select(Route).where(Route.bank_id == town.bank_id).order_by(Route.id)  # type: ignore[arg-type]
        routes = list(await session.exec(query))
        at_once = query.where(col(Route.place_forgotten_at) == col(Route.created_at))
        assert list(await session.exec(at_once)) == [routes[0], routes[2]]
    assert [(route.lat, route.lon) for route in routes] == [
        (3.56, 98.87),
        (3.561234, 98.871234),
        (3.56, 98.87),
    ]
    assert routes[1].place_forgotten_at is None


async def test_i_take_along_all_that_is_kept_of_me_and_nothing_of_others(
    asking: Asking, town: Town
) -> None:
    await asking.client.patch("/v1/me", json={"nik": NIK}, headers=asking.headers(town.resident))
    await list_pickup(town)
    await pay_through(town, 20_000, account_holder_name="<b>Siti</b>")
    answer = await asking.get(town.resident, EXPORT)
    told = done(answer)["tables"]
    assert told["person"][0]["phone"] == town.resident.phone
    assert told["person"][0]["nik"] == NIK
    assert told["payout"][0]["account_holder_name"] == "<b>Siti</b>"
    assert [row["amount"] for row in told["ledger_entry"]] == [20_000, 0, -20_000]
    assert {"pickup", "pickup_item", "ledger_journal", "event", "device"} <= told.keys()
    for other in (town.collector, town.operator, town.treasurer):
        assert str(other.id) not in answer.text
        assert phone_of(other) not in answer.text


def shown(tables: dict[str, list[Row]], language: str) -> str:
    return as_page(tables, language, utc_now(), WIB, {BANK: "BSI BERSERI"})


async def test_the_same_is_a_page_to_read(asking: Asking, town: Town) -> None:
    await pay_through(town, 20_000, account_holder_name="<b>Siti</b>")
    page = await asking.get(town.resident, EXPORT, format="html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<h2>Payouts (1)</h2>" in page.text
    assert "&lt;b&gt;Siti" in page.text
    assert str(town.bank_id) not in page.text
    acts = done(await asking.get(town.resident, "/v1/me/audit"))["items"]
    assert "export_me" in [act["act"] for act in acts]


def test_every_table_and_column_of_an_export_is_called_something() -> None:
    assert TITLES.keys() == {*OWNERS, *THROUGH}
    columns = {column for table in TITLES for column in columns_shown(table)}
    assert HEADS.keys() == {*columns, "nik"}
    page = shown({"payout": [{"paid_at": "x", "fee_idr": 5}]}, "id")
    assert "<th>biaya (Rp)</th><th>dibayar pada</th>" in page


def test_a_page_shows_values_as_people_write_them() -> None:
    row = {"note": "<", "amount_idr": -12_500, "at": "2026-08-28T20:54:01.123456Z", "given": False}
    page = shown({"payout": [row], "weighing": [{"grams": 12_000, "line": 1_200}]}, "id")
    assert '<td class="figure">12.000</td><td class="figure">1200</td>' in page
    assert "<td>tidak</td>" in page
    assert '<td class="figure">-Rp12.500</td>' in page
    assert "<tr><td>29 Agu 2026 03.54 WIB</td>" in page
    english = shown({"payout": [row]}, "en")
    assert "<td>no</td>" in english
    assert "<td>29 Aug 2026 03:54 WIB</td>" in english


def test_a_page_says_what_codes_mean_and_what_lists_hold() -> None:
    pickup = {"status": "claimed", "note": "open"}
    event = {"kind": "payout_paid", "body": '{"amount_idr": 2500, "items": [{"grams": 1}]}'}
    tables = {
        "pickup": [pickup],
        "membership": [{"role": "resident"}],
        "payout": [{"fee_by": "bank", "method": "bank", "gateway": "bank", "cause": "odd"}],
        "event": [event],
        "handover_attempt": [{"weighings": '[{"grams": 5}, {"grams": 6}]'}],
        "audit_own": [{"act": "export_me"}],
    }
    page = shown(tables, "id")
    for cell in (
        *("diambil petugas</td><td>open", "warga", "Mengambil salinan data saya"),
        *("rekening bank</td><td>bank sampah</td><td>bank</td><td>odd", "pencairan dibayar"),
        *("jumlah (Rp): Rp2.500, items: gram: 1", "gram: 5; gram: 6"),
    ):
        assert f"<td>{cell}</td>" in page, cell
    english = shown({"pickup": [pickup]}, "en")
    assert "<td>claimed by a collector</td><td>open</td>" in english


def test_a_row_begins_with_what_a_person_knows_and_ends_with_ids() -> None:
    rows = [
        {"bank_id": BANK, "id": "9", "fence": 3, "failure": "", "method": "cash", "amount_idr": 5},
        {"bank_id": BANK, "id": "8", "fence": 1, "failure": None, "method": "", "amount_idr": 0},
    ]
    page = shown({"payout": rows}, "en")
    heads = ["amount idr", "method", "fence", "bank id", "id"]
    assert re.findall("<th>(.*?)</th>", page) == heads
    assert page.count("<td>BSI BERSERI</td>") == 2


def test_every_code_of_an_export_means_something() -> None:
    codes = {"kind": {*notices.KINDS}, "cause": {*Cause}, "to_status": {*PayoutStatus}}
    for table in TITLES:
        for check in METADATA.tables[table].constraints:
            if isinstance(check, CheckConstraint):
                for column, listed in re.findall(
                    r"(\w+)(?<!NOT) IN \(([^)]*)\)", str(check.sqltext)
                ):
                    codes.setdefault(column, set()).update(re.findall("'(\\w+)'", listed))
    for column, values in codes.items():
        for value, language in product(values, ("en", "id")):
            assert meaning_of(column, value, language), (column, value)


def test_a_page_begins_with_oneself_and_ends_with_the_books() -> None:
    assert {*FIRST, *LAST} <= TITLES.keys()
    names = ("audit_own", "card", "event", "ledger_entry", "membership", "payout", "person")
    page = shown({name: [{"id": 1}] for name in names}, "en")
    titles = ("Who I am", "My parts in waste banks", "Payouts", "My cards", "What moved in them")
    assert re.findall("<h2>(.*?) [(]1[)]", page)[:5] == list(titles)


async def test_i_delete_my_account_and_am_signed_out(asking: Asking, town: Town) -> None:
    me = await another(town, Role.RESIDENT)
    unsure = await asking.post(me, DELETION, {"confirm": "ya"})
    refused(unsure, 422, "request_malformed", "/confirm")
    (said,) = unsure.json()["errors"]
    assert "'delete my account' or 'hapus akun saya'" in said["detail"]
    assert done(await asking.post(me, DELETION, {"confirm": "hapus akun saya"}))["deleted_at"]
    refused(await asking.get(me, "/v1/me"), 401, "no_valid_token")
    listed = done(await asking.get(town.operator, f"/v1/banks/{town.bank_id}/members"))["items"]
    assert str(me.id) not in [item["person_id"] for item in listed]
    drop_off = f"/v1/passbooks/{town.bank_id}"
    gone = await asking.get(town.operator, drop_off, resident_id=me.id)
    refused(gone, 404, "no_such_thing")


async def test_an_officer_deletes_only_who_can_not_do_it_themselves(
    asking: Asking, town: Town
) -> None:
    nek = await without_phone(town)
    path = f"/v1/banks/{town.bank_id}/members"
    themselves = await asking.post(town.operator, f"{path}/{town.resident.id}/deletion")
    refused(themselves, 409, "deletes_themselves")
    refused(
        await asking.post(town.operator, f"{path}/{town.bank_id}/deletion"), 404, "no_such_thing"
    )
    done(await asking.post(town.operator, f"{path}/{nek.id}/deletion"))
    again = await asking.post(town.operator, f"{path}/{nek.id}/deletion")
    refused(again, 404, "no_such_thing")


@pytest.mark.parametrize(
    ("part", "slug"), [("treasurer", "last_treasurer"), ("resident", "pickup_not_ended")]
)
async def test_what_is_open_comes_first(asking: Asking, town: Town, part: str, slug: str) -> None:
    await list_pickup(town)
    refused(await asking.post(getattr(town, part), DELETION, CONFIRMED), 409, slug)


async def test_a_nik_is_mine_alone(asking: Asking, town: Town) -> None:
    async def patch(who: Person, nik: str) -> Any:
        headers = asking.headers(who, None)
        return await asking.client.patch("/v1/me", json={"nik": nik}, headers=headers)

    mine = "1207285507910003"
    assert done(await patch(town.resident, mine))["nik"] == mine
    refused(await patch(town.collector, mine), 409, "nik_taken")
    refused(await patch(town.collector, "1234"), 422, "nik_not_valid", "/nik")
    listed = await asking.get(town.operator, f"/v1/banks/{town.bank_id}/members")
    assert mine not in listed.text
    assert done(await patch(town.resident, ""))["nik"] is None
    registered = {"phone": new_phone(), "name": "Budi", "nik": mine}
    answer = await asking.post(town.operator, f"/v1/banks/{town.bank_id}/members", registered)
    assert mine not in answer.text
    done(answer, 201)
    refused(await patch(town.resident, mine), 409, "nik_taken")


async def test_tries_at_once_are_counted_one_after_the_other(asking: Asking, town: Town) -> None:
    taken = {"nik": "1207286507920007"}
    headers = asking.headers(town.resident, None)
    done(await asking.client.patch("/v1/me", json=taken, headers=headers))

    async def register() -> int:
        body = taken | {"phone": new_phone(), "name": "Budi"}
        return (
            await asking.post(town.operator, f"/v1/banks/{town.bank_id}/members", body)
        ).status_code

    answers = await asyncio.gather(*(register() for _ in range(2 * MOST_A_DAY)))
    assert Counter(answers) == {409: MOST_A_DAY, 429: MOST_A_DAY}


async def test_so_many_niks_are_tried_a_day_and_a_refused_one_leaves_nothing(
    asking: Asking, town: Town
) -> None:
    headers = asking.headers(town.resident, None)
    taken = {"nik": "1207286507920005"}
    done(await asking.client.patch("/v1/me", json=taken, headers=headers))
    members = f"/v1/banks/{town.bank_id}/members"
    body = taken | {"phone": new_phone(), "name": "Budi"}
    for _ in range(MOST_A_DAY):
        refused(await asking.post(town.operator, members, body), 409, "nik_taken")
    answer = await asking.post(town.operator, members, body)
    refused(answer, 429, "too_many_niks")
    assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    found = await asking.get(town.operator, members, phone=body["phone"])
    assert done(found)["items"] == []
    own = {"nik": "1207286507920006"}
    for status in [200] * (MOST_A_DAY - 1) + [429]:
        answer = await asking.client.patch("/v1/me", json=own, headers=headers)
        assert answer.status_code == status, answer.text
    done(await asking.post(town.operator, members, body | {"nik": ""}), 201)


async def test_a_breach_has_a_clock_and_those_concerned_hear_of_it(
    asking: Asking, town: Town
) -> None:
    path = f"/v1/banks/{town.bank_id}/breaches"
    known = utc_now() - timedelta(hours=80)
    who = [str(town.resident.id)]
    body = {"what": "A list was lost", "known_at": known.isoformat(), "person_ids": who}
    breach = done(await asking.post(town.treasurer, path, body), 201)
    assert (breach["is_overdue"], breach["people"], breach["notices"]) == (True, 1, [])
    notices = f"{path}/{breach['id']}/notices"
    told = {"told": "people", "text": "Daftar hilang, hubungi 0812-6000-1234."}
    noted = done(await asking.post(town.treasurer, notices, told), 201)["notices"]
    assert noted[0]["text"] == "Daftar hilang, hubungi [phone]."
    refused(await asking.post(town.treasurer, notices, told), 409, "already_told")
    (listed,) = done(await asking.get(town.treasurer, path))["items"]
    assert listed["notices"] == noted
    async with town.database.reading() as session:
        query = select(Event).where(Event.bank_id == town.bank_id, Event.kind == "breach")
        assert [event.person_id for event in await session.exec(query)] == [town.resident.id]


@pytest.mark.parametrize(
    ("changes", "slug", "pointer"),
    [
        ({}, "breach_not_possible", "/person_ids"),
        (
            {"whole_bank": True, "known_at": "2999-01-01T00:00Z"},
            "known_at_not_possible",
            "/known_at",
        ),
        (
            {"person_ids": ["0193b0c0-0000-7000-8000-000000000000"]},
            "breach_not_possible",
            "/person_ids",
        ),
    ],
)
async def test_a_breach_concerns_somebody_and_is_known(
    asking: Asking, quiet: Town, changes: dict[str, Any], slug: str, pointer: str
) -> None:
    path = f"/v1/banks/{quiet.bank_id}/breaches"
    body = {"what": "x"} | changes
    refused(await asking.post(quiet.treasurer, path, body), 422, slug, pointer)


async def test_a_bank_of_many_hears_of_it_each_once(
    database: Database, town: Town, keys: Keys
) -> None:
    report = breaches.Report("x", None, [], whole_bank=True)
    async with database.transaction() as session:
        case = await breaches.report(session, town.bank_id, report, by=None)
        told = Told.PEOPLE
        await breaches.notify(session, case, told, "Kabar", by=None)
    async with database.reading() as session:
        query = select(Event.person_id).where(Event.bank_id == town.bank_id, Event.kind == "breach")
        people = list(await session.exec(query))
    assert sorted(map(str, people)) == sorted(str(one.id) for one in town.people.values())


WIB = ZoneInfo("Asia/Jakarta")
BANK = "01900000-0000-7000-8000-000000000001"
