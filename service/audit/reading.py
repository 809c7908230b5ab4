"""Reading the audit: a bank's for its treasurer, and everybody their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import AuditEntry, OwnEntry
from models.base import id_at
from models.people import Membership, Person
from service.audit.ended import ended_parts
from service.members import OFFICERS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of a person in any part, about a thing, of an act, from and before instants."""

    person_id: UUID | None = None
    about: str | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Told(NamedTuple):
    """An entry as the person may read it whose data it is about."""

    entry: AuditEntry | OwnEntry
    roles: Sequence[str]
    """The parts that whoever acted plays in the bank now, or did; none if it was the person."""
    name: str
    """Only of officers."""


async def entries_of(
    session: AsyncSession, bank_id: UUID, wanted: Wanted, *, before: UUID | None, limit: int
) -> list[AuditEntry]:
    """Entries of a bank, newest first; `before` is the last one seen."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.bank_id == bank_id)
        .order_by(col(AuditEntry.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    if wanted.person_id is not None:
        parts = (AuditEntry.actor_id, AuditEntry.person_id, AuditEntry.on_behalf_of)
        query = query.where(or_(*(col(part) == wanted.person_id for part in parts)))
    if wanted.about is not None:
        query = query.where(AuditEntry.about == wanted.about)
    if wanted.act is not None:
        query = query.where(AuditEntry.act == wanted.act)
    # Ids begin with the instant they were made.
    if wanted.since is not None:
        query = query.where(col(AuditEntry.id) >= id_at(wanted.since))
    if wanted.until is not None:
        query = query.where(col(AuditEntry.id) < id_at(wanted.until))
    return list(await session.exec(query))


async def about_me(
    session: AsyncSession,
    person_id: UUID,
    banks: Sequence[UUID],
    *,
    before: UUID | None,
    limit: int,
) -> list[Told]:
    """What was done with a person's data in these banks, and with their account; newest first."""
    found: list[AuditEntry | OwnEntry] = [
        *await _in_banks(session, person_id, banks, before, limit),
        *await _own(session, person_id, before, limit),
    ]
    found.sort(key=lambda entry: entry.id, reverse=True)
    shown = found[:limit]
    parts = await _parts_of(session, banks, shown)
    return [_told(entry, person_id, parts) for entry in shown]


async def _in_banks(
    session: AsyncSession, person_id: UUID, banks: Sequence[UUID], before: UUID | None, limit: int
) -> list[AuditEntry]:
    query = (
        select(AuditEntry)
        .where(col(AuditEntry.bank_id).in_(banks), AuditEntry.person_id == person_id)
        .order_by(col(AuditEntry.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    return list(await session.exec(query))


async def _own(
    session: AsyncSession, person_id: UUID, before: UUID | None, limit: int
) -> list[OwnEntry]:
    query = (
        select(OwnEntry)
        .where(OwnEntry.person_id == person_id)
        .order_by(col(OwnEntry.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(OwnEntry.id) < before)
    return list(await session.exec(query))


_Parts = dict[tuple[UUID, UUID], tuple[str, list[str]]]


async def _parts_of(
    session: AsyncSession, banks: Sequence[UUID], entries: Sequence[AuditEntry | OwnEntry]
) -> _Parts:
    """Names and parts of whoever acted, by bank and person; parts that were ended since too."""
    actors = {one.actor_id for one in entries if isinstance(one, AuditEntry) and one.actor_id}
    query = (
        select(Membership.bank_id, Membership.person_id, Person.name, Membership.role)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(col(Membership.bank_id).in_(banks), col(Membership.person_id).in_(actors))
    )
    played = {*await session.exec(query), *await _ended_of(session, banks, list(actors))}
    parts: _Parts = {}
    for bank_id, person_id, name, role in sorted(played):
        parts.setdefault((bank_id, person_id), (name, []))[1].append(role)
    return parts


async def _ended_of(
    session: AsyncSession, banks: Sequence[UUID], actors: Sequence[UUID]
) -> list[tuple[UUID, UUID, str, str]]:
    ended = await ended_parts(session, banks, actors)
    if not ended:
        return []
    called = select(Person.id, Person.name).where(col(Person.id).in_(actors))
    names = dict((await session.exec(called)).all())
    return [(one.bank_id, one.person_id, names.get(one.person_id, ""), one.role) for one in ended]


def _told(entry: AuditEntry | OwnEntry, person_id: UUID, parts: _Parts) -> Told:
    if isinstance(entry, OwnEntry) or entry.actor_id in (None, person_id):
        return Told(entry, (), "")
    name, roles = parts.get((entry.bank_id, entry.actor_id or person_id), ("", []))
    is_officer = any(role in OFFICERS for role in roles)
    return Told(entry, roles, name if is_officer else "")
