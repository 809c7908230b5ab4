"""The stand-in for a payment gateway, as a process of its own."""

import os
import socket
import sys
import threading
from urllib.parse import urlsplit

import typer
import uvicorn

from service.cli.refusals import Refused
from service.standin.app import create_standin
from service.standin.options import Options

_LOOPBACK = "127.0.0.1"


def stand_in(options: Options, *, port: int, descriptor: int | None) -> None:
    """Serve until stopped; on a socket that was handed down, until its owner is gone."""
    _require_callback_url(options.callback_url)
    listening = _handed_down(descriptor) if descriptor is not None else _opened(port)
    if descriptor is None:
        typer.echo(_greeting(options, listening.getsockname()[1]))
    config = uvicorn.Config(
        create_standin(options),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        # It may be holding back an answer.
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _handed_down(descriptor: int) -> socket.socket:
    # Whoever started us holds the other end of our input: even killed, it lets go of it.
    threading.Thread(target=_end_with_input, daemon=True).start()
    return socket.socket(fileno=descriptor)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


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
