"""Counts and times every request, by route and status."""

from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DURATION = Histogram(
    "jumpa_request_seconds",
    "Time from the request's head to the answer's end",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Measuring:
    """Plain ASGI, so that it neither buffers nor cancels what it measures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            # By the route's template: by path, every id would make a series of its own.
            route = getattr(scope.get("route"), "path", "none")
            _DURATION.labels(scope["method"], route, status).observe(perf_counter() - started)
