"""How tests sign in by phone."""

import json
from dataclasses import replace
from typing import Any

import httpx

from service.api.dependencies import Parts
from service.app import create_app
from service.settings import Settings
from tests.api.asking import Asking, done

CODES, TOKENS = "/v1/auth/codes", "/v1/auth/tokens"


def codes_sent(parts: Parts, phone: str) -> list[str]:
    """The codes that went out to a phone, oldest first."""
    path = parts.settings.data_dir / "messages.jsonl"
    if not path.exists():
        return []
    sent = [json.loads(line) for line in path.read_text().splitlines()]
    return [message["code"] for message in sent if message["to"] == phone]


async def ask_code(asking: Asking, parts: Parts, phone: str) -> str:
    """A code for this phone, as its owner reads it."""
    done(await asking.post(None, CODES, {"phone": phone}), 202)
    return codes_sent(parts, phone)[-1]


async def exchange(asking: Asking, phone: str, code: str) -> httpx.Response:
    return await asking.post(None, TOKENS, {"phone": phone, "code": code})


async def refresh(asking: Asking, token: str) -> httpx.Response:
    return await asking.post(None, TOKENS, {"refresh_token": token})


async def sign_in(asking: Asking, parts: Parts, phone: str) -> dict[str, Any]:
    tokens: dict[str, Any] = done(
        await exchange(asking, phone, await ask_code(asking, parts, phone))
    )
    return tokens


async def me_of(asking: Asking, access_token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return await asking.client.get("/v1/me", headers=headers)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def hurried(asking: Asking, parts: Parts, address: str = "127.0.0.1", **settings: Any) -> Asking:
    """The same application with other terms for codes, asked from this address."""
    own = replace(parts, settings=Settings(data_dir=parts.settings.data_dir, **settings))
    app = create_app(own.settings)
    app.state.parts = own
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1)),
        base_url="http://jumpa",
    )
    return Asking(client, asking.keys)
