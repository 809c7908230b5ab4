"""How many requests are worked on at a time: what comes on top is told to come again.

Without an end to them a flood makes everybody wait, and nobody gets an answer in time. With
one, who gets in is served, and the others know at once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import TooBusy, answer_of, language_of

_SHED = Counter("jumpa_shed", "Requests that were told to come again, all places being taken")

_NEEDS_NONE = ("/healthz", "/readyz", "/metrics", "/v1/auth/", "/v1/gateways/")
"""Where routes begin that hold no place."""


class Places:
    """Places at work in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @property
    def are_taken(self) -> bool:
        return self._taken >= self._most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises TooBusy."""
        if self.are_taken:
            raise TooBusy
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class Shedding:
    """Says no before anything is looked at, since each no costs those who are let in.

    Outermost, with answers that were made beforehand and are dressed as any other.
    """

    def __init__(self, app: ASGIApp, places: Places, dress: Mapping[str, str]) -> None:
        self._app = app
        self._places = places
        self._answers = {language: _answer(language, dress) for language in ("id", "en")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_shed = (
            scope["type"] == "http"
            and self._places.are_taken
            and not scope["path"].startswith(_NEEDS_NONE)
        )
        if not is_shed:
            await self._app(scope, receive, send)
            return
        _SHED.inc()
        for message in self._answers[language_of(Request(scope))]:
            await send(message)


def _answer(language: str, dress: Mapping[str, str]) -> tuple[Message, Message]:
    asked = Request({"type": "http", "headers": [(b"accept-language", language.encode())]})
    answer = answer_of(asked, TooBusy())
    answer.headers.update(dress)
    start = {
        "type": "http.response.start",
        "status": answer.status_code,
        "headers": answer.raw_headers,
    }
    return start, {"type": "http.response.body", "body": bytes(answer.body)}
