"""How often one caller and one address may ask, counted in this process or in Redis.

Limits keep a service up and are no door: what a store can't tell is let through by the counts
of this process, and a store that fails is left alone for a while.
"""

import asyncio
import logging
import time
from collections import Counter
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.errors import TooManyRequests, answer_of
from service.auth.addresses import household_of
from service.settings import Settings

if TYPE_CHECKING:
    from limits.aio.strategies import RateLimiter
    from redis.asyncio import ConnectionPool

log = logging.getLogger(__name__)

WINDOW_S = 60
LEFT_ALONE_S = 10.0
_LONGEST_WAIT_S = 0.25


class Counts:
    """Counts of this process: those of the running window, and nothing older.

    The store that `limits` has for this looks at every key at every request.
    """

    def __init__(self) -> None:
        self._window = 0
        self._counts: Counter[str] = Counter()

    def take(self, key: str, most: int, now: float) -> bool:
        """Count one more; whether it is still among so many."""
        window = int(now // WINDOW_S)
        if window != self._window:
            self._window, self._counts = window, Counter()
        self._counts[key] += 1
        return self._counts[key] <= most


class Rates:
    """So many requests a minute of one person, and of one address; 0 is no limit."""

    def __init__(self, settings: Settings) -> None:
        url = settings.rate_store.get_secret_value() if settings.rate_store else ""
        self._store = "" if url == "memory://" else url
        self._of_person, self._of_address = settings.rate_person, settings.rate_address
        self._counts = Counts()
        self._pool: ConnectionPool | None = None
        self._shared: RateLimiter | None = None
        self._alone_until = 0.0

    async def take_person(self, person_id: UUID) -> None:
        """Count a request of somebody who is signed in. Raises TooManyRequests."""
        await self._take(f"person:{person_id.hex}", self._of_person)

    async def take_address(self, host: str) -> None:
        """Count a request from an address. Raises TooManyRequests."""
        if self._of_address and (key := network_of(host)) is not None:
            await self._take(f"address:{key}", self._of_address)

    async def close(self) -> None:
        """Let go of the store."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _take(self, key: str, most: int) -> None:
        now = time.time()
        if most and not await self._may(key, most, now):
            raise TooManyRequests(retry_after_s=WINDOW_S - int(now) % WINDOW_S)

    async def _may(self, key: str, most: int, now: float) -> bool:
        if self._store and now >= self._alone_until:
            try:
                return await self._may_by_store(key, most)
            except Exception as error:
                self._alone_until = now + LEFT_ALONE_S
                log.warning("rate_store_unavailable %s", type(error).__name__)
        return self._counts.take(key, most, now)

    async def _may_by_store(self, key: str, most: int) -> bool:
        # Slow to import, and a start without Redis does without.
        from limits import RateLimitItemPerMinute  # noqa: PLC0415

        if self._shared is None:
            from redis.asyncio import ConnectionPool  # noqa: PLC0415

            self._pool = ConnectionPool.from_url(self._store)
            self._shared = _limiter(self._pool)
        async with asyncio.timeout(_LONGEST_WAIT_S):
            return await self._shared.hit(RateLimitItemPerMinute(most, 1, "jumpa"), key)


class AddressRates:
    """Plain ASGI: counts an address before anything of its request is looked at."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            try:
                await self._rates.take_address(scope["client"][0])
            except TooManyRequests as problem:
                await answer_of(Request(scope), problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


@lru_cache(maxsize=10_000)
def network_of(host: str) -> str | None:
    """What counts as one address: of IPv6 the network of a household. None for this machine.

    From here come proxies that don't say for whom they ask, and who tries things out.
    """
    household = household_of(host)
    try:
        is_here = ip_network(household).is_loopback or ip_address(host).is_loopback
    except ValueError:
        return None
    return None if is_here else household


def _limiter(pool: Any) -> "RateLimiter":
    from limits.aio.strategies import FixedWindowRateLimiter  # noqa: PLC0415
    from limits.storage import storage_from_string  # noqa: PLC0415

    # The pool knows the way, so that it can be closed; what stands here is never connected to.
    store: Any = storage_from_string(
        "async+redis://", implementation="redispy", connection_pool=pool
    )
    return FixedWindowRateLimiter(store)
