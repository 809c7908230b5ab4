"""A network that loses requests and answers at random: every payout is paid once, or not yet."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import cast

import httpx
import pytest

from service.gateways import Gateway, Missing, Order, Refused, Reported, Stage
from service.gateways.coverage import Kind
from tests.service.gateways.standing import SETTLES_S, House, adapter, house, known, order

PAYOUTS = 30
ROUNDS = 60


class Lossy(httpx.AsyncBaseTransport):
    """Loses every third request or answer, and says so as a network does: not very clearly."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._own = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        luck = self._random.random()
        if luck < 0.1:
            raise httpx.ConnectError("")
        if luck < 0.2:
            raise httpx.ReadError("")
        answer = await self._own.handle_async_request(request)
        if luck < 0.35:
            await answer.aread()
            raise httpx.RemoteProtocolError("")
        return answer

    async def aclose(self) -> None:
        await self._own.aclose()


@pytest.fixture(scope="module", params=["xendit", "iris"])
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    kind = cast(Kind, request.param)
    with house(kind, tmp_path_factory.mktemp(kind)) as running:
        yield running


async def pay(gateway: Gateway, payout: Order, random: Random) -> Order:
    """Until it is taken; now and then whoever sends forgets what it was told, as if killed."""
    for _ in range(ROUNDS):
        said: object = await gateway.send(payout)
        if random.random() < 0.2:
            continue
        payout = known(payout, said)
        while not isinstance(said, Refused | Reported | Missing):
            said = await gateway.find(payout)
        if isinstance(said, Reported):
            return known(payout, said)
    raise AssertionError("It is never taken.")


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_paid_twice_and_nothing_is_stuck(there: House, seed: int) -> None:
    random = Random(seed)
    lossy = httpx.AsyncClient(transport=Lossy(random))
    gateway = adapter(there.kind, there.url, lossy)
    endings = ("4321", "0005", "0006", "0009", "0010")
    payouts = [order(random.choice(endings)) for _ in range(PAYOUTS)]

    taken = await asyncio.gather(*(pay(gateway, payout, random) for payout in payouts))
    there.advance(SETTLES_S)

    told = there.http.get("/standin/payouts").json()
    paid = Counter(one["key"] for one in told if one["status"] in ("SUCCEEDED", "completed"))
    assert [paid[payout.key] for payout in payouts] == [1] * PAYOUTS
    for payout in taken:
        found = await gateway.find(payout)
        while not isinstance(found, Reported):
            found = await gateway.find(payout)
        assert found.stage is Stage.PAID
        assert found.gateway_id == payout.gateway_id
    await gateway.close()
