"""Routes that take whole files: larger bodies, and only of those who are signed in."""

from fastapi import Request, Response

from service.api.dependencies import known, parts_of, signed_in
from service.api.idempotency import ActRoute
from service.api.late import Handler, SlowRoute
from service.api.places import Places

UPLOADS = 4
"""Files that are taken in at a time: a tenth of a gigabyte at most."""


class FileRoute(ActRoute):
    """Looks at who sends it before it takes the body in, and takes in few at a time: they would
    fill the memory otherwise."""

    patience = SlowRoute.patience
    takes_place = SlowRoute.takes_place

    def around(self, handle: Handler) -> Handler:
        handle = super().around(handle)

        async def handle_known(request: Request) -> Response:
            who, parts = await signed_in(request), parts_of(request)
            async with parts.database.reading() as session:
                await known(request, session, who)
            uploads: Places = request.app.state.uploads
            with uploads.one():
                return await handle(request)

        return handle_known
