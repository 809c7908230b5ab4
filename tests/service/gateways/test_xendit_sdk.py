"""Xendit's own Python package as a judge: of what our adapter sends, and of our stand-in."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import xendit
from xendit.apis import BalanceApi, PayoutApi
from xendit.payout.model import (
    ChannelCategory,
    CreatePayoutRequest,
    DigitalPayoutChannelProperties,
)

from service.gateways import GatewayNotReached, Order, Reported
from service.gateways.reading import as_object
from tests.service.gateways.standing import KEY, SETTLES_S, House, adapter, house, order

COMPARED = ("authorization", "idempotency-key", "content-type", "for-user-id")
SUB_ACCOUNT = "5f1a2b3c4d5e6f7a8b9c0d1e"


MADE = {
    "id": "disb-1",
    "status": "ACCEPTED",
    "business_id": "5dbf20d7c8eb0c0896f811b6",
    "created": "2026-11-28T10:00:00.000Z",
    "updated": "2026-11-28T10:00:00.000Z",
}
FOUND: Mapping[str, object] = {
    "/v2/payouts": {"data": [], "has_more": False},
    "/payouts_channels": [],
    "/balance": {"balance": 1_000},
}


@dataclass
class Recorder:
    """Notes every request, and answers as if it were done."""

    url: str = ""
    asked: list[tuple[object, ...]] = field(default_factory=list)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as running:
        yield running


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house("xendit", tmp_path_factory.mktemp("xendit")) as running:
        yield running


def sdk(url: str) -> xendit.ApiClient:
    return xendit.ApiClient(xendit.Configuration(host=url, api_key=KEY))


def create(url: str, payout: Order, **more: object) -> Any:
    """The payout as somebody who uses the package would ask for it."""
    asked = CreatePayoutRequest(
        reference_id=payout.key,
        channel_code="ID_BCA",
        channel_properties=DigitalPayoutChannelProperties(
            account_holder_name=payout.account_holder_name,
            account_number=payout.account_number,
        ),
        amount=float(payout.amount_idr),
        currency="IDR",
        description=payout.description,
    )
    return PayoutApi(sdk(url)).create_payout(
        idempotency_key=payout.key, create_payout_request=asked, **more
    )


@pytest.mark.parametrize("sub_account", ["", SUB_ACCOUNT])
async def test_the_same_payout_is_the_same_request(recorder: Recorder, sub_account: str) -> None:
    payout = order()
    ours = adapter("xendit", recorder.url, sub_account=sub_account)
    assert isinstance(await ours.send(payout), Reported)
    await ours.find(payout)
    await ours.close()
    user = {"for_user_id": sub_account} if sub_account else {}

    await asyncio.to_thread(create, recorder.url, payout, **user)
    search = PayoutApi(sdk(recorder.url)).get_payouts
    await asyncio.to_thread(search, reference_id=payout.key, **user)

    send, find, their_send, their_find = recorder.asked
    assert send == their_send
    assert find == their_find
    assert send[:3] == ("POST", "/v2/payouts", [])


async def test_the_same_questions_are_the_same_requests(recorder: Recorder) -> None:
    ours = adapter("xendit", recorder.url)
    with suppress(GatewayNotReached):
        await ours.channels()
    assert await ours.balance_idr() == 1_000
    await ours.close()

    channels = PayoutApi(sdk(recorder.url)).get_payout_channels
    balance = BalanceApi(sdk(recorder.url)).get_balance
    await asyncio.to_thread(channels, currency="IDR")
    await asyncio.to_thread(balance, currency="IDR", account_type="CASH")

    assert len(recorder.asked) == 4
    assert recorder.asked[:2] == recorder.asked[2:]


async def test_the_package_understands_the_stand_in(there: House) -> None:
    payouts = PayoutApi(sdk(there.url))
    payout = order("0001")
    made = await asyncio.to_thread(create, there.url, payout)
    assert (made.status, made.amount, made.reference_id) == ("ACCEPTED", 50_000, payout.key)
    assert made.channel_properties.account_number == payout.account_number

    again = await asyncio.to_thread(create, there.url, payout)
    assert again.id == made.id
    there.advance(SETTLES_S)
    got = await asyncio.to_thread(payouts.get_payout_by_id, made.id)
    assert (got.status, got.failure_code) == ("FAILED", "INVALID_DESTINATION")
    found = await asyncio.to_thread(payouts.get_payouts, reference_id=payout.key)
    assert [one.id for one in found.data] == [made.id]
    assert found.has_more is False


async def test_the_package_cancels_what_stays_accepted(there: House) -> None:
    payouts = PayoutApi(sdk(there.url))
    made = await asyncio.to_thread(create, there.url, with_account("131313"))
    there.advance(30 * SETTLES_S)
    ended = await asyncio.to_thread(payouts.cancel_payout, made.id)
    assert ended.status == "CANCELLED"
    with pytest.raises(xendit.XenditSdkException) as refused:
        await asyncio.to_thread(payouts.cancel_payout, made.id)
    assert refused.value.errorCode == "REQUEST_FORBIDDEN_ERROR"


async def test_the_package_understands_channels_balance_and_errors(there: House) -> None:
    payouts = PayoutApi(sdk(there.url))
    wallets = await asyncio.to_thread(
        payouts.get_payout_channels, currency="IDR", channel_category=[ChannelCategory("EWALLET")]
    )
    assert {one.channel_code for one in wallets} >= {"ID_DANA", "ID_GOPAY"}
    assert {str(one.channel_category) for one in wallets} == {"EWALLET"}
    balance = await asyncio.to_thread(BalanceApi(sdk(there.url)).get_balance)
    assert balance.balance > 0
    with pytest.raises(xendit.XenditSdkException) as refused:
        await asyncio.to_thread(create, there.url, with_account("123"))
    assert refused.value.errorCode == "RECIPIENT_ACCOUNT_NUMBER_ERROR"
    payout = order()
    await settle_ours(there, payout)
    with pytest.raises(xendit.XenditSdkException) as refused:
        await asyncio.to_thread(create, there.url, payout)
    assert refused.value.errorCode == "DUPLICATE_ERROR"


def with_account(number: str) -> Order:
    payout = order()
    return Order(payout.key, "BCA", number, "Siti", 10_000, "Pencairan")


async def settle_ours(there: House, payout: Order) -> None:
    """Under its key, with another description than the package would send."""
    gateway = adapter("xendit", there.url)
    said = await gateway.send(Order(payout.key, "BCA", payout.account_number, "Siti", 10_000, "x"))
    assert isinstance(said, Reported)
    await gateway.close()


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(recorder))
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield recorder
    server.shutdown()
    thread.join()
    server.server_close()


def _handler_for(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._note(json.loads(body))
            self._answer(MADE | dict(as_object(json.loads(body))))

        def do_GET(self) -> None:
            self._note(None)
            self._answer(FOUND[urlsplit(self.path).path])

        def _note(self, body: object) -> None:
            parts = urlsplit(self.path)
            headers = {name: self.headers[name] for name in COMPARED if name in self.headers}
            # A GET has no body, and whether it names a type for none says nothing.
            if body is None:
                headers.pop("content-type", None)
            query = sorted(parse_qsl(parts.query))
            recorder.asked.append((self.command, parts.path, query, headers, body))

        def _answer(self, body: object) -> None:
            answer = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler
