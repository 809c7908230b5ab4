"""Seals: pages are sealed in order, once, and whatever is edited afterwards is named."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from models.base import new_id, utc_now
from models.ledger import Seal
from service import ledger, sealing
from service.database import Database
from service.keys import Keys, key_id_of
from service.sealing import book
from service.sealing.heads import NO_PAGE, PageFacts, page_message
from service.sealing.merkle import EMPTY, root_of
from service.sealing.noted import noted_at, noted_in
from service.sealing.order import SEALED_WITHIN
from service.sealing.pages import WRITTEN_ON_FOR, Worked, signed, work_out
from tests.factories import Town
from tests.races import someone_waits
from tests.service.sealing import (
    act,
    behind_the_ledger,
    close,
    day_seals,
    findings,
    journals,
    seal,
    seals,
    turn,
)


async def test_pages_are_chained_signed_and_found_in_order(town: Town, keys: Keys) -> None:
    first = await act(town, 1, 2, 3)
    await turn(town)
    await turn(town)
    second = await act(town, 4)
    await turn(town)
    await act(town, 5)
    await seal(town, keys)
    kept = await seals(town)
    assert [(one.page, one.transfers) for one in kept] == [(1, 3), (2, 0), (3, 1)]
    assert [one.previous for one in kept] == [NO_PAGE, kept[0].head, kept[1].head]
    assert kept[1].root == EMPTY
    ids = [kept[0].leaves[at : at + 16] for at in range(0, 144, 48)]
    assert ids == [one.bytes for one in sorted(first)]
    assert kept[2].leaves[:16] == second[0].bytes
    for one in kept:
        facts = PageFacts(town.bank_id, one.page, one.transfers, one.root, one.previous)
        assert one.head == facts.head()
        keys.sealing.public_key().verify(one.signature, page_message(one.head))
    assert await findings(town, keys) == []


async def test_sealing_again_changes_nothing_and_goes_on_later(town: Town, keys: Keys) -> None:
    await act(town, 1)
    await turn(town)
    assert await sealing.seal(town.database, keys, [town.bank_id]) == 1
    assert await sealing.seal(town.database, keys, [town.bank_id]) == 0
    await turn(town)
    assert await sealing.seal(town.database, keys, [town.bank_id]) == 1


async def test_the_slower_of_two_workers_leaves_the_page_to_the_other(
    town: Town, keys: Keys
) -> None:
    await act(town, 1)
    await turn(town)
    worked = await asyncio.to_thread(_work_out, town, 1)
    async with town.database.transaction() as session:
        await (await session.connection()).execute(insert(Seal), [signed(keys, worked)])
        slower = asyncio.create_task(sealing.seal(town.database, keys, [town.bank_id]))
        await someone_waits(town.database)
    assert await slower == 0
    assert len(await seals(town)) == 1
    assert await findings(town, keys) == []


async def test_only_a_page_that_was_written_on_for_a_while_is_turned(
    town: Town, database: Database
) -> None:
    async def turned() -> int:
        return await sealing.turn_due(database, [town.bank_id])

    await _older(town)
    assert await turned() == 0
    await act(town, 1)
    assert await turned() == 1
    await act(town, 1)
    assert await turned() == 0
    await _older(town)
    assert await turned() == 1
    assert await turned() == 0


async def test_a_book_that_is_written_in_for_long_is_turned_later(
    town: Town, database: Database
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite's one writer comes and goes.")
    await act(town, 1)
    await _older(town)
    async with database.transaction() as session:
        available = ledger.chart.available(town.resident.id)
        move = ledger.Movement("slow", ledger.chart.PURCHASES, available, 1)
        await ledger.post(session, town.bank_id, ledger.Draft("test", [move], utc_now()))
        assert await sealing.turn_due(database, [town.bank_id]) == 0
    assert await sealing.turn_due(database, [town.bank_id]) == 1


async def test_an_earlier_key_is_still_good_if_it_is_known(town: Town, keys: Keys) -> None:
    await act(town, 1)
    await turn(town)
    await seal(town, keys)
    new = replace(keys, sealing=Ed25519PrivateKey.generate())
    await turn(town)
    await seal(town, new)
    knowing = replace(new, earlier=(keys.sealing.public_key(),))
    assert await findings(town, knowing) == []
    old = key_id_of(keys.sealing.public_key())
    assert await findings(town, new) == [
        ("page 1", f"signed with a key that is not known here: {old}")
    ]


EDITS = {
    "amount": "amount = amount + 1",
    "who had it": "key = key || '!'",
    "when it happened": "event_at = '2020-01-01 00:00:00.000000'",
}


@pytest.mark.parametrize("what", EDITS)
async def test_an_edited_transfer_is_named(town: Town, keys: Keys, what: str) -> None:
    (one,) = (await _sealed_book(town, keys))[1:2]
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
    written = await _sealed_book(town, keys)
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
    one = (await _sealed_book(town, keys))[1]
    await behind_the_ledger(
        town, "DELETE FROM ledger_transfer WHERE bank_id = :bank_id AND id = :id", id=one
    )
    assert await findings(town, keys) == [(f"transfer {one}", "is missing from page 1")]


async def test_values_that_no_ledger_writes_are_found_too(town: Town, keys: Keys) -> None:
    if not town.database.is_sqlite:
        pytest.skip("PostgreSQL keeps nonsense out by its types.")
    one, two, *_ = sorted(await _sealed_book(town, keys))
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
    one = (await _sealed_book(town, keys))[1]
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
    written = await _sealed_book(town, keys)
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
    one, two = sorted(await _sealed_book(town, keys))[:2]
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
    await _sealed_book(town, keys)
    first, *_ = await seals(town)
    turned = first.leaves[48:96] + first.leaves[:48] + first.leaves[96:]
    leaves = [turned[at + 16 : at + 48] for at in range(0, len(turned), 48)]
    facts = PageFacts(town.bank_id, 1, first.transfers, root_of(leaves), NO_PAGE)
    await _edit_seal(
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
    await _sealed_book(town, keys)
    await _edit_seal(town, 1, **edit)
    assert await findings(town, keys) == [("page 1", "its seal was edited")]


async def test_a_missing_seal_is_named(town: Town, keys: Keys) -> None:
    await _sealed_book(town, keys)
    await behind_the_ledger(town, "DELETE FROM ledger_seal WHERE bank_id = :bank_id AND page = 1")
    assert await findings(town, keys) == [("page 1", "its seal is missing")]


async def test_a_page_that_was_sealed_anew_breaks_the_chain(town: Town, keys: Keys) -> None:
    """As whoever has the key could do, having edited a transfer."""
    one = (await _sealed_book(town, keys))[1]
    await behind_the_ledger(
        town,
        "UPDATE ledger_transfer SET amount = 9 WHERE bank_id = :bank_id AND id = :id",
        id=one,
    )
    worked = await asyncio.to_thread(_work_out, town, 1)
    head = worked.facts.head()
    await _edit_seal(
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
    await _sealed_book(town, keys)
    await _edit_seal(town, 2, signature=bytes(64))
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
    await _sealed_book(town, keys)
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
    await _sealed_book(town, keys)
    (day,) = await day_seals(town)
    await behind_the_ledger(town, f"UPDATE ledger_day SET {edit} WHERE bank_id = :bank_id")
    assert await findings(town, keys) == [(f"day {day.day}", "its signature is wrong")]


async def test_a_page_that_should_have_been_sealed_long_ago_is_named(
    town: Town, keys: Keys
) -> None:
    keys = replace(keys, heads_file=None)
    await _sealed_book(town, keys)
    (day,) = await day_seals(town)
    await turn(town)
    assert await findings(town, keys) == []
    await _older(town, SEALED_WITHIN)
    assert await findings(town, keys) == [("page 3", "final for long, and not sealed")]
    await behind_the_ledger(town, "DELETE FROM ledger_day_seal WHERE bank_id = :bank_id")
    assert (f"day {day.day}", "its seal is missing") in await findings(town, keys)
    await behind_the_ledger(town, "DELETE FROM ledger_seal WHERE bank_id = :bank_id")
    assert await findings(town, keys) == [("pages 1 to 3", "final for long, and not sealed")]


async def test_a_book_that_is_to_be_sealed_anew_is_refused_and_named(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "keys" / "heads.jsonl"
    noting = replace(keys, heads_file=file)
    one = (await _sealed_book(town, noting))[1]
    noted = noted_in(file)[town.bank_id]
    assert noted == {2: (await seals(town))[1].head}
    assert file.stat().st_mode & 0o777 == 0o600
    assert await findings(town, noting) == []
    await behind_the_ledger(
        town,
        "UPDATE ledger_transfer SET amount = 9 WHERE bank_id = :bank_id AND id = :id",
        id=one,
    )
    for table in ("ledger_day_seal", "ledger_seal"):
        await behind_the_ledger(town, f"DELETE FROM {table} WHERE bank_id = :bank_id")
    noted_at.cache_clear()  # As after a new start.
    await seal(town, noting)
    assert await seals(town) == []
    assert await findings(town, noting) == [("page 2", "its seal was noted here, and is missing")]
    await seal(town, keys)
    differs = ("page 2", "its seal is not the one that was noted here")
    assert differs in await findings(town, noting)


async def test_honest_pages_are_sealed_again_and_lines_that_were_cut_off_are_passed_over(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    noting = replace(keys, heads_file=file)
    await _sealed_book(town, noting)
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


async def test_a_seal_of_an_open_page_is_named(town: Town, keys: Keys) -> None:
    await _sealed_book(town, keys)
    last = (await seals(town))[-1].page
    await behind_the_ledger(
        town, "DELETE FROM ledger_page WHERE bank_id = :bank_id AND number > :last", last=last
    )
    found = await findings(town, keys)
    assert found[0] == (f"page {last}", "is sealed, and still open")


async def test_a_day_is_sealed_with_its_figures(town: Town, keys: Keys) -> None:
    await act(town, 7_000)
    await close(town)
    await sealing.seal_days(town.database, keys, [town.bank_id])
    assert await day_seals(town) == []
    await act(town, 50)
    await seal(town, keys)
    (day,) = await day_seals(town)
    (page,) = await seals(town)
    assert (day.page, day.transfers, day.head) == (1, 1, page.head)
    assert await findings(town, keys) == []


async def _sealed_book(town: Town, keys: Keys) -> list[UUID]:
    """Two sealed pages of a closed and sealed day, and an open one; the transfers of the first."""
    written = [*await act(town, 10, 20, 30), *await act(town, 40)]
    await turn(town)
    await act(town, 50)
    await close(town)
    await seal(town, keys)
    await act(town, 60)
    assert len(await seals(town)) == 2
    assert len(await day_seals(town)) == 1
    assert await findings(town, keys) == []
    return written


async def _edit_seal(town: Town, page: int, **values: Any) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in values)
    await behind_the_ledger(
        town,
        f"UPDATE ledger_seal SET {columns} WHERE bank_id = :bank_id AND page = :page",
        page=page,
        **values,
    )


def _work_out(town: Town, page: int) -> Worked:
    with book.one_moment(book.url_of(town.database)) as connection:
        return work_out(connection, town.bank_id, page, NO_PAGE)


async def _older(town: Town, by: timedelta = WRITTEN_ON_FOR) -> None:
    """Let the pages have been opened a while ago."""
    at = utc_now() - by - timedelta(seconds=1)
    value: Any = at if not town.database.is_sqlite else at.strftime("%Y-%m-%d %H:%M:%S.%f")
    await behind_the_ledger(
        town, "UPDATE ledger_page SET opened_at = :at WHERE bank_id = :bank_id", at=value
    )
