"""The bookkeeper's pack over HTTP, as CSV and as XLSX."""

import csv
import zipfile
from datetime import date, timedelta
from io import BytesIO, StringIO
from xml.etree import ElementTree

import pytest

from models.base import utc_now
from models.reconciliation import LineType
from service import closing, sales
from service.banks import day_at
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, refused
from tests.factories import PET, Town, earn, make_town, phone_of
from tests.paid import a_row, bring_in, lines_of, pay_through

PARTS = [
    "journal",
    "trial_balance",
    "payouts",
    "exceptions",
    "cash_counts",
    "drawer_counts",
    "stock_counts",
]
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
async def busy(database: Database, keys: Keys) -> Town:
    """A town with a weighing, a payout, an exception, and a text that could be a formula."""
    town = await make_town(database)
    await earn(town, keys)
    payout = await pay_through(town, 10_000, reason="=HYPERLINK(1)")
    stray = a_row(payout, LineType.OUT, -7, external_id="s", gateway_id="", reference="")
    await bring_in(town, [*lines_of(payout), stray])
    return town


def today(town: Town) -> date:
    return day_at(town.bank, utc_now())


def sheets_of(workbook: bytes) -> list[str]:
    with zipfile.ZipFile(BytesIO(workbook)) as book:
        names = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_SHEET}sheet")  # noqa: S314
        return [sheet.attrib["name"] for sheet in names]


async def table(asking: Asking, town: Town, part: str, *days: date) -> list[dict[str, str]]:
    span = "/".join(map(str, days or (today(town) - timedelta(days=20), today(town))))
    path = f"/v1/banks/{town.bank_id}/books/{span}.csv"
    answer = await asking.get(town.treasurer, path, part=part)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


async def test_the_journal_has_every_transfer_of_the_book(asking: Asking, busy: Town) -> None:
    lines = await table(asking, busy, "journal", today(busy))
    kinds = {line["kind"] for line in lines}
    assert {"pickup", "payout"} <= kinds
    assert {line["day"] for line in lines} == {str(today(busy))}
    paid = [line for line in lines if line["kind"] == "payout"]
    moved = {
        (line["debit"].partition(":")[0], line["credit"].partition(":")[0]): line["amount"]
        for line in paid
    }
    assert moved == {
        ("available", "in_transit"): "10000",
        ("in_transit", "float"): "10000",
        ("fees", "float"): "2775",
    }
    assert await table(asking, busy, "journal", today(busy) - timedelta(days=1)) == []


async def test_the_trial_balance_opens_moves_and_closes(asking: Asking, busy: Town) -> None:
    rows = await table(asking, busy, "trial_balance", today(busy))
    for row in rows:
        opening, debit, credit, closing = (
            int(row[name]) for name in ("opening", "debit", "credit", "closing")
        )
        assert opening + debit - credit == closing
    idr = [row for row in rows if row["unit"] == "IDR"]
    assert sum(int(row["closing"]) for row in idr) == 0
    (float_,) = [row for row in rows if row["account"] == "float:xendit"]
    assert (float_["opening"], float_["credit"], float_["closing"]) == ("0", "12775", "-12775")
    before = await table(asking, busy, "trial_balance", today(busy) - timedelta(days=1))
    assert {row["closing"] for row in before} == {"0"}


async def test_payouts_exceptions_and_counts_are_there(asking: Asking, busy: Town) -> None:
    async with busy.database.transaction() as session:
        day = today(busy)
        await closing.close(session, busy.bank, day, closing.Close(busy.treasurer.id, 5))
        found = sales.StockFound(busy.bank_id, PET, 7, note="", counted_by=busy.treasurer.id)
        await sales.count_stock(session, found)
    (paid,) = await table(asking, busy, "payouts")
    assert (paid["amount_idr"], paid["fee_idr"], paid["status"]) == ("10000", "2775", "paid")
    assert paid["reason"] == "'=HYPERLINK(1)"
    (case,) = await table(asking, busy, "exceptions")
    assert (case["kind"], case["found_idr"]) == ("missing_here", "7")
    (count,) = await table(asking, busy, "cash_counts", day)
    assert (count["counted_cash_idr"], count["cash_difference_idr"]) == ("5", "5")
    (safe,) = await table(asking, busy, "drawer_counts", day)
    assert (safe["drawer"], safe["counted_idr"], safe["difference_idr"]) == ("main", "5", "5")
    (stock,) = await table(asking, busy, "stock_counts", day)
    assert (stock["material"], stock["counted_grams"], stock["difference_grams"]) == (PET, "7", "7")


async def test_all_tables_stand_in_one_file(asking: Asking, busy: Town) -> None:
    path = f"/v1/banks/{busy.bank_id}/books/{today(busy)}.csv"
    answer = await asking.get(busy.treasurer, path)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith(f'-{today(busy)}.csv"')
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[0] for row in rows if len(row) == 1] == PARTS


async def test_an_indonesian_bookkeeper_reads_it_in_indonesian(asking: Asking, busy: Town) -> None:
    path = f"/v1/banks/{busy.bank_id}/books/{today(busy)}"
    headers = asking.headers(busy.treasurer) | {"Accept-Language": "id"}
    pack = await asking.client.get(f"{path}.csv", headers=headers)
    rows = list(csv.reader(StringIO(pack.content.decode("utf-8-sig")), delimiter=";"))
    titles = [row[0] for row in rows if len(row) == 1]
    assert titles[:3] == ["Jurnal", "Neraca saldo", "Pencairan"]
    assert ["akun", "arti", "satuan", "saldo awal", "debit", "kredit", "saldo akhir"] in rows
    said = {cell for row in rows for cell in row}
    assert {"setoran jemput", "saldo warga", "dibayar", "jatuh tempo"} <= said
    book = await asking.client.get(f"{path}.xlsx", headers=headers)
    assert sheets_of(book.content)[:2] == ["Jurnal", "Neraca saldo"]


async def test_a_table_alone_is_the_same_in_every_language(asking: Asking, busy: Town) -> None:
    path, journal = f"/v1/banks/{busy.bank_id}/books/{today(busy)}", {"part": "journal"}
    indonesian, english = (
        asking.headers(busy.treasurer) | {"Accept-Language": language} for language in ("id", "en")
    )
    files = [
        (await asking.client.get(f"{path}.csv", headers=headers, params=journal)).content
        for headers in (indonesian, english)
    ]
    assert files[0] == files[1]
    assert b"journal_id,transfer_id" in files[0]
    assert b",payout," in files[0]
    book = await asking.client.get(f"{path}.xlsx", headers=indonesian, params=journal)
    assert sheets_of(book.content) == ["journal"]


async def test_nobodys_name_phone_or_account_number_is_in_it(asking: Asking, busy: Town) -> None:
    path = f"/v1/banks/{busy.bank_id}/books/{today(busy) - timedelta(days=9)}/{today(busy)}.csv"
    text = (await asking.get(busy.treasurer, path)).text
    for secret in (phone_of(busy.resident), busy.resident.name, "081234567890"):
        assert secret not in text


async def test_a_workbook_has_a_sheet_for_each_table(asking: Asking, busy: Town) -> None:
    path = f"/v1/banks/{busy.bank_id}/books/{today(busy) - timedelta(days=9)}/{today(busy)}.xlsx"
    answer = await asking.get(busy.treasurer, path)
    assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert sheets_of(answer.content) == PARTS
    with zipfile.ZipFile(BytesIO(answer.content)) as book:
        assert book.testzip() is None
        sheets = [book.read(f"xl/worksheets/sheet{number}.xml") for number in range(1, 6)]
    assert b"<f>" not in b"".join(sheets)
    payouts = ElementTree.fromstring(sheets[2])  # noqa: S314
    texts = {"".join(cell.itertext()) for cell in payouts.iter(f"{_SHEET}c")}
    assert {"10000", "2775", "'=HYPERLINK(1)"} <= texts


@pytest.mark.parametrize(
    ("span", "pointer"),
    [
        ("2026-11-22/2026-11-21.csv", "/last"),
        ("2026-01-01/2027-01-02.csv", "/last"),
        ("yesterday.csv", "/day"),
        ("1999-12-31.csv", "/day"),
        ("2026-11-22.pdf", "/file_format"),
        ("2026-11-22.csv?part=secrets", "/part"),
    ],
)
async def test_what_is_no_pack_is_refused(
    asking: Asking, quiet: Town, span: str, pointer: str
) -> None:
    answer = await asking.client.get(
        f"/v1/banks/{quiet.bank_id}/books/{span}", headers=asking.headers(quiet.treasurer)
    )
    refused(answer, 422, "request_malformed", pointer)


async def test_too_many_rows_are_refused(
    asking: Asking, busy: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.bookkeeping.pack.MOST_ROWS", 2)
    answer = await asking.get(busy.treasurer, f"/v1/banks/{busy.bank_id}/books/{today(busy)}.csv")
    refused(answer, 409, "pack_too_long")
