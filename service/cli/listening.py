"""Commands that serve take their address first: who calls while they load waits to be answered.

What it takes to serve is slow to import, and so is only imported when the address is ours.
"""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from service.cli.ports import socket_for
from service.cli.refusals import Refused
from service.settings import Settings

_WAITING = 2_048
"""Calls that may wait to be answered, as many as the server lets wait later."""


def start() -> None:
    """Prepare what is missing, say where to look, serve."""
    with take_address(Settings()) as (settings, calls):
        from service.cli import serving  # noqa: PLC0415

        serving.start(settings, calls)


def serve() -> None:
    """Serve a database that is ready."""
    with take_address(Settings()) as (settings, calls):
        from service.cli import serving  # noqa: PLC0415

        serving.serve(settings, calls)


@contextmanager
def take_address(settings: Settings) -> Iterator[tuple[Settings, socket.socket]]:
    """The address, held from now on, and settings with the port it got, whatever they asked for.

    Raises Refused if it can't be had.
    """
    with socket_for(settings.host) as calls:
        try:
            calls.bind((settings.host, settings.port))
            calls.listen(_WAITING)
        except OSError as error:
            _refuse_second(settings)
            raise Refused(_why_not_there(settings, error)) from None
        port = calls.getsockname()[1]
        yield settings.model_copy(update={"port": port}), calls


def _refuse_second(settings: Settings) -> None:
    """Say so if it is a server of ours, on the same data, that has the address."""
    if not settings.data_dir.exists():
        return
    from service.app import only_server  # noqa: PLC0415  Slow to import, see above.

    with only_server(settings):
        pass


def _why_not_there(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken by another program. Set JUMPA_PORT to a free one."
    return (
        f"The server can't listen on {settings.host}, port {settings.port}: {error.strerror}."
        " Set JUMPA_HOST or JUMPA_PORT to another one."
    )
