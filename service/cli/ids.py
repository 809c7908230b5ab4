"""Ids as people type them."""

from uuid import UUID

import typer


def id_of(text: str) -> UUID:
    """The id of a thing. Raises BadParameter."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text} is not an id. Ids look like 01a2066d-0000-7000-8000-000000000000."
        ) from None
