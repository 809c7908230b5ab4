"""What happened, told while it happens: server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.sse import format_sse_event
from sqlalchemy.exc import OperationalError
from starlette.responses import StreamingResponse

from models.base import id_at, instant_of, utc_now, written
from models.event import Event
from models.people import Role
from service import events, plans
from service.api.access import access_to
from service.api.dependencies import CurrentIdentity, CurrentParts
from service.api.errors import documented
from service.api.late import LateRoute
from service.api.streams import EventStream, Streams, TooManyStreams
from service.auth import Identity, NoValidToken, Outsider, caller_of
from service.database import Database
from service.members import OFFICERS
from service.pausing import pause

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=LateRoute)

PAUSE_S = 1.0
BEAT_S = 15.0
LONGEST_AGO = timedelta(days=7)
_OVERLAP = timedelta(seconds=10)
_BATCH = 100
_STREAM = {
    "description": "One message an event, for as long as the connection lasts",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": "id: 019aa5f0-7c1e-7b30-8f4e-0d2c5a9b6e11\nevent: pickup_collected\n"
            'data: {"bank_id": "…", "at": "2026-11-28T03:04:05Z", "pickup_id": "…"}\n\n',
        }
    },
}


@router.get(
    "",
    response_class=StreamingResponse,
    responses=documented(NoValidToken, TooManyStreams) | {200: _STREAM},
)
async def follow(
    request: Request,
    parts: CurrentParts,
    who: CurrentIdentity,
    last_event_id: Annotated[UUID | None, Header(alias="Last-Event-ID")] = None,
) -> EventStream:
    """Follow what happens to one's pickups, loads and payouts.

    Officers hear of their banks' plans as well: `plan_progress`, which has no id. With
    `Last-Event-ID` it goes on after that event, up to seven days back; what happened in the
    ten seconds before may come once more, under the same id. A comment comes every 15
    seconds. The server ends a stream after some minutes; a browser's EventSource connects
    anew by itself.
    """
    streams: Streams = request.app.state.streams
    async with parts.database.reading() as session:
        person_id = (await caller_of(session, who)).person_id
    feed = Feed(parts.database, who, access_to(request).roles, last_event_id)
    streams.take(person_id)
    lines = _lines(feed, streams, parts.settings.event_stream_s)
    return EventStream(lines, streams, person_id)


class Feed:
    """What one person has not been told yet."""

    def __init__(
        self,
        database: Database,
        who: Identity | Outsider,
        roles: frozenset[Role],
        after: UUID | None,
    ) -> None:
        self._database = database
        self._who = who
        self._roles = roles
        now = utc_now()
        since = now if after is None else max(min(instant_of(after), now), now - LONGEST_AGO)
        # On PostgreSQL an event may be committed after one that has a higher id, so the last
        # seconds are looked at again and again, and what was told is remembered that long.
        self._since = since if after is None else since - _OVERLAP
        self._from = id_at(self._since)
        self._told: set[UUID] = set() if after is None else {after}
        self._plans: dict[UUID, tuple[str, int]] = {}

    async def look(self) -> tuple[list[bytes], bool]:
        """Messages that are new, and whether there are more right now.

        A session of its own each time: nothing is held between two looks.
        """
        async with self._database.reading() as session:
            caller = await caller_of(session, self._who)
            caller.play_only(self._roles)
            found = await events.since(
                session, caller.banks(), caller.person_id, self._from, limit=_BATCH
            )
            going = await plans.progress(session, caller.banks(*OFFICERS), self._since)
        messages = [_message(event) for event in found if event.id not in self._told]
        self._told |= {event.id for event in found}
        messages += self._changed(going)
        more = len(found) == _BATCH
        self._go_on(found[-1].id if more else None)
        return messages, more

    def beat(self) -> bytes:
        """A sign of life, which also moves on what a new connection begins after."""
        return format_sse_event(id=str(id_at(self._since + _OVERLAP)), comment="")

    def _go_on(self, after: UUID | None) -> None:
        if after is not None:
            self._from = after
            return
        self._since = max(self._since, utc_now() - _OVERLAP)
        self._from = id_at(self._since)
        self._told = {told for told in self._told if told > self._from}

    def _changed(self, going: Sequence[plans.Progress]) -> list[bytes]:
        before, self._plans = self._plans, {one.id: (one.status, one.permille) for one in going}
        return [_progress(one) for one in going if before.get(one.id) != self._plans[one.id]]


async def _lines(feed: Feed, streams: Streams, seconds: float) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends, beats = loop.time() + seconds, loop.time()
    while loop.time() < ends and not streams.stopping.is_set():
        try:
            messages, more = await feed.look()
        except (OperationalError, NoValidToken):
            return  # Whoever connects anew hears what is wrong.
        for message in messages:
            yield message
        if loop.time() >= beats:
            beats = loop.time() + BEAT_S
            yield feed.beat()
        if not more:
            await pause(streams.stopping, PAUSE_S)


def _message(event: Event) -> bytes:
    about: dict[str, Any] = json.loads(event.body)
    data = {"bank_id": str(event.bank_id), "at": written(event.created_at), **about}
    return format_sse_event(data_str=json.dumps(data), event=event.kind, id=str(event.id))


def _progress(plan: plans.Progress) -> bytes:
    data = {
        "bank_id": str(plan.bank_id),
        "plan_id": str(plan.id),
        "status": plan.status,
        "progress": plan.permille / 1000,
    }
    return format_sse_event(data_str=json.dumps(data), event="plan_progress")
