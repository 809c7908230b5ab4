"""Refuses a body that is too large, whether or not its length was said beforehand."""

import re
from collections.abc import Mapping

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import BodyOverLimit, BodyTooLarge, answer_of


class BodyLimit:
    """Plain ASGI: FastAPI's own limit answers in plain text instead of a problem."""

    def __init__(
        self, app: ASGIApp, most_bytes: int, larger: Mapping[str, int] | None = None
    ) -> None:
        """`larger` are the paths, as patterns, that take more, and how much."""
        self._app = app
        self._most_bytes = most_bytes
        self._larger = [(re.compile(path), most) for path, most in (larger or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, most_bytes = Request(scope), self._most_for(scope["path"])
        if _declared_bytes(request) > most_bytes:
            await answer_of(request, BodyTooLarge(most_bytes=most_bytes))(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most_bytes:
                raise BodyOverLimit(most_bytes)
            return message

        await self._app(scope, counting, send)

    def _most_for(self, path: str) -> int:
        fitting = (most for pattern, most in self._larger if pattern.fullmatch(path))
        return next(fitting, self._most_bytes)


def _declared_bytes(request: Request) -> int:
    try:
        return int(request.headers.get("content-length", "0"))
    except ValueError:
        return 0
