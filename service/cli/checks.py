"""Commands that look whether all is well, and change nothing."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()

ReceiptFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The receipt, as JSON")
]


@commands.command()
def verify() -> None:
    """Replay every ledger, check every seal, and say what differs. Exit code 1 if anything does.

    Reads only, beside a running server.

    Example: [cyan]jumpa verify[/cyan]
    """
    from service.cli import upkeep  # noqa: PLC0415

    upkeep.verify()


@commands.command()
def verify_receipt(
    file: ReceiptFile,
    *,
    key: Annotated[
        str,
        typer.Option(
            metavar="PUBLICKEYS.pem|HEX",
            help="The keys that the bank published, from /v1/keys: a file of one or several, or one",
        ),
    ] = "",
) -> None:
    """Check a receipt offline: that it says what was sealed, and that the seal was signed.

    Needs no database and no settings. Exit code 1 if the receipt doesn't fit.

    Example: [cyan]jumpa verify-receipt receipt.json --key public.pem[/cyan]
    """
    from service.cli import proving  # noqa: PLC0415

    proving.verify_receipt(file, key)


@commands.command()
def doctor() -> None:
    """Look whether everything is as it should be, and say what to do if not.

    Changes nothing. Exit code 1 if something keeps the product from running.

    Example: [cyan]jumpa doctor[/cyan]
    """
    from service.cli import doctor  # noqa: PLC0415

    doctor.look()
