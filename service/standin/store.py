"""Everything a stand-in knows, in one SQLite file that outlives `kill -9`."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from service.standin.scenarios import Step

_TABLES = """
CREATE TABLE IF NOT EXISTS payout (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    reference TEXT NOT NULL,
    request TEXT NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_idr INTEGER NOT NULL CHECK (amount_idr > 0),
    status TEXT NOT NULL,
    failure TEXT NOT NULL DEFAULT '',
    steps TEXT NOT NULL DEFAULT '[]',
    next_ms INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    created_times INTEGER NOT NULL DEFAULT 0,
    approved_times INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS ix_payout_key ON payout (key);
CREATE INDEX IF NOT EXISTS ix_payout_reference ON payout (reference);
CREATE INDEX IF NOT EXISTS ix_payout_account ON payout (account);
CREATE INDEX IF NOT EXISTS ix_payout_next ON payout (next_ms) WHERE next_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS line (
    number INTEGER PRIMARY KEY,
    payout_id TEXT REFERENCES payout (id),
    type TEXT NOT NULL,
    line_type TEXT NOT NULL,
    amount_idr INTEGER NOT NULL CHECK (amount_idr <> 0),
    balance_idr INTEGER NOT NULL CHECK (balance_idr >= 0),
    at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_line_payout ON line (payout_id);
CREATE TABLE IF NOT EXISTS callback (
    number INTEGER PRIMARY KEY,
    payout_id TEXT NOT NULL REFERENCES payout (id),
    webhook_id TEXT NOT NULL,
    body TEXT NOT NULL,
    is_false INTEGER NOT NULL,
    due_s REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'heard', 'given_up'))
);
CREATE INDEX IF NOT EXISTS ix_callback_due ON callback (due_s) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_SHORTEST_S, _LONGEST_S = 0.001, 1.0


class Store:
    """One connection, used from one thread; each `with store.changing()` is a transaction."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.db = sqlite3.connect(data_dir / "gateway.db", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(_TABLES)

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def now_ms(self) -> int:
        """The stand-in's own time, which is the real one plus all that it was advanced by."""
        return round(time.time() * 1000) + int(self.fact("advanced_ms", "0"))

    def fact(self, name: str, default: str) -> str:
        row = self.db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row["value"])

    def note(self, name: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))

    def payout(self, payout_id: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM payout WHERE id = ?", payout_id)

    def payout_of_key(self, key: str, not_before_ms: int) -> sqlite3.Row | None:
        """The last one that was made under a key, unless the key is forgotten."""
        query = "SELECT * FROM payout WHERE key = ? AND created_ms >= ? ORDER BY number DESC"
        return self._one(query, key, not_before_ms)

    def payouts(self, reference: str | None = None) -> list[sqlite3.Row]:
        if reference is None:
            return self.db.execute("SELECT * FROM payout ORDER BY number").fetchall()
        query = "SELECT * FROM payout WHERE reference = ? ORDER BY number"
        return self.db.execute(query, (reference,)).fetchall()

    def is_fresh(self) -> bool:
        """Whether no money ever came in."""
        return self._one("SELECT 1 FROM line LIMIT 1") is None

    def is_new(self, account: str) -> bool:
        """Whether no payout to this account was accepted before."""
        query = "SELECT 1 FROM payout WHERE account = ? AND (steps <> '[]' OR failure <> '')"
        return self._one(query, account) is None

    def take(self, **values: object) -> None:
        """A new payout."""
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        statement = f"INSERT INTO payout ({names}) VALUES ({marks})"  # noqa: S608  Our own names.
        self.db.execute(statement, tuple(values.values()))

    def count(self, payout_id: str, column: str) -> int:
        """How often this was done before; it counts from now on."""
        query = f"UPDATE payout SET {column} = {column} + 1 WHERE id = ? RETURNING {column}"  # noqa: S608
        return int(self.db.execute(query, (payout_id,)).fetchone()[0]) - 1

    def move(
        self, payout_id: str, status: str, failure: str, steps: Sequence[Step], at_ms: int
    ) -> None:
        """To a status; the first of the steps follows so long after it."""
        next_ms = at_ms + round(steps[0].after_s * 1000) if steps else None
        written = json.dumps([asdict(one) for one in steps])
        self.db.execute(
            "UPDATE payout SET status = ?, failure = ?, steps = ?, next_ms = ?, updated_ms = ?"
            " WHERE id = ?",
            (status, failure, written, next_ms, at_ms, payout_id),
        )

    def due(self) -> sqlite3.Row | None:
        """The payout that moves next, if its time has come."""
        query = "SELECT * FROM payout WHERE next_ms <= ? ORDER BY next_ms, number LIMIT 1"
        return self._one(query, self.now_ms())

    def next_in_s(self) -> float:
        """How long nothing will happen by itself; a second at most."""
        row = self._one("SELECT min(next_ms) AS next_ms FROM payout WHERE next_ms IS NOT NULL")
        if row is None or row["next_ms"] is None:
            return _LONGEST_S
        left_s: float = (row["next_ms"] - self.now_ms()) / 1000
        return min(_LONGEST_S, max(_SHORTEST_S, left_s))

    def balance_idr(self) -> int:
        row = self._one("SELECT balance_idr FROM line ORDER BY number DESC LIMIT 1")
        return 0 if row is None else int(row["balance_idr"])

    def lines_of(self, payout_id: str) -> list[sqlite3.Row]:
        query = "SELECT * FROM line WHERE payout_id = ? ORDER BY number"
        return self.db.execute(query, (payout_id,)).fetchall()

    def lines(self, from_ms: int, before_ms: int) -> list[sqlite3.Row]:
        """The lines of a time, each with what it says of its payout."""
        query = (
            "SELECT line.*, payout.channel, payout.account, payout.reference, payout.request"
            " FROM line LEFT JOIN payout ON payout.id = line.payout_id"
            " WHERE at_ms >= ? AND at_ms < ? ORDER BY line.number"
        )
        return self.db.execute(query, (from_ms, before_ms)).fetchall()

    def write_line(
        self, payout_id: str | None, kind: str, line_type: str, amount_idr: int, at_ms: int
    ) -> None:
        """Money that comes in, or with a minus goes out."""
        balance_idr = self.balance_idr() + amount_idr
        self.db.execute(
            "INSERT INTO line (payout_id, type, line_type, amount_idr, balance_idr, at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (payout_id, kind, line_type, amount_idr, balance_idr, at_ms),
        )

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(query, values).fetchone()
        return row


def steps_of(payout: sqlite3.Row) -> list[Step]:
    """What is still to happen to a payout."""
    return [Step(**one) for one in json.loads(payout["steps"])]


def canonical(request: object) -> str:
    """The same text for the same request, whatever the order of its fields."""
    return json.dumps(request, sort_keys=True, separators=(",", ":"))
