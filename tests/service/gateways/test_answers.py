"""Whatever a gateway answers or calls back, an adapter never falls over it."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gateways import (
    Gateway,
    GatewayNotReached,
    Missing,
    NotGenuine,
    Notice,
    NotReadable,
    Refused,
    Reported,
    Stage,
    Unknown,
)
from service.gateways.accounts import IrisAccount, XenditAccount
from service.gateways.coverage import Kind
from service.gateways.iris import IrisGateway
from service.gateways.stages import XENDIT_REFUSALS
from service.gateways.wire import CutAtOnce
from service.gateways.xendit import XenditGateway
from tests.service.gateways.standing import CALLBACK_SECRET, order

KINDS: tuple[Kind, ...] = ("xendit", "iris")
Handler = Callable[[httpx.Request], httpx.Response]

BASE = {"callback_secret": CALLBACK_SECRET, "banks": "*", "fee_idr": 2_500}
XENDIT = XenditAccount.model_validate(
    {**BASE, "name": "xendit", "kind": "xendit", "secret_key": "secret-key"}
)
IRIS = IrisAccount.model_validate(
    {**BASE, "name": "iris", "kind": "iris"}
    | {"creator_key": "creator-key", "approver_key": "approver-key"}
)


def answering(kind: Kind, handler: Handler) -> Gateway:
    """An adapter whose gateway answers as it is told to."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return XenditGateway(XENDIT, client) if kind == "xendit" else IrisGateway(IRIS, client)


def always(status: int, content: bytes | str, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, content=content, headers=headers)


def basic(key: str) -> str:
    return f"Basic {b64encode(f'{key}:'.encode()).decode()}"


PAYOUT = order()
KNOWN = replace(PAYOUT, gateway_id="disb-1")
OLD = replace(PAYOUT, first_sent_at=datetime.now(UTC) - timedelta(days=2))
GOOD: Mapping[str, Any] = {
    "id": "disb-1",
    "reference_id": PAYOUT.key,
    "amount": 50_000,
    "status": "ACCEPTED",
    "reference_no": "disb-1",
}

# Beside what is no JSON at all: documented shapes with one thing in them that isn't.
odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())
shapes = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.just(value) | odd for name, value in GOOD.items()},
        "error_code": st.sampled_from(["DUPLICATE_ERROR", "SERVER_ERROR"]) | odd,
        "error_message": odd,
        "errors": odd,
        "payouts": odd | st.lists(st.just(dict(GOOD)) | odd),
        "data": odd | st.lists(st.just(dict(GOOD)) | odd),
    },
)
bodies = st.binary(max_size=60) | (shapes | odd).map(lambda one: json.dumps(one).encode())
statuses = st.sampled_from([200, 201, 204, 301, 307, 400, 401, 403, 404, 409, 418, 422, 429, 500])


@pytest.mark.parametrize("kind", KINDS)
@given(statuses, bodies)
async def test_any_answer_is_an_answer_of_ours(kind: Kind, status: int, body: bytes) -> None:
    gateway = answering(kind, always(status, body))
    said = await gateway.send(PAYOUT)
    assert isinstance(said, Reported | Refused | Unknown)
    if isinstance(said, Refused):
        assert status in (400, 401, 403, 429)
    found = await gateway.find(KNOWN)
    assert isinstance(found, Reported | Missing | Unknown)
    assert isinstance(await gateway.find(OLD), Missing | Reported | Unknown)
    if status >= 300:
        assert not isinstance(found, Reported | Missing)
    for asking in (gateway.channels, gateway.balance_idr):
        with suppress(GatewayNotReached):
            await asking()
    await gateway.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [400, 402, 404, 409, 422, 500, 502, 503, 301])
async def test_what_is_not_documented_is_unknown(kind: Kind, status: int) -> None:
    body = json.dumps({"error_code": "SOMETHING_NEW", "error_message": "Something new"})
    gateway = answering(kind, always(status, body, location="https://elsewhere.test/"))
    assert isinstance(await gateway.send(PAYOUT), Unknown)
    await gateway.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_is_sent_elsewhere(kind: Kind) -> None:
    asked: list[httpx.URL] = []

    def send_on(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(307, headers={"location": "https://elsewhere.test/"})

    gateway = answering(kind, send_on)
    assert isinstance(await gateway.send(PAYOUT), Unknown)
    assert len(asked) == 1
    await gateway.close()


@pytest.mark.parametrize("code", sorted(XENDIT_REFUSALS))
async def test_what_xendit_will_never_take(code: str) -> None:
    gateway = answering("xendit", always(400, json.dumps({"error_code": code})))
    assert await gateway.send(PAYOUT) == Refused(code, try_again=False)
    await gateway.close()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "INSUFFICIENT_BALANCE", Refused("INSUFFICIENT_BALANCE", True, float_empty=True)),
        (403, "REQUEST_FORBIDDEN_ERROR", Refused("REQUEST_FORBIDDEN_ERROR", True)),
        (429, "RATE_LIMIT_EXCEEDED", Refused("RATE_LIMIT_EXCEEDED", True, retry_after_s=7.0)),
        (409, "DUPLICATE_ERROR", Unknown("It answered 409 DUPLICATE_ERROR")),
        (500, "SERVER_ERROR", Unknown("It answered 500 SERVER_ERROR")),
        (500, "RECIPIENT_AMOUNT_ERROR", Unknown("It answered 500 RECIPIENT_AMOUNT_ERROR")),
    ],
)
async def test_what_xendit_refuses_for_now_or_says_badly(
    status: int, code: str, said: Refused | Unknown
) -> None:
    body = json.dumps({"error_code": code})
    gateway = answering("xendit", always(status, body, **{"retry-after": "7"}))
    assert await gateway.send(PAYOUT) == said
    await gateway.close()


@pytest.mark.parametrize("changed", [{"amount": 50_001}, {"reference_id": "x"}, {"status": "NEW"}])
async def test_another_payout_is_not_taken_for_ours(changed: Mapping[str, object]) -> None:
    body = dict(GOOD) | dict(changed)
    gateway = answering("xendit", always(200, json.dumps(body)))
    assert isinstance(await gateway.send(PAYOUT), Unknown)
    for data in ([body], [GOOD, GOOD]):
        search = answering("xendit", always(200, json.dumps({"data": data})))
        assert isinstance(await search.find(PAYOUT), Unknown)
        await search.close()
    await gateway.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "broken",
    [httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadTimeout, CutAtOnce],
)
async def test_a_connection_that_is_lost_later_is_unknown(
    kind: Kind, broken: type[Exception]
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise broken(f"{PAYOUT.account_number} secret-key")

    gateway = answering(kind, fail)
    assert await gateway.send(PAYOUT) == Unknown(broken.__name__)
    assert await gateway.find(KNOWN) == Unknown(broken.__name__, "disb-1" if kind == "iris" else "")
    await gateway.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("broken", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_nothing_was_sent_where_nobody_was_reached(
    kind: Kind, broken: type[httpx.TransportError]
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise broken("")

    gateway = answering(kind, fail)
    assert await gateway.send(PAYOUT) == Refused(broken.__name__, try_again=True)
    await gateway.close()


@pytest.mark.parametrize("broken", [httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])
async def test_an_approval_that_is_lost_names_what_was_created(
    broken: type[httpx.TransportError],
) -> None:
    def fail_to_approve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("approve"):
            raise broken("")
        return httpx.Response(201, json={"payouts": [{"status": "queued", "reference_no": "r1"}]})

    gateway = answering("iris", fail_to_approve)
    assert await gateway.send(PAYOUT) == Unknown(broken.__name__, "r1")
    await gateway.close()


def genuine(kind: Kind, body: bytes) -> Mapping[str, str]:
    """The headers of a callback that the gateway itself sent."""
    if kind == "xendit":
        return {"x-callback-token": CALLBACK_SECRET}
    return {"iris-signature": hashlib.sha512(body + CALLBACK_SECRET.encode()).hexdigest()}


@pytest.fixture(scope="module")
def readers() -> Mapping[Kind, Gateway]:
    return {kind: answering(kind, always(500, "")) for kind in KINDS}


callbacks = bodies | st.builds(
    lambda event, data: json.dumps({"event": event, "data": data}).encode(),
    st.just("payout.succeeded") | odd,
    shapes | odd,
)


@pytest.mark.parametrize("kind", KINDS)
@given(body=callbacks)
def test_any_genuine_callback_is_read_or_refused(
    kind: Kind, readers: Mapping[Kind, Gateway], body: bytes
) -> None:
    try:
        notice = readers[kind].read_callback(genuine(kind, body), body)
    except NotReadable:
        return
    assert isinstance(notice, Notice)
    assert notice.gateway_id == notice.report.gateway_id != ""
    f"{notice.key}{notice.gateway_id}{notice.report.failure}".encode("ascii")


header_values = st.text(max_size=140) | st.sampled_from(["", CALLBACK_SECRET[:-1]])


@pytest.mark.parametrize("kind", KINDS)
@given(
    body=callbacks,
    value=header_values,
    name=st.sampled_from(["x-callback-token", "iris-signature", ""]),
)
def test_any_other_callback_is_not_genuine(
    kind: Kind, readers: Mapping[Kind, Gateway], body: bytes, value: str, name: str
) -> None:
    with pytest.raises(NotGenuine):
        readers[kind].read_callback({name: value}, body)


@pytest.mark.parametrize(
    ("code", "stage", "again", "empty"),
    [
        ("001", Stage.FAILED, False, False),
        ("005", Stage.SENT, False, False),
        ("006", Stage.SENT, False, False),
        ("007", Stage.SENT, False, False),
        ("009", Stage.FAILED, True, False),
        ("016", Stage.FAILED, True, True),
        ("018", Stage.FAILED, True, False),
        ("026", Stage.FAILED, False, False),
    ],
)
def test_what_a_failure_of_iris_means(
    readers: Mapping[Kind, Gateway], code: str, stage: Stage, *, again: bool, empty: bool
) -> None:
    told = {"reference_no": "ref1", "amount": "10000.00", "status": "failed", "error_code": code}
    body = json.dumps(told).encode()
    notice = readers["iris"].read_callback(genuine("iris", body), body)
    report = Reported(stage, "ref1", code, try_again=again, float_empty=empty)
    assert notice == Notice("", "ref1", 10_000, report)


def test_a_paid_one_that_came_back_to_iris_failed_without_a_code(
    readers: Mapping[Kind, Gateway],
) -> None:
    body = b'{"reference_no": "ref1", "amount": "10000.00", "status": "failed"}'
    notice = readers["iris"].read_callback(genuine("iris", body), body)
    assert notice == Notice("", "ref1", 10_000, Reported(Stage.FAILED, "ref1", "failed"))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"status": "failed"}, Unknown("It failed, and only a callback says why.", "disb-1")),
        ({"status": "rejected"}, Reported(Stage.FAILED, "disb-1", "rejected")),
        ({"status": "completed"}, Reported(Stage.PAID, "disb-1")),
        ({"status": "new"}, Unknown("Its status can't be read.", "disb-1")),
        ({"amount": "50001.00"}, Unknown("It tells of another payout.", "disb-1")),
    ],
)
async def test_what_iris_says_when_it_is_asked(
    told: Mapping[str, str], said: Reported | Unknown
) -> None:
    body = {"reference_no": "disb-1", "amount": "50000.00", "status": "failed", **told}
    gateway = answering("iris", always(200, json.dumps(body)))
    assert await gateway.find(KNOWN) == said
    await gateway.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Maintenance</html>",
        "[]",
        "{}",
        '{"beneficiary_banks": []}',
        '{"beneficiary_banks": {"code": "bca"}}',
        '[{"channel_code": "ID_BCA"}]',
        '{"beneficiary_banks": [{"code": "bank_of_nowhere"}]}',
    ],
)
async def test_an_answer_without_channels_is_no_list_of_them(kind: Kind, body: str) -> None:
    """Taken for one, it would take every way to pay from a waste bank."""
    gateway = answering(kind, always(200, body))
    with pytest.raises(GatewayNotReached, match="no channel"):
        await gateway.channels()
    await gateway.close()


async def test_a_request_has_what_each_gateway_asks_for() -> None:
    asked: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        is_approval = request.url.path.endswith("approve")
        made = {"payouts": [{"status": "queued", "reference_no": "ref1"}]}
        return httpx.Response(202, json={"status": "ok"} if is_approval else made)

    payout = replace(PAYOUT, channel_code="GOPAY", account_number="+62 812-3450-0001")
    iris = answering("iris", note)
    assert await iris.send(payout) == Reported(Stage.SENT, "ref1")
    create, approve = asked
    assert create.url == "https://app.midtrans.com/iris/api/v1/payouts"
    assert create.headers["X-Idempotency-Key"] == payout.key
    assert create.headers["Authorization"] == basic("creator-key")
    assert json.loads(create.content) == {
        "payouts": [
            {
                "beneficiary_name": "Siti Nur aini",
                "beneficiary_account": "081234500001",
                "beneficiary_bank": "gopay",
                "amount": "50000.00",
                "notes": f"Pencairan bank sampah {payout.key.replace('-', '')}",
            }
        ]
    }
    assert approve.url == "https://app.midtrans.com/iris/api/v1/payouts/approve"
    assert approve.headers["Authorization"] == basic("approver-key")
    assert json.loads(approve.content) == {"reference_nos": ["ref1"]}
    await iris.close()
