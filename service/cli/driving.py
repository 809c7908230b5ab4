"""Commands about routes and roads; trips.py does them."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from service.cli.ids import id_of

routes = typer.Typer(no_args_is_help=True, help="Routes of collectors.")
roads = typer.Typer(no_args_is_help=True, help="How far it is by road.")


@routes.command("show")
def show(
    route: Annotated[UUID, typer.Argument(parser=id_of, metavar="ID", help="The route's id")],
    svg: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Draw it into this file as well")
    ] = None,
    capacity_kg: Annotated[
        int | None, typer.Option(min=1, help="What goes on the vehicle before it must unload")
    ] = None,
) -> None:
    """Print what is left of a route, in driving order, and draw it.

    Example: [cyan]jumpa route show 01a2066d-… --svg route.svg[/cyan]
    """
    from service.cli import trips  # noqa: PLC0415

    trips.show(route, svg, capacity_kg)


@roads.command("calibrate")
def calibrate(
    bank: Annotated[str, typer.Option(help="Name or id of the bank")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Enter the figures as new rules")] = False,
) -> None:
    """Work out from finished trips how long drives take at a bank.

    The speed is learnt from when collectors left one door and arrived at the next. How much
    longer roads are than straight lines only a router knows ([bold]JUMPA_OSRM_URL[/bold]):
    without one, factor and extra stay as they are.

    Example: [cyan]jumpa roads calibrate --bank "BSI BERSERI" --apply[/cyan]
    """
    from service.cli import trips  # noqa: PLC0415

    trips.calibrate(bank, apply=apply)
