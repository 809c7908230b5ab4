"""The processes of a day that is about to go wrong: one server, and a worker on PostgreSQL."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.database import schema

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60


class Processes:
    """What the forker runs for us; every process is named by its id, and none but ours ends."""

    def __init__(self, forker: asyncio.subprocess.Process, port: int, url: str) -> None:
        self._forker = forker
        self._pids: dict[str, int] = {}
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.url = url
        self.roles = ["server"] if url.startswith("sqlite") else ["server", "worker"]
        self.restarts_s: list[float] = []

    async def start(self, role: str) -> None:
        self._pids[role] = int(await self._order(role))

    async def kill(self, role: str) -> None:
        """SIGKILL, and the process is gone."""
        await self.supervise()
        await self._order(f"kill {self._pids.pop(role)}")

    async def ready(self) -> None:
        """The server that was started last answers; how long that took is noted."""
        began = time.perf_counter()
        async with httpx.AsyncClient(base_url=self.address, timeout=3) as http:
            while not await _is_ready(http):
                if time.perf_counter() - began > _PATIENCE_S:
                    raise TimeoutError("The server does not come back.")
                await self.supervise()
        self.restarts_s.append(time.perf_counter() - began)

    async def supervise(self) -> None:
        """Start again what ended by itself, as whoever runs the product has it done: a server
        that starts while PostgreSQL recovers finds no database, says so and ends."""
        for role, pid in list(self._pids.items()):
            if await self._order(f"lives {pid}") == "no":
                await self.start(role)

    async def kill_backend(self) -> None:
        """SIGKILL one backend of our own PostgreSQL, whose postmaster then ends all of them."""
        for _ in range(2_000):
            pid = _a_backend(self.url)
            # It may have ended by itself since, as all of them do when one was killed.
            with suppress(FileNotFoundError, ProcessLookupError):
                if pid is not None and _parent_of(pid) == _postmaster(self.url):
                    os.kill(pid, signal.SIGKILL)
                    return
            await asyncio.sleep(0.01)
        raise TimeoutError("Nobody connects to PostgreSQL.")

    async def _order(self, words: str) -> str:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        self._forker.stdin.write(f"{words}\n".encode())
        await self._forker.stdin.drain()
        answer = await asyncio.wait_for(self._forker.stdout.readline(), 30)
        if not answer:
            raise RuntimeError("The forker is gone.")
        return answer.decode().strip()


@asynccontextmanager
async def processes(
    url: str, folder: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[Processes]:
    """A forker for this database, with more settings if there are any; whatever it runs ends
    with the block."""
    environment = {
        **os.environ,
        "JUMPA_DATABASE_URL": url,
        "JUMPA_DATA_DIR": str(folder),
        "JUMPA_RATE_PERSON": "0",
        "JUMPA_WORKER": "inside" if url.startswith("sqlite") else "apart",
        **(more or {}),
    }
    forker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.crash.forker",
        cwd=_ROOT,
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert forker.stdin is not None
    assert forker.stdout is not None
    try:
        port = int(await asyncio.wait_for(forker.stdout.readline(), 60))
        yield Processes(forker, port, url)
    finally:
        forker.stdin.close()
        await asyncio.wait_for(forker.wait(), 30)


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        answer = await http.get("/readyz")
    except httpx.TransportError:
        return False
    if answer.status_code != 200:
        await asyncio.sleep(0.01)
    return answer.status_code == 200


def _a_backend(url: str) -> int | None:
    """The process id of one connection of the server or the worker; None if nobody is connected,
    or PostgreSQL still recovers from the last such kill."""
    engine = schema.sync_engine(url)
    try:
        with engine.connect() as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            found = connection.execute(text(f"{query} AND pid <> pg_backend_pid() LIMIT 1"))
            return found.scalar()
    except OperationalError:
        return None
    finally:
        engine.dispose()


def _postmaster(url: str) -> int:
    folder = Path(url.split("host=")[1])
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
