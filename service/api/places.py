"""How many requests are worked on at a time: what comes on top is told to come again.

Without an end to them a flood makes everybody wait, and nobody gets an answer in time. With
one, who gets in is served, and the others know at once.

A burst may fill all places, since it is over before anybody waits long. In a flood most of
the work is saying no, and who is in shares the rest: then only an eighth of the places is
given, so that what is begun is also done in time.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import TooBusy, answer_of, language_of

_SHED = Counter("jumpa_shed", "Requests that were told to come again, all places being taken")

_NEEDS_NONE = ("/healthz", "/readyz", "/metrics", "/v1/auth/", "/v1/gateways/")
"""Where routes begin that hold no place."""

_LOOKS_S = 0.1
_BAD_LOOKS = 3
_CALM_S = 1.0


class Places:
    """Places at work in this process."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = self._given = most
        self._taken = 0
        self._clock = clock
        self._looked = self._flood_ends = clock()
        self._let_in = self._refused = self._bad_looks = 0

    def refuse(self) -> bool:
        """Whether one more is told to come again; who is told so counts."""
        self._look()
        is_refused = self._taken >= self._given
        self._refused += is_refused
        return is_refused

    def _look(self) -> None:
        """A flood is when again and again more are refused than let in.

        Once is a burst: who was refused comes again together, and is to find all places.
        """
        now = self._clock()
        passed = now - self._looked
        if passed < _LOOKS_S:
            return
        is_bad = self._refused > self._let_in and passed < 2 * _LOOKS_S
        self._bad_looks = self._bad_looks + 1 if is_bad else 0
        if self._bad_looks >= _BAD_LOOKS:
            self._flood_ends = now + _CALM_S
        self._given = -(-self._most // 8) if now < self._flood_ends else self._most
        self._looked, self._let_in, self._refused = now, 0, 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises TooBusy."""
        if self.refuse():
            raise TooBusy
        self._taken += 1
        self._let_in += 1
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
            and not scope["path"].startswith(_NEEDS_NONE)
            and self._places.refuse()
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
