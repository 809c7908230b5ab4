"""A stand-in on a port of its own, somebody who hears its callbacks, and an adapter to it."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from models.base import new_id
from service.gateways import Gateway, Missing, NotGenuine, Notice, Order, Reported, Unknown
from service.gateways.accounts import IrisAccount, XenditAccount
from service.gateways.coverage import Kind
from service.gateways.iris import IrisGateway
from service.gateways.xendit import XenditGateway
from service.standin.app import create_standin
from service.standin.options import Options

SETTLES_S = 60.0
CALLBACK_SECRET = "callback-secret-of-tests"
KEY, APPROVER_KEY = "xnd_development_key-of-tests", "IRIS-approver-of-tests"

_PATIENCE_S = 10
_people = count(100_000)

Told = tuple[dict[str, str], bytes]


@dataclass
class Listener:
    """Hears callbacks; answers 500 to as many as it is told to."""

    url: str = ""
    deaf: int = 0
    heard: list[Told] = field(default_factory=list)

    def of(self, order: Order) -> list[Told]:
        """What was said of a payout, by either of its names."""
        names = [order.key.encode(), (order.gateway_id or order.key).encode()]
        return [told for told in list(self.heard) if any(name in told[1] for name in names)]


@dataclass
class House:
    """A running stand-in."""

    kind: Kind
    url: str
    listener: Listener
    http: httpx.Client

    def advance(self, seconds: float) -> None:
        self.http.post("/standin/clock", json={"advance_s": seconds}).raise_for_status()

    def do(self, what: str, **wanted: object) -> None:
        self.http.post(f"/standin/{what}", json=wanted).raise_for_status()

    def payouts(self, order: Order) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.http.get("/standin/payouts").json()
        return [one for one in told if one["key"] == order.key]

    def calls(self, order: Order, wanted: int) -> list[Told]:
        """At least so many callbacks about a payout."""
        until = time.monotonic() + _PATIENCE_S
        while len(found := self.listener.of(order)) < wanted and time.monotonic() < until:
            time.sleep(0.01)
        return found


def order(scenario: str = "4321", amount_idr: int = 50_000, channel: str = "BCA") -> Order:
    """A payout to an account of its own, about to be sent for the first time."""
    number = f"{next(_people)}{scenario}"
    return Order(
        key=str(new_id()),
        channel_code=channel,
        account_number=f"+628{number}" if channel == "GOPAY" else number,
        account_holder_name="Siti Nur’aini",
        amount_idr=amount_idr,
        description="Pencairan bank sampah",
        first_sent_at=datetime.now(UTC),
    )


def known(order: Order, said: object) -> Order:
    """The order with what the gateway calls it, as the sender keeps it."""
    gateway_id = said.gateway_id if isinstance(said, Reported | Unknown | Notice) else ""
    return replace(order, gateway_id=gateway_id or order.gateway_id)


async def settle(gateway: Gateway, order: Order, rounds: int = 8) -> tuple[Order, Reported]:
    """Send as whoever keeps the rules does: ask before anything is sent again."""
    said: object = await gateway.send(order)
    for _ in range(rounds):
        order = known(order, said)
        if isinstance(said, Reported):
            return order, said
        if isinstance(said, Missing):
            assert said.may_send
            said = await gateway.send(order)
        else:
            said = await gateway.find(order)
    raise AssertionError(f"It is stuck at {said}.")


def read(gateway: Gateway, told: Told) -> Notice | None:
    """A callback as the adapter reads it; None if it isn't genuine."""
    try:
        return gateway.read_callback(*told)
    except NotGenuine:
        return None


def adapter(kind: Kind, url: str, client: httpx.AsyncClient | None = None, **more: Any) -> Gateway:
    """An adapter to whatever listens at an address."""
    client = client or httpx.AsyncClient()
    common: dict[str, Any] = {
        "name": kind,
        "kind": kind,
        "callback_secret": SecretStr(CALLBACK_SECRET),
        "banks": "*",
        "fee_idr": 2_500,
        "timeout_s": 5,
    }
    if kind == "xendit":
        facts = {"url": url, "secret_key": SecretStr(KEY), **common, **more}
        return XenditGateway(XenditAccount.model_validate(facts), client)
    keys = {"creator_key": SecretStr(KEY), "approver_key": SecretStr(APPROVER_KEY)}
    facts = {"url": f"{url}/iris/api/v1", **keys, **common, **more}
    return IrisGateway(IrisAccount.model_validate(facts), client)


@contextmanager
def house(kind: Kind, data_dir: Path, *, settles_s: float = SETTLES_S) -> Iterator[House]:
    """A stand-in that ends with the block."""
    with listening() as listener:
        options = Options(
            gateway=kind,
            data_dir=data_dir,
            callback_url=listener.url,
            key=KEY,
            approver_key=APPROVER_KEY,
            callback_secret=CALLBACK_SECRET,
            settle_after_s=settles_s,
            float_idr=1_000_000_000,
        )
        with serving(options) as url, httpx.Client(base_url=url) as http:
            yield House(kind, url, listener, http)


@contextmanager
def serving(options: Options) -> Iterator[str]:
    """The address of a stand-in that runs in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening_on:
        port = listening_on.getsockname()[1]
        config = uvicorn.Config(
            partial(create_standin, options), factory=True, log_level="warning", ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening_on]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def listening() -> Iterator[Listener]:
    """Somebody who hears callbacks until the block ends."""
    listener = Listener()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(listener))
    listener.url = f"http://127.0.0.1:{server.server_port}/callbacks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_for(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers: Mapping[str, str] = {
                name.lower(): value for name, value in self.headers.items()
            }
            listener.heard.append((dict(headers), body))
            is_deaf, listener.deaf = listener.deaf > 0, max(0, listener.deaf - 1)
            self.send_response(500 if is_deaf else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler
