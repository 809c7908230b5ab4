"""Routes that take whole files: larger bodies, and only of those who are signed in."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from service.api.dependencies import signed_in
from service.api.idempotency import ActRoute


class FileRoute(ActRoute):
    """Looks at the token before it takes the body in, which would fill the memory otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_known(request: Request) -> Response:
            await signed_in(request)
            return await handle(request)

        return handle_known
