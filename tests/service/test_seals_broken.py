"""Whatever of a sealed book is edited afterwards is named."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.base import new_id
from service.keys import Keys
from service.sealing.heads import NO_PAGE, PageFacts, page_message
from service.sealing.merkle import root_of
from service.sealing.noted import noted_in
from tests.factories import Town
from tests.service.books import edit_seal, sealed_book, worked_out
from tests.service.sealing import (
    behind_the_ledger,
    day_seals,
    findings,
    journals,
    seal,
    seals,
    turn,
)

EDITS = {
    "amount": "amount = amount + 1",
    "who had it": "key = key || '!'",
    "when it happened": "event_at = '2020-01-01 00:00:00.000000'",
}


@pytest.mark.parametrize("what", EDITS)
async def test_an_edited_transfer_is_named(town: Town, keys: Keys, what: str) -> None:
    (one,) = (await sealed_book(town, keys))[1:2]
    await behind_the_ledger(
        town,
        f"UPDATE ledger_transfer SET {EDITS[what]} WHERE bank_id = :bank_id AND id = :id",
        id=one,
    )
    assert await findings(town, keys) == [(f"transfer {one}", "was edited after page 1 was sealed")]


@pytest.mark.parametrize("column", ["memo = 'other'", "kind = 'gift'", "actor_id = NULL"])
async def test_an_edited_journal_is_named_by_its_transfers(
    town: Town, keys: Keys, column: str
) -> None:
    written = await sealed_book(town, keys)
    journal = (await journals(town))[0]
    await behind_the_ledger(
        town,
        f"UPDATE ledger_journal SET {column} WHERE bank_id = :bank_id AND id = :id",
        id=journal.id,
    )
    assert await findings(town, keys) == [
        (f"transfer {one}", "was edited after page 1 was sealed") for one in sorted(written[:3])
    ]


async def test_a_missing_transfer_is_named(town: Town, keys: Keys) -> None:
    one = (await sealed_book(town, keys))[1]
    await behind_the_ledger(
        town, "DELETE FROM ledger_transfer WHERE bank_id = :bank_id AND id = :id", id=one
    )
    assert await findings(town, keys) == [(f"transfer {one}", "is missing from page 1")]


async def test_values_that_no_ledger_writes_are_found_too(town: Town, keys: Keys) -> None:
    if not town.database.is_sqlite:
        pytest.skip("PostgreSQL keeps nonsense out by its types.")
    one, two, *_ = sorted(await sealed_book(town, keys))
    for column, value, of in (("amount", 1.5, one), ("created_at", "later", two)):
        await behind_the_ledger(
            town,
            f"UPDATE ledger_transfer SET {column} = :value WHERE bank_id = :bank_id AND id = :of",
            value=value,
            of=of,
        )
    assert await findings(town, keys) == [
        (f"transfer {changed}", "was edited after page 1 was sealed") for changed in (one, two)
    ]


async def test_an_inserted_transfer_is_named(town: Town, keys: Keys) -> None:
    one = (await sealed_book(town, keys))[1]
    forged = new_id()
    await behind_the_ledger(
        town,
        "INSERT INTO ledger_transfer SELECT bank_id, :forged, 'forged', kind, pending_id,"
        " journal_id, debit_account_id, debit_shard, credit_account_id, credit_shard, amount, unit,"
        " event_at, created_at FROM ledger_transfer WHERE bank_id = :bank_id AND id = :id",
        id=one,
        forged=forged,
    )
    assert await findings(town, keys) == [
        (f"transfer {forged}", "was inserted after page 1 was sealed")
    ]


async def test_a_transfer_that_was_moved_to_another_page_is_named_twice(
    town: Town, keys: Keys
) -> None:
    written = await sealed_book(town, keys)
    await behind_the_ledger(
        town,
        "UPDATE ledger_journal SET page = 2 WHERE bank_id = :bank_id AND id = :id",
        id=(await journals(town))[0].id,
    )
    assert sorted(await findings(town, keys)) == sorted(
        (f"transfer {one}", problem)
        for one in written[:3]
        for problem in ("is missing from page 1", "was inserted after page 2 was sealed")
    )


async def test_transfers_that_changed_places_are_named(town: Town, keys: Keys) -> None:
    one, two = sorted(await sealed_book(town, keys))[:2]
    aside = new_id()
    for now, then in ((one, aside), (two, one), (aside, two)):
        await behind_the_ledger(
            town,
            "UPDATE ledger_transfer SET id = :then WHERE bank_id = :bank_id AND id = :now",
            now=now,
            then=then,
        )
    assert await findings(town, keys) == [
        (f"transfer {changed}", "was edited after page 1 was sealed") for changed in (one, two)
    ]


async def test_an_order_that_is_not_that_of_the_book_is_found(town: Town, keys: Keys) -> None:
    """As whoever has the key could seal it."""
    await sealed_book(town, keys)
    first, *_ = await seals(town)
    turned = first.leaves[48:96] + first.leaves[:48] + first.leaves[96:]
    leaves = [turned[at + 16 : at + 48] for at in range(0, len(turned), 48)]
    facts = PageFacts(town.bank_id, 1, first.transfers, root_of(leaves), NO_PAGE)
    await edit_seal(
        town,
        1,
        leaves=turned,
        root=facts.root,
        head=facts.head(),
        signature=keys.sealing.sign(page_message(facts.head())),
    )
    assert await findings(town, keys) == [
        ("page 1", "its transfers stand in another order than sealed"),
        ("page 2", "its seal does not follow that of page 1"),
    ]


@pytest.mark.parametrize(
    "edit",
    [
        {"leaves": bytes(48 * 4)},
        {"root": bytes(32)},
        {"head": bytes(32)},
        {"previous": b"\x01" * 32},
        {"form": 1},
        {"audit_entries": 1},
        {"audit_root": bytes(32)},
    ],
    ids=lambda edit: next(iter(edit)),
)
async def test_an_edited_seal_is_named(town: Town, keys: Keys, edit: dict[str, Any]) -> None:
    await sealed_book(town, keys)
    await edit_seal(town, 1, **edit)
    assert await findings(town, keys) == [("page 1", "its seal was edited")]


async def test_a_missing_seal_is_named(town: Town, keys: Keys) -> None:
    await sealed_book(town, keys)
    await behind_the_ledger(town, "DELETE FROM ledger_seal WHERE bank_id = :bank_id AND page = 1")
    assert await findings(town, keys) == [("page 1", "its seal is missing")]


async def test_a_page_that_was_sealed_anew_breaks_the_chain(town: Town, keys: Keys) -> None:
    """As whoever has the key could do, having edited a transfer."""
    one = (await sealed_book(town, keys))[1]
    await behind_the_ledger(
        town,
        "UPDATE ledger_transfer SET amount = 9 WHERE bank_id = :bank_id AND id = :id",
        id=one,
    )
    worked = await asyncio.to_thread(worked_out, town, 1)
    head = worked.facts.head()
    await edit_seal(
        town,
        1,
        leaves=worked.leaves,
        root=worked.facts.root,
        head=head,
        signature=keys.sealing.sign(page_message(head)),
    )
    (day,) = await day_seals(town)
    assert await findings(town, keys) == [
        ("page 2", "its seal does not follow that of page 1"),
        (f"day {day.day}", "its seal is over another trial balance"),
    ]


async def test_a_wrong_signature_is_named(town: Town, keys: Keys) -> None:
    await sealed_book(town, keys)
    await edit_seal(town, 2, signature=bytes(64))
    assert await findings(town, keys) == [("page 2", "its signature is wrong")]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("head", bytes(32), "its seal is not over the head of its last page"),
        ("balances", bytes(32), "its seal is over another trial balance"),
        ("transfers", 77, "its seal counts other transfers"),
        ("page", 1, "its seal is for another page"),
        ("signature", bytes(64), "its signature is wrong"),
    ],
)
async def test_an_edited_day_seal_is_named(
    town: Town, keys: Keys, column: str, value: Any, problem: str
) -> None:
    await sealed_book(town, keys)
    (day,) = await day_seals(town)
    await behind_the_ledger(
        town, f"UPDATE ledger_day_seal SET {column} = :value WHERE bank_id = :bank_id", value=value
    )
    assert await findings(town, keys) == [(f"day {day.day}", problem)]


@pytest.mark.parametrize(
    "edit",
    [
        "counted_cash_idr = 5",
        "cash_difference_idr = 5",
        "counted_cash_idr = NULL, cash_difference_idr = NULL",
        "closed_by = NULL",
    ],
)
async def test_an_edited_count_of_cash_is_named(town: Town, keys: Keys, edit: str) -> None:
    await sealed_book(town, keys)
    (day,) = await day_seals(town)
    await behind_the_ledger(town, f"UPDATE ledger_day SET {edit} WHERE bank_id = :bank_id")
    assert await findings(town, keys) == [(f"day {day.day}", "its signature is wrong")]


async def test_honest_pages_are_sealed_again_and_lines_that_were_cut_off_are_passed_over(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    noting = replace(keys, heads_file=file)
    await sealed_book(town, noting)
    before = [one.head for one in await seals(town)]
    file.write_bytes(file.read_bytes() + b'{"bank": "01')
    for table in ("ledger_day_seal", "ledger_seal"):
        await behind_the_ledger(town, f"DELETE FROM {table} WHERE bank_id = :bank_id")
    await turn(town)
    await seal(town, noting)
    kept = await seals(town)
    assert [one.head for one in kept[:2]] == before
    assert noted_in(file)[town.bank_id] == {2: before[1], 3: kept[2].head}
    assert await findings(town, noting) == []
