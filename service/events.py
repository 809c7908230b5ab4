"""The outbox: record() in the transaction of the act; take() and done() on the worker's side."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.event import Event

LEASE = timedelta(seconds=60)
MAX_FENCE = 12
"""After so many takings an event is given up, and shows in the outbox with its failure."""


_event = table_of(Event)
_INSERT = insert(_event)
_RESOLVE = (
    update(_event)
    .where(
        _event.c.bank_id == bindparam("of_bank"),
        _event.c.id == bindparam("of_event"),
        _event.c.fence == bindparam("of_fence"),
        _event.c.done_at.is_(None),
    )
    .values(done_at=bindparam("done_at"), due_at=bindparam("due_at"), failure=bindparam("failure"))
)


async def record(
    session: AsyncSession,
    bank_id: UUID,
    kind: str,
    *,
    person_id: UUID | None,
    body: Mapping[str, Any],
) -> None:
    """Note that something happened; it is told if, and only if, the act commits."""
    now = utc_now()
    connection = await session.connection()
    await connection.execute(
        _INSERT,
        [
            {
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
        ],
    )


async def take(session: AsyncSession, banks: Sequence[UUID], *, limit: int) -> list[Event]:
    """Lease events that are due; each comes with the fence number of this taking."""
    now = utc_now()
    due = (
        select(Event)
        .where(
            col(Event.bank_id).in_(banks),
            col(Event.done_at).is_(None),
            col(Event.due_at) <= now,
            col(Event.fence) < MAX_FENCE,
        )
        .order_by(col(Event.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    events = list(await session.exec(due))
    for event in events:
        event.fence += 1
        event.due_at = now + LEASE
        session.add(event)
    return events


async def done(session: AsyncSession, event: Event) -> bool:
    """Mark an event as handled, unless somebody has taken it since."""
    return await _resolve(session, event, {"done_at": utc_now(), "failure": ""})


async def failed(session: AsyncSession, event: Event, failure: str) -> bool:
    """Note why it didn't work; it comes due again after a pause that doubles."""
    pause = timedelta(seconds=min(2**event.fence, 3_600))
    return await _resolve(session, event, {"due_at": utc_now() + pause, "failure": failure[:300]})


async def _resolve(session: AsyncSession, event: Event, values: dict[str, object]) -> bool:
    connection = await session.connection()
    asked = {"of_bank": event.bank_id, "of_event": event.id, "of_fence": event.fence}
    as_it_was = {"done_at": None, "due_at": event.due_at, "failure": event.failure}
    marked = await connection.execute(_RESOLVE, {**asked, **as_it_was, **values})
    return marked.rowcount == 1
