"""Phones that talk to a server as the product's clients do, and note how each call went."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from time import monotonic, perf_counter
from typing import Any
from uuid import uuid4

import httpx

ReadCode = Callable[[str], Awaitable[str]]
"""What a person does to sign in: read the newest code that was sent to a number."""

_REPEATS = 0.03
"""The share of calls that a bad network sends twice."""
_REFRESH_BEFORE_S = 60.0
REPEAT = "the same again"


class CallFailed(Exception):
    """A call was answered with something unexpected; it is noted already."""


class CodeRefused(CallFailed):
    """The newest code that can be read is not the one that this server sent."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One call that went wrong: how, in a few words, and what was said of it."""

    call: str
    what: str
    detail: str = ""


@dataclass
class Calls:
    """How long each kind of call took in milliseconds, and which failed."""

    times_ms: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[Failure] = field(default_factory=list)

    def fail(self, call: str, what: str, detail: str = "") -> CallFailed:
        """Note a failure; the error to raise."""
        self.failures.append(Failure(call, what, detail))
        return CallFailed(f"{call}: {what} {detail}".strip())


@dataclass
class Network:
    """The way to the server that all phones share."""

    http: httpx.AsyncClient
    read_code: ReadCode
    random: Random
    calls: Calls = field(default_factory=Calls)

    async def send(self, call: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and note how long the answer took. Raises CallFailed without one."""
        # What goes wrong is told in one language, whatever the person's own is.
        headers = {"Accept-Language": "en", **options.pop("headers", {})}
        started = perf_counter()
        try:
            response = await self.http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise self.calls.fail(call, f"no answer, {type(error).__name__}", str(error)) from error
        self.calls.times_ms[call].append((perf_counter() - started) * 1000)
        return response


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a success, or the slug of a problem that was to be expected."""

    body: dict[str, Any]
    problem: str = ""


class Phone:
    """One person's phone: it signs in when first used, and keeps its tokens fresh."""

    def __init__(self, network: Network, number: str) -> None:
        self.number = number
        self._network = network
        self._tokens: dict[str, Any] = {}
        self._stale_at = 0.0
        self._signing_in = asyncio.Lock()

    async def get(self, call: str, path: str, **query: Any) -> dict[str, Any]:
        """Read something. Raises CallFailed."""
        response = await self._network.send(
            call, "GET", path, params=query, headers=await self._headers()
        )
        return self._answer(call, response, ()).body

    async def post(
        self,
        call: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        allow: tuple[str, ...] = (),
    ) -> Answer:
        """Change something, under a key of its own; `allow` names problems to be expected.

        Raises CallFailed.
        """
        headers = {**await self._headers(), "Idempotency-Key": str(uuid4())}
        options: dict[str, Any] = {"json": body, "headers": headers}
        response = await self._network.send(call, "POST", path, **options)
        answer = self._answer(call, response, allow)
        is_kept = response.is_success or response.status_code == 409
        if is_kept and self._network.random.random() < _REPEATS:
            await self._repeat(call, path, options, response)
        return answer

    async def sign_in(self) -> None:
        """Have tokens that last a while: by a code at first, then by the refresh token."""
        async with self._signing_in:
            if not self._tokens:
                await self._exchange({"phone": self.number, "code": await self._ask_for_code()})
            elif monotonic() >= self._stale_at:
                await self._exchange({"refresh_token": self._tokens["refresh_token"]})

    async def _headers(self) -> dict[str, str]:
        if monotonic() >= self._stale_at:
            await self.sign_in()
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    async def _ask_for_code(self) -> str:
        call = "ask for a code"
        path = "/v1/auth/codes"
        response = await self._network.send(call, "POST", path, json={"phone": self.number})
        self._answer(call, response, ())
        return await self._network.read_code(self.number)

    async def _exchange(self, proof: dict[str, str]) -> None:
        call = "sign in" if "code" in proof else "refresh tokens"
        response = await self._network.send(call, "POST", "/v1/auth/tokens", json=proof)
        answer = self._answer(call, response, ("wrong_code",))
        if answer.problem:
            what = f"{response.status_code} {answer.problem}"
            raise CodeRefused(*self._network.calls.fail(call, what, _detail_of(response)).args)
        self._tokens = answer.body
        self._stale_at = monotonic() + self._tokens["expires_in_s"] - _REFRESH_BEFORE_S

    def _answer(self, call: str, response: httpx.Response, allow: tuple[str, ...]) -> Answer:
        if response.is_success:
            return Answer(response.json())
        problem = _problem_of(response)
        if problem in allow:
            return Answer({}, problem)
        what = f"{response.status_code} {problem}".strip()
        raise self._network.calls.fail(call, what, _detail_of(response))

    async def _repeat(
        self, call: str, path: str, options: dict[str, Any], first: httpx.Response
    ) -> None:
        """The first answer got lost on its way, so to say: the repeat must bring it again."""
        again = await self._network.send(REPEAT, "POST", path, **options)
        is_same = (again.status_code, again.text) == (first.status_code, first.text)
        if not is_same or again.headers.get("Idempotency-Replayed") != "true":
            what = f"another answer to a repeat, {again.status_code} for {first.status_code}"
            self._network.calls.fail(call, what, again.text)


def _problem_of(response: httpx.Response) -> str:
    return str(_body_of(response).get("type", "")).rsplit("/", 1)[-1]


def _detail_of(response: httpx.Response) -> str:
    """What a problem says of the whole and of each field."""
    body = _body_of(response)
    fields = [f"{field['pointer']}: {field['detail']}" for field in body.get("errors", ())]
    return " ".join([str(body.get("detail", response.text[:200])), *fields])


def _body_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
