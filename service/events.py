"""The outbox: record() in the transaction of the act; take() and resolve() on the worker's side."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, tuple_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.event import Event

LEASE = timedelta(seconds=60)
MAX_FENCE = 12
"""After so many takings an event is given up, and shows in the outbox with its failure."""


_event = table_of(Event)
_EVENTS = insert(_event)
# A WITH that locks is done once, whatever the rest of the statement would have.
_DUE = (
    select(col(Event.bank_id), col(Event.id))
    .where(
        col(Event.bank_id).in_(bindparam("banks", expanding=True)),
        col(Event.done_at).is_(None),
        col(Event.due_at) <= bindparam("now"),
        col(Event.fence) < MAX_FENCE,
    )
    .order_by(col(Event.due_at))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_TAKE = (
    update(Event)
    .where(tuple_(col(Event.bank_id), col(Event.id)).in_(select(_DUE.c.bank_id, _DUE.c.id)))
    .values(fence=col(Event.fence) + 1, due_at=bindparam("until"))
    .returning(Event)
    .execution_options(synchronize_session=False)
)
_RESOLVE = update(_event).where(
    tuple_(_event.c.bank_id, _event.c.id, _event.c.fence).in_(bindparam("taken", expanding=True)),
    _event.c.done_at.is_(None),
)
_DONE = _RESOLVE.values(done_at=bindparam("now"), failure="")
_FAILED = _RESOLVE.values(due_at=bindparam("again_at"), failure=bindparam("why"))


async def record(
    session: AsyncSession,
    bank_id: UUID,
    kind: str,
    *,
    person_id: UUID | None,
    body: Mapping[str, Any],
) -> None:
    """Note that something happened; it is told if, and only if, the act commits."""
    await record_each(session, bank_id, kind, [(person_id, body)])


async def record_each(
    session: AsyncSession,
    bank_id: UUID,
    kind: str,
    told: Sequence[tuple[UUID | None, Mapping[str, Any]]],
) -> None:
    """The same of what happened to several at once: who is told, and what."""
    connection = await session.connection()
    await connection.execute(_EVENTS, [_row(bank_id, kind, *one) for one in told])


async def take(session: AsyncSession, banks: Sequence[UUID], *, limit: int) -> list[Event]:
    """Lease events that are due; each comes with the fence number of this taking."""
    now = utc_now()
    asked = {"banks": list(banks), "now": now, "until": now + LEASE, "most": limit}
    taken = await session.exec(_TAKE, params=asked)
    return sorted(taken.scalars(), key=attrgetter("id"))


async def lag_s(session: AsyncSession, banks: Sequence[UUID]) -> float:
    """For how long the event that waits longest has been due; 0 if none is."""
    query = select(func.min(col(Event.due_at))).where(
        col(Event.bank_id).in_(banks), col(Event.done_at).is_(None), col(Event.fence) < MAX_FENCE
    )
    oldest = (await session.exec(query)).one()
    return max(0.0, (utc_now() - oldest).total_seconds()) if oldest else 0.0


async def since(
    session: AsyncSession, banks: Sequence[UUID], person_id: UUID, after: UUID, *, limit: int
) -> list[Event]:
    """What happened to one person at these banks after an event or an instant, oldest first."""
    query = (
        select(Event)
        .where(col(Event.bank_id).in_(banks), col(Event.id) > after, Event.person_id == person_id)
        .order_by(col(Event.id))
        .limit(limit)
    )
    return list(await session.exec(query))


async def resolve(session: AsyncSession, told: Sequence[tuple[Event, str]]) -> int:
    """Note of each event that it was handled, or why that failed; of how many it counted.

    One that failed comes due again after a pause that doubles. One that somebody has taken
    since is theirs, and stays as it is.
    """
    if not told:
        return 0
    now, counted = utc_now(), 0
    connection = await session.connection()
    done = [_taken(event) for event, failure in told if not failure]
    if done:
        counted += (await connection.execute(_DONE, {"taken": done, "now": now})).rowcount
    for event, failure in told:
        if failure:
            counted += (await connection.execute(_FAILED, _again(event, failure, now))).rowcount
    return counted


def _row(
    bank_id: UUID, kind: str, person_id: UUID | None, body: Mapping[str, Any]
) -> dict[str, object]:
    now = utc_now()
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "kind": kind,
        "person_id": person_id,
        "body": json.dumps(body),
        "created_at": now,
        "due_at": now,
        "fence": 0,
        "done_at": None,
        "failure": "",
    }


def _again(event: Event, failure: str, now: datetime) -> dict[str, object]:
    pause = timedelta(seconds=min(2**event.fence, 3_600))
    return {"taken": [_taken(event)], "again_at": now + pause, "why": failure[:300]}


def _taken(event: Event) -> tuple[UUID, UUID, int]:
    return event.bank_id, event.id, event.fence
