"""Statements as files: what is read, exactly, and how what can't be read is named."""

import csv
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.errors import Malformed
from service.reconciliation.readers import (
    PROFILES,
    Columns,
    Read,
    StatementNotReadable,
    UnknownProfile,
    read_statement,
)
from service.reconciliation.readers.columns import read_csv
from service.reconciliation.readers.shapes import Bad, instant, rupiah

SAMPLES = Path(__file__).parents[2] / "data" / "statements"
KEY = "payout-01900000-0000-7000-8000-00000000000"
PLAIN = Columns(booked_at="date", amount="amount", external_id="id", reference="note", zone="UTC")


def read(content: str | bytes, source: str = "own", **options: Any) -> Read:
    raw = content.encode() if isinstance(content, str) else content
    return read_statement(raw, source, {"own": PLAIN}, zone="Asia/Jakarta", **options)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def problems(content: str | bytes, **options: Any) -> list[str]:
    with pytest.raises(StatementNotReadable) as refusal:
        read(content, **options)
    assert all(field.english and field.indonesian for field in refusal.value.fields)
    return [field.pointer for field in refusal.value.fields]


def test_xendits_report_is_read_with_its_kinds_and_balances() -> None:
    found = read(sample("xendit.csv"), "xendit")
    assert (found.opening_idr, found.closing_idr, found.holding) == (0, 997_225, "float")
    assert [(row.kind, row.amount_idr) for row in found.rows] == [
        ("in", 1_000_000),
        ("out", -50_000),
        ("fee", -2_500),
        ("vat", -275),
        ("out_back", 50_000),
    ]
    out = found.rows[1]
    assert (out.external_id, out.gateway_id, out.reference) == ("txn-0002", "disb-1", f"{KEY}1")
    assert out.booked_at == out.booked_until == datetime(2026, 11, 2, 2, tzinfo=UTC)


def test_a_report_with_its_newest_line_first_is_the_same() -> None:
    head, *lines = sample("xendit.csv").decode().splitlines()
    backwards = "\n".join((head, *reversed(lines)))
    assert read(backwards, "xendit").rows == read(sample("xendit.csv"), "xendit").rows


def test_a_bank_statement_is_read_between_its_head_and_its_foot() -> None:
    found = read(sample("bca.csv"), "bca")
    assert (found.opening_idr, found.closing_idr) == (500_000, 985_000)
    assert found.holding == "bank_account"
    assert [row.amount_idr for row in found.rows] == [1_000_000, -500_000, -15_000]
    assert found.rows[0].booked_at == datetime(2026, 11, 1, 17, tzinfo=UTC)
    assert (found.rows[0].booked_until - found.rows[0].booked_at).days == 0
    assert len({row.external_id for row in found.rows}) == 3


def test_mt940_is_read_with_its_balances() -> None:
    found = read(sample("mt940.sta"))
    assert (found.opening_idr, found.closing_idr) == (1_000_000, 1_201_000)
    assert [(row.kind, row.amount_idr) for row in found.rows] == [
        ("out", -50_000),
        ("in", 250_000),
        ("in", 1_000),
    ]
    assert f"PAYOUT-{KEY.removeprefix('payout-')}1" in found.rows[0].reference
    assert found.rows[0].gateway_id == "TX123"


def test_camt053_is_read_transaction_by_transaction() -> None:
    found = read(sample("camt053.xml"))
    assert (found.opening_idr, found.closing_idr) == (1_000_000, 890_000)
    said = [(r.kind, r.amount_idr, r.external_id, r.occurrence, r.reference) for r in found.rows]
    assert sorted(said) == [
        ("out", -90_000, "SINGLE-8", 1, "BELI TIMBANGAN"),
        ("out", -50_000, "BATCH-7", 1, f"{KEY}1"),
        ("out", -20_000, "BATCH-7", 2, f"{KEY}2"),
        ("out_back", 50_000, "BACK-9", 1, f"RETUR {KEY}1"),
    ]
    assert "08123456789" in [row.account_number for row in found.rows]


def test_a_line_of_the_next_year_belongs_to_a_statement_at_the_turn_of_two() -> None:
    text = sample("mt940.sta").decode().replace("2611021102", "2612311231")
    text = text.replace("2611031103", "2612310101").replace("C261101", "C261230")
    days = [row.booked_at.date() for row in read(text.replace("C261103", "C270101")).rows]
    assert [str(day) for day in days] == ["2026-12-30", "2026-12-31", "2026-12-31"]


@pytest.mark.parametrize(
    ("name", "pointer"), [("mt940.sta", "/5/:61:"), ("camt053.xml", "/3/Ntry"), ("bca.csv", "/")]
)
def test_what_is_yet_to_come_is_not_booked(name: str, pointer: str) -> None:
    source = {"bca.csv": "bca"}.get(name, "own")
    long_ago = datetime(2026, 10, 1, tzinfo=UTC)
    found = problems(sample(name), source=source, now=long_ago)
    assert any(one.startswith(pointer) for one in found), found
    assert read(sample(name), source, now=datetime(2026, 11, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        (b"BkToCstmrStmt", b"BkToCstmrAcctRpt", "CAMT.052"),
        (b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn", "CAMT.054"),
        (b"BkToCstmrStmt", b"PmtRtr", "PmtRtr"),
        (b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>", "PDNG"),
    ],
)
def test_what_is_not_final_is_no_statement(wrong: bytes, right: bytes, told: str) -> None:
    with pytest.raises(StatementNotReadable) as refusal:
        read(sample("camt053.xml").replace(wrong, right))
    assert told in refusal.value.fields[0].english


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (b'Ccy="IDR">70000.00', b'Ccy="USD">70000.00'),
        (b">70000.00", b">70000.50"),
        (b">70000.00", b">70001.00"),
        (
            b"CLBD</Cd></CdOrPrtry></Tp>\n        <Amt",
            b"CLBD</Cd></CdOrPrtry></Tp>\n <x/><Amt Ccy='IDR'>1</Amt><Amt",
        ),
        (b"<CdtDbtInd>DBIT", b"<CdtDbtInd>BOTH"),
        (b"</Stmt>", b""),
        (b'encoding="UTF-8"', b'encoding="UTF-99"'),
    ],
)
def test_a_camt053_with_a_fault_is_refused(wrong: bytes, right: bytes) -> None:
    assert wrong in sample("camt053.xml")
    assert problems(sample("camt053.xml").replace(wrong, right, 1))


def test_xml_that_defines_entities_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha">]><Document>&b;</Document>'
    assert problems(bomb) == ["/1"]


@pytest.mark.parametrize(
    ("wrong", "right", "pointer"),
    [
        (":61:2611021102D50000,00", ":61:2611021102D50000,50", "/5/:61:"),
        (":61:2611021102D50000,00", ":61:2611021102X50000,00", "/5/:61:"),
        (":61:2611021102D", ":61:2613991102D", "/5/:61:"),
        (":61:2611021102D", ":61:2611021399D", "/5/:61:"),
        (":61:2611021102D", ":61:2611020922D", "/5/:61:"),
        (":61:2611021102D", ":61:271102D", "/5/:61:"),
        (":62F:C261103", ":62F:C261031", "/11/:62F:"),
        (":62F:C261103", ":62F:C261399", "/11/:62F:"),
        ("IDR1201000", "IDR1201001", "/1"),
    ],
)
def test_an_mt940_with_a_fault_is_refused(wrong: str, right: str, pointer: str) -> None:
    text = sample("mt940.sta").decode()
    assert wrong in text
    assert pointer in problems(text.replace(wrong, right))


def test_a_path_is_not_opened() -> None:
    with pytest.raises(Malformed):
        read(":20:" + str(SAMPLES / "mt940.sta"))
    with pytest.raises(Malformed):
        read(str(SAMPLES / "mt940.sta"))


def test_every_cell_at_fault_is_named_by_line_and_column() -> None:
    text = (
        "date,amount,id,note\n"
        "2026-11-02,-50000,a,\n"
        "02.11.2026,-50000,b,\n"
        "2026-11-02,-50000.50,c,\n"
        "yesterday,much,d,\n"
        "2026-11-02,-50000,,\n"
        "2026-11-02,-60000,a,\n"
    )
    assert problems(text) == [
        "/3/date",
        "/4/amount",
        "/5/date",
        "/5/amount",
        "/6/note",
        "/7/id",
    ]


def test_the_same_line_twice_in_a_file_is_one() -> None:
    text = "date,amount,id,note\n" + 2 * "2026-11-02,-50000,a,x\n"
    assert len(read(text).rows) == 1


def test_lines_without_an_id_that_say_the_same_are_numbered() -> None:
    text = "date,amount\n" + 2 * "2026-11-02,-50000\n" + "2026-11-03,-50000\n"
    rows = read_csv(text, "x", Columns(booked_at="date", amount="amount")).rows
    assert [row.occurrence for row in rows] == [1, 2, 1]
    assert rows[0].external_id == rows[1].external_id != rows[2].external_id
    last = read_csv(
        text.split("\n", 3)[0] + "\n2026-11-03,-50000\n", "x", Columns("date", amount="amount")
    )
    assert last.rows[0].external_id == rows[2].external_id


BALANCED = Columns(booked_at="date", amount="amount", balance="left", zone="UTC")


def with_balances(*lines: str) -> str:
    return "date,amount,left\n" + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "lines",
    [
        ("2026-11-01,10,110", "2026-11-02,-5,105", "2026-11-03,1,106"),
        ("2026-11-03,1,106", "2026-11-02,-5,105", "2026-11-01,10,110"),
        # Of one day in any order, also where it ends as it began.
        ("2026-11-01,10,110", "2026-11-02,7,112", "2026-11-02,-5,105", "2026-11-03,1,113"),
        ("2026-11-01,10,110", "2026-11-02,5,110", "2026-11-02,-5,105", "2026-11-03,1,111"),
        # A line that tells none says nothing about the others.
        ("2026-11-01,10,110", "2026-11-02,-5,", "2026-11-03,1,106"),
        ("2026-11-02,0,", "2026-11-03,1,106"),
    ],
)
def test_balances_may_follow_in_whatever_order_a_bank_writes(lines: tuple[str, ...]) -> None:
    assert read_csv(with_balances(*lines), "own", BALANCED)


@pytest.mark.parametrize(
    ("lines", "pointer"),
    [
        (("2026-11-01,10,110", "2026-11-02,-5,106", "2026-11-03,1,107"), "/3/left"),
        (("2026-11-03,1,106", "2026-11-02,-5,105", "2026-11-01,10,111"), "/3/left"),
        (("2026-11-01,10,110", "2026-11-02,5,115", "2026-11-02,5,121", "2026-11-03,1,122"), "/4/"),
        (("2026-11-01,10,110", "2026-11-02,5,105", "2026-11-02,-5,100"), "/3/left"),
    ],
)
def test_a_balance_that_amounts_do_not_lead_to_is_named(
    lines: tuple[str, ...], pointer: str
) -> None:
    with pytest.raises(StatementNotReadable) as refusal:
        read_csv(with_balances(*lines), "own", BALANCED)
    (field,) = refusal.value.fields
    assert field.pointer.startswith(pointer), field


def test_lines_that_move_nothing_are_left_out() -> None:
    assert len(read("date,amount,id,note\n2026-11-02,0,a,\n2026-11-02,1,b,\n").rows) == 1


@pytest.mark.parametrize("content", ["", "  \n", "\0", "date,amount,id,note\n", "a,b\n1,2\n"])
def test_what_holds_no_statement_is_refused(content: str) -> None:
    assert problems(content)


def test_a_profile_that_is_none_is_named() -> None:
    with pytest.raises(UnknownProfile):
        read("a,b\n1,2\n", profile="nowhere")


@pytest.mark.parametrize(
    ("content", "options", "pointer", "told"),
    [
        (" \n", {}, "/1", ["empty"]),
        ("PK\x03\x04", {}, "/1", ["spreadsheet", "CSV"]),
        ("%PDF-1.7", {}, "/1", ["not text", "MT940"]),
        ("date,amount,id,note\n", {}, "/1", ["header", "no line"]),
        ("a,b\n1,2\n", {"source": "nowhere"}, "/1", ["“a,b”", "xendit", "own", "declare"]),
        ("a,b\n1,2\n", {}, "/1", ["date, amount, id, note", "“a,b”"]),
        ("Bank\ndate,amount,text\n1,2,3\n", {}, "/2", ["lacks id, note;", "“date, amount, text”"]),
    ],
)
def test_a_file_that_is_another_is_told_what_was_expected_and_what_it_is(
    content: str, options: dict[str, Any], pointer: str, told: list[str]
) -> None:
    with pytest.raises(StatementNotReadable) as refusal:
        read(content, **options)
    (field,) = refusal.value.fields
    assert field.pointer == pointer
    assert all(word in field.english for word in told), field.english


def test_the_profile_is_found_by_the_columns() -> None:
    assert read(sample("xendit.csv"), "another").profile == "xendit"


def test_money_in_two_columns_and_as_positive_out() -> None:
    two = Columns(booked_at="d", debit="db", credit="cr", separator=";", decimal=",", thousands=".")
    rows = read_csv("d;db;cr\n2026-11-02;1.500,00;\n2026-11-02;;Rp 2.000\n", "x", two).rows
    assert [row.amount_idr for row in rows] == [-1_500, 2_000]
    out = Columns(booked_at="d", amount="a", positive_is_out=True)
    assert read_csv("d,a\n2026-11-02,1500\n", "x", out).rows[0].amount_idr == -1_500


def test_times_are_of_the_zone_that_the_map_says() -> None:
    wib = Columns(booked_at="d", booked_time="t", amount="a", date_format="%d/%m/%Y %H:%M")
    (row,) = read_csv("d,t,a\n'02/11/2026,08:30,1\n", "x", wib).rows
    assert row.booked_at == datetime(2026, 11, 2, 8, 30, tzinfo=ZoneInfo("Asia/Jakarta"))


@pytest.mark.parametrize(
    ("text", "idr"),
    [
        ("1500", 1_500),
        ("1,500.00", 1_500),
        ("-1500", -1_500),
        ("(1,500)", -1_500),
        ("1500-", -1_500),
        ("Rp 1,500", 1_500),
        ("-Rp1,500.0", -1_500),
        ("+1500", 1_500),
        ("0", 0),
    ],
)
def test_amounts_are_read_exactly(text: str, idr: int) -> None:
    assert rupiah(text) == idr


@pytest.mark.parametrize(
    "text",
    ["", "1.5", "1,50", "1500.01", "15e3", "--5", "-5-", "1 500", "٣", "1" * 17, "NaN", "Rp"],
)
def test_what_is_no_whole_amount_is_refused(text: str) -> None:
    with pytest.raises(Bad):
        rupiah(text)


def test_what_a_map_does_not_fit_is_told_with_the_settings_it_was_read_by() -> None:
    with pytest.raises(Bad) as amount:
        rupiah("1.000.000,00")
    with pytest.raises(Bad) as day:
        instant("29/11/2026", "", UTC)
    with pytest.raises(Bad) as other_day:
        instant("2026-11-29", "%d/%m/%Y", UTC)
    assert amount.value.indonesian.endswith("dibaca dengan decimal '.', thousands ','.")
    assert "date_format ISO 8601" in day.value.indonesian
    assert "date_format '%d/%m/%Y'" in str(other_day.value)


@given(st.integers(-(10**15), 10**15), st.sampled_from([(".", ","), (",", ".")]), st.booleans())
def test_an_amount_is_read_as_it_was_written(idr: int, signs: tuple[str, str], cents: bool) -> None:
    decimal, thousands = signs
    text = f"{idr:,}".replace(",", thousands) + (f"{decimal}00" if cents else "")
    assert rupiah(text, decimal=decimal, thousands=thousands) == idr
    try:
        by_another_map = rupiah(text, decimal=thousands, thousands=decimal)
    except Bad:
        return
    assert by_another_map == idr


@pytest.mark.parametrize("text", ["500.000", "0.000", "-1,500.000"])
def test_three_zeros_after_the_decimal_sign_are_thousands_of_another_map(text: str) -> None:
    with pytest.raises(Bad):
        rupiah(text)


_CELL = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)
_LINES = st.lists(
    st.tuples(
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
        st.integers(-(10**12), 10**12).filter(bool),
        st.uuids().map(str),
        _CELL,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda line: line[2],
)


@given(_LINES, st.sampled_from([",", ";", "\t", "|"]))
def test_what_was_written_is_what_is_read(lines: list[tuple[Any, ...]], separator: str) -> None:
    text = StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["date", "amount", "id", "note"])
    writer.writerows([at.isoformat(), amount, said, note] for at, amount, said, note in lines)
    found = read(text.getvalue())
    said = {row.external_id: (row.booked_at, row.amount_idr, row.reference) for row in found.rows}
    assert said == {
        name: (at.replace(tzinfo=UTC), amount, " ".join(note.split()))
        for at, amount, name, note in lines
    }
    assert [row.booked_at for row in found.rows] == sorted(row.booked_at for row in found.rows)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@example(b"<Document><Ntry/></Document>")
@example(b":20:\n:61:2611021102D1,NTRFx\n")
@example(b'date,amount,id,note\n"')
def test_no_file_is_more_than_refused(content: bytes) -> None:
    try:
        assert read(content).rows
    except Malformed as refusal:
        assert refusal.fields


@given(st.data(), st.sampled_from(sorted(path.name for path in SAMPLES.iterdir())))
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, name: str) -> None:
    content = bytearray(sample(name))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        read(bytes(content), Path(name).stem)
    except Malformed as refusal:
        assert refusal.fields


_EXPORTS = {
    "mandiri": (
        "Posting Date,Posting Time,Reference No,Remark,Debit,Credit,Close Balance\n"
        '02/11/2026,08:30:00,M1,BAYAR,"50,000.00",0.00,"950,000.00"\n'
    ),
    "bri": (
        "TGL_TRAN;DESK_TRAN;MUTASI_DEBET;MUTASI_KREDIT;SALDO_AKHIR_MUTASI\n"
        "2026-11-02 08:30:00;BAYAR;50000.00;;950000.00\n"
    ),
    "bni": (
        "Post Date,Journal No.,Description,Amount,Db/Cr,Balance\n"
        '02/11/2026 08:30:00,N1,BAYAR,"50,000.00",D,"950,000.00"\n'
    ),
    "iris": (
        "reference_no,beneficiary_account,type,amount,status,created_at\n"
        "ref-1,0812,Payout,50000.00,debit,2026-11-02T08:30:00+07:00\n"
    ),
}


@pytest.mark.parametrize("name", sorted(_EXPORTS))
def test_the_other_built_in_profiles_read_what_they_declare(name: str) -> None:
    (row,) = read(_EXPORTS[name], name).rows
    assert (row.kind, row.amount_idr) == ("out", -50_000)
    assert row.reference == "BAYAR" or (row.gateway_id, row.account_number) == ("ref-1", "0812")
    assert row.booked_at == datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
    assert set(_EXPORTS) | {"xendit", "bca"} == set(PROFILES)
