"""What a test or a curious person may do to a stand-in: its clock, its float, its moods."""

import json
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from service.standin.answering import Answer
from service.standin.desk import Desk
from service.standin.report import iris_csv, span, xendit_csv


class Clock(BaseModel):
    advance_s: Annotated[float, Field(ge=0, le=400 * 86_400)]


class TopUp(BaseModel):
    amount_idr: Annotated[int, Field(ge=-(10**12), le=10**12)]


class Burst(BaseModel):
    count: Annotated[int, Field(ge=0, le=100_000)]


class Holder(BaseModel):
    account: str
    name: str


class Control:
    """Routes that no gateway has."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter(prefix="/standin")
        routes.add_api_route("/clock", self.clock, methods=["GET"])
        routes.add_api_route("/clock", self.advance, methods=["POST"])
        routes.add_api_route("/top-up", self.top_up, methods=["POST"])
        routes.add_api_route("/burst", self.burst, methods=["POST"])
        routes.add_api_route("/holders", self.holder, methods=["POST"])
        routes.add_api_route("/payouts", self.payouts, methods=["GET"])
        routes.add_api_route("/callbacks", self.callbacks, methods=["GET"])
        routes.add_api_route("/report.csv", self.report, methods=["GET"])
        return routes

    async def clock(self) -> dict[str, str]:
        return {"now": datetime.fromtimestamp(self.desk.store.now_ms() / 1000, UTC).isoformat()}

    async def advance(self, wanted: Clock) -> dict[str, str]:
        """Set the clock forward; all that is due has happened when this is answered."""
        self.desk.advance(wanted.advance_s)
        return await self.clock()

    async def top_up(self, wanted: TopUp) -> dict[str, int]:
        """Money into the float; with a minus, out of it."""
        try:
            self.desk.top_up(wanted.amount_idr)
        except sqlite3.IntegrityError:
            raise Answer(409, {"message": "The float doesn't hold that much."}) from None
        return {"balance_idr": self.desk.store.balance_idr()}

    async def burst(self, wanted: Burst) -> dict[str, int]:
        """Answer the next calls with 429."""
        with self.desk.store.changing():
            self.desk.store.note("burst", wanted.count)
        return {"count": wanted.count}

    async def holder(self, wanted: Holder) -> dict[str, str]:
        """Say whose an account is."""
        with self.desk.store.changing():
            self.desk.store.note(f"holder:{wanted.account}", wanted.name)
        return {"account": wanted.account, "name": wanted.name}

    async def payouts(self) -> list[dict[str, Any]]:
        """Every payout there is, oldest first, with what it cost and gave back."""
        return [self._told(one) for one in self.desk.store.payouts()]

    async def callbacks(self) -> dict[str, int]:
        """How many callbacks wait, were heard, were given up."""
        return self.desk.callbacks.counts()

    async def report(
        self, begin: Annotated[str, Query(alias="from")] = "", to: str = ""
    ) -> PlainTextResponse:
        """The float's lines between two days (UTC, both included) or instants."""
        try:
            lines = self.desk.store.lines(*span(begin, to))
        except ValueError:
            raise Answer(400, {"message": "Days are like 2026-01-31."}) from None
        written = xendit_csv if self.desk.options.gateway == "xendit" else iris_csv
        return PlainTextResponse(written(lines), media_type="text/csv")

    def _told(self, payout: sqlite3.Row) -> dict[str, Any]:
        lines = [
            {"line_type": one["line_type"], "amount_idr": one["amount_idr"]}
            for one in self.desk.store.lines_of(payout["id"])
        ]
        shown = ("id", "key", "reference", "channel", "account", "amount_idr", "status", "failure")
        return {
            **{name: payout[name] for name in shown},
            "waits_for": [one["status"] for one in json.loads(payout["steps"])],
            "created_times": payout["created_times"],
            "lines": lines,
        }
