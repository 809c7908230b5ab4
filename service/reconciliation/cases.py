"""The queue: what waits for somebody, whose it is, and how old."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among, utc_now
from models.people import Membership, Role
from models.reconciliation import ReconciliationCase, StatementLine
from service.errors import Conflict, FieldProblem, Malformed, NoSuchThing
from service.members import OFFICERS, Caller
from service.reconciliation.store import WAITING


class CaseNotOpen(Conflict):
    english = "This exception was already decided."
    indonesian = "Selisih ini sudah diputuskan."


class OwnerNotTreasurer(Malformed):
    english = "Only a treasurer of this waste bank can own an exception."
    indonesian = "Hanya bendahara bank sampah ini yang dapat menangani selisih."


class Shown(StrEnum):
    """Which cases a list shows."""

    WAITING = "waiting"
    ENDED = "ended"
    ALL = "all"


class Wanted(NamedTuple):
    """Which cases: of money that moved in these instants, of one source or all."""

    begins: datetime
    over: datetime
    source: str | None
    shown: Shown


async def cases_of(
    session: AsyncSession, bank_id: UUID, wanted: Wanted, *, before: UUID | None, limit: int
) -> list[ReconciliationCase]:
    """Cases of a bank, the last to be opened first."""
    query = (
        select(ReconciliationCase)
        .where(
            ReconciliationCase.bank_id == bank_id,
            col(ReconciliationCase.since) >= wanted.begins,
            col(ReconciliationCase.since) < wanted.over,
        )
        .order_by(col(ReconciliationCase.id).desc())
        .limit(limit)
    )
    if wanted.source is not None:
        query = query.where(ReconciliationCase.source == wanted.source)
    if wanted.shown == Shown.WAITING:
        query = query.where(among(col(ReconciliationCase.status), WAITING))
    if wanted.shown == Shown.ENDED:
        query = query.where(col(ReconciliationCase.status).not_in(WAITING))
    if before is not None:
        query = query.where(col(ReconciliationCase.id) < before)
    return list(await session.exec(query))


async def lines_about(
    session: AsyncSession, cases: Sequence[ReconciliationCase]
) -> Mapping[UUID, StatementLine]:
    """What the statements say, by the ids of the lines that cases of one bank are about."""
    ids = [case.line_id for case in cases if case.line_id is not None]
    if not ids:
        return {}
    query = select(StatementLine).where(
        StatementLine.bank_id == cases[0].bank_id, col(StatementLine.id).in_(ids)
    )
    return {line.id: line for line in await session.exec(query)}


async def find(session: AsyncSession, caller: Caller, case_id: UUID) -> ReconciliationCase:
    """A case of a bank in which the caller is an officer. Raises NoSuchThing."""
    query = select(ReconciliationCase).where(
        col(ReconciliationCase.bank_id).in_(caller.banks(*OFFICERS)),
        ReconciliationCase.id == case_id,
    )
    case = (await session.exec(query)).first()
    if case is None:
        raise NoSuchThing(thing="exception")
    return case


async def assign(session: AsyncSession, case: ReconciliationCase, owner_id: UUID) -> None:
    """Somebody is to look into it. Raises OwnerNotTreasurer or CaseNotOpen."""
    query = select(Membership.person_id).where(
        Membership.bank_id == case.bank_id,
        Membership.person_id == owner_id,
        Membership.role == Role.TREASURER,
    )
    if (await session.exec(query)).first() is None:
        raise OwnerNotTreasurer(
            FieldProblem("/owner_id", OwnerNotTreasurer.english, OwnerNotTreasurer.indonesian)
        )
    await change(session, case, owner_id=owner_id)


async def change(session: AsyncSession, case: ReconciliationCase, **values: object) -> None:
    """Change a case that waits; of two at once, one ends it. Raises CaseNotOpen."""
    changed = await session.exec(
        update(ReconciliationCase)
        .where(
            col(ReconciliationCase.bank_id) == case.bank_id,
            col(ReconciliationCase.id) == case.id,
            among(col(ReconciliationCase.status), WAITING),
        )
        .values(**values)
        .returning(col(ReconciliationCase.id))
        .execution_options(synchronize_session=False)
    )
    happened = changed.first() is not None
    await session.refresh(case)
    if not happened:
        raise CaseNotOpen


def age_days(case: ReconciliationCase, now: datetime | None = None) -> int:
    """Whole days since the money moved or should have; of what was decided, until then."""
    until = case.ended_at if case.status not in WAITING and case.ended_at else now or utc_now()
    return max((until - case.since).days, 0)
