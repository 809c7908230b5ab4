"""Routes that are worked out when they are first asked for, not all of them at every start."""

import warnings
from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import compile_path


class LateRoute(APIRoute):
    """A route that knows its path and methods, and looks into its endpoint at the first call."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.methods = set(options["methods"])
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
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
            if self.body_field is not None:
                self.body_field.validate(None)  # builds the validator, if that was put off
        return getattr(self, name)
