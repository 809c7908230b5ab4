"""Messages reach the provider in the form that its documentation asks for, or say why not."""

import dataclasses
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from pydantic import SecretStr

from service.messages import Message, MessageNotSent
from service.messages.whatsapp import WhatsAppMessenger, WhatsAppTemplates

PHONE = "+6281234567890"
CODE = "482913"
TOKEN = "EAAJ-secret-token"
ACCEPTED = json.dumps({"messaging_product": "whatsapp", "messages": [{"id": "wamid.1"}]})

code_message = Message(
    to=PHONE,
    kind="sign_in_code",
    text=f"Kode masuk Anda {CODE}.",
    language="id",
    fields={"code": CODE, "minutes": "5"},
)
receipt = Message(
    to=PHONE,
    kind="pickup_collected",
    text="Terima kasih!\n\nBotol 2,4 kg\tRp7.200",
    language="id",
    fields={"amount": "7200"},
)


@dataclasses.dataclass
class Provider:
    """What the stand-in for the provider was asked, and what it is to answer."""

    url: str = ""
    status: int = 200
    answer: bytes = ACCEPTED.encode()
    delay_s: float = 0.0
    paths: list[str] = dataclasses.field(default_factory=list)
    headers: list[Mapping[str, str]] = dataclasses.field(default_factory=list)
    bodies: list[dict[str, object]] = dataclasses.field(default_factory=list)

    def refuses(self, status: int, code: int = 0) -> None:
        """Answer in the documented shape of an error, indiscreetly."""
        secrets = f"{PHONE} {PHONE[1:]} {CODE} {TOKEN}"
        error = {
            "message": f"(#{code}) {secrets}",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": secrets},
            "error_subcode": 2494055,
            "fbtrace_id": TOKEN,
        }
        self.status, self.answer = status, json.dumps({"error": error}).encode()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(provider))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


def handler_for(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            provider.paths.append(self.path)
            provider.headers.append(dict(self.headers))
            provider.bodies.append(json.loads(body))
            self.send_response(provider.status)
            self.send_header("Content-Length", str(len(provider.answer)))
            self.end_headers()
            time.sleep(provider.delay_s)
            self.wfile.write(provider.answer)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler


def messenger_to(
    provider: Provider, *, client: httpx.AsyncClient | None = None, timeout_s: float = 10.0
) -> WhatsAppMessenger:
    templates = WhatsAppTemplates(
        code="kode_masuk",
        notices={"pickup_collected": "setoran"},
        languages={"id": "id", "en": "en_US"},
    )
    token = SecretStr(TOKEN)
    return WhatsAppMessenger(provider.url, "1059", token, templates, client, timeout_s)


async def send(provider: Provider, message: Message, timeout_s: float = 10.0) -> None:
    messenger = messenger_to(provider, timeout_s=timeout_s)
    try:
        await messenger.send(message)
    finally:
        await messenger.close()


async def refusal(provider: Provider, timeout_s: float = 10.0) -> MessageNotSent:
    with pytest.raises(MessageNotSent) as failure:
        await send(provider, code_message, timeout_s)
    says_nothing_of_the_person(failure.value)
    return failure.value


def says_nothing_of_the_person(error: MessageNotSent) -> None:
    assert error.__suppress_context__ or error.__context__ is None
    for secret in (PHONE[1:], CODE, TOKEN):
        assert secret not in repr(error)


async def test_a_code_goes_by_the_authentication_template(provider: Provider) -> None:
    await send(provider, code_message)
    assert provider.paths == ["/v25.0/1059/messages"]
    assert provider.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert provider.headers[0]["Content-Type"] == "application/json"
    [body] = provider.bodies
    template = body.pop("template")
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "6281234567890",
        "type": "template",
    }
    parameters = [{"type": "text", "text": CODE}]
    assert template == {
        "name": "kode_masuk",
        "language": {"code": "id"},
        "components": [
            {"type": "body", "parameters": parameters},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters},
        ],
    }


async def test_a_notice_goes_by_the_template_of_its_kind_in_one_line(provider: Provider) -> None:
    await send(provider, receipt)
    parameters = [{"type": "text", "text": "Terima kasih! Botol 2,4 kg Rp7.200"}]
    assert provider.bodies[0]["template"] == {
        "name": "setoran",
        "language": {"code": "id"},
        "components": [{"type": "body", "parameters": parameters}],
    }


async def test_a_kind_without_its_own_template_goes_by_the_common_one(provider: Provider) -> None:
    async with httpx.AsyncClient() as client:
        messenger = messenger_to(provider, client=client)
        messenger.templates = WhatsAppTemplates(code="kode_masuk", notice="kabar")
        await messenger.send(receipt)
    assert "'name': 'kabar'" in str(provider.bodies[0])


async def test_a_language_becomes_the_approved_one(provider: Provider) -> None:
    await send(provider, Message(PHONE, "pickup_collected", "Thank you!", "en"))
    assert "'language': {'code': 'en_US'}" in str(provider.bodies[0])


async def test_a_kind_without_a_template_is_not_sent(provider: Provider) -> None:
    with pytest.raises(MessageNotSent, match="No template is set for payout_paid") as failure:
        await send(provider, Message(PHONE, "payout_paid", "Rp50.000", "id"))
    assert not failure.value.retry
    assert provider.paths == []


@pytest.mark.parametrize(
    ("status", "code", "retry"),
    [
        (401, 190, False),
        (400, 100, False),
        (400, 131026, False),
        (404, 132001, False),
        (403, 368, False),
        (400, 4, True),
        (400, 80007, True),
        (400, 130429, True),
        (400, 131048, True),
        (400, 131056, True),
        (429, 130429, True),
        (500, 131000, True),
        (503, 131016, True),
    ],
)
async def test_the_provider_says_whether_to_try_again(
    provider: Provider, status: int, code: int, retry: bool
) -> None:
    provider.refuses(status, code)
    error = await refusal(provider)
    assert error.retry is retry
    assert str(error) == f"WhatsApp answered {status} (code {code}, subcode 2494055)"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\xff\xfe{", b"[]", b'{"error": "no"}', b"{}"])
@pytest.mark.parametrize(("status", "retry"), [(200, True), (400, False), (502, True)])
async def test_a_garbled_answer_is_not_taken_for_sent(
    provider: Provider, answer: bytes, status: int, retry: bool
) -> None:
    provider.status, provider.answer = status, answer
    assert (await refusal(provider)).retry is retry


async def test_silence_ends_at_the_time_limit(provider: Provider) -> None:
    provider.delay_s = 0.5
    error = await refusal(provider, timeout_s=0.1)
    assert error.retry
    assert str(error) == "WhatsApp could not be reached: TimeoutError"


async def test_nobody_listening_may_be_tried_again(provider: Provider) -> None:
    provider.url = "http://127.0.0.1:1"
    error = await refusal(provider)
    assert error.retry
    assert str(error) == "WhatsApp could not be reached: ConnectError"


async def test_a_lent_client_stays_open(provider: Provider) -> None:
    async with httpx.AsyncClient() as client:
        messenger = messenger_to(provider, client=client)
        await messenger.close()
        await messenger.send(code_message)
    assert len(provider.paths) == 1


async def test_logs_and_reprs_hold_neither_code_nor_token_nor_phone(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient() as client:
        messenger = messenger_to(provider, client=client)
        await messenger.send(code_message)
    shown = f"{caplog.text} {code_message!r} {messenger!r}"
    assert "/v25.0/1059/messages" in shown
    for secret in (PHONE[1:], CODE, TOKEN):
        assert secret not in shown
