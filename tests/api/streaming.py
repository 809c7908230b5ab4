"""A client that follows a stream: an answer that is read while it is still being given."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.types import Message

from models.people import Person
from service.keys import Keys
from tests.factories import bearer

WITHIN_S = 30.0


@dataclass(frozen=True)
class Told:
    """One message of a stream; a comment has neither kind nor data."""

    id: str | None
    kind: str | None
    data: dict[str, Any] | None


@dataclass
class Following:
    """What has arrived so far, and the way to hang up."""

    status: asyncio.Future[int]
    messages: asyncio.Queue[Told] = field(default_factory=asyncio.Queue)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    beats: list[str] = field(default_factory=list)

    async def next(self) -> Told:
        """The next message that is no sign of life."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                told = await self.messages.get()
                if told.kind is not None:
                    return told
                self.beats.append(told.id or "")

    async def ends(self) -> None:
        """Wait until the server ends the stream by itself."""
        async with asyncio.timeout(WITHIN_S):
            await self.ended.wait()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])
        if message["type"] == "http.response.start" or self.status.result() != HTTPStatus.OK:
            return
        for block in message.get("body", b"").decode().split("\n\n"):
            if block.strip():
                self.messages.put_nowait(_told(block))


def _told(block: str) -> Told:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
    data = json.loads(fields["data"]) if "data" in fields else None
    return Told(fields.get("id"), fields.get("event"), data)


@asynccontextmanager
async def following(
    app: FastAPI, keys: Keys, who: Person | None, after: str | None = None
) -> AsyncIterator[Following]:
    """A connection to the stream of one person, hung up at the end of the block."""
    headers = bearer(keys, who) if who else {}
    if after is not None:
        headers["Last-Event-ID"] = after
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("jumpa", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    opened = Following(asyncio.get_running_loop().create_future())
    task = asyncio.create_task(app(scope, opened.receive, opened.send))
    task.add_done_callback(lambda _: opened.ended.set())
    try:
        async with asyncio.timeout(WITHIN_S):
            await opened.status
        yield opened
    finally:
        opened.gone.set()
        async with asyncio.timeout(WITHIN_S):
            await task
