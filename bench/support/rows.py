"""The limit: the same rows in tables that know nothing but their keys, by bare statements.

Nothing is counted, checked or referred to; one commit an act, nothing slower in between.
"""

import random
import sqlite3
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bench.support.rounds import Act
from models.base import new_id, table_of, utc_now
from models.event import Event
from models.idempotency import Answer
from models.ledger import Entry, Journal, Transfer
from models.pickup import Pickup
from models.weighing import Weighing

_MODELS = (Pickup, Weighing, Journal, Transfer, Entry, Event, Answer)
_ONLY = {
    "pickup": " AND status = 'collected'",
    "event": " AND kind = 'pickup_collected'",
}
_ONE = """
WITH moved AS (
  INSERT INTO bare_ledger_transfer (bank_id, id, key, kind, journal_id, debit_account_id,
    debit_shard, credit_account_id, credit_shard, amount, unit, event_at, created_at)
  VALUES ($1, $2, $3, 'post', $2, $4, 0, $5, 0, 100, 'IDR', $6, $6))
INSERT INTO bare_ledger_entry
VALUES ($1, $4, 0, $7, $2, -100, -100, 0), ($1, $5, 0, $7, $2, 100, 100, 0)"""
_TWO_ENTRIES = "INSERT INTO entry VALUES (?, ?, 0, ?, ?, ?, ?, 0), (?, ?, 0, ?, ?, ?, ?, 0)"


class BareRows:
    """PostgreSQL: tables like the product's, without a trigger, a reference or an index."""

    def __init__(self, connections: Sequence[Any], bank_id: UUID, accounts: list[UUID]) -> None:
        self._connections = connections
        self._bank_id = bank_id
        self._accounts = accounts
        self._versions = count(1_000_000)
        self._inserts: list[tuple[str, str, list[dict[str, Any]]]] = []

    async def prepare(self, town: UUID) -> None:
        """Make the tables, and read what one weighing of this bank has left."""
        first: asyncpg.Connection = self._connections[0]
        for model in _MODELS:
            table = table_of(model)
            keys = ", ".join(column.name for column in table.primary_key)
            await first.execute(f"CREATE TABLE bare_{table.name} (LIKE {table.name})")
            await first.execute(f"ALTER TABLE bare_{table.name} ADD PRIMARY KEY ({keys})")
            wanted = f"SELECT * FROM {table.name} WHERE bank_id = $1" + _ONLY.get(table.name, "")
            rows = await first.fetch(wanted, town)
            marks = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
            insert = f"INSERT INTO bare_{table.name} VALUES ({marks})"
            self._inserts.append((table.name, insert, [dict(row) for row in rows]))

    async def one(self, caller: int) -> int:
        """A transfer and its two entries in one statement."""
        sides = random.sample(self._accounts, 2)
        transfer = (self._bank_id, new_id(), str(uuid4()))
        connection = self._connections[caller]
        await connection.execute(_ONE, *transfer, *sides, utc_now(), next(self._versions))
        return 1

    async def weighing(self, caller: int) -> int:
        """All rows of a weighing in one transaction, a statement a table."""
        connection = self._connections[caller]
        async with connection.transaction():
            for name, insert, rows in self._inserts:
                await connection.executemany(insert, [self._like(name, row) for row in rows])
        return 1

    def _like(self, table: str, row: dict[str, Any]) -> list[Any]:
        """A row like this one, under a key of its own."""
        fresh: dict[str, Any] = {"id": new_id()}
        if table == "ledger_entry":
            fresh = {"version": next(self._versions)}
        if table == "idempotency":
            fresh = {"key": str(uuid4())}
        return list({**row, **fresh}.values())


def bare_sqlite(path: str) -> Act:
    """SQLite: a transfer and its two entries, each time forced to disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -20000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript("""
      CREATE TABLE transfer (bank_id, id, key, kind, pending_id, journal_id, debit_account_id,
        debit_shard, credit_account_id, credit_shard, amount, unit, event_at, created_at,
        PRIMARY KEY (bank_id, id)) WITHOUT ROWID;
      CREATE TABLE entry (bank_id, account_id, shard, version, transfer_id, amount, balance_after,
        pending_after, PRIMARY KEY (bank_id, account_id, shard, version)) WITHOUT ROWID;""")
    bank, accounts = new_id().hex, [uuid4().hex for _ in range(1_000)]
    insert = f"INSERT INTO transfer VALUES ({', '.join('?' * 14)})"
    versions = count(1)

    async def act(_caller: int) -> int:
        version = next(versions)
        debit, credit = random.sample(accounts, 2)
        transfer, at = new_id().hex, utc_now().isoformat()
        moved = (*(bank, transfer, str(uuid4()), "post", None, transfer), debit, 0, credit, 0)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(insert, (*moved, 100, "IDR", at, at))
        entries = (bank, debit, version, transfer, -100, -100, bank, credit, version, transfer)
        connection.execute(_TWO_ENTRIES, (*entries, 100, 100))
        connection.execute("COMMIT")
        return 1

    return act
