"""A start of the real server: it prepares itself, answers, and can be lived in for a day."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.service.commanding import jumpa, only_setting

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_setting(monkeypatch, tmp_path / "data")


def test_a_day_without_a_server_is_refused() -> None:
    assert jumpa("migrate").exit_code == 0
    refused = jumpa("demo", "day", "--url", f"http://127.0.0.1:{_free_port()}")
    assert refused.exit_code == 2
    assert "running, with the demo town?" in refused.output


def test_start_prepares_serves_lives_a_day_and_lets_nobody_else_in(folder: Path) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with _started(port, folder) as log:
        second = subprocess.run(
            [sys.executable, "-m", "service.cli", "serve"], cwd=ROOT, capture_output=True, text=True
        )
        assert second.returncode == 2
        assert "Another server already runs" in second.stderr
        lived = jumpa("demo", "day", "--url", url, "--pickups", "12", "--clients", "3")
        assert lived.exit_code == 0, lived.output
        assert "none failed, and everything adds up" in lived.output
        lost = jumpa("demo", "day", "--url", url, "--data-dir", str(folder / "elsewhere"))
        assert lost.exit_code == 2
        assert "There is no message file" in lost.output
    output = log.read_text()
    assert "Demo people of BSI BERSERI Lubuk Pakam" in output
    assert f"{url}/docs" in output
    assert "+6281100001001" in output
    assert jumpa("verify").exit_code == 0


def test_a_start_without_the_demo_has_materials_and_no_banks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUMPA_DEMO", "0")
    port = _free_port()
    with (
        _started(port, folder),
        urlopen(f"http://127.0.0.1:{port}/v1/materials") as materials,
        urlopen(f"http://127.0.0.1:{port}/v1/banks?lat=3.5&lon=98.6") as banks,
    ):
        assert b"PET-BNG-B" in materials.read()
        assert b'"items":[]' in banks.read()


@contextmanager
def _started(port: int, folder: Path) -> Iterator[Path]:
    """A server of its own process that answers, and what it says; stopped at the end."""
    environment = {**os.environ, "JUMPA_PORT": str(port), "JUMPA_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "service.cli", "start"]
    log = folder.with_suffix(".log")
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603  Our own server.
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _await_answer(f"http://127.0.0.1:{port}/readyz", server)
            yield log
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _await_answer(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            urlopen(url).close()  # noqa: S310  Our own server.
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server never answered")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
