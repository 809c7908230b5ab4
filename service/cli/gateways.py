"""Commands about payment gateways."""

from pathlib import Path
from typing import Annotated, Literal

import typer

commands = typer.Typer()


@commands.command("gateway-standin")
def gateway_standin(  # noqa: PLR0913  One option a fact.
    *,
    gateway: Annotated[
        Literal["xendit", "iris"], typer.Option(help="Which gateway it plays")
    ] = "xendit",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where it listens")] = 8100,
    data_dir: Annotated[
        Path, typer.Option(file_okay=False, help="Where it keeps what it knows")
    ] = Path("data/gateway"),
    callback: Annotated[str, typer.Option(metavar="URL", help="Where callbacks go")] = "",
    settle_after_s: Annotated[
        float, typer.Option(min=0, help="From acceptance to the end, by its clock")
    ] = 2.0,
    float_idr: Annotated[
        int, typer.Option(min=0, help="What the account holds at first")
    ] = 10_000_000,
    fee_idr: Annotated[int, typer.Option(min=0, help="For a payout, before VAT")] = 2_500,
    vat_permille: Annotated[int, typer.Option(min=0, max=1_000)] = 110,
    hold_s: Annotated[
        float, typer.Option(min=0, help="How long it holds back an answer that is to be lost")
    ] = 30.0,
    key: Annotated[
        str, typer.Option(envvar="JUMPA_STANDIN_KEY", help="The secret key, or the creator's")
    ] = "xnd_development_standin",
    approver_key: Annotated[
        str, typer.Option(envvar="JUMPA_STANDIN_APPROVER_KEY", help="Iris only")
    ] = "IRIS-approver-standin",
    callback_secret: Annotated[
        str,
        typer.Option(
            envvar="JUMPA_STANDIN_CALLBACK_SECRET", help="The callback token, or the merchant key"
        ),
    ] = "standin-callbacks",  # noqa: S107  Known on purpose: no money moves.
) -> None:
    """Play a payment gateway on this machine: its API, its callbacks, its book; no money moves.

    The last four digits of an account number choose what happens: 0001 fails, 0002 fails once,
    0003 comes back a day later, 0004 is never answered, 0005 is told twice, 0006 before the
    answer, 0007 falsely, 0008 doesn't comply, 0009 is answered 500, 0010 is not told.

    Example: [cyan]jumpa gateway-standin --gateway iris --port 8101[/cyan]
    """
    from service.cli import standing_in  # noqa: PLC0415
    from service.standin.options import Options  # noqa: PLC0415

    options = Options(
        gateway=gateway,
        data_dir=data_dir,
        callback_url=callback,
        key=key,
        approver_key=approver_key,
        callback_secret=callback_secret,
        settle_after_s=settle_after_s,
        float_idr=float_idr,
        fee_idr=fee_idr,
        vat_permille=vat_permille,
        hold_s=hold_s,
    )
    standing_in.stand_in(options, port)
