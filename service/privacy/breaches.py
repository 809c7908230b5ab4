"""The register of breaches: what got out, whom it concerns, and who was told by when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.people import Membership, Person
from models.privacy import Breach, BreachNotice, BreachPerson, Told
from service import audit, events
from service.errors import Conflict, FieldProblem, Malformed, NoSuchThing
from service.observing.masking import without_numbers


class BreachNotPossible(Malformed):
    english = "Name people of this waste bank, or say that it concerns the whole bank."
    indonesian = "Sebutkan orang dari bank sampah ini, atau nyatakan seluruh bank terkena."


class KnownAtNotPossible(Malformed):
    english = "A breach became known in the past."
    indonesian = "Kebocoran diketahui pada waktu yang sudah lewat."


class AlreadyTold(Conflict):
    english = "They were told of this breach already."
    indonesian = "Kebocoran ini sudah diberitahukan kepada mereka."


@dataclass(frozen=True, slots=True)
class Report:
    """A breach as it is reported. Without people it concerns everybody of the bank."""

    what: str
    known_at: datetime | None
    people: Sequence[UUID]
    whole_bank: bool


class Case(NamedTuple):
    """A breach and what was told of it."""

    breach: Breach
    people: Sequence[UUID]
    notices: Sequence[BreachNotice]

    def is_overdue(self, now: datetime) -> bool:
        """Whether somebody should have been told by now, and was not in time."""
        told = {notice.told: notice.at for notice in self.notices}
        return any(told.get(who, now) > self.breach.due_at for who in Told)


async def report(session: AsyncSession, bank_id: UUID, told: Report, *, by: UUID | None) -> Case:
    """Enter a breach; its clock runs from when it became known.

    Raises BreachNotPossible or KnownAtNotPossible.
    """
    now = utc_now()
    known_at = told.known_at or now
    if known_at > now:
        words = KnownAtNotPossible.english, KnownAtNotPossible.indonesian
        raise KnownAtNotPossible(FieldProblem("/known_at", *words))
    people = sorted(set(told.people))
    if told.whole_bank == bool(people) or not await _are_members(session, bank_id, people):
        words = BreachNotPossible.english, BreachNotPossible.indonesian
        raise BreachNotPossible(FieldProblem("/person_ids", *words))
    breach = Breach(
        bank_id=bank_id,
        what=without_numbers(told.what),
        known_at=known_at,
        due_at=known_at + Breach.NOTICE_WITHIN,
        whole_bank=told.whole_bank,
        entered_by=by,
    )
    session.add(breach)
    await session.flush()
    session.add_all(
        BreachPerson(bank_id=bank_id, breach_id=breach.id, person_id=one) for one in people
    )
    await session.flush()
    return Case(breach, people, [])


async def notify(
    session: AsyncSession, case: Case, told: Told, text: str, *, by: UUID | None
) -> Case:
    """Note the words with which somebody was told; people are sent them. Raises AlreadyTold."""
    breach = case.breach
    if told in {notice.told for notice in case.notices}:
        raise AlreadyTold
    notice = BreachNotice(
        bank_id=breach.bank_id,
        breach_id=breach.id,
        told=told,
        text=without_numbers(text),
        entered_by=by,
    )
    session.add(notice)
    try:
        await session.flush()
    except IntegrityError as error:
        raise AlreadyTold from error
    if told is Told.PEOPLE:
        for person_id in await _concerned(session, case):
            body = {"breach_id": str(breach.id), "text": notice.text}
            await events.record(session, breach.bank_id, "breach", person_id=person_id, body=body)
    return Case(breach, case.people, [*case.notices, notice])


async def find(session: AsyncSession, bank_id: UUID, breach_id: UUID) -> Case:
    """A breach of a bank. Raises NoSuchThing."""
    query = select(Breach).where(Breach.bank_id == bank_id, Breach.id == breach_id)
    found = list(await session.exec(query))
    if not found:
        raise NoSuchThing(thing="breach")
    return (await _cases(session, [bank_id], found))[0]


async def of_banks(
    session: AsyncSession, bank_ids: Sequence[UUID], *, before: UUID | None, limit: int
) -> list[Case]:
    """Breaches of these banks, newest first."""
    query = (
        select(Breach)
        .where(col(Breach.bank_id).in_(bank_ids))
        .order_by(col(Breach.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Breach.id) < before)
    return await _cases(session, bank_ids, list(await session.exec(query)))


async def _cases(
    session: AsyncSession, bank_ids: Sequence[UUID], found: Sequence[Breach]
) -> list[Case]:
    ids = [breach.id for breach in found]
    named = select(BreachPerson).where(
        col(BreachPerson.bank_id).in_(bank_ids), col(BreachPerson.breach_id).in_(ids)
    )
    said = select(BreachNotice).where(
        col(BreachNotice.bank_id).in_(bank_ids), col(BreachNotice.breach_id).in_(ids)
    )
    people, notices = list(await session.exec(named)), list(await session.exec(said))
    return [
        Case(
            breach,
            [one.person_id for one in people if one.breach_id == breach.id],
            sorted((one for one in notices if one.breach_id == breach.id), key=lambda one: one.at),
        )
        for breach in found
    ]


async def _are_members(session: AsyncSession, bank_id: UUID, people: Sequence[UUID]) -> bool:
    query = select(Membership.person_id).where(
        Membership.bank_id == bank_id, col(Membership.person_id).in_(people)
    )
    left = await audit.ended_parts(session, [bank_id], people)
    return {*await session.exec(query), *(one.person_id for one in left)} == set(people)


async def _concerned(session: AsyncSession, case: Case) -> Sequence[UUID]:
    if not case.breach.whole_bank:
        return case.people
    bank_id = case.breach.bank_id
    # Who left is in the bank's books all the same.
    left = {one.person_id for one in await audit.ended_parts(session, [bank_id])}
    plays = select(Membership.person_id).where(Membership.bank_id == bank_id)
    query = select(Person.id).where(
        or_(col(Person.id).in_(plays), col(Person.id).in_(left)), col(Person.deleted_at).is_(None)
    )
    return list(await session.exec(query))
