"""Errors that the person at the command line can mend, in words instead of a traceback."""

import sys
from collections.abc import Callable
from typing import Any

REFUSED = 2
INTERRUPTED = 130


class Refused(Exception):
    """A command can't do what it was asked; its words say why."""


def exit_code_of(command: Callable[[], None]) -> int:
    """Do it; what it refuses is a sentence and exit code 2."""
    try:
        command()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        words = in_words(error)
        if words is None:
            raise
        sys.stderr.write(f"{words}\n")
        return REFUSED
    return 0


def in_words(error: Exception) -> str | None:
    """What to tell of an error; None if it is a defect, which is shown whole."""
    # Only now: a command that fails may take its time, and others have no use for these.
    from pydantic import ValidationError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from service.database.schema import SchemaNotReady  # noqa: PLC0415
    from service.errors import Problem  # noqa: PLC0415
    from service.gateways.accounts import GatewaysFileNotReadable  # noqa: PLC0415
    from service.oidc.issuers import IssuersFileNotReadable  # noqa: PLC0415

    if isinstance(error, ValidationError) and error.title == "Settings":
        return "\n".join(["These settings do not work.", *wrong_settings(error)])
    if isinstance(error, DBAPIError):
        return f"The database says no: {str(error.orig).strip()}"
    unreadable = GatewaysFileNotReadable | IssuersFileNotReadable
    if isinstance(error, Refused | SchemaNotReady | Problem | unreadable):
        return str(error)
    return None


def wrong_settings(error: Any) -> list[str]:
    """A line for each; what it was set to is not repeated, for it may be a secret."""
    lines = []
    for found in error.errors():
        sentence = str(found["msg"]).removeprefix("Value error, ")
        name = "_".join(str(part) for part in found["loc"]).upper()
        lines.append(f"  JUMPA_{name}: {sentence}" if name else f"  {sentence}")
    return lines
