"""Somebody who tells a server how payouts ended, so many a second, and takes the time."""

import asyncio
import json
import time
from collections.abc import Sequence

import httpx

from bench.support.paying import TOKEN, Payer
from models.payout import Payout, PayoutStatus

_PATH = "/v1/gateways/xendit/callbacks"
_LOOKED_AT = 10
"""One of so many is looked at as soon as it was answered: to look costs about what it costs the
server to answer."""


class Caller:
    """Plays the gateway: each payout is told to be paid, once."""

    def __init__(self, payer: Payer, address: str, payouts: Sequence[Payout]) -> None:
        self._payer = payer
        self._address = address
        self._left = list(payouts)
        self._told: list[Payout] = []

    async def tell(self, count: int, per_s: int) -> list[float]:
        """Seconds from each callback to its 204, by when its payout has to be paid.

        They leave at even distances, whether those before were answered or not.
        """
        limits = httpx.Limits(max_connections=64, keepalive_expiry=2)
        async with httpx.AsyncClient(base_url=self._address, timeout=60, limits=limits) as http:
            began, calls = time.perf_counter(), []
            for number in range(min(count, len(self._left))):
                await asyncio.sleep(max(0.0, began + number / per_s - time.perf_counter()))
                payout = self._left.pop()
                self._told.append(payout)
                looks = number % _LOOKED_AT == 0
                calls.append(asyncio.create_task(self._tell(http, payout, looks=looks)))
            return list(await asyncio.gather(*calls))

    async def expect_paid(self) -> None:
        """All that were told of, also those that weren't looked at meanwhile."""
        for payout in self._told:
            await self._expect_paid(payout)

    async def _tell(self, http: httpx.AsyncClient, payout: Payout, *, looks: bool) -> float:
        body, headers = _body(payout), {"x-callback-token": TOKEN}
        began = time.perf_counter()
        try:
            answer = await http.post(_PATH, content=body, headers=headers)
        except httpx.ReadError:
            # An idle connection that the server let go of just then; gateways repeat as well.
            answer = await http.post(_PATH, content=body, headers=headers)
        waited = time.perf_counter() - began
        if answer.status_code != 204:
            raise SystemExit(f"A callback was answered {answer.status_code}: {answer.text}")
        if looks:
            await self._expect_paid(payout)
        return waited

    async def _expect_paid(self, payout: Payout) -> None:
        if await self._payer.status(payout) != PayoutStatus.PAID:
            raise SystemExit(f"{payout.key} isn't paid though its callback was answered.")


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent don't exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _body(payout: Payout) -> bytes:
    data = {
        "id": payout.gateway_id,
        "reference_id": payout.key,
        "amount": payout.send_idr,
        "currency": "IDR",
        "status": "SUCCEEDED",
    }
    return json.dumps({"event": "payout.succeeded", "data": data}).encode()
