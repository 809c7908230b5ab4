"""Messages over the WhatsApp Cloud API, by approved templates."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from service.messages import SIGN_IN_CODE, Message, MessageNotSent

# Too many calls, or too many messages: the provider's own words are "try again later".
THROTTLED = frozenset({4, 80007, 130429, 131048, 131056})


@dataclass(frozen=True)
class WhatsAppTemplates:
    """The names under which the provider approved our templates.

    `code` is of category AUTHENTICATION. `notice`, or the one that `notices` has for a kind of
    message, is of category UTILITY and has one body parameter, the text. `languages` turns our
    codes into the approved ones.
    """

    code: str
    notice: str = ""
    notices: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=lambda: {"id": "id", "en": "en"})


@dataclass
class WhatsAppMessenger:
    """Sends approved templates through the WhatsApp Cloud API."""

    base_url: str
    phone_number_id: str
    token: SecretStr
    templates: WhatsAppTemplates
    client: httpx.AsyncClient | None = field(default=None, repr=False)
    timeout_s: float = 10.0
    version: str = "v25.0"

    def __post_init__(self) -> None:
        self._url = f"{self.base_url.rstrip('/')}/{self.version}/{self.phone_number_id}/messages"
        self._client = self.client or httpx.AsyncClient()

    async def send(self, message: Message) -> None:
        """Hand the message to the provider, which says at once only that it was accepted."""
        answer = await self._post({**_envelope(message), "template": self._template(message)})
        if not answer.is_success:
            raise _refusal(answer)
        if not _was_accepted(answer):
            raise MessageNotSent("WhatsApp answered in no known form.", retry=True)

    async def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self.client is None:
            await self._client.aclose()

    async def _post(self, body: Mapping[str, object]) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        try:
            # Over the whole exchange: httpx would begin anew with every piece that arrives.
            async with asyncio.timeout(self.timeout_s):
                return await self._client.post(self._url, json=body, headers=bearer, timeout=None)
        except (httpx.HTTPError, TimeoutError) as error:
            # The error's words and its request stay out of the log: `from None`.
            why = f"WhatsApp could not be reached: {type(error).__name__}"
            raise MessageNotSent(why, retry=True) from None

    def _template(self, message: Message) -> Mapping[str, object]:
        name, components = self._filled(message)
        language = self.templates.languages.get(message.language, message.language)
        return {"name": name, "language": {"code": language}, "components": components}

    def _filled(self, message: Message) -> tuple[str, list[object]]:
        if message.kind == SIGN_IN_CODE:
            code = message.fields["code"]
            return self.templates.code, [_body(code), _copy_button(code)]
        name = self.templates.notices.get(message.kind, self.templates.notice)
        if not name:
            raise MessageNotSent(f"No template is set for {message.kind}.", retry=False)
        # The provider refuses line breaks, tabs and runs of spaces in a parameter.
        return name, [_body(" ".join(message.text.split()))]


def _envelope(message: Message) -> Mapping[str, object]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to.removeprefix("+"),
        "type": "template",
    }


def _body(text: str) -> Mapping[str, object]:
    return {"type": "body", "parameters": [{"type": "text", "text": text}]}


def _copy_button(code: str) -> Mapping[str, object]:
    # Copy-code buttons of this category are sent as URL buttons.
    parameters = [{"type": "text", "text": code}]
    return {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters}


def _was_accepted(answer: httpx.Response) -> bool:
    messages = _object(answer).get("messages")
    return isinstance(messages, list) and bool(messages)


def _refusal(answer: httpx.Response) -> MessageNotSent:
    error = _object(answer).get("error")
    error = error if isinstance(error, dict) else {}
    # Numbers only: the provider's words may repeat what was sent.
    code, subcode = (
        value if isinstance(value := error.get(key), int) else None
        for key in ("code", "error_subcode")
    )
    retry = code in THROTTLED or answer.status_code == 429 or answer.is_server_error
    why = f"WhatsApp answered {answer.status_code} (code {code}, subcode {subcode})"
    return MessageNotSent(why, retry=retry)


def _object(answer: httpx.Response) -> Mapping[str, object]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
