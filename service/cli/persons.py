"""Commands about people, wherever they are members."""

from typing import Annotated

import typer

commands = typer.Typer(no_args_is_help=True, help="People, wherever they are members.")


@commands.callback()
def _person() -> None:
    """People, wherever they are members."""


@commands.command("reset-second-factor")
def reset_second_factor(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="As 0812… or +62812…")],
) -> None:
    """Take off the second factor of somebody who lost it, and sign them out everywhere.

    Be sure first that it is them. They sign in by phone then, and set up another.

    Example: [cyan]jumpa person reset-second-factor 0812-6000-1234[/cyan]
    """
    from service.cli import resetting  # noqa: PLC0415

    resetting.reset_second_factor(phone)
