"""How an answer is kept back, lost or turned into an error, as a scenario asks for it."""

import asyncio
import base64
import binascii
import hmac
import sqlite3
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from service.standin import scenarios
from service.standin.desk import Desk
from service.standin.scenarios import scenario

_LOOK_S = 0.02


class Answer(Exception):
    """What a request ends with, unless all went well."""

    def __init__(self, status: int, body: dict[str, Any], **headers: str) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status, headers)


def given_key(request: Request) -> str:
    """The user name of HTTP Basic, whose password is empty; empty if there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user if scheme.lower() == "basic" and colon and not password else ""


def is_key(given: str, *keys: str) -> bool:
    return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)


async def misbehave(desk: Desk, request: Request, payout: sqlite3.Row, *, times: int) -> bool:
    """Do what the payout's scenario does to an answer; True asks for an answer of 500.

    `times` says how often the same was answered before: only the first time goes wrong.
    """
    asked = scenario(payout["account"])
    if times == 0 and asked == scenarios.NOT_ANSWERED:
        await _hold(request, desk.options.hold_s)
    if times == 0 and asked == scenarios.TOLD_FIRST:
        desk.run_due()
        await desk.callbacks.tell_now(payout["id"])
    return times == 0 and asked == scenarios.ANSWERED_500


async def _hold(request: Request, hold_s: float) -> None:
    """Say nothing until the client has gone away."""
    for _ in range(round(hold_s / _LOOK_S)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(_LOOK_S)
