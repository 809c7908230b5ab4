"""How many requests are worked on at a time: what comes on top is told to come again.

Without an end to them a flood makes everybody wait, and nobody gets an answer in time. With
one, who gets in is served, and the others know at once.

A burst may fill all places, since it is over before anybody waits long. In a flood most of
the work is saying no, and who is in shares the rest. So while some are refused, and who is in
takes much longer than who was alone, fewer places are given; more again when that is over.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from prometheus_client import Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import TooBusy, answer_of, language_of

_SHED = Counter("jumpa_shed", "Requests that were told to come again, all places being taken")

_NEEDS_NONE = ("/healthz", "/readyz", "/metrics", "/v1/auth/", "/v1/gateways/")
"""Where routes begin that hold no place."""

_LOOKS_S = 0.1
_CROWDED = 3.0
"""So many times as long as alone, and the places are too many for what the machine can do."""


class Places:
    """Places at work in this process: `most`, and no fewer than `least` in a flood."""

    def __init__(
        self, most: int, least: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = self._given = most
        self._least = most if least is None else least
        self._taken = self._came = 0
        self._clock = clock
        self._looked = clock()
        self._refused = 0
        self._took_s: list[float] = []
        """Of those who left since the last look."""
        self._alone_s = math.inf

    def refuse(self) -> bool:
        """Whether one more is told to come again; who is told so counts."""
        self._look()
        is_refused = self._taken >= self._given
        self._refused += is_refused
        return is_refused

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises TooBusy."""
        if self.refuse():
            raise TooBusy
        came, came_alone = self._clock(), self._taken == 0
        self._taken += 1
        self._came += 1
        number = self._came
        try:
            yield
        finally:
            self._taken -= 1
            was_alone = came_alone and self._came == number
            self._left(self._clock() - came, was_alone=was_alone)

    def _left(self, took_s: float, *, was_alone: bool) -> None:
        self._took_s.append(took_s)
        # Beside a flood one is never alone, for saying no takes time as well.
        if was_alone and not self._refused and self._given == self._most:
            usual_s = took_s if math.isinf(self._alone_s) else self._alone_s
            self._alone_s = 0.9 * usual_s + 0.1 * took_s

    def _look(self) -> None:
        now = self._clock()
        passed = now - self._looked
        if passed < _LOOKS_S:
            return
        self._given = self._due(passed)
        self._looked, self._refused, self._took_s = now, 0, []

    def _due(self, passed_s: float) -> int:
        """Half as many if it is crowded, one more if it isn't; all as soon as nobody is refused.

        Where nobody has left, a few long ones are inside, and the others need places beside
        them. If for a while nobody came, it was a burst: who was refused comes again together.
        """
        if not self._refused or passed_s > 2 * _LOOKS_S:
            return self._most
        if self._took_s and median(self._took_s) > _CROWDED * self._alone_s:
            return max(self._least, self._given // 2)
        return min(self._most, self._given + 1)


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
