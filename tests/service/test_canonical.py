"""The canonical form: golden bytes, no two values alike, and the same out of both databases."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sealing import book
from service.sealing.audited import AUDIT_FIELDS, TITLE, audit_leaf
from service.sealing.canonical import (
    FIELDS,
    JOURNAL_FIELDS,
    LeafMaker,
    canonical,
    leaf_of,
    microseconds,
    netstrings,
    transfer_part,
)
from service.sealing.heads import (
    NO_ENTRIES,
    NOBODY_COUNTED,
    NOT_REOPENED,
    Count,
    DayFacts,
    InDrawer,
    PageFacts,
    Reopened,
    Total,
    balances_hash,
    page_message,
)
from service.sealing.receipts import fields_of
from tests.factories import Town
from tests.service import sealing as sealed

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "sealing-vectors.json").read_text())
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.lists(TEXT, min_size=len(FIELDS), max_size=len(FIELDS))


@pytest.mark.parametrize("vector", VECTORS["transfers"], ids=lambda vector: vector["name"])
def test_transfers_have_their_golden_bytes_and_leaves(vector: dict[str, Any]) -> None:
    values = [vector["fields"][name] for name in FIELDS]
    assert list(vector["fields"]) == list(FIELDS)
    assert canonical(values).decode() == vector["canonical"]
    assert leaf_of(values).hex() == vector["leaf"]


@pytest.mark.parametrize("vector", VECTORS["audit"], ids=lambda vector: vector["name"])
def test_audit_entries_have_their_golden_bytes_and_leaves(vector: dict[str, Any]) -> None:
    values = [vector["fields"][name] for name in AUDIT_FIELDS]
    assert list(vector["fields"]) == list(AUDIT_FIELDS)
    assert netstrings((TITLE, *values)).decode() == vector["canonical"]
    assert audit_leaf(values).hex() == vector["leaf"]


def test_heads_have_their_golden_values() -> None:
    for page in VECTORS["pages"]:
        facts = PageFacts(
            UUID(page["bank_id"]),
            page["page"],
            page["transfers"],
            bytes.fromhex(page["root"]),
            bytes.fromhex(page["previous"]),
            page.get("audit_entries", 0),
            bytes.fromhex(page["audit_root"]) if page["form"] > 1 else NO_ENTRIES,
            page["form"],
        )
        assert facts.head().hex() == page["head"]
        assert page_message(facts.head()).hex() == page["signed"]


def test_days_and_balances_have_their_golden_values() -> None:
    for day in VECTORS["days"]:
        totals = [Total(*total) for total in day["totals"]]
        balances = balances_hash(totals)
        assert balances.hex() == day["balances"]
        assert balances == balances_hash([*reversed(totals), Total("empty", "IDR", 0, 0)])
        when = _facts_of(day, balances)
        assert when.counted.hash(when.form).hex() == day["count"]["hash"]
        assert NOBODY_COUNTED.hash(when.form).hex() == day["count"]["hash_if_nobody_counted"]
        assert when.message().decode() == day["message"]
        if when.form > 1:
            assert when.reopened.hash().hex() == day["reopening"]["hash"]
            assert NOT_REOPENED.hash().hex() == day["reopening"]["hash_of_a_first_version"]


def _facts_of(day: dict[str, Any], balances: bytes) -> DayFacts:
    return DayFacts(
        UUID(day["bank_id"]),
        date.fromisoformat(day["day"]),
        day["page"],
        day["transfers"],
        bytes.fromhex(day["head"]),
        balances,
        _count_of(day["count"]),
        day["version"],
        _reopened_of(day["reopening"]) if day["form"] > 1 else NOT_REOPENED,
        day["form"],
    )


def _count_of(said: dict[str, Any]) -> Count:
    return Count(
        said["counted_cash_idr"],
        said["cash_difference_idr"],
        UUID(said["closed_by"]),
        said.get("despite_unknown", ""),
        tuple(InDrawer(*one) for one in said.get("drawers", [])),
    )


def _reopened_of(said: dict[str, Any]) -> Reopened:
    return Reopened(said["first_page"], UUID(said["reopened_by"]), said["reason"])


@given(st.lists(st.tuples(TEXT, st.integers(0), st.integers()), max_size=3), TEXT)
def test_no_two_counts_of_form_2_have_the_same_hash(
    drawers: list[tuple[str, int, int]], reason: str
) -> None:
    found = tuple(InDrawer(*one) for one in drawers)
    count = Count(5, 0, None, reason, found)
    assert count.hash() == count._replace(drawers=tuple(reversed(found))).hash() or (
        len({one.drawer for one in found}) < len(found)
    )
    others = (
        count._replace(drawers=(*found, InDrawer("x", 0, 0))),
        count._replace(despite_unknown=f"{reason}."),
        count._replace(counted_cash_idr=50),
    )
    assert count.hash() not in {other.hash() for other in others}


@given(VALUES, VALUES)
def test_no_two_transfers_have_the_same_bytes(one: list[str], other: list[str]) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@given(VALUES, st.integers(0, len(FIELDS) - 2))
def test_letters_do_not_wander_from_one_field_to_the_next(values: list[str], at: int) -> None:
    moved = list(values)
    moved[at], moved[at + 1] = "", moved[at] + moved[at + 1]
    assert (canonical(moved) == canonical(values)) == (moved == values)


@given(VALUES)
def test_the_fast_way_says_the_same(values: list[str]) -> None:
    journal, transfer = values[: len(JOURNAL_FIELDS)], values[len(JOURNAL_FIELDS) :]
    assert transfer_part(transfer) == netstrings(transfer)
    assert LeafMaker(journal).leaf(transfer) == leaf_of(values)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-11-22 10:00:00.000001", "1795341600000001"),
        ("2026-11-22 10:00:00.5", "1795341600500000"),
        ("2026-11-22 10:00:00", "1795341600000000"),
        ("1970-01-01 00:00:00.000007", "7"),
        ("1969-12-31 23:59:59.000000", "-1000000"),
        ("yesterday", "?yesterday"),
        ("1795341600000001", "?1795341600000001"),
        ("2026-11-22 10:00:00.000001+07:00", "?2026-11-22 10:00:00.000001+07:00"),
    ],
)
def test_instants_are_microseconds(instant: str, expected: str) -> None:
    assert microseconds(instant) == expected


async def test_what_was_written_is_what_is_read_back(town: Town) -> None:
    await sealed.act(town, 1_000, 2_000, memo="Besi, kuningan – 50 %")
    await sealed.act(town, 3)
    page = await sealed.turn(town)
    (first, second), written = await sealed.journals(town), await sealed.transfers(town)
    read = await asyncio.to_thread(_read, book.url_of(town.database), town.bank_id, page)
    expected = [
        list(fields_of(journal, transfer).values())
        for journal in (first, second)
        for transfer in written
        if transfer.journal_id == journal.id
    ]
    assert read == expected
    assert len(read) == 3


def _read(url: str, bank_id: UUID, page: int) -> list[list[str]]:
    with book.one_moment(url) as connection:
        return [
            [*journal, *transfer]
            for journal, lines in book.acts_on(connection, bank_id, page)
            for transfer in lines
        ]
