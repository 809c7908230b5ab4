"""A passbook's statement over HTTP, in each form, and whoever doesn't get one."""

import csv
import io
import sys
from datetime import date, timedelta
from uuid import uuid4

import pytest

from models.base import utc_now
from models.people import Language, Person, Role
from service import banks, statements
from service.keys import Keys
from tests.api.asking import Asking, done, refused
from tests.factories import Town, another, earn, make_town

MALFORMED = (422, "request_malformed")


def path(town: Town) -> str:
    return f"/v1/passbooks/{town.bank_id}/statement"


async def test_a_statement_has_what_a_passbook_has(asking: Asking, town: Town, keys: Keys) -> None:
    earned = await earn(town, keys, grams=10_000)
    today = banks.day_at(town.bank, utc_now())
    found = done(await asking.get(town.resident, path(town)))
    (line,) = found.pop("lines")
    (shown,) = done(await asking.get(town.resident, f"/v1/passbooks/{town.bank_id}/lines"))["items"]
    assert found == {
        "bank_id": str(town.bank_id),
        "bank_name": town.bank.name,
        "resident_id": str(town.resident.id),
        "name": "Somebody",
        "phone": town.resident.phone,
        "passbook_number": town.resident.id.hex[-10:].upper(),
        "language": "en",
        "first_day": str(today.replace(day=1)),
        "last_day": str(today),
        "opening_idr": 0,
        "in_idr": earned,
        "out_idr": 0,
        "closing_idr": earned,
        "provisional": True,
    }
    assert (line["number"], line["date"], line["note"]) == (1, str(today), "Pickup")
    assert line["entered_by"] == "S"
    for name in ("id", "at", "in_idr", "out_idr", "balance_idr", "journal_id"):
        assert line[name] == shown[name]


async def test_an_officer_sees_what_the_resident_sees(
    asking: Asking, town: Town, keys: Keys
) -> None:
    await earn(town, keys)
    own = done(await asking.get(town.resident, path(town)))
    for officer in (town.operator, town.treasurer):
        answer = await asking.get(officer, path(town), resident_id=str(town.resident.id))
        assert done(answer) == own


@pytest.mark.parametrize(
    ("query", "accepted", "own", "spoken"),
    [
        ({"language": "id"}, "en", "en", "id"),
        ({"language": "en"}, "id", "id", "en"),
        ({}, "en-GB,en;q=0.9", "id", "en"),
        ({}, "fr", "en", "en"),
        ({}, "fr", "id", "id"),
    ],
)
async def test_it_speaks_as_asked_as_the_browser_or_as_the_resident(
    asking: Asking, town: Town, query: dict[str, str], accepted: str, own: str, spoken: str
) -> None:
    async with town.database.transaction() as session:
        person = await session.get_one(Person, town.resident.id)
        person.language = Language(own)
        session.add(person)
    headers = asking.headers(town.resident) | {"Accept-Language": accepted}
    answer = await asking.client.get(path(town), params=query, headers=headers)
    assert done(answer)["language"] == spoken


async def test_a_statement_for_a_spreadsheet(asking: Asking, town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    answer = await asking.get(town.resident, path(town), format="csv", language="id")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="passbook-')
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[6] == ["No", "Tanggal", "Masuk", "Keluar", "Saldo", "Paraf", "Keterangan"]
    assert rows[8][2:] == [str(earned), "0", str(earned), "S", "Setoran jemput"]


async def test_a_statement_on_paper(asking: Asking, town: Town, keys: Keys) -> None:
    await earn(town, keys)
    answer = await asking.get(town.resident, path(town), format="pdf")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].endswith('.pdf"')
    assert answer.content.startswith(b"%PDF-")
    assert len(answer.content) > 10_000


async def test_a_server_without_a_typesetter_says_so(
    asking: Asking, quiet: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements.paper._compiler.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    answer = await asking.get(quiet.resident, path(quiet), format="pdf")
    refused(answer, 409, "pdf_not_installed")


@pytest.mark.parametrize(
    ("query", "slug", "pointer"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "days_backwards", "/to"),
        ({"from": "2026-01-01", "to": "2027-02-05"}, "too_many_days", "/from"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "too_many_days", "/from"),
        ({"from": "9999-12-31"}, "days_backwards", "/to"),
        ({"from": "2026-02-30"}, "request_malformed", "/from"),
        ({"from": "yesterday"}, "request_malformed", "/from"),
        ({"from": "1700000000"}, "request_malformed", "/from"),
        ({"from": "2026-11-01T00:00:00Z"}, "request_malformed", "/from"),
        ({"from": ""}, "request_malformed", "/from"),
        ({"to": "01-11-2026"}, "request_malformed", "/to"),
        ({"to": "0000-01-01"}, "request_malformed", "/to"),
        ({"format": "xlsx"}, "request_malformed", "/format"),
        ({"format": "PDF"}, "request_malformed", "/format"),
        ({"language": "jv"}, "request_malformed", "/language"),
        ({"resident_id": "Siti"}, "request_malformed", "/resident_id"),
    ],
)
async def test_a_statement_that_can_not_be_is_refused(
    asking: Asking, quiet: Town, query: dict[str, str], slug: str, pointer: str
) -> None:
    refused(await asking.get(quiet.resident, path(quiet), **query), 422, slug, pointer)


async def test_the_last_day_alone_means_its_month(asking: Asking, quiet: Town) -> None:
    found = done(await asking.get(quiet.resident, path(quiet), to="2026-02-10"))
    assert (found["first_day"], found["last_day"]) == ("2026-02-01", "2026-02-10")
    tomorrow = date.fromordinal(utc_now().date().toordinal()) + timedelta(days=2)
    asked = {"from": str(tomorrow), "to": str(tomorrow)}
    assert done(await asking.get(quiet.resident, path(quiet), **asked))["lines"] == []


@pytest.mark.parametrize("file_format", ["json", "csv", "pdf"])
async def test_nobody_else_gets_a_statement(asking: Asking, town: Town, file_format: str) -> None:
    neighbour = await another(town, Role.RESIDENT)
    far = await make_town(town.database)
    query = {"resident_id": str(town.resident.id), "format": file_format}
    for other in (neighbour, town.collector, town.city, far.operator, far.resident):
        refused(await asking.get(other, path(town), **query), 403, "not_allowed")
    refused(await asking.get(None, path(town), **query), 401, "no_valid_token")
    for stranger in (str(uuid4()), str(far.resident.id), str(town.collector.id)):
        query["resident_id"] = stranger
        refused(await asking.get(town.operator, path(town), **query), 404, "no_such_thing")
