"""Asking the person at the command line before anything is entered."""

import sys

import typer

from service.cli.refusals import Refused


def ask(question: str) -> None:
    """Go on if it is agreed to. Raises Refused where nobody is there to answer."""
    try:
        is_agreed = typer.confirm(question)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise Refused("Nothing was entered: nobody was there to be asked. Add --yes.") from None
    if not is_agreed:
        raise typer.Abort
