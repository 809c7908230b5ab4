"""Callbacks on their way out: kept until they were heard, tried again for a while."""

import asyncio
import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from service.gateways.wire import CutAtOnce
from service.standin.options import Options
from service.standin.store import Store

Body = Callable[[sqlite3.Row], dict[str, Any] | None]
"""What a gateway tells of a payout; None where it says nothing."""

_AT_ONCE = 8
_LONGEST_WAIT_S = 60.0


class Callbacks:
    """Sends what the desk queues."""

    def __init__(self, options: Options, store: Store, body_of: Body) -> None:
        self.body_of = body_of
        self._options = options
        self._store = store
        self._wake = asyncio.Event()
        self._client = httpx.AsyncClient(timeout=10, follow_redirects=False)
        self._under_way: set[int] = set()

    def queue(self, payout_id: str, body: str, *, times: int, is_false: bool) -> None:
        """Have it told, inside the transaction that changed the payout."""
        if not self._options.callback_url:
            return
        webhook_id = secrets.token_hex(16)
        for _ in range(times):
            self._store.db.execute(
                "INSERT INTO callback (payout_id, webhook_id, body, is_false, due_s)"
                " VALUES (?, ?, ?, ?, ?)",
                (payout_id, webhook_id, body, is_false, time.time()),
            )
        self._wake.set()

    async def run(self) -> None:
        """Send whatever is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                for row in self._due():
                    self._under_way.add(row["number"])
                    group.create_task(self._send(row))
                await self._until_due()

    async def tell_now(self, payout_id: str) -> None:
        """Send what there is to tell of a payout, before anything else goes on."""
        query = "SELECT * FROM callback WHERE payout_id = ? AND state = 'waiting'"
        for row in self._store.db.execute(query, (payout_id,)).fetchall():
            if row["number"] not in self._under_way:
                self._under_way.add(row["number"])
                await self._send(row)

    async def close(self) -> None:
        await self._client.aclose()

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        query = "SELECT state, count(*) AS many FROM callback GROUP BY state"
        found = {row["state"]: row["many"] for row in self._store.db.execute(query)}
        return {state: found.get(state, 0) for state in ("waiting", "heard", "given_up")}

    def _due(self) -> list[sqlite3.Row]:
        query = "SELECT * FROM callback WHERE state = 'waiting' AND due_s <= ? ORDER BY due_s"
        waiting = self._store.db.execute(query, (time.time(),)).fetchall()
        free = max(0, _AT_ONCE - len(self._under_way))
        return [row for row in waiting if row["number"] not in self._under_way][:free]

    async def _until_due(self) -> None:
        query = "SELECT min(due_s) AS due_s FROM callback WHERE state = 'waiting'"
        due_s = self._store.db.execute(query).fetchone()["due_s"]
        # What is under way is due as well, and wakes us when it is done.
        wait_s = 1.0 if due_s is None else max(0.1, due_s - time.time())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()

    async def _send(self, row: sqlite3.Row) -> None:
        body = row["body"].encode()
        headers = {"content-type": "application/json", **self._proof(row, body)}
        try:
            answer = await self._client.post(
                self._options.callback_url, content=body, headers=headers
            )
            is_heard = answer.is_success
        except (httpx.HTTPError, CutAtOnce):
            is_heard = False
        finally:
            self._under_way.discard(row["number"])
        self._note(row, is_heard=is_heard)
        self._wake.set()

    def _note(self, row: sqlite3.Row, *, is_heard: bool) -> None:
        tries = row["tries"] + 1
        is_over = tries >= self._options.callback_tries
        state = "heard" if is_heard else "given_up" if is_over else "waiting"
        due_s = time.time() + min(0.2 * 2**tries, _LONGEST_WAIT_S)
        with self._store.changing():
            self._store.db.execute(
                "UPDATE callback SET tries = ?, state = ?, due_s = ? WHERE number = ?",
                (tries, state, due_s, row["number"]),
            )

    def _proof(self, row: sqlite3.Row, body: bytes) -> dict[str, str]:
        secret = secrets.token_hex(8) if row["is_false"] else self._options.callback_secret
        if self._options.gateway == "xendit":
            return {"x-callback-token": secret, "webhook-id": row["webhook_id"]}
        return {"Iris-Signature": hashlib.sha512(body + secret.encode()).hexdigest()}
