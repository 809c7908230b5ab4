"""The processes that are measured: the product's server, PostgreSQL, and their CPU time."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import postgresql

_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """The URL of a new database that forces every commit to disk."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'jumpa.db'}"
        return
    with postgresql.server(fsync=True) as url:
        if url is None:
            raise SystemExit("There is no PostgreSQL to measure on.")
        yield url


@contextmanager
def product(url: str, folder: Path) -> Iterator[tuple[str, int]]:
    """The product with its demo town on a port of its own: its address and process id."""
    with server(url, folder, {"JUMPA_DEMO": "1"}) as running:
        yield running


@contextmanager
def as_deployed(url: str, folder: Path, more: Mapping[str, str]) -> Iterator[tuple[str, list[int]]]:
    """The product as docs/deploy.md has it: on PostgreSQL its worker is a process of its own.

    Its address, and its processes.
    """
    if url.startswith("sqlite"):
        with server(url, folder, more) as (address, pid):
            yield address, [pid]
        return
    apart = {**more, "JUMPA_WORKER": "apart"}
    with server(url, folder, apart) as (address, pid), _worker(url, folder, apart) as working:
        yield address, [pid, working]


@contextmanager
def _worker(url: str, folder: Path, more: Mapping[str, str]) -> Iterator[int]:
    environment = {**os.environ, "JUMPA_DATABASE_URL": url, "JUMPA_DATA_DIR": str(folder), **more}
    command = [sys.executable, "-m", "service.cli", "worker"]
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()  # It says that it works.
        try:
            yield process.pid
        finally:
            process.terminate()


@contextmanager
def server(url: str, folder: Path, more: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The product with these settings on a port of its own: its address and process id."""
    port = _free_port()
    environment = {
        **os.environ,
        "JUMPA_DATABASE_URL": url,
        "JUMPA_DATA_DIR": str(folder),
        "JUMPA_PORT": str(port),
        "JUMPA_RATE_PERSON": "0",
        **more,
    }
    command = [sys.executable, "-m", "service.cli", "start"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)  # noqa: S603
    try:
        address = f"http://127.0.0.1:{port}"
        _await_answer(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(*pids: int) -> float:
    """CPU time of these processes and of those that they started, ended ones included."""
    return sum(_own_seconds(pid) + cpu_seconds(*_children(pid)) for pid in pids)


def postmaster(url: str) -> list[int]:
    """The process id of the PostgreSQL server behind a URL with a socket folder; none on SQLite."""
    if not url.startswith("postgresql") or "host=/" not in url:
        return []
    folder = Path(url.split("host=")[1].split("&")[0])
    return [int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])]


def _own_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in found.split()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await_answer(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("The server ended before it answered; see server.log.")
        try:
            httpx.get(f"{address}/readyz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not answer within a minute.")
