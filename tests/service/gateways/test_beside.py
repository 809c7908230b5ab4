"""The stand-in as a process: it survives being killed, and never outlives its owner."""

import asyncio
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
from uuid import uuid4

import pytest

from service.gateways import Gateway, GatewayNotReached, Order, Reported, Stage
from service.gateways.accounts import read_accounts
from service.gateways.beside import gateway_beside
from tests.service.commanding import jumpa
from tests.service.gateways.standing import adapter, known, order

ROOT = Path(__file__).parents[3]
_PATIENCE_S = 30


async def test_it_serves_every_bank_and_ends_with_the_block(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    began = time.perf_counter()
    async with gateway_beside(tmp_path, "", after_s=0) as gateways:
        assert time.perf_counter() - began < 0.5
        [gateway] = gateways.of(uuid4())
        assert gateway is gateways.named("standin")
        payout = order()
        said = await gateway.send(payout)
        assert isinstance(said, Reported)
        port = gateways.opened[0].account.url.port
        assert children_of(os.getpid()) - before
    assert (tmp_path / "gateway" / "gateway.db").exists()
    assert children_of(os.getpid()) == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    async with gateway_beside(tmp_path, "", after_s=0) as gateways:
        found = await gateways.of(uuid4())[0].find(known(payout, said))
        assert isinstance(found, Reported)


async def test_a_block_that_ends_at_once_starts_no_process(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    async with gateway_beside(tmp_path, "") as gateways:
        assert gateways.names == ["standin"]
    assert children_of(os.getpid()) == before
    assert not (tmp_path / "gateway").exists()


def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path], cwd=ROOT, stdout=-1, text=True
    )
    assert owner.stdout is not None
    with owner, owner.stdout:
        assert owner.stdout.readline() == "up\n"
        [child] = children_of(owner.pid)
        owner.send_signal(signal.SIGKILL)
    until = time.monotonic() + _PATIENCE_S
    while Path(f"/proc/{child}").exists() and not is_zombie(child):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_without_a_word_it_does_not_begin() -> None:
    command = [sys.executable, "-m", "service.standin"]
    ended = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


OWNER = """
import asyncio, sys
from pathlib import Path
from uuid import uuid4
from service.gateways.beside import gateway_beside

async def run():
    async with gateway_beside(Path(sys.argv[1]), "", after_s=0) as gateways:
        await gateways.of(uuid4())[0].balance_idr()
        print("up", flush=True)
        await asyncio.sleep(60)

asyncio.run(run())
"""


async def test_what_was_taken_survives_a_kill(tmp_path: Path) -> None:
    with started(tmp_path) as (process, url):
        gateway = adapter("xendit", url)
        payout = order()
        said = await patiently(gateway, payout)
        process.kill()
        process.wait()
        with pytest.raises(GatewayNotReached):
            await gateway.balance_idr()
        await gateway.close()
    with started(tmp_path) as (_, url):
        gateway = adapter("xendit", url)
        assert await patiently(gateway, payout) == said
        found = await gateway.find(payout)
        assert isinstance(found, Reported)
        assert found.stage is Stage.SENT
        await gateway.close()


def test_the_command_says_what_belongs_into_the_file(tmp_path: Path) -> None:
    with started(tmp_path, "iris") as (_, url):
        toml = tmp_path / "gateways.toml"
        toml.write_text(GREETINGS[url])
        [account] = read_accounts(toml)
        assert account.kind == "iris"
        assert account.base_url == f"{url}/iris/api/v1"


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    refused = jumpa("gateway-standin", "--callback", "localhost:8000", "--data-dir", str(tmp_path))
    assert refused.exit_code == 2
    assert "has to begin with http" in refused.output


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = jumpa("gateway-standin", "--port", port, "--data-dir", str(tmp_path))
    assert refused.exit_code == 2
    assert "Choose another" in refused.output


GREETINGS: dict[str, str] = {}


@contextmanager
def started(folder: Path, kind: str = "xendit") -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command in a process of its own, and where it listens."""
    words = ("--gateway", kind, "--port", "0", "--data-dir", str(folder), "--settle-after-s", "600")
    command = [sys.executable, "-m", "service.cli", "gateway-standin", *words]
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "JUMPA_STANDIN_KEY": "xnd_development_key-of-tests",
        "JUMPA_STANDIN_CALLBACK_SECRET": "callback-secret-of-tests",
    }
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=-1, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Its clock"):
            line = process.stdout.readline()
            assert line, "It ended."
            lines.append(line)
        url = re.findall(r"http://127\.0\.0\.1:\d+", lines[-1])[0]
        GREETINGS[url] = "".join(line for line in lines if line.startswith("  "))
        try:
            yield process, url
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


async def patiently(gateway: Gateway, payout: Order) -> Reported:
    """Send, to a server that may still be on its way up."""
    for _ in range(200):
        said = await gateway.send(payout)
        if isinstance(said, Reported):
            return said
        await asyncio.sleep(0.05)
    raise AssertionError("It doesn't come up.")


def children_of(pid: int) -> set[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(one) for one in path.read_text().split()}


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
