"""The phones of the demo notice every answer that a careful client would complain about."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import httpx
import pytest

from service.demo import phones
from service.demo.codes import CodeFile, NoCodeFound
from service.demo.phones import CallFailed, CodeRefused, Network, Phone

PROBLEM = {"type": "/problems/balance_too_low", "detail": "The balance is too low.", "status": 409}


class Server:
    """Answers as it is told to, and remembers what was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response], *, lasts_s: int) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer
        self._lasts_s = lasts_s

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.startswith("/v1/auth"):
            token = str(len(self.asked))
            tokens = {"access_token": token, "refresh_token": token, "expires_in_s": self._lasts_s}
            return httpx.Response(200, json=tokens)
        return self._answer(request)

    def bodies(self, path: str) -> list[dict[str, str]]:
        return [json.loads(one.content) for one in self.asked if one.url.path == path]


async def read_code(_number: str) -> str:
    return "123456"


def phone_at(
    answer: Callable[[httpx.Request], httpx.Response], *, lasts_s: int = 900
) -> tuple[Phone, Network, Server]:
    server = Server(answer, lasts_s=lasts_s)
    http = httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://jumpa")
    network = Network(http, read_code, Random(1))
    return Phone(network, "+6281100001001"), network, server


@pytest.fixture
def always_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "_REPEATS", 1.0)


async def test_a_phone_signs_in_once_and_refreshes_when_its_token_runs_out() -> None:
    phone, _, server = phone_at(lambda _: httpx.Response(200, json={}))
    await phone.get("x", "/v1/me")
    await phone.get("x", "/v1/me")
    assert [list(body) for body in server.bodies("/v1/auth/tokens")] == [["phone", "code"]]

    phone, _, server = phone_at(lambda _: httpx.Response(200, json={}), lasts_s=60)
    await phone.get("x", "/v1/me")
    await phone.get("x", "/v1/me")
    exchanged = server.bodies("/v1/auth/tokens")
    assert [list(body) for body in exchanged] == [["phone", "code"], ["refresh_token"]]
    assert server.asked[-1].headers["Authorization"] == f"Bearer {len(server.asked) - 1}"


async def test_every_change_has_a_key_of_its_own() -> None:
    phone, _, server = phone_at(lambda _: httpx.Response(201, json={}))
    await phone.post("x", "/v1/pickups", {})
    await phone.post("x", "/v1/pickups", {})
    first, second = (one for one in server.asked if one.url.path == "/v1/pickups")
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


async def test_a_problem_is_a_failure_unless_it_was_to_be_expected() -> None:
    phone, network, _ = phone_at(lambda _: httpx.Response(409, json=PROBLEM))
    answer = await phone.post("pay", "/v1/payouts", {}, allow=("balance_too_low",))
    assert answer.problem == "balance_too_low"
    assert network.calls.failures == []
    with pytest.raises(CallFailed):
        await phone.post("pay", "/v1/payouts", {})
    (failure,) = network.calls.failures
    assert (failure.call, failure.what) == ("pay", "409 balance_too_low")


async def test_a_code_that_does_not_fit_is_told_apart_and_in_english() -> None:
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == "/v1/auth/codes":
            return httpx.Response(202, json={})
        return httpx.Response(401, json={"type": "/problems/wrong_code", "detail": "Wrong."})

    http = httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url="http://jumpa")
    network = Network(http, read_code, Random(1))
    with pytest.raises(CodeRefused):
        await Phone(network, "+6281100001001").sign_in()
    assert [failure.what for failure in network.calls.failures] == ["401 wrong_code"]
    assert {request.headers["Accept-Language"] for request in asked} == {"en"}


async def test_no_answer_at_all_is_a_failure() -> None:
    def broken(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    phone, network, _ = phone_at(broken)
    with pytest.raises(CallFailed):
        await phone.get("x", "/v1/me")
    assert network.calls.failures[0].what == "no answer, ConnectError"


@pytest.mark.usefixtures("always_repeats")
async def test_a_repeat_has_the_same_key_and_must_be_answered_the_same() -> None:
    seen: list[str] = []

    def once(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Idempotency-Key"])
        replayed = {"Idempotency-Replayed": "true"} if len(seen) > 1 else {}
        return httpx.Response(201, json={"id": 1}, headers=replayed)

    phone, network, _ = phone_at(once)
    await phone.post("list", "/v1/pickups", {})
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert network.calls.failures == []


@pytest.mark.usefixtures("always_repeats")
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Replayed": "true"}])
async def test_a_repeat_that_did_something_again_is_a_failure(headers: dict[str, str]) -> None:
    ids = iter(range(9))
    is_same = not headers

    def again(_request: httpx.Request) -> httpx.Response:
        body = {"id": 1 if is_same else next(ids)}
        return httpx.Response(201, json=body, headers=headers)

    phone, network, _ = phone_at(again)
    await phone.post("list", "/v1/pickups", {})
    assert [failure.call for failure in network.calls.failures] == ["list"]


async def test_codes_are_read_on_from_where_the_last_reading_ended(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    codes = CodeFile(path)
    with pytest.raises(NoCodeFound):
        await codes("+62811")
    path.write_text('{"to": "+62811", "code": "111111"}\n{"to": "+62812", "kind": "notice"}\n')
    assert await codes("+62811") == "111111"
    with path.open("a") as file:
        file.write('{"to": "+62811", "code": "222222"}\n{"to": "+62811", "co')
    assert await codes("+62811") == "222222"
    with path.open("a") as file:
        file.write('de": "333333"}\n')
    assert await codes("+62811") == "333333"
    with pytest.raises(NoCodeFound):
        await codes("+62812")
