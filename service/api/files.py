"""Routes that take whole files: larger bodies, and only of those who are signed in."""

from fastapi import Request, Response

from service.api.dependencies import signed_in
from service.api.idempotency import ActRoute
from service.api.late import Handler, SlowRoute


class FileRoute(ActRoute):
    """Looks at the token before it takes the body in, which would fill the memory otherwise."""

    patience = SlowRoute.patience
    takes_place = SlowRoute.takes_place

    def around(self, handle: Handler) -> Handler:
        handle = super().around(handle)

        async def handle_known(request: Request) -> Response:
            await signed_in(request)
            return await handle(request)

        return handle_known
