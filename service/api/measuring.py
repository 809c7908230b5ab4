"""Counts and times every request, by route and status."""

import logging
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

_DURATION = Histogram(
    "jumpa_request_seconds",
    "Time from the request's head to the answer's end",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Measuring:
    """Plain ASGI, so that it neither buffers nor cancels what it measures."""

    def __init__(self, app: ASGIApp, *, writes_log: bool = False) -> None:
        self._app = app
        self._writes_log = writes_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            _note(scope, status, perf_counter() - started, writes_log=self._writes_log)


def _note(scope: Scope, status: int, seconds: float, *, writes_log: bool) -> None:
    # By the route's template: by path, every id would make a series of its own.
    route = getattr(scope.get("route"), "path", "none")
    _DURATION.labels(scope["method"], route, status).observe(seconds)
    if writes_log:
        # Neither query nor address: they say where somebody is and from where they ask.
        log.info("answered %s %s %s in %.0f ms", scope["method"], route, status, seconds * 1_000)
