"""Pages are sealed in order, and once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from models.base import utc_now
from models.ledger import Seal
from service import ledger, sealing
from service.database import Database
from service.keys import Keys, key_id_of
from service.sealing.heads import NO_PAGE, PageFacts, page_message
from service.sealing.merkle import EMPTY
from service.sealing.noted import noted_at, noted_in
from service.sealing.order import SEALED_WITHIN
from service.sealing.pages import signed
from tests.factories import Town
from tests.races import someone_waits
from tests.service.books import older, sealed_book, worked_out
from tests.service.sealing import (
    act,
    behind_the_ledger,
    close,
    day_seals,
    findings,
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
    worked = await asyncio.to_thread(worked_out, town, 1)
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

    await older(town)
    assert await turned() == 0
    await act(town, 1)
    assert await turned() == 1
    await act(town, 1)
    assert await turned() == 0
    await older(town)
    assert await turned() == 1
    assert await turned() == 0


async def test_a_book_that_is_written_in_for_long_is_turned_later(
    town: Town, database: Database
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite's one writer comes and goes.")
    await act(town, 1)
    await older(town)
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


async def test_a_page_that_should_have_been_sealed_long_ago_is_named(
    town: Town, keys: Keys
) -> None:
    keys = replace(keys, heads_file=None)
    await sealed_book(town, keys)
    (day,) = await day_seals(town)
    await turn(town)
    assert await findings(town, keys) == []
    await older(town, SEALED_WITHIN)
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
    one = (await sealed_book(town, noting))[1]
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


async def test_a_seal_of_an_open_page_is_named(town: Town, keys: Keys) -> None:
    await sealed_book(town, keys)
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
