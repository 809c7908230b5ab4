"""A person is deleted: nothing says any more who they were, and every sum stays as it is."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of, utc_now
from models.people import Membership, Person, Role
from models.privacy import Deletion, Trace
from service import audit, auth
from service.database import one_at_a_time
from service.errors import Conflict, NoSuchThing
from service.keys import Keys
from service.members import OFFICERS, Caller, hold_person
from service.privacy import places, refusing
from service.privacy.erasing import Erasure, erase
from service.privacy.files import blank_messages
from service.privacy.finding import Wanted, finder_of
from service.privacy.known import known_by, phones_of, words_of


class DeletesThemselves(Conflict):
    english = "They have a phone, or are known elsewhere: only they can delete their account."
    indonesian = "Ia punya telepon atau terdaftar di tempat lain: hanya ia yang dapat menghapusnya."


async def delete(
    session: AsyncSession, keys: Keys, person_id: UUID, *, by: UUID | None, messages: Path
) -> None:
    """Delete somebody, in the caller's transaction; and from the message file, right away.

    Raises NoSuchThing, or as refusing.check() does.
    """
    # Or the last two treasurers of a bank could both go.
    await hold_deletions(session)
    person = await hold_person(session, person_id)
    bank_ids = await audit.banks_of(session, person_id)
    await refusing.check(session, person_id, bank_ids)
    phones = await phones_of(session, person, bank_ids)
    known = await known_by(session, keys, person, phones, bank_ids)
    words = await words_of(session, person_id, bank_ids)
    finder = finder_of(person_id, known, words)
    await _note(session, keys, person_id, by, known)
    await places.forget_of(session, person_id, bank_ids)
    hashes = [one for phone in phones for one in keys.hashes_of(auth.PHONE, phone)]
    await erase(Erasure(session, person_id, bank_ids, frozenset(known), finder, hashes))
    person.deleted_at = utc_now()
    session.add(person)
    await session.flush()
    # Before the commit: should that fail, messages are gone that nobody needs.
    blank_messages(messages, finder)


async def hold_deletions(session: AsyncSession) -> None:
    """Nobody else is deleted until the end of this transaction."""
    await one_at_a_time(session, "deletion")


async def check_may_delete(session: AsyncSession, caller: Caller, person_id: UUID) -> None:
    """An officer may for a resident without a phone whom no other bank knows.

    Raises NoSuchThing or DeletesThemselves.
    """
    query = (
        select(Membership.bank_id, Membership.role, Person.phone)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(Membership.person_id == person_id, col(Person.deleted_at).is_(None))
    )
    parts = list(await session.exec(query))
    if not any(caller.has(bank_id, *OFFICERS) for bank_id, _, _ in parts):
        raise NoSuchThing(thing="resident")
    theirs = (caller.bank_id, Role.RESIDENT, None)
    if any((bank_id, role, phone) != theirs for bank_id, role, phone in parts):
        raise DeletesThemselves


async def _note(
    session: AsyncSession,
    keys: Keys,
    person_id: UUID,
    by: UUID | None,
    known: Sequence[Wanted] | set[Wanted],
) -> None:
    connection = await session.connection()
    row = {"person_id": person_id, "entered_by": by, "at": utc_now()}
    await connection.execute(insert(table_of(Deletion)), [row])
    traces = [
        {
            "person_id": person_id,
            "hash": keys.hash_of("trace", one.kind, one.value),
            "kind": one.kind,
            "words": one.words,
        }
        for one in known
    ]
    if traces:
        await connection.execute(insert(table_of(Trace)), traces)
