"""Commands about people, wherever they are members."""

from typing import Annotated

import typer

commands = typer.Typer(no_args_is_help=True, help="People, wherever they are members.")


@commands.callback()
def _person() -> None:
    """People, wherever they are members."""


@commands.command("delete")
def delete(
    who: Annotated[str, typer.Argument(metavar="PHONE|ID", help="As 0812…, or their id")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete somebody: nothing says any more who they were, and the books stay as they are.

    Refused while they have money, an open pickup or a load, or are the only treasurer. It
    can't be undone.

    Example: [cyan]jumpa person delete 0812-6000-1234[/cyan]
    """
    from service.cli import private  # noqa: PLC0415

    private.delete(who, is_agreed=yes)


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
