"""Commands about personal data: what is left of whom was deleted, and what got out."""

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from service.cli.ids import id_of

privacy = typer.Typer(no_args_is_help=True, help="Personal data.")
breach = typer.Typer(no_args_is_help=True, help="The register of breaches of personal data.")

_Bank = Annotated[str, typer.Option(metavar="NAME|ID", help="Whose data it was")]


@privacy.callback()
def _privacy() -> None:
    """Personal data."""


@privacy.command("scan")
def scan(
    *,
    logs: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="A file or folder to look through as well; may be repeated"),
    ] = None,
) -> None:
    """Look for persons who were deleted in the database and the data folder.

    Says table, column and row, or file and line, and not what stands there. Exit code 1 if
    anything is found. Reads only, beside a running server.

    Example: [cyan]jumpa privacy scan --logs /var/log/jumpa[/cyan]
    """
    from service.cli import private  # noqa: PLC0415

    private.scan(logs or [])


@breach.command("open")
def open_breach(
    what: Annotated[str, typer.Argument(help="Which data, how it got out, what is done")],
    *,
    bank: _Bank,
    known: Annotated[
        str, typer.Option(metavar="INSTANT", help="When it became known: 2026-12-01T08:00+07:00")
    ] = "",
    person: Annotated[
        list[UUID] | None,
        typer.Option(parser=id_of, metavar="ID", help="Whom it concerns, by id; may be repeated"),
    ] = None,
) -> None:
    """Enter a breach: from when it is known, people and authority are told within 3 x 24 hours.

    Without [bold]--person[/bold] it concerns everybody of the bank.

    Example: [cyan]jumpa breach open "A list of members was lost" --bank "Bank Sampah Melati"[/cyan]
    """
    from service.cli import breaching  # noqa: PLC0415

    breaching.enter(what, bank=bank, known=known, people=person or [])


@breach.command("notify")
def notify(
    number: Annotated[UUID, typer.Argument(parser=id_of, metavar="ID", help="Of the breach")],
    text: Annotated[str, typer.Argument(help="In which words")],
    *,
    bank: _Bank,
    told: Annotated[Literal["people", "authority"], typer.Option(help="Who is told")] = "people",
) -> None:
    """Tell the people, who are sent the text; or note what the authority was told.

    Example: [cyan]jumpa breach notify 0193… "Daftar anggota hilang …" --bank "Bank Sampah Melati"[/cyan]
    """
    from service.cli import breaching  # noqa: PLC0415

    breaching.notify(number, text, bank=bank, told=told)


@breach.command("list")
def list_breaches() -> None:
    """Show the breaches of all banks, newest first, and what is overdue.

    Example: [cyan]jumpa breach list[/cyan]
    """
    from service.cli import breaching  # noqa: PLC0415

    breaching.show()
