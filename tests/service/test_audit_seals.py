"""The audit is sealed with the book: what was edited, taken out or put in is named."""

from dataclasses import replace
from uuid import UUID

from sqlmodel import col, select

from models.audit import AuditEntry
from models.base import new_id
from service import audit
from service.audit import Entry
from service.keys import Keys
from service.sealing import turn_due
from service.sealing.heads import PageFacts, page_message
from tests.factories import Town
from tests.service.sealing import act, behind_the_ledger, findings, seal, seals, turn


async def _noted(town: Town, *acts: str) -> list[UUID]:
    entries = [Entry(name, actor_id=town.operator.id, about_kind="day") for name in acts]
    async with town.database.transaction() as session:
        await audit.write(session, town.bank_id, entries)
    async with town.database.reading() as session:
        query = select(AuditEntry.id).where(AuditEntry.bank_id == town.bank_id)
        return list(await session.exec(query.order_by(col(AuditEntry.id))))


async def test_entries_are_sealed_with_their_page(town: Town, keys: Keys) -> None:
    await act(town, 5)
    first = await _noted(town, "close_day", "reopen_day")
    await turn(town)
    last = (await _noted(town, "close_day"))[-1]
    await turn(town)
    await seal(town, keys)
    kept = await seals(town)
    assert [(one.form, one.transfers, one.audit_entries) for one in kept] == [(2, 1, 2), (2, 0, 1)]
    assert [one.audit_leaves[:16] for one in kept if one.audit_leaves] == [
        first[0].bytes,
        last.bytes,
    ]
    assert await findings(town, keys) == []


async def test_whatever_is_done_to_a_sealed_audit_is_named(town: Town, keys: Keys) -> None:
    one, other, third = await _noted(town, "close_day", "reopen_day", "count_drawer")
    await turn(town)
    await seal(town, keys)
    new = new_id()
    at = "WHERE bank_id = :bank_id AND id = :id"
    await behind_the_ledger(town, f"UPDATE audit_entry SET actor_id = NULL {at}", id=one)
    await behind_the_ledger(
        town,
        "INSERT INTO audit_entry (bank_id, id, page, at, act, status, about_kind, about, address)"
        f" SELECT bank_id, :new, page, at, act, 200, '', '', '' FROM audit_entry {at}",
        id=other,
        new=new,
    )
    await behind_the_ledger(town, f"DELETE FROM audit_entry {at}", id=third)
    assert set(await findings(town, keys)) == {
        (f"audit entry {one}", "was edited after page 1 was sealed"),
        (f"audit entry {new}", "was inserted after page 1 was sealed"),
        (f"audit entry {third}", "is missing from page 1"),
    }


async def test_a_page_with_nothing_but_audit_is_turned(town: Town) -> None:
    await _noted(town, "close_day")
    await behind_the_ledger(
        town, "UPDATE ledger_page SET opened_at = '2020-01-01' WHERE bank_id = :bank_id"
    )
    assert await turn_due(town.database, [town.bank_id]) == 1


async def test_pages_that_were_sealed_before_there_was_an_audit_stay_good(
    town: Town, keys: Keys
) -> None:
    await act(town, 5)
    await turn(town)
    await seal(town, keys)
    (sealed,) = await seals(town)
    facts = PageFacts(town.bank_id, 1, sealed.transfers, sealed.root, sealed.previous, form=1)
    await behind_the_ledger(
        town,
        "UPDATE ledger_seal SET form = 1, audit_entries = NULL, audit_leaves = NULL,"
        " audit_root = NULL, head = :head, signature = :signature WHERE bank_id = :bank_id",
        head=facts.head(),
        signature=keys.sealing.sign(page_message(facts.head())),
    )
    unnoted = replace(keys, heads_file=None)
    assert await findings(town, unnoted) == []
    (new,) = await _noted(town, "close_day")
    await behind_the_ledger(town, "UPDATE audit_entry SET page = 1 WHERE bank_id = :bank_id")
    assert await findings(town, unnoted) == [
        (f"audit entry {new}", "was inserted after page 1 was sealed")
    ]
