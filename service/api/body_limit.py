"""Refuses a body that is too large, whether or not its length was said beforehand."""

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import BodyTooLarge, answer_of


class BodyLimit:
    """Plain ASGI: FastAPI's own limit answers in plain text instead of a problem."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if _declared_bytes(request) > self._most_bytes:
            await answer_of(request, BodyTooLarge())(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                # This one FastAPI lets through; any other it takes for a body it can't parse.
                raise HTTPException(413)
            return message

        await self._app(scope, counting, send)


def _declared_bytes(request: Request) -> int:
    try:
        return int(request.headers.get("content-length", "0"))
    except ValueError:
        return 0
