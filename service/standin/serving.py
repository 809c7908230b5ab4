"""Serves a stand-in on a socket."""

import socket

import uvicorn

from service.standin.app import create_standin
from service.standin.options import Options


def serve(options: Options, listening: socket.socket) -> None:
    """Until it is told to stop."""
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
