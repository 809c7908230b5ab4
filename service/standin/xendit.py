"""Xendit's Payouts API, version 2, as it is documented."""

import json
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.gateways.coverage import Covered, covered_by
from service.standin.answering import Answer, given_key, is_key, misbehave
from service.standin.desk import Desk
from service.standin.scenarios import STAYS, XENDIT
from service.standin.store import canonical

_EVENTS = {
    "SUCCEEDED": "payout.succeeded",
    "FAILED": "payout.failed",
    "COMPLIANCE_REJECTED": "payout.failed",
    "REVERSED": "payout.reversed",
}
_BUSINESS = "5dbf20d7c8eb0c0896f811b6"
_ARRIVES = timedelta(minutes=15)

Text = Annotated[str, Field(min_length=1, max_length=255)]


class _Properties(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    account_number: Text
    account_holder_name: Text


class _Payout(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    reference_id: Text
    channel_code: Text
    channel_properties: _Properties
    amount: Annotated[float, Field(gt=0, le=10**12, allow_inf_nan=False)]
    currency: Literal["IDR"]
    description: str | None = None
    receipt_notification: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class Xendit:
    """One account at the stand-in for Xendit."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter(dependencies=[Depends(self._admit)])
        routes.add_api_route("/v2/payouts", self.create, methods=["POST"])
        routes.add_api_route("/v2/payouts", self.search, methods=["GET"])
        routes.add_api_route("/v2/payouts/{payout_id}", self.get, methods=["GET"])
        routes.add_api_route("/v2/payouts/{payout_id}/cancel", self.cancel, methods=["POST"])
        routes.add_api_route("/payouts_channels", self.channels, methods=["GET"])
        routes.add_api_route("/balance", self.balance, methods=["GET"])
        return routes

    async def create(self, request: Request) -> JSONResponse:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 100:
            raise _error(400, "API_VALIDATION_ERROR", "Idempotency-key is required")
        asked = await _read(request)
        payout = self._made_before(key, asked) or self._make(key, asked)
        with self.desk.store.changing():
            times = self.desk.store.count(payout["id"], "created_times")
        if await misbehave(self.desk, request, payout, times=times):
            raise _error(500, "SERVER_ERROR", "Something went wrong on our side")
        return JSONResponse(view(payout))

    async def search(
        self,
        reference_id: str = "",
        limit: float = 10,
        after_id: str = "",
        before_id: str = "",
    ) -> JSONResponse:
        if not reference_id:
            raise _error(400, "API_VALIDATION_ERROR", "reference_id is required")
        found = self.desk.store.payouts(reference_id)
        numbers = {row["id"]: row["number"] for row in found}
        left = [
            row
            for row in found
            if row["number"] > numbers.get(after_id, 0)
            and row["number"] < numbers.get(before_id, 2**62)
        ]
        page = [view(row) for row in left[: int(limit)]]
        links = {"href": f"/v2/payouts?reference_id={reference_id}", "rel": "self", "method": "GET"}
        return JSONResponse({"data": page, "has_more": len(left) > len(page), "links": links})

    async def get(self, payout_id: str) -> JSONResponse:
        return JSONResponse(view(self._found(payout_id)))

    async def cancel(self, payout_id: str) -> JSONResponse:
        if self._found(payout_id)["status"] != XENDIT.accepted:
            raise _error(403, "REQUEST_FORBIDDEN_ERROR", "Only an accepted payout is cancelled")
        with self.desk.store.changing():
            self.desk.end(payout_id, "CANCELLED")
        return JSONResponse(view(self._found(payout_id)))

    async def channels(
        self, currency: str = "IDR", channel_category: str = "", channel_code: str = ""
    ) -> JSONResponse:
        categories = channel_category.split(",") if channel_category else ["BANK", "EWALLET"]
        told = [_channel(code, one) for code, one in covered_by("xendit").items()]
        return JSONResponse(
            [
                one
                for one in told
                if currency == "IDR"
                and one["channel_category"] in categories
                and channel_code in ("", one["channel_code"])
            ]
        )

    async def balance(self) -> JSONResponse:
        return JSONResponse({"balance": self.desk.store.balance_idr()})

    async def _admit(self, request: Request) -> None:
        if not is_key(given_key(request), self.desk.options.key):
            raise _error(401, "INVALID_API_KEY", "API key format is invalid")
        if self.desk.is_throttled():
            words = "You have exceeded the rate limit"
            raise _error(429, "RATE_LIMIT_EXCEEDED", words, **{"retry-after": "1"})

    def _made_before(self, key: str, asked: dict[str, Any]) -> sqlite3.Row | None:
        payout = self.desk.store.payout_of_key(key, 0)
        if payout is not None and payout["request"] != canonical(asked):
            raise _error(409, "DUPLICATE_ERROR", "Idempotency key was used for another request")
        return payout

    def _make(self, key: str, asked: dict[str, Any]) -> sqlite3.Row:
        _check(asked)
        payout_id = f"disb-{secrets.token_hex(16)}"
        told = {
            "reference": asked["reference_id"],
            "request": canonical(asked),
            "channel": asked["channel_code"],
            "account": asked["channel_properties"]["account_number"],
            "amount_idr": int(asked["amount"]),
        }
        with self.desk.store.changing():
            self.desk.take(payout_id, key, XENDIT.accepted, told)
            self.desk.accept(payout_id)
        return self.desk.payout(payout_id)

    def _found(self, payout_id: str) -> sqlite3.Row:
        try:
            return self.desk.payout(payout_id)
        except KeyError:
            raise _error(404, "DATA_NOT_FOUND", "There is no such payout") from None


def view(payout: sqlite3.Row) -> dict[str, Any]:
    """A payout as the API shows it."""
    created = _instant(payout["created_ms"])
    told = {
        "id": payout["id"],
        **json.loads(payout["request"]),
        "status": payout["status"],
        "business_id": _BUSINESS,
        "created": _written(created),
        "updated": _written(_instant(payout["updated_ms"])),
        "estimated_arrival_time": _written(created + _ARRIVES),
    }
    return told | ({"failure_code": payout["failure"]} if payout["failure"] else {})


def told(payout: sqlite3.Row) -> dict[str, Any] | None:
    """The body of a callback; None where Xendit sends none."""
    event = _EVENTS.get(payout["status"])
    if event is None:
        return None
    shown = view(payout)
    return {
        "event": event,
        "business_id": _BUSINESS,
        "created": shown["updated"],
        "data": shown,
    }


async def _read(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise _error(400, "INVALID_JSON_FORMAT", "The request is no JSON") from None
    try:
        _Payout.model_validate(found)
    except ValidationError as error:
        places = [".".join(map(str, one["loc"])) for one in error.errors()]
        raise _error(400, "API_VALIDATION_ERROR", f"Not valid: {', '.join(places)}") from None
    return dict(found)


def _check(asked: dict[str, Any]) -> None:
    channel = covered_by("xendit").get(asked["channel_code"])
    if channel is None:
        raise _error(400, "CHANNEL_CODE_NOT_SUPPORTED_ERROR", "No such channel")
    account = asked["channel_properties"]["account_number"]
    if account != STAYS and not _is_account(channel, account):
        raise _error(400, "RECIPIENT_ACCOUNT_NUMBER_ERROR", "Not an account of this channel")
    amount = asked["amount"]
    if amount < channel.minimum_idr or amount != int(amount):
        raise _error(400, "RECIPIENT_AMOUNT_ERROR", "Less than the channel takes")
    if amount > channel.maximum_idr:
        raise _error(400, "MAXIMUM_TRANSFER_LIMIT_ERROR", "More than the channel takes")


def _is_account(channel: Covered, account: str) -> bool:
    fits = account.isdecimal() and channel.shortest <= len(account) <= channel.longest
    return fits and (not channel.is_wallet or account.startswith("08"))


def _channel(code: str, one: Covered) -> dict[str, Any]:
    return {
        "channel_code": code,
        "channel_category": "EWALLET" if one.is_wallet else "BANK",
        "currency": "IDR",
        "channel_name": one.name,
        "amount_limits": {
            "minimum": one.minimum_idr,
            "maximum": one.maximum_idr,
            "minimum_increment": 1,
        },
    }


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _error(status: int, code: str, message: str, **headers: str) -> Answer:
    return Answer(status, {"error_code": code, "message": message}, **headers)
