"""Commands that stay: the server, and the worker beside it."""

import asyncio
import gc
import os
import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import NamedTuple

import uvicorn
from sqlmodel import select

from models.bank import Bank
from models.material import Material
from service import observing
from service.api.streams import Streams
from service.app import create_app, only_server, open_parts
from service.app import work as work_until
from service.cli.greeting import greeting
from service.cli.ground import (
    lacking_in,
    make_data_folder,
    require_schema,
    with_standin_port,
)
from service.cli.refusals import Refused
from service.database import schema
from service.demo import town
from service.settings import Settings

_DID_NOT_START = 3
_YIELDS = 10
"""Of what a processor has for a server on the same machine this leaves a worker a tenth."""
_MADE_BETWEEN_LOOKS = 10_000
"""So many more objects are made than went before the youngest are looked through."""


class _Held(NamedTuple):
    """What a database holds already."""

    materials: bool
    banks: bool
    demo: bool


def start(settings: Settings, calls: socket.socket) -> None:
    """Prepare what is missing, say where to look, answer who calls on this socket."""
    make_data_folder(settings)
    with only_server(settings):
        settings = with_standin_port(settings)
        has_demo = _prepare(settings)
    _say(greeting(settings, has_demo=has_demo))
    _serve(settings, calls)


def serve(settings: Settings, calls: socket.socket) -> None:
    """Answer who calls on this socket, from a database that is ready."""
    make_data_folder(settings)
    # The server would find out as well, but in the middle of a traceback.
    with only_server(settings):
        settings = with_standin_port(settings)
        require_schema(settings)
    _serve(settings, calls)


def work() -> None:
    """Work until told to stop."""
    settings = Settings()
    if settings.is_sqlite:
        raise Refused("On SQLite the server does this work itself; there is no worker to start.")
    require_schema(settings)
    # Somebody waits for each answer of the server, and for a notice nobody so soon.
    os.nice(_YIELDS)
    asyncio.run(_work(settings))


def _serve(settings: Settings, calls: socket.socket) -> None:
    _log(settings)
    app = create_app(settings)
    _look_for_garbage()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
    )
    server = _Server(config, app.state.streams)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[calls])
    if not server.started:
        raise SystemExit(_DID_NOT_START)


class _Server(uvicorn.Server):
    """Ends the streams when it is told to stop, for it waits until every answer is given."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._streams.stopping.set()
        super().handle_exit(sig, frame)


def _log(settings: Settings) -> None:
    observing.configure("json" if settings.writes_json else "text")


async def _work(settings: Settings) -> None:
    _log(settings)
    stop = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    _look_for_garbage()
    async with open_parts(settings) as parts:
        _say("Working. Stop it with Ctrl-C.")
        await work_until(parts, stop)


def _look_for_garbage() -> None:
    """From now on, in what is made from now on: all that is there by now stays."""
    gc.freeze()
    # A request leaves next to nothing that goes only by being looked for.
    gc.set_threshold(_MADE_BETWEEN_LOOKS)
    gc.enable()


def _say(line: str) -> None:
    # Not Typer's, which a start does without.
    print(line, flush=True)  # noqa: T201


def _prepare(settings: Settings) -> bool:
    """Migrate and fill a database that needs it, most don't; whether the demo is in it."""
    lacking = lacking_in(settings)
    if lacking:
        _say(f"Preparing the database, for {'; '.join(lacking)} ...")
        schema.upgrade(settings.database)
    held = _held(settings)
    wants_demo = not held.demo and _is_demo_wanted(settings, held)
    if wants_demo or not held.materials:
        from service.cli import upkeep  # noqa: PLC0415  A first start only.

        asyncio.run(upkeep.fill(settings, with_demo=wants_demo))
    return held.demo or wants_demo


def _is_demo_wanted(settings: Settings, held: _Held) -> bool:
    """As it was said; unsaid, a database for trying out gets it before it has banks."""
    if settings.demo is None:
        return settings.environment == "development" and not held.banks
    return settings.demo


def _held(settings: Settings) -> _Held:
    engine = schema.sync_engine(settings.database)
    try:
        with engine.connect() as connection:
            material = connection.execute(select(Material.code).limit(1)).first()
            bank = connection.execute(select(Bank.id).limit(1)).first()
            demo = connection.execute(select(Bank.id).where(Bank.id == town.BANKS[0].id)).first()
    finally:
        engine.dispose()
    return _Held(material is not None, bank is not None, demo is not None)
