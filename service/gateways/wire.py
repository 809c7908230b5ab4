"""One question to a gateway and its answer, and whether anything was sent if there is none."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from service.gateways import GatewayNotReached
from service.gateways.reading import as_object, json_in

CutAtOnce = AttributeError
"""What anyio stumbles over when a connection is lost in the moment it is made."""


class NotSent(Exception):
    """Nobody was reached: not a byte of the question was sent."""


class NotAnswered(Exception):
    """The question may have been heard, and done."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of a gateway, whatever it says."""

    status: int
    body: object
    retry_after_s: float | None

    @property
    def fields(self) -> Mapping[str, object]:
        """The body, if it is an object."""
        return as_object(self.body)

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Wire:
    """Asks one gateway; `timeout_s` seconds are for a whole question with its answer."""

    client: httpx.AsyncClient
    url: str
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        query: Mapping[str, str] | None = None,
    ) -> Heard:
        """Raises NotSent or NotAnswered, whose words hold no secret and no person."""
        request = self.client.build_request(
            method,
            f"{self.url}{path}",
            headers={**self.headers, **(headers or {})},
            json=body,
            params=query,
            timeout=httpx.Timeout(None, connect=self.timeout_s / 2, pool=self.timeout_s / 2),
        )
        try:
            # Over the whole exchange: httpx would begin anew with every piece that arrives.
            async with asyncio.timeout(self.timeout_s):
                answer = await self.client.send(
                    request, auth=httpx.BasicAuth(key, ""), follow_redirects=False
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(type(error).__name__) from None
        except (httpx.HTTPError, TimeoutError, CutAtOnce) as error:
            raise NotAnswered(type(error).__name__) from None
        return Heard(answer.status_code, json_in(answer.content), _retry_after_s(answer))

    async def read(self, path: str, *, key: str, query: Mapping[str, str] | None = None) -> Heard:
        """GET what can be read at any time. Raises GatewayNotReached unless it was answered."""
        try:
            heard = await self.ask("GET", path, key=key, query=query)
        except (NotSent, NotAnswered) as error:
            raise GatewayNotReached(str(error)) from None
        if heard.status == 429 or heard.status >= 500:
            raise GatewayNotReached(f"It answered {heard.status}.")
        return heard


def _retry_after_s(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    # A date is allowed as well; then the caller's own back-off has to do.
    return float(text) if text.isdecimal() and len(text) < 7 else None


class _WithoutQuery(logging.Filter):
    """A query may hold an account number, and httpx logs whole addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                one.copy_with(query=None) if isinstance(one, httpx.URL) else one
                for one in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())
