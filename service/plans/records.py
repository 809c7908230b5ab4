"""Plans as they are kept: found, listed, taken by a worker, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among, id_at, utc_now
from models.plan import Plan, PlanStatus
from service import events
from service.errors import Conflict, NoSuchThing

LEASE = timedelta(seconds=30)
MOST_TAKINGS = 5
"""A plan that was begun so often and never ended is given up."""
_LONGEST_WAIT = timedelta(days=1)
WAITING = (PlanStatus.QUEUED, PlanStatus.RUNNING)


class PlanEnded(Conflict):
    english = "This plan is {status} already."
    indonesian = "Rencana ini sudah {status}."


class PlanNotDone(Conflict):
    english = "This plan is {status}; only one that is done can be given to collectors."
    indonesian = "Rencana ini {status}; hanya yang selesai dapat dibagikan kepada petugas."


class PlanAlreadyApplied(Conflict):
    english = "This plan was given to the collectors already."
    indonesian = "Rencana ini sudah dibagikan kepada petugas."


async def find(session: AsyncSession, bank_id: UUID, plan_id: UUID) -> Plan:
    """A plan of a bank. Raises NoSuchThing."""
    query = select(Plan).where(Plan.bank_id == bank_id, Plan.id == plan_id)
    plan = (await session.exec(query)).first()
    if plan is None:
        raise NoSuchThing(thing="plan")
    return plan


async def of_bank(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[Plan]:
    """Plans of a bank, newest first."""
    query = select(Plan).where(Plan.bank_id == bank_id).order_by(col(Plan.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Plan.id) < before)
    return list(await session.exec(query))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan is, without what was asked and what came of it."""

    bank_id: UUID
    id: UUID
    status: str
    permille: int


async def progress(session: AsyncSession, banks: Sequence[UUID], since: datetime) -> list[Progress]:
    """Plans of these banks that wait or are worked on, and those that ended since an instant."""
    ended = and_(col(Plan.id) > id_at(since - _LONGEST_WAIT), col(Plan.ended_at) > since)
    query = (
        select(Plan.bank_id, Plan.id, Plan.status, Plan.progress_permille)
        .where(col(Plan.bank_id).in_(banks), or_(among(col(Plan.status), WAITING), ended))
        .order_by(col(Plan.id))
    )
    return [Progress(*row) for row in await session.exec(query)]


async def cancel(session: AsyncSession, plan: Plan) -> None:
    """End a plan that nobody works on; ask who works on it to stop. Raises PlanEnded."""
    is_queued = col(Plan.status) == PlanStatus.QUEUED
    now = utc_now()
    values = {
        "cancel_asked": True,
        "status": case((is_queued, PlanStatus.CANCELLED), else_=col(Plan.status)),
        "ended_at": case((is_queued, now), else_=col(Plan.ended_at)),
    }
    if not await _change(session, plan, [among(col(Plan.status), WAITING)], values):
        raise PlanEnded(status=plan.status)
    if plan.status == PlanStatus.CANCELLED:
        await _tell(session, plan)


async def take(session: AsyncSession, banks: Sequence[UUID]) -> Plan | None:
    """Lease a plan that waits, or whose worker is gone; it comes with a new fence."""
    now = utc_now()
    query = (
        select(Plan)
        .where(
            col(Plan.bank_id).in_(banks), among(col(Plan.status), WAITING), col(Plan.due_at) <= now
        )
        .order_by(col(Plan.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    plan = (await session.exec(query)).first()
    if plan is None:
        return None
    values: dict[str, Any] = {
        "status": PlanStatus.RUNNING,
        "fence": plan.fence + 1,
        "due_at": now + LEASE,
        "started_at": plan.started_at or now,
    }
    await _change(session, plan, [col(Plan.fence) == plan.fence], values)
    return plan


async def go_on(session: AsyncSession, plan: Plan, permille: int) -> bool:
    """Note how far the work is and keep the lease; False if it isn't wanted or not ours."""
    values = {"progress_permille": permille, "due_at": utc_now() + LEASE}
    return await _change(session, plan, [_ours(plan), ~col(Plan.cancel_asked)], values)


async def end(
    session: AsyncSession,
    plan: Plan,
    status: PlanStatus,
    *,
    result: dict[str, Any] | None = None,
    failure: str = "",
) -> bool:
    """Note the outcome, if the work is still ours; False if somebody else has it by now."""
    values = {
        "status": status,
        "result": result,
        "failure": failure[:300],
        "ended_at": utc_now(),
        "progress_permille": 1000 if status == PlanStatus.DONE else col(Plan.progress_permille),
    }
    ended = await _change(session, plan, [_ours(plan)], values)
    if ended:
        await _tell(session, plan)
    return ended


async def mark_applied(session: AsyncSession, plan: Plan, *, by: UUID) -> None:
    """Note that it was given out, once. Raises PlanNotDone or PlanAlreadyApplied."""
    is_free = [col(Plan.status) == PlanStatus.DONE, col(Plan.applied_at).is_(None)]
    values = {"applied_at": utc_now(), "applied_by": by}
    if not await _change(session, plan, is_free, values):
        raise PlanAlreadyApplied if plan.applied_at else PlanNotDone(status=plan.status)


def _ours(plan: Plan) -> Any:
    return (col(Plan.fence) == plan.fence) & (col(Plan.status) == PlanStatus.RUNNING)


async def _change(
    session: AsyncSession, plan: Plan, conditions: Sequence[Any], values: dict[str, Any]
) -> bool:
    """Change the row if the conditions still hold; read it anew either way."""
    changed = await session.exec(
        update(Plan)
        .where(col(Plan.bank_id) == plan.bank_id, col(Plan.id) == plan.id, *conditions)
        .values(**values)
        .returning(col(Plan.id))
        .execution_options(synchronize_session=False)
    )
    happened = changed.first() is not None
    if plan in session:
        await session.refresh(plan)
    return happened


async def _tell(session: AsyncSession, plan: Plan) -> None:
    body = {"plan_id": str(plan.id), "status": plan.status}
    await events.record(session, plan.bank_id, "plan_ended", person_id=plan.entered_by, body=body)
