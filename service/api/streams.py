"""How many answers may stay open, and what closes them when the server stops."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.errors import TooMany

MOST_OF_ONE = 3


class TooManyStreams(TooMany):
    english = "Too many event streams are open. Close one, or try again in {retry_after_s} seconds."
    indonesian = (
        "Terlalu banyak aliran kabar yang terbuka."
        " Tutup salah satu, atau coba lagi {retry_after_s} detik lagi."
    )


class Streams:
    """The streams that are open in this process: so many in all, and a few of one person."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[UUID] = Counter()
        self.stopping = asyncio.Event()
        """Set once the server is told to stop: a stream that goes on would keep it."""

    @property
    def open(self) -> int:
        return self._open.total()

    def take(self, person_id: UUID) -> None:
        """Count one more. Raises TooManyStreams."""
        if self.open >= self._most or self._open[person_id] >= MOST_OF_ONE:
            raise TooManyStreams(retry_after_s=30)
        self._open[person_id] += 1

    def give_back(self, person_id: UUID) -> None:
        self._open -= Counter([person_id])


class EventStream(StreamingResponse):
    """A stream whose place is given back however it ends: at its end or with its client."""

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncIterator[bytes], streams: Streams, person_id: UUID) -> None:
        # Proxies would gather what is to arrive at once.
        super().__init__(lines, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._streams = streams
        self._person_id = person_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.give_back(self._person_id)
