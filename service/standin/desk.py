"""What a stand-in does with payouts, whichever gateway it plays."""

import asyncio
import json
import sqlite3
from contextlib import suppress
from typing import Any

from service.gateways.amounts import vat_of
from service.standin import scenarios
from service.standin.callbacks import Callbacks
from service.standin.options import Options
from service.standin.scenarios import WORDS, Step
from service.standin.store import Store, steps_of

TRANSACTION, FEE, VAT = "TRANSACTION", "FEE", "VAT"


class Desk:
    """Takes payouts, moves them along as time goes by, keeps the book."""

    def __init__(self, options: Options, store: Store, callbacks: Callbacks) -> None:
        self.options = options
        self.store = store
        self.callbacks = callbacks
        self.words = WORDS[options.gateway]
        self._moved = asyncio.Event()
        if store.is_fresh() and options.float_idr:
            self.top_up(options.float_idr)

    def take(self, payout_id: str, key: str, status: str, told: dict[str, Any]) -> None:
        """A new payout that waits for whatever comes next."""
        now_ms = self.store.now_ms()
        self.store.take(
            id=payout_id,
            key=key,
            status=status,
            created_ms=now_ms,
            updated_ms=now_ms,
            **told,
        )

    def accept(self, payout_id: str) -> None:
        """Begin its course."""
        payout = self.payout(payout_id)
        steps = scenarios.course(
            self.words,
            payout["account"],
            is_first=self.store.is_new(payout["account"]),
            settle_s=self.options.settle_after_s,
        )
        now_ms = self.store.now_ms()
        self.store.move(payout_id, self.words.accepted, "", steps, now_ms)
        self._tell(payout_id)
        self._moved.set()

    def payout(self, payout_id: str) -> sqlite3.Row:
        """Raises KeyError."""
        found = self.store.payout(payout_id)
        if found is None:
            raise KeyError(payout_id)
        return found

    def run_due(self) -> None:
        """Let everything happen whose time has come, in the order of its time."""
        while (payout := self.store.due()) is not None:
            with self.store.changing():
                self._step(payout)

    async def run(self) -> None:
        """Let time go by, until cancelled."""
        while True:
            self._moved.clear()
            self.run_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.store.next_in_s()):
                    await self._moved.wait()

    def end(self, payout_id: str, status: str) -> None:
        """Stop its course: cancelled, or rejected by the approver."""
        self.store.move(payout_id, status, "", [], self.store.now_ms())

    def advance(self, seconds: float) -> None:
        """Set the clock forward, and let happen what happens meanwhile."""
        advanced_ms = int(self.store.fact("advanced_ms", "0")) + round(seconds * 1000)
        with self.store.changing():
            self.store.note("advanced_ms", advanced_ms)
        self.run_due()

    def top_up(self, amount_idr: int) -> None:
        """Money from the bank; with a minus, money back to it."""
        # What was due before stands before it in the book.
        self.run_due()
        kind = "TOPUP" if amount_idr > 0 else "WITHDRAWAL"
        with self.store.changing():
            self.store.write_line(None, kind, TRANSACTION, amount_idr, self.store.now_ms())

    def is_throttled(self) -> bool:
        """Whether this call falls into a burst that was asked for; it counts."""
        left = int(self.store.fact("burst", "0"))
        if left <= 0:
            return False
        with self.store.changing():
            self.store.note("burst", left - 1)
        return True

    def _step(self, payout: sqlite3.Row) -> None:
        at_ms = payout["next_ms"]
        step, *left = steps_of(payout)
        if step.status == self.words.under_way and not self._pay(payout, at_ms):
            step, left = Step(0, self.words.failed, self.words.empty), []
        is_gone = bool(step.failure) and step.failure == self.words.doubtful
        if step.status in (self.words.failed, self.words.came_back) and not is_gone:
            self._give_back(payout, at_ms)
        self.store.move(payout["id"], step.status, step.failure, left, at_ms)
        self._tell(payout["id"])

    def _pay(self, payout: sqlite3.Row, at_ms: int) -> bool:
        """Take the money from the float; False if there is too little."""
        fee_idr = self.options.fee_idr
        vat_idr = vat_of(fee_idr, self.options.vat_permille)
        parts = [(TRANSACTION, payout["amount_idr"]), (FEE, fee_idr), (VAT, vat_idr)]
        if self.store.balance_idr() < sum(amount_idr for _, amount_idr in parts):
            return False
        for line_type, amount_idr in parts:
            if amount_idr:
                self.store.write_line(payout["id"], "DISBURSEMENT", line_type, -amount_idr, at_ms)
        return True

    def _give_back(self, payout: sqlite3.Row, at_ms: int) -> None:
        """All that was taken for one that fails; of one that was paid only the amount."""
        was_paid = payout["status"] == self.words.paid
        for line in self.store.lines_of(payout["id"]):
            if line["line_type"] == TRANSACTION or not was_paid:
                line_type = f"{line['line_type']}_REVERSAL"
                amount_idr = -line["amount_idr"]
                self.store.write_line(payout["id"], "DISBURSEMENT", line_type, amount_idr, at_ms)

    def _tell(self, payout_id: str) -> None:
        payout = self.payout(payout_id)
        asked = scenarios.scenario(payout["account"])
        if asked == scenarios.NOT_TOLD:
            return
        body = self.callbacks.body_of(payout)
        if body is not None:
            times = 2 if asked == scenarios.TOLD_TWICE else 1
            is_false = asked == scenarios.TOLD_FALSELY
            self.callbacks.queue(payout_id, json.dumps(body), times=times, is_false=is_false)
