"""The stand-in for a payment gateway, as a process of its own."""

import socket
from urllib.parse import urlsplit

import typer

from service.cli.refusals import Refused
from service.standin.options import Options
from service.standin.serving import serve

_LOOPBACK = "127.0.0.1"


def stand_in(options: Options, port: int) -> None:
    """Say where, and serve until stopped."""
    _require_callback_url(options.callback_url)
    listening = _opened(port)
    typer.echo(_greeting(options, listening.getsockname()[1]))
    serve(options, listening)


def _opened(port: int) -> socket.socket:
    try:
        return socket.create_server((_LOOPBACK, port), backlog=512)
    except OSError as error:
        raise Refused(f"Port {port} can't be used: {error.strerror}. Choose another.") from None


def _require_callback_url(url: str) -> None:
    parts = urlsplit(url)
    if url and not (parts.scheme in ("http", "https") and parts.hostname):
        raise Refused("The address for callbacks has to begin with http:// or https://.")


def _greeting(options: Options, port: int) -> str:
    keys = {"secret_key": options.key}
    path = ""
    if options.gateway == "iris":
        keys = {"creator_key": options.key, "approver_key": options.approver_key}
        path = "/iris/api/v1"
    facts = {
        "name": options.gateway,
        "kind": options.gateway,
        "url": f"http://{_LOOPBACK}:{port}{path}",
        **keys,
        "callback_secret": options.callback_secret,
        "banks": "*",
    }
    lines = [f'{name} = "{value}"' for name, value in facts.items()]
    account = ["[[account]]", *lines, f"fee_idr = {options.fee_idr}"]
    vat = f"vat_permille = {options.vat_permille}"
    return "\n".join(
        [
            f"A stand-in for {options.gateway} on port {port}; no money moves. In JUMPA_GATEWAYS:",
            "",
            *(f"  {line}" for line in [*account, vat]),
            "",
            f"Its clock, float and book: http://{_LOOPBACK}:{port}/standin/payouts",
        ]
    )
