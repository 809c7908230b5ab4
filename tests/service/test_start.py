"""A start of the real server: it prepares itself, answers, and can be lived in for a day."""

import json
import os
import re
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

from service.cli.greeting import greeting
from service.cli.listening import take_address
from service.demo.town import TREASURER
from service.settings import Settings
from tests.service.commanding import jumpa, only_setting

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_setting(monkeypatch, tmp_path / "data")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "service.cli.serving",
            {
                "alembic",
                "geopy",
                "httpx",
                "jwt",
                "mt940",
                "psycopg",
                "pydantic.v1",
                "rich",
                "typer",
                "typst",
                "xlsxwriter",
            },
        ),
        ("service.cli.commands", {"fastapi", "pydantic", "sqlalchemy", "uvicorn"}),
        ("service.cli.listening", {"fastapi", "sqlalchemy", "sqlmodel", "uvicorn"}),
    ],
)
def test_a_start_and_the_help_import_nothing_slow_that_they_can_do_without(
    module: str, unwanted: set[str]
) -> None:
    looking = f"import sys, {module}; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", looking], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert unwanted & set(found.stdout.split()) == set()


def test_who_takes_any_free_port_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPA_PORT", "0")
    with take_address(Settings()) as (settings, calls):
        port = calls.getsockname()[1]
        assert port > 0
        assert f"http://127.0.0.1:{port}/docs" in greeting(settings, has_demo=True)


def test_a_day_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jumpa("migrate").exit_code == 0
    monkeypatch.setenv("JUMPA_PORT", str(_free_port()))
    refused = jumpa("demo", "day")
    assert refused.exit_code == 2
    assert "running, with the demo town?" in refused.output
    assert ".." not in refused.output


@pytest.mark.parametrize(
    ("command", "variable"),
    [("start", "JUMPA_PORT"), ("serve", "JUMPA_PORT"), ("start", "JUMPA_STANDIN_PORT")],
)
def test_a_port_that_is_taken_is_told_before_anything_is_prepared(
    command: str, variable: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUMPA_PORT", str(_free_port()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv(variable, str(taken.getsockname()[1]))
        refused = jumpa(command)
    assert refused.exit_code == 2
    assert f"Set {variable} to a free one" in refused.output
    assert not (folder / "jumpa.db").exists()


def test_a_host_that_is_not_this_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPA_HOST", "192.0.2.1")
    refused = jumpa("start")
    assert refused.exit_code == 2
    assert "can't listen on 192.0.2.1" in refused.output


def test_start_prepares_serves_lives_a_day_and_lets_nobody_else_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with _started(port, folder) as log:
        second = subprocess.run(
            [sys.executable, "-m", "service.cli", "start"], cwd=ROOT, capture_output=True, text=True
        )
        assert second.returncode == 2
        assert "Another server already runs" in second.stderr
        monkeypatch.setenv("JUMPA_PORT", str(port))
        lived = jumpa("demo", "day", "--pickups", "12", "--clients", "3")
        assert lived.exit_code == 0, lived.output
        assert "none failed, and everything adds up" in lived.output
        lost = jumpa("demo", "day", "--data-dir", str(folder / "elsewhere"))
        assert lost.exit_code == 2
        assert "There is no message file" in lost.output
        astray = jumpa("demo", "day", "--data-dir", str(_with_a_code(folder.with_name("other"))))
        assert astray.exit_code == 2
        assert "doesn't fit the server" in astray.output
        assert "--data-dir" in astray.output
        (book,) = re.findall(r"standin, which moves no money: http://(\S+)", log.read_text())
        with urlopen(f"http://{book}") as payouts:
            assert json.load(payouts) == []
    output = log.read_text()
    assert "Demo people of BSI BERSERI Lubuk Pakam" in output
    assert f"{url}/docs" in output
    assert f"JUMPA_PORT={port} JUMPA_DATA_DIR={folder} python3 run.py demo day" in output
    assert "+6281100001001" in output
    assert jumpa("verify").exit_code == 0


def test_a_start_without_the_demo_has_materials_and_no_banks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUMPA_DEMO", "0")
    port = _free_port()
    with (
        _started(port, folder) as log,
        urlopen(f"http://127.0.0.1:{port}/v1/materials") as materials,
        urlopen(f"http://127.0.0.1:{port}/v1/banks?lat=3.5&lon=98.6") as banks,
        urlopen(f"http://127.0.0.1:{port}/openapi.json") as description,
    ):
        assert b"PET-BNG-B" in materials.read()
        assert b'"items":[]' in banks.read()
        assert b'"/v1/payouts"' in description.read()
    assert "Warning" not in log.read_text()


@contextmanager
def _started(port: int, folder: Path) -> Iterator[Path]:
    """A server of its own process that answers, and what it says; stopped at the end."""
    environment = {
        **os.environ,
        "JUMPA_PORT": str(port),
        "JUMPA_DATA_DIR": str(folder),
        "JUMPA_COMMAND": "python3 run.py",
    }
    command = [sys.executable, "-m", "service.cli", "start"]
    log = folder.with_suffix(".log")
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _call_early(port, server, log)
            yield log
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _call_early(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Who calls while the server still loads waits, and is answered."""
    with _connected(port, server) as calling:
        assert log.read_text() == ""
        calling.sendall(b"GET /readyz HTTP/1.1\r\nHost: jumpa\r\nConnection: close\r\n\r\n")
        assert calling.recv(12) == b"HTTP/1.1 200"


def _connected(port: int, server: subprocess.Popen[bytes]) -> socket.socket:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.02)
    pytest.fail("the server never listened")


def _with_a_code(folder: Path) -> Path:
    """A data folder of another server."""
    folder.mkdir()
    message = f'{{"to": "{TREASURER}", "code": "000000"}}\n'
    (folder / "messages.jsonl").write_text(message)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
