"""Routes that are worked out when they are first asked for, not all of them at every start.

Each has a time in which it must have answered, and a depth to which it reads.
"""

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import Match, compile_path
from starlette.types import Scope

from service.api.errors import RequestMalformed, TookTooLong
from service.api.nesting import NESTED_TOO_DEEP, TOO_MANY_VALUES, is_too_deep, is_too_much
from service.api.places import Places

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class LateRoute(APIRoute):
    """A route that knows its path and methods, and looks into its endpoint at the first call."""

    patience: ClassVar[int] = 1
    """How many times as long as most it may take."""
    takes_place: ClassVar[bool] = True
    """Whether it counts among the requests that are worked on at a time."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.methods = set(options["methods"])
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._head = path.partition("{")[0]
        self._options: dict[str, Any] | None = options

    def __getattr__(self, name: str) -> Any:
        """Python asks here for what isn't there yet: now all of it is made."""
        options = self.__dict__.get("_options")
        if options is None:
            raise AttributeError(name)
        self._options = None
        with warnings.catch_warnings():
            # As FastAPI has it: what a body's parameter is called is no alias of a field.
            warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
            super().__init__(self.path, self.endpoint, **options)
            _build_bodies(self.dependant)
        return getattr(self, name)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As ever: every request tries routes until one fits, so most say no by how they begin."""
        if not scope["path"].startswith(self._head):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        return self._in_time(self.around(_shallow(handle) if self.body_field else handle))

    def around(self, handle: Handler) -> Handler:
        """What else happens before and after, for routes of other kinds."""
        return handle

    def _in_time(self, handle: Handler) -> Handler:
        """Give up after a while. The transaction is outside of this, and is rolled back."""

        handle = _in_place(handle) if self.takes_place else handle

        async def handle_in_time(request: Request) -> Response:
            longest_s = request.app.state.settings.request_s * self.patience
            try:
                async with asyncio.timeout(longest_s) as limit:
                    return await handle(request)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise TookTooLong from None

        return handle_in_time


class SlowRoute(LateRoute):
    """A route that reads or writes whole files, and may take its time."""

    patience = 10
    takes_place = False


class VitalRoute(LateRoute):
    """A route that tells how the server is, most of all when it is busy, or one that waits for
    the network and so does no work meanwhile."""

    takes_place = False


def _build_bodies(dependant: Dependant) -> None:
    """Of a body that several ask for FastAPI makes a field for each."""
    for field in dependant.body_params:
        field.validate(None)  # builds the validator, if that was put off
    for inner in dependant.dependencies:
        _build_bodies(inner)


def _in_place(handle: Handler) -> Handler:
    async def handle_in_place(request: Request) -> Response:
        # Read first: whoever sends slowly holds no place meanwhile.
        if request.method != "GET":
            await request.body()
        places: Places = request.app.state.places
        with places.one():
            return await handle(request)

    return handle_in_place


def _shallow(handle: Handler) -> Handler:
    async def handle_shallow(request: Request) -> Response:
        body = await request.body()
        if is_too_deep(body):
            raise RequestMalformed(NESTED_TOO_DEEP)
        if is_too_much(body):
            raise RequestMalformed(TOO_MANY_VALUES)
        return await handle(request)

    return handle_shallow
