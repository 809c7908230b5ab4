"""Entering a list: residents join, and what they are owed stands in this book."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.people import Membership, Person, Role
from service import audit, events, ledger, members, privacy
from service.audit import Entry
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.takeover.file import MemberRow
from service.takeover.opened import OPENING, key_of
from service.takeover.planning import Step, plan, with_phones

_person, _membership = table_of(Person), table_of(Membership)
_FREE_NUMBER = (
    update(_membership)
    .where(
        _membership.c.bank_id == bindparam("of_bank"),
        _membership.c.person_id == bindparam("of_person"),
    )
    .values(passbook_number=None)
)
_NAME = update(_person).where(_person.c.id == bindparam("of_person"), _person.c.name == "")


class _Entered(NamedTuple):
    """A step about somebody who is there."""

    step: Step
    person_id: UUID


async def enter(
    session: AsyncSession, keys: Keys, bank_id: UUID, rows: Sequence[MemberRow]
) -> list[Step]:
    """Enter a list, all of it or nothing; what each row came to. Again, it changes nothing.

    Whose balance is brought over is told so. Raises MemberFileNotReadable.
    """
    # Nor does anybody else enter a list meanwhile.
    await privacy.hold_deletions(session)
    steps = await plan(session, keys, bank_id, rows)
    people = await _people(session, steps)
    await _name(session, [one for one in people if one.step.is_named])
    await _join(session, bank_id, [one for one in people if one.step.joins])
    await _open(session, bank_id, [one for one in people if one.step.opens_idr])
    await _note(session, bank_id, [one for one in people if one.step.is_change])
    return steps


async def _people(session: AsyncSession, steps: Sequence[Step]) -> list[_Entered]:
    """Whom the steps are about; whom nobody knows is made."""
    found = [_Entered(step, step.person_id or new_id()) for step in steps]
    new = [
        members.person_row(person_id, step.row.phone, step.row.name)
        for step, person_id in found
        if step.person_id is None
    ]
    await members.insert_once(session, Person, new)
    # Somebody may have signed in with the same phone since it was looked for.
    by_phone = await with_phones(session, {step.row.phone for step in steps if step.row.phone})
    return [
        one._replace(person_id=known.person_id)
        if (known := by_phone.get(one.step.row.phone or ""))
        else one
        for one in found
    ]


async def _name(session: AsyncSession, people: Sequence[_Entered]) -> None:
    rows = [{"of_person": person_id, "name": step.row.name} for step, person_id in people]
    if rows:
        await (await session.connection()).execute(_NAME, rows)


async def _join(session: AsyncSession, bank_id: UUID, people: Sequence[_Entered]) -> None:
    freed = [step.frees for step, _ in people if step.frees]
    if freed:
        asked = [{"of_bank": bank_id, "of_person": person_id} for person_id in freed]
        await (await session.connection()).execute(_FREE_NUMBER, asked)
    rows = [
        {
            "person_id": person_id,
            "bank_id": bank_id,
            "role": Role.RESIDENT,
            "passbook_number": step.row.passbook_number or members.number_of(person_id),
            "created_at": utc_now(),
        }
        for step, person_id in people
    ]
    await members.insert_once(session, Membership, rows)


async def _open(session: AsyncSession, bank_id: UUID, people: Sequence[_Entered]) -> None:
    """An act of its own for each, so that one that is wrong can be taken back alone."""
    if not people:
        return
    now = utc_now()
    drafts = [Draft(OPENING, [_brought(*one)], event_at=now) for one in people]
    await ledger.post_all(session, bank_id, drafts)
    told = [(person_id, {"amount_idr": step.opens_idr}) for step, person_id in people]
    await events.record_each(session, bank_id, "passbook_opened", told)


def _brought(step: Step, person_id: UUID) -> Movement:
    return Movement(
        key_of(person_id, step.nth),
        debit=chart.OPENING,
        credit=chart.available(person_id),
        amount=step.opens_idr,
    )


async def _note(session: AsyncSession, bank_id: UUID, people: Sequence[_Entered]) -> None:
    """At the command line, where nobody is signed in."""
    entries = [
        Entry("take_over_member", about_kind="member", about=str(person_id), person_id=person_id)
        for _, person_id in people
    ]
    await audit.write(session, bank_id, entries)
