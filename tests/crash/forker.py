"""Forks servers and workers that are about to be killed, so that none pays for the imports.

Run as a process of its own, with one thread and no event loop: only such a process forks
safely. Every line of its input is an order, answered by one line:

    server      a new server on the socket whose port was the first line; its process id
    worker      a new worker; its process id
    kill PID    SIGKILL for a child, and the end of it awaited
    lives PID   whether a child still runs: yes or no

The socket is the parent's. Who connects while nobody serves waits for the next server, as
behind a proxy. At the end of the input every child is killed.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from sqlalchemy.orm import configure_mappers

from service.app import create_app
from service.cli import serving
from service.database import open_database
from service.settings import Settings


def main() -> None:
    settings = Settings()
    config = uvicorn.Config(create_app(settings), log_level="info", access_log=False, ws="none")
    # Whatever only costs time at a start is done here, once.
    config.load()
    configure_mappers()
    open_database(settings.database)
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    gc.freeze()
    children: set[int] = set()
    _answer(listening.getsockname()[1])
    try:
        for line in sys.stdin:
            order, _, about = line.strip().partition(" ")
            if order == "kill":
                _kill(int(about), children)
                _answer(about)
            elif order == "lives":
                _answer("yes" if _lives(int(about), children) else "no")
            else:
                work = _serve(config, listening) if order == "server" else serving.work
                children.add(pid := _fork(work, settings))
                _answer(pid)
    finally:
        for pid in list(children):
            _kill(pid, children)


def _answer(words: object) -> None:
    print(words, flush=True)  # noqa: T201  This is the protocol.


def _lives(pid: int, children: set[int]) -> bool:
    if os.waitpid(pid, os.WNOHANG) == (0, 0):
        return True
    children.remove(pid)
    return False


def _kill(pid: int, children: set[int]) -> None:
    children.remove(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _fork(work: Callable[[], None], settings: Settings) -> int:
    pid = os.fork()
    if pid:
        return pid
    # The child: it may neither read its parent's orders nor write between its answers.
    log = os.open(settings.data_dir / "children.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        work()
    finally:
        os._exit(1)


def _serve(config: uvicorn.Config, listening: socket.socket) -> Callable[[], None]:
    return lambda: uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
