"""Midtrans Iris, as it is documented: created with one key, approved with another."""

import json
import re
import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.gateways.coverage import covered_by
from service.standin import scenarios
from service.standin.answering import Answer, given_key, is_key, misbehave
from service.standin.desk import Desk
from service.standin.report import iris_line, span
from service.standin.store import canonical

QUEUED = "queued"
_KEPT_MS = 24 * 3600 * 1000
_AMOUNT = re.compile(r"[0-9]{1,12}(\.0{1,2})?", re.ASCII)
_NOTES = re.compile(r"[A-Za-z0-9 ]*", re.ASCII)

Text = Annotated[str, Field(min_length=1, max_length=100)]


class _Payout(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    beneficiary_name: Annotated[str, Field(min_length=1, pattern=_NOTES.pattern)]
    beneficiary_account: Annotated[str, Field(pattern=r"^[0-9]{4,34}$")]
    beneficiary_bank: Text
    amount: Annotated[str, Field(pattern=rf"^{_AMOUNT.pattern}$")]
    notes: Annotated[str, Field(max_length=100, pattern=rf"^{_NOTES.pattern}$")]
    beneficiary_email: str | None = None


class _Payouts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    payouts: Annotated[list[_Payout], Field(min_length=1, max_length=1)]


class Iris:
    """One account at the stand-in for Iris; takes one payout a call."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter(prefix="/iris/api/v1")
        anyone, creator = [Depends(self._either)], [Depends(self._creator)]
        approver = [Depends(self._approver)]
        add = routes.add_api_route
        add("/ping", self.ping, methods=["GET"])
        add("/payouts", self.create, methods=["POST"], dependencies=creator)
        add("/payouts/approve", self.approve, methods=["POST"], dependencies=approver)
        add("/payouts/reject", self.reject, methods=["POST"], dependencies=approver)
        add("/payouts/{reference_no}", self.get, methods=["GET"], dependencies=anyone)
        add("/statements", self.statements, methods=["GET"], dependencies=anyone)
        add("/balance", self.balance, methods=["GET"], dependencies=anyone)
        add("/beneficiary_banks", self.banks, methods=["GET"], dependencies=anyone)
        add("/account_validation", self.validate, methods=["GET"], dependencies=anyone)
        return routes

    async def ping(self) -> JSONResponse:
        return JSONResponse("pong")

    async def create(self, request: Request) -> JSONResponse:
        key = request.headers.get("x-idempotency-key", "")
        asked = await _read(request)
        payout = self._made_before(key, asked) or self._make(key, asked)
        with self.desk.store.changing():
            times = self.desk.store.count(payout["id"], "created_times")
        # Of the callback that comes first, only the approval can be outrun.
        if scenarios.scenario(payout["account"]) != scenarios.TOLD_FIRST and await misbehave(
            self.desk, request, payout, times=times
        ):
            raise _error(500, "Internal server error")
        made = {"status": QUEUED, "reference_no": payout["id"]}
        return JSONResponse({"payouts": [made]}, 201)

    async def approve(self, request: Request) -> JSONResponse:
        payouts = await self._queued(request)
        is_broken = False
        for payout in payouts:
            with self.desk.store.changing():
                self.desk.accept(payout["id"])
                times = self.desk.store.count(payout["id"], "approved_times")
            is_broken |= await misbehave(self.desk, request, payout, times=times)
        if is_broken:
            raise _error(500, "Internal server error")
        return JSONResponse({"status": "ok"}, 202)

    async def reject(self, request: Request) -> JSONResponse:
        payouts = await self._queued(request)
        with self.desk.store.changing():
            for payout in payouts:
                self.desk.end(payout["id"], "rejected")
        return JSONResponse({"status": "ok"}, 202)

    async def get(self, reference_no: str) -> JSONResponse:
        try:
            return JSONResponse(view(self.desk.payout(reference_no)))
        except KeyError:
            raise _error(404, "Payout with given reference_no does not exist") from None

    async def statements(self, from_date: str, to_date: str) -> JSONResponse:
        try:
            begin_ms, end_ms = span(from_date, to_date)
        except ValueError:
            raise _error(400, "An error occurred", errors=["Dates are like 2026-01-31"]) from None
        return JSONResponse([iris_line(one) for one in self.desk.store.lines(begin_ms, end_ms)])

    async def balance(self) -> JSONResponse:
        return JSONResponse({"balance": f"{self.desk.store.balance_idr()}.00"})

    async def banks(self) -> JSONResponse:
        told = [{"code": code, "name": one.name} for code, one in covered_by("iris").items()]
        return JSONResponse({"beneficiary_banks": told})

    async def validate(self, bank: str, account: str) -> JSONResponse:
        words = "An error occurred when doing account validation"
        if bank not in covered_by("iris"):
            raise _error(400, words, errors={"bank": ["Bank is not included in the list"]})
        if scenarios.scenario(account) == scenarios.FAILS:
            raise _error(400, words, errors={"account": ["Account doesn't exist"]})
        name = self.desk.store.fact(f"holder:{account}", f"NASABAH {account[-4:]}")
        return JSONResponse({"account_name": name, "account_no": account, "bank_name": bank})

    async def _either(self, request: Request) -> None:
        self._admit(request, self.desk.options.key, self.desk.options.approver_key)

    async def _creator(self, request: Request) -> None:
        self._admit(request, self.desk.options.key)

    async def _approver(self, request: Request) -> None:
        self._admit(request, self.desk.options.approver_key)

    def _admit(self, request: Request, *keys: str) -> None:
        if not is_key(given_key(request), *keys):
            raise Answer(401, {"error_message": "HTTP Basic: Access denied."})
        if self.desk.is_throttled():
            raise Answer(429, {"error_message": "Too many requests"}, **{"retry-after": "1"})

    def _made_before(self, key: str, asked: dict[str, Any]) -> sqlite3.Row | None:
        if not key:
            return None
        payout = self.desk.store.payout_of_key(key, self.desk.store.now_ms() - _KEPT_MS)
        if payout is not None and payout["request"] != canonical(asked):
            raise _error(400, "idempotency-key is not unique")
        return payout

    def _make(self, key: str, asked: dict[str, Any]) -> sqlite3.Row:
        payout_id = secrets.token_hex(9)
        told = {
            "reference": key,
            "request": canonical(asked),
            "channel": asked["beneficiary_bank"],
            "account": asked["beneficiary_account"],
            "amount_idr": int(asked["amount"].partition(".")[0]),
        }
        with self.desk.store.changing():
            self.desk.take(payout_id, key, QUEUED, told)
        return self.desk.payout(payout_id)

    async def _queued(self, request: Request) -> list[sqlite3.Row]:
        try:
            asked = json.loads(await request.body())
            payouts = [self.desk.payout(str(one)) for one in asked["reference_nos"]]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise _error(400, "An error occurred", errors=["reference_nos is not valid"]) from None
        if any(payout["status"] != QUEUED for payout in payouts):
            words = ["Only queued payouts are approved or rejected"]
            raise _error(400, "An error occurred when approving payouts", errors=words)
        return payouts


def view(payout: sqlite3.Row) -> dict[str, Any]:
    """A payout as the API shows it; why it failed stands in callbacks only."""
    asked = json.loads(payout["request"])
    return {
        "amount": f"{payout['amount_idr']}.00",
        "beneficiary_name": asked["beneficiary_name"],
        "beneficiary_account": payout["account"],
        "bank": payout["channel"],
        "reference_no": payout["id"],
        "notes": asked["notes"],
        "beneficiary_email": asked.get("beneficiary_email"),
        "status": payout["status"],
        "created_by": "creator",
        "created_at": _written(payout["created_ms"]),
        "updated_at": _written(payout["updated_ms"]),
    }


def told(payout: sqlite3.Row) -> dict[str, Any] | None:
    """The body of a notification; None while a payout is queued."""
    if payout["status"] == QUEUED:
        return None
    body = {
        "reference_no": payout["id"],
        "amount": f"{payout['amount_idr']}.00",
        "status": payout["status"],
        "updated_at": _written(payout["updated_ms"]),
    }
    if not payout["failure"]:
        return body
    return body | {"error_code": payout["failure"], "error_message": "The payout failed"}


async def _read(request: Request) -> dict[str, Any]:
    words = "An error occurred when creating payouts"
    try:
        found = json.loads(await request.body())
        _Payouts.model_validate(found)
    except ValidationError as error:
        places = [str(one["loc"][-1]) for one in error.errors() if one["loc"]]
        errors = {"0": [f"{place} is invalid" for place in places]}
        raise _error(400, words, errors=errors) from None
    except (ValueError, RecursionError):
        raise _error(400, words, errors={"0": ["The body is no JSON"]}) from None
    asked: dict[str, Any] = found["payouts"][0]
    if asked["beneficiary_bank"] not in covered_by("iris"):
        raise _error(400, words, errors={"0": ["Bank is not included in the list"]})
    return asked


def _written(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _error(status: int, message: str, **more: Any) -> Answer:
    return Answer(status, {"error_message": message, **more})
