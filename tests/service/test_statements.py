"""Statements: which lines, which balances, and that nothing in them does harm on a screen."""

import csv
import io
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import Bank
from models.base import new_id, utc_now
from models.ledger import TransferKind
from models.people import Language, Person
from service import banks, ledger, statements
from service.errors import Problem
from service.keys import Keys
from service.ledger import Draft, Movement, PassbookLine, chart
from service.statements import Line, Statement
from service.statements.reading import initials
from service.statements.spreadsheet import harmless
from tests.counting import statements_of
from tests.factories import Town, another, earn

HARM = ['#read("/etc/passwd")', "=1+1", '=HYPERLINK("http://x")', "+62", "-1", "@x", "\tx", "\rx"]


def a_written_line(**changes: object) -> PassbookLine:
    facts: dict[str, object] = {
        "id": new_id(),
        "at": datetime(2026, 11, 3, 2, tzinfo=UTC),
        "kind": "pickup",
        "memo": "",
        "amount_idr": 12_500,
        "balance_idr": 12_500,
        "about_id": None,
        "version": 1,
        "key": "pickup:1",
        "day": date(2026, 11, 3),
        "journal_id": new_id(),
        "actor_id": None,
        "corrects_id": None,
        "corrects_kind": None,
        "corrects_memo": None,
        "corrected_by_id": None,
    }
    return PassbookLine(**(facts | changes))  # type: ignore[arg-type]


def a_correction(**changes: object) -> PassbookLine:
    """A line that takes one of a sale back."""
    of_a_sale = {"kind": "correction", "corrects_kind": "sale", "memo": "salah ketik"}
    return a_written_line(key="reversal:1", **(of_a_sale | changes))


def a_statement(*notes: str, language: str = "id", name: str = "Siti Aminah") -> Statement:
    """A statement with a line of 12.500 for each note."""
    lines = [
        Line(
            number=number,
            day=date(2026, 11, 3),
            at=datetime(2026, 11, 3, 2, tzinfo=UTC),
            in_idr=12_500,
            out_idr=0,
            balance_idr=12_500 * number,
            entered_by="SA",
            note=note,
            written=a_written_line(),
        )
        for number, note in enumerate(notes, start=1)
    ]
    return Statement(
        language=language,
        bank=Bank(name="Bank Melati", lat=3.5, lon=98.6),
        resident=Person(phone="+6281260001234", name=name),
        passbook_number="A1B2C3D4E5",
        first_day=date(2026, 11, 1),
        last_day=date(2026, 11, 30),
        opening_idr=0,
        lines=lines,
    )


def rows_of(statement: Statement, separator: str) -> list[list[str]]:
    text = statements.as_csv(statement).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def pages_of(pdf: bytes) -> int:
    counts = [int(count) for count in re.findall(rb"/Type\s*/Pages\s*/Count (\d+)", pdf)]
    return max(counts)


@pytest.mark.parametrize(
    ("line", "indonesian", "english"),
    [
        (a_written_line(), "Setoran jemput", "Pickup"),
        (a_written_line(kind="dropoff"), "Setoran langsung", "Drop-off"),
        (a_written_line(kind="payout"), "Pencairan", "Payout"),
        (a_written_line(kind="sale", key="sale:1:lot"), "Terjual", "Sold"),
        (
            a_written_line(kind="sale", memo="Kardus (bekas)"),
            "Terjual: Kardus (bekas)",
            "Sold: Kardus (bekas)",
        ),
        (a_written_line(kind="sale", key="sale:1:share"), "Bagi hasil", "Share of the profit"),
        (
            a_written_line(kind="receiving", key="receiving:1:2:bought"),
            "Susut timbang dibeli bank",
            "Missing weight bought by the bank",
        ),
        (
            a_written_line(kind="receiving", key="receiving:1:2:more"),
            "Timbang ulang",
            "Weighed again",
        ),
        (a_written_line(memo="dilihat"), "Setoran jemput (dilihat)", "Pickup (dilihat)"),
        (
            a_written_line(kind="correction", corrects_kind="dropoff", memo="salah timbang"),
            "Koreksi: setoran langsung (salah timbang)",
            "Correction: drop-off (salah timbang)",
        ),
        (
            a_correction(corrects_memo="Kardus", corrects_key="sale:1:2"),
            "Koreksi: terjual, Kardus (salah ketik)",
            "Correction: sold, Kardus (salah ketik)",
        ),
        (
            a_correction(corrects_memo="Kardus", corrects_key="sale:1:2:share"),
            "Koreksi: bagi hasil, Kardus (salah ketik)",
            "Correction: share of the profit, Kardus (salah ketik)",
        ),
        (a_written_line(kind="gift"), "gift", "gift"),
    ],
)
def test_a_line_says_what_it_is_about(line: PassbookLine, indonesian: str, english: str) -> None:
    assert statements.described(line, "id") == indonesian
    assert statements.described(line, "en") == english


@pytest.mark.parametrize(
    ("line", "indonesian", "english"),
    [
        (a_written_line(key="pickup:1:fee"), "Upah jemput", "Fee for fetching"),
        (
            a_written_line(kind="sale", key="sale:1:2:fee", memo="Kardus"),
            "Bagi hasil: Kardus",
            "Share of the profit: Kardus",
        ),
        (
            a_written_line(kind="dispute", key="receiving:1:2:fee-", memo="karung bocor"),
            "Upah setelah timbang ulang (karung bocor)",
            "Fee after the second weighing (karung bocor)",
        ),
        (
            a_written_line(kind="correction", corrects_kind="pickup", memo="salah timbang"),
            "Koreksi: upah jemput (salah timbang)",
            "Correction: fee for fetching (salah timbang)",
        ),
        (
            a_correction(corrects_memo="Kardus", corrects_key="sale:1:2:fee"),
            "Koreksi: bagi hasil, Kardus (salah ketik)",
            "Correction: share of the profit, Kardus (salah ketik)",
        ),
        (a_written_line(kind="payout"), "Pencairan", "Payout"),
    ],
)
def test_a_collectors_line_says_what_was_earned(
    line: PassbookLine, indonesian: str, english: str
) -> None:
    assert statements.earned(line, "id") == indonesian
    assert statements.earned(line, "en") == english


@pytest.mark.parametrize(
    ("name", "signed"),
    [
        ("Siti Aminah", "SA"),
        ("budi", "B"),
        ("", ""),
        ("  ", ""),
        ("a b c d e", "ABCD"),
        ("(Ibu) Rina", "R"),
        ("=1+1", ""),
    ],
)
def test_people_sign_with_their_initials(name: str, signed: str) -> None:
    assert initials(name) == signed


@given(st.text(min_size=1))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = harmless(text)
    assert isinstance(cell, str)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize(("language", "separator"), [("id", ";"), ("en", ",")])
def test_a_spreadsheet_gets_plain_numbers_andharmless_text(language: str, separator: str) -> None:
    statement = a_statement("a;b,c", *HARM, language=language, name='=1+1;"x"')
    rows = rows_of(statement, separator)
    assert rows[1][1] == '\'=1+1;"x"'
    assert rows[3][1] == "'+6281260001234"
    table = rows[6:]
    assert [row[6] for row in table[2:-1]] == ["a;b,c", HARM[0], *(f"'{note}" for note in HARM[1:])]
    assert table[2][:6] == ["1", "2026-11-03", "12500", "0", "12500", "SA"]
    assert [row[4] for row in (table[1], table[-1])] == ["0", str(12_500 * 9)]
    assert table[-1][2:4] == [str(12_500 * 9), "0"]


def test_a_spreadsheet_comes_with_the_mark_that_excel_wants() -> None:
    assert statements.as_csv(a_statement()).startswith(b"\xef\xbb\xbfBuku Tabungan;Bank Melati\r\n")


async def test_paper_takes_whatever_people_wrote_as_it_stands() -> None:
    harmless = await statements.as_pdf(a_statement("x", name="y"))
    for text in (
        *HARM,
        "#panic()",
        "\\",
        "$x$ *y* _z_ `q` @ref <l> [#set page(width: 1pt)]",
        "\u200f",
    ):
        printed = await statements.as_pdf(a_statement(text, name=text))
        assert printed.startswith(b"%PDF-")
        assert pages_of(printed) == pages_of(harmless) == 1
        assert b"root:" not in b"".join(streams_of(printed))


def streams_of(pdf: bytes) -> list[bytes]:
    """What is in a PDF, unpacked where it was packed."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            found.append(stream)
    return found


async def test_many_lines_go_over_several_pages() -> None:
    assert pages_of(await statements.as_pdf(a_statement(*["Setoran jemput"] * 60))) == 2
    assert pages_of(await statements.as_pdf(a_statement("a" * 300, name="b" * 120))) == 1


async def test_the_same_statement_is_the_same_paper() -> None:
    statement = a_statement("Setoran jemput")
    assert await statements.as_pdf(statement) == await statements.as_pdf(statement)


async def test_days_to_come_are_no_paper_of_the_future() -> None:
    to_come = replace(a_statement("x"), last_day=date(2999, 1, 1))
    made = re.search(rb"/CreationDate *[(]D:([0-9]{8})", await statements.as_pdf(to_come))
    assert made is not None
    assert made[1].decode() <= f"{utc_now():%Y%m%d}"


def test_while_days_are_not_over_no_balance_is_the_closing_one() -> None:
    over = a_statement("x")
    assert rows_of(over, ";")[-1][-1] == "Saldo akhir"
    assert rows_of(replace(over, provisional=True), ";")[-1][-1] == "Saldo sementara"


async def test_without_the_typesetter_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    statements.paper._compiler.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(statements.PdfNotInstalled):
        await statements.as_pdf(a_statement())
    monkeypatch.undo()
    assert await statements.as_pdf(a_statement())


async def put(town: Town, *amounts: int, actor_id: UUID | None = None) -> None:
    """Lines in the resident's passbook; negative ones leave it."""
    theirs = chart.available(town.resident.id)
    async with town.database.transaction() as session:
        for amount in amounts:
            sides = (chart.PURCHASES, theirs) if amount > 0 else (theirs, chart.CASH)
            moves = [Movement(f"put:{new_id()}", *sides, abs(amount))]
            draft = Draft("dropoff", moves, utc_now(), actor_id=actor_id)
            await ledger.post(session, town.bank_id, draft)


async def next_day(town: Town, days: int = 1) -> date:
    """Close the day in the book; the day that is written on now."""
    async with town.database.transaction() as session:
        day = (await ledger.open_page(session, town.bank_id)).day + timedelta(days=days)
        await ledger.turn_page(session, town.bank_id, day)
    return day


async def read(
    town: Town, first: date | None = None, last: date | None = None, language: str | None = "id"
) -> Statement:
    async with town.database.reading() as session:
        return await statements.read(
            session, town.bank_id, town.resident.id, (first, last), language=language
        )


def amounts_of(statement: Statement) -> Sequence[int]:
    return [line.in_idr - line.out_idr for line in statement.lines]


async def test_days_join_up_and_their_balances_are_the_books(town: Town) -> None:
    today = banks.day_at(town.bank, utc_now())
    await put(town, 1_000, 2_000)
    tomorrow = await next_day(town)
    await put(town, -500)
    later = await next_day(town, days=3)
    await put(town, 7_000, -300)
    one, two, gap, three = [
        await read(town, *days)
        for days in (
            (today, today),
            (tomorrow, tomorrow),
            (tomorrow + timedelta(days=1), later - timedelta(days=1)),
            (later, later),
        )
    ]
    assert [amounts_of(each) for each in (one, two, gap, three)] == [
        [1_000, 2_000],
        [-500],
        [],
        [7_000, -300],
    ]
    opened = [each.opening_idr for each in (one, two, gap, three)]
    closed = [each.closing_idr for each in (one, two, gap, three)]
    assert opened == [0, 3_000, 2_500, 2_500]
    assert closed == [3_000, 2_500, 2_500, 9_200]
    whole = await read(town, today, later)
    assert amounts_of(whole) == [1_000, 2_000, -500, 7_000, -300]
    assert (whole.in_idr, whole.out_idr) == (10_000, 800)
    assert whole.opening_idr + whole.in_idr - whole.out_idr == whole.closing_idr
    assert [line.number for line in whole.lines] == [1, 2, 3, 4, 5]


async def test_what_comes_later_changes_no_day_that_is_over(town: Town) -> None:
    today = banks.day_at(town.bank, utc_now())
    await put(town, 1_000)
    await next_day(town)
    before = await read(town, today, today)
    await put(town, 2_000)
    after = await read(town, today, today)
    assert [line.written for line in after.lines] == [line.written for line in before.lines]
    assert after.closing_idr == before.closing_idr == 1_000
    assert statements.as_csv(after) == statements.as_csv(before)
    assert not after.provisional


async def test_the_usual_statement_is_that_of_this_month_and_of_an_early_close(town: Town) -> None:
    today = banks.day_at(town.bank, utc_now())
    await put(town, 1_000)
    usual = await read(town)
    assert (usual.first_day, usual.last_day) == (today.replace(day=1), today)
    assert amounts_of(usual) == [1_000]
    assert usual.provisional
    tomorrow = await next_day(town)
    await put(town, 2_000)
    usual = await read(town)
    assert (usual.first_day, usual.last_day) == (today.replace(day=1), tomorrow)
    assert amounts_of(usual) == [1_000, 2_000]


async def test_a_passbook_without_a_line_has_an_empty_statement(town: Town) -> None:
    for days in ((None, None), (date(1, 1, 1), date(1, 2, 1)), (date(9999, 12, 1), date.max)):
        empty = await read(town, *days)
        assert (empty.opening_idr, empty.closing_idr, empty.lines) == (0, 0, [])
        assert statements.as_csv(empty)


async def test_holds_are_no_lines(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    theirs = chart.available(town.resident.id)
    async with town.database.transaction() as session:
        hold = Movement("hold", theirs, chart.IN_TRANSIT, 1_000, TransferKind.HOLD)
        await ledger.post(session, town.bank_id, Draft("payout_hold", [hold], utc_now()))
    statement = await read(town)
    assert amounts_of(statement) == [earned]
    assert statement.closing_idr == earned


async def test_a_line_names_who_entered_it_and_when_it_happened(town: Town) -> None:
    theirs = chart.available(town.resident.id)
    officer = await another(town)
    await put(town, 1_000, actor_id=officer.id)
    async with town.database.transaction() as session:
        move = Movement("late", chart.PURCHASES, theirs, 500)
        happened = datetime(2026, 11, 3, 18, tzinfo=UTC)
        await ledger.post(session, town.bank_id, Draft("pickup", [move], happened))
    first, late = (await read(town)).lines
    assert (first.entered_by, late.entered_by) == ("S", "")
    assert first.note == "Setoran langsung"
    # 18:00 in UTC is the next day in Jakarta.
    assert late.note == "Setoran jemput, tanggal 04-11-2026"
    assert (await read(town, language="en")).lines[1].note == "Pickup, of 04-11-2026"


async def test_it_is_in_the_residents_language_unless_another_is_asked_for(town: Town) -> None:
    assert (await read(town, language=None)).language == "id"
    async with town.database.transaction() as session:
        person = await session.get_one(Person, town.resident.id)
        person.language = Language.ENGLISH
        session.add(person)
    assert (await read(town, language=None)).language == "en"
    assert (await read(town, language="id")).language == "id"


async def test_a_passbook_has_a_number_even_if_none_was_given(town: Town) -> None:
    assert (await read(town)).passbook_number == town.resident.id.hex[-10:].upper()


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), statements.DaysBackwards),
        (date(2026, 1, 1), date(2027, 2, 5), statements.TooManyDays),
        (date.min, date.max, statements.TooManyDays),
        (date.min, None, statements.TooManyDays),
    ],
)
async def test_days_that_can_not_be_are_refused(
    town: Town, first: date, last: date | None, problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        await read(town, first, last)


async def test_400_days_are_not_too_many(town: Town) -> None:
    first = date(2026, 1, 1)
    assert (await read(town, first, first + timedelta(days=399))).lines == []


async def test_more_lines_than_a_statement_takes_are_refused(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(town, 1, 1, 1)
    monkeypatch.setattr("service.statements.reading.MOST_LINES", 2)
    with pytest.raises(statements.StatementTooLong):
        await read(town)


async def test_finding_days_takes_as_many_statements_however_long_the_passbook_is(
    town: Town,
) -> None:
    today = banks.day_at(town.bank, utc_now())

    async def statements_sent() -> int:
        with statements_of(town.database) as sent:
            async with town.database.transaction() as session:
                resident = town.resident.id
                days = (today, today)
                await statements.read(session, town.bank_id, resident, days, language="id")
        return len(sent)

    await put(town, 1)
    await next_day(town)
    await put(town, 1)
    short = await statements_sent()
    await put(town, *[1] * 60)
    assert await statements_sent() == short


@pytest.mark.parametrize("part", ["standing", "lines", "days"])
async def test_a_passbook_is_found_by_indexes_alone(town: Town, part: str) -> None:
    """On SQLite, whose planner knows no figures: nothing goes through a bank's whole table."""
    if not town.database.is_sqlite:
        pytest.skip("PostgreSQL plans by what it counted")
    asked = (town.bank_id, town.resident.id)
    today = banks.day_at(town.bank, utc_now())
    await put(town, 1)
    with statements_of(town.database) as sent:
        async with town.database.transaction() as session:
            if part == "standing":
                await ledger.standing(session, *asked)
            elif part == "lines":
                await ledger.passbook_lines(session, *asked, before=None, limit=50)
            else:
                await ledger.passbook_of_days(session, *asked, (today, today), limit=50)
            connection = await session.connection()
            plans = [
                row[-1]
                for statement in [each for each in sent if "ledger_" in each]
                for row in await connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?")
                )
            ]
    assert plans
    for step in plans:
        assert "(bank_id=?)" not in step, step
        assert not step.startswith("SCAN ledger_"), step
