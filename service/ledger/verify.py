"""Replay: work every counter and entry out again from the transfers, and compare.

The database goes through all entries by itself and says how each account fares; only where
something is off are an account's entries looked at one by one, to name those that are wrong.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Floor


class Finding(NamedTuple):
    """Something that does not add up: where, and what."""

    bank_id: UUID
    subject: str
    problem: str


@dataclass
class Verified:
    """What was replayed, and what was found."""

    banks: int = 0
    transfers: int = 0
    entries: int = 0
    accounts: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.findings


# What an entry's transfer means for its account: the side it stands on (0: none of the two),
# what it moved, and what it held or gave back.
_MEANING = """
  CASE WHEN e.account_id = t.debit_account_id AND e.shard = t.debit_shard THEN -1
       WHEN e.account_id = t.credit_account_id AND e.shard = t.credit_shard THEN 1
       ELSE 0 END AS side,
  CASE WHEN t.kind IN ('post', 'settle') THEN t.amount ELSE 0 END AS posted,
  CASE WHEN t.kind = 'post' THEN 0 WHEN t.kind = 'hold' THEN t.amount
       ELSE -coalesce(h.amount, 0) END AS pending"""
_TRANSFERS = """
  LEFT JOIN ledger_transfer t ON t.bank_id = e.bank_id AND t.id = e.transfer_id
  LEFT JOIN ledger_transfer h ON h.bank_id = t.bank_id AND h.id = t.pending_id"""

# An entry is right if it says what its transfer means, and goes on from the one before it.
_ACCOUNTS = text(f"""
SELECT account_id, shard, count(*) AS entries, min(version) AS first, max(version) AS last,
       sum(CASE WHEN side < 0 THEN posted ELSE 0 END) AS debits_posted,
       sum(CASE WHEN side > 0 THEN posted ELSE 0 END) AS credits_posted,
       sum(CASE WHEN side < 0 THEN pending ELSE 0 END) AS debits_pending,
       sum(CASE WHEN side > 0 THEN pending ELSE 0 END) AS credits_pending,
       sum(CASE WHEN side <> 0 AND amount = side * posted
                 AND balance_after = balance_before + amount
                 AND pending_after = pending_before + side * pending THEN 0 ELSE 1 END) AS wrong,
       min(balance_after) AS lowest, max(balance_after) AS highest
  FROM (
    SELECT e.account_id, e.shard, e.version, e.amount, e.balance_after, e.pending_after,
           coalesce(p.balance_after, 0) AS balance_before,
           coalesce(p.pending_after, 0) AS pending_before, {_MEANING}
      FROM ledger_entry e
      LEFT JOIN ledger_entry p ON p.bank_id = e.bank_id AND p.account_id = e.account_id
                              AND p.shard = e.shard AND p.version = e.version - 1
      {_TRANSFERS}
     WHERE e.bank_id = :bank_id) line
 GROUP BY account_id, shard""")  # noqa: S608 - put together from constants only

_ENTRIES = text(f"""
SELECT e.account_id, e.shard, e.version, e.amount, e.balance_after, e.pending_after,
       t.id AS transfer_id, {_MEANING}
  FROM ledger_entry e {_TRANSFERS}
 WHERE e.bank_id = :bank_id AND e.account_id = :account_id AND e.shard = :shard
 ORDER BY e.version""")  # noqa: S608

_COUNTERS = text("""
SELECT b.account_id, b.shard, b.debits_posted, b.credits_posted, b.debits_pending,
       b.credits_pending, b.version, b.floor, a.floor AS wanted
  FROM ledger_balance b
  LEFT JOIN ledger_account a ON a.bank_id = b.bank_id AND a.id = b.account_id
 WHERE b.bank_id = :bank_id""")

_COUNTS = text("""
SELECT (SELECT count(*) FROM ledger_transfer WHERE bank_id = :bank_id) AS transfers,
       (SELECT count(*) FROM ledger_account WHERE bank_id = :bank_id) AS accounts""")

_UNEVEN = text("""
SELECT 1 AS one FROM ledger_entry WHERE bank_id = :bank_id
 GROUP BY transfer_id HAVING count(*) <> 2 LIMIT 1""")

_LONELY = text("""
SELECT t.id, coalesce(own.entries, 0) AS entries FROM ledger_transfer t
  LEFT JOIN (
    SELECT e.transfer_id, count(*) AS entries FROM ledger_entry e
      JOIN ledger_transfer o ON o.bank_id = e.bank_id AND o.id = e.transfer_id
       AND ((e.account_id = o.debit_account_id AND e.shard = o.debit_shard)
         OR (e.account_id = o.credit_account_id AND e.shard = o.credit_shard))
     WHERE e.bank_id = :bank_id GROUP BY e.transfer_id
  ) own ON own.transfer_id = t.id
 WHERE t.bank_id = :bank_id AND coalesce(own.entries, 0) <> 2""")

# What else can be said in one sentence: a subject, and what is wrong with it.
_SENTENCES = (
    text("""
SELECT 'account' AS what, a.id, 'has ' || count(b.shard) || ' rows of counters, not ' || a.shards AS problem
  FROM ledger_account a
  LEFT JOIN ledger_balance b ON b.bank_id = a.bank_id AND b.account_id = a.id
                            AND b.shard BETWEEN 0 AND a.shards - 1
 WHERE a.bank_id = :bank_id GROUP BY a.id, a.shards HAVING count(b.shard) <> a.shards"""),
    text("""
SELECT 'unit' AS what, a.unit AS id, 'sums to ' || sum(b.debits_posted - b.credits_posted)
       || ' posted, ' || sum(b.debits_pending - b.credits_pending) || ' pending, not 0' AS problem
  FROM ledger_balance b JOIN ledger_account a ON a.bank_id = b.bank_id AND a.id = b.account_id
 WHERE b.bank_id = :bank_id GROUP BY a.unit
HAVING sum(b.debits_posted - b.credits_posted) <> 0
    OR sum(b.debits_pending - b.credits_pending) <> 0"""),
    text("""
SELECT 'transfer' AS what, r.pending_id AS id,
       'is resolved ' || count(*) || ' times, not once' AS problem
  FROM ledger_transfer r WHERE r.bank_id = :bank_id AND r.pending_id IS NOT NULL
 GROUP BY r.pending_id HAVING count(*) > 1"""),
    text("""
SELECT 'transfer' AS what, r.id, 'does not fit its hold' AS problem FROM ledger_transfer r
  LEFT JOIN ledger_transfer h
    ON h.bank_id = r.bank_id AND h.id = r.pending_id AND h.kind = 'hold' AND h.unit = r.unit
   AND h.debit_account_id = r.debit_account_id AND h.debit_shard = r.debit_shard
   AND h.credit_account_id = r.credit_account_id AND h.credit_shard = r.credit_shard
   AND (r.amount = h.amount OR (r.kind = 'settle' AND r.amount < h.amount))
 WHERE r.bank_id = :bank_id AND (r.pending_id IS NOT NULL OR r.kind IN ('settle', 'void'))
   AND h.id IS NULL"""),
    text("""
SELECT 'journal' AS what, j.id, 'stands on a page that is not there' AS problem
  FROM ledger_journal j
  LEFT JOIN ledger_page p ON p.bank_id = j.bank_id AND p.number = j.page
 WHERE j.bank_id = :bank_id AND p.number IS NULL"""),
)

_ONE_MOMENT = {
    "sqlite": ("BEGIN",),
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        # Room to join in, however the server is set up; what is larger goes to disk.
        "SET LOCAL work_mem = '64MB'",
        "SET LOCAL jit = off",
    ),
}


async def verify(session: AsyncSession, banks: list[UUID]) -> Verified:
    """Replay the ledgers of these banks, on a session that only reads.

    Memory grows with accounts, not with transfers.
    """
    # All queries see the same moment, so that a running bank raises no false alarm.
    await session.rollback()
    connection = await session.connection()
    for statement in _ONE_MOMENT[connection.dialect.name]:
        await connection.exec_driver_sql(statement)
    result = Verified()
    for bank_id in banks:
        await _Bank(connection, bank_id, result).check()
    return result


class _Bank:
    """One bank's ledger, and what was found in it."""

    def __init__(self, connection: AsyncConnection, bank_id: UUID, result: Verified) -> None:
        self._connection = connection
        self._bank_id = bank_id
        self._result = result

    async def check(self) -> None:
        """Go through everything; what is found is added to the result."""
        (counts,) = await self._rows(_COUNTS)
        accounts = {(row.account_id, row.shard): row for row in await self._rows(_ACCOUNTS)}
        entries = sum(row.entries for row in accounts.values())
        self._result.banks += 1
        self._result.transfers += counts.transfers
        self._result.accounts += counts.accounts
        self._result.entries += entries
        suspects = [row for row in accounts.values() if not _is_whole(row)]
        for row in suspects:
            await self._name_entries(row.account_id, row.shard)
        await self._check_counters(accounts)
        if suspects or entries != 2 * counts.transfers or await self._rows(_UNEVEN):
            await self._name_lonely()
        for sentence in _SENTENCES:
            for row in await self._rows(sentence):
                self._found(f"{row.what} {row.id}", row.problem)

    async def _check_counters(self, accounts: dict[tuple[Any, int], Row[Any]]) -> None:
        """Compare every row of counters with its history, and with what it may not do."""
        left = dict(accounts)
        for counters in await self._rows(_COUNTERS):
            subject = f"account {counters.account_id}/{counters.shard}"
            history = left.pop((counters.account_id, counters.shard), None)
            if tuple(counters)[2:7] != _counters_of(history):
                self._found(subject, "its counters are not its history")
            if counters.floor != counters.wanted:
                self._found(subject, "its floor is not its account's")
            if _is_below(counters, history):
                self._found(subject, "is or was below its floor")
        for account_id, shard in left:
            self._found(f"account {account_id}/{shard}", "has entries but no counters")

    async def _name_entries(self, account_id: object, shard: int) -> None:
        """Replay one account entry by entry, and say what each says that is not so."""
        replay = _Replay()
        async for entry in self._stream(_ENTRIES, account_id=account_id, shard=shard):
            for problem in replay.step(entry):
                self._found(f"entry {account_id}/{shard}/{entry.version}", problem)

    async def _name_lonely(self) -> None:
        for row in await self._rows(_LONELY):
            self._found(f"transfer {row.id}", f"has {row.entries} entries of its own, not 2")

    def _found(self, subject: str, problem: str) -> None:
        self._result.findings.append(Finding(self._bank_id, subject, problem))

    async def _rows(self, query: TextClause) -> list[Row[Any]]:
        return list(await self._connection.execute(query, self._bound({})))

    async def _stream(self, query: TextClause, **bound: object) -> AsyncIterator[Row[Any]]:
        async with self._connection.stream(query, self._bound(bound)) as rows:
            async for row in rows:
                yield row

    def _bound(self, bound: dict[str, object]) -> dict[str, object]:
        is_sqlite = self._connection.dialect.name == "sqlite"
        return {**bound, "bank_id": self._bank_id.hex if is_sqlite else self._bank_id}


def _is_whole(account: Row[Any]) -> bool:
    """Whether every entry is right and none is missing in between."""
    return (account.first, account.last, account.wrong) == (1, account.entries, 0)


def _counters_of(history: Row[Any] | None) -> tuple[int, ...]:
    if history is None:
        return (0, 0, 0, 0, 0)
    return (
        history.debits_posted,
        history.credits_posted,
        history.debits_pending,
        history.credits_pending,
        history.entries,
    )


def _is_below(counters: Row[Any], history: Row[Any] | None) -> bool:
    """Whether an account has, or once had, less than nothing, by its own floor."""
    lowest: int = history.lowest if history else 0
    highest: int = history.highest if history else 0
    owed: int = counters.credits_posted - counters.debits_posted - counters.debits_pending
    had: int = counters.debits_posted - counters.credits_posted - counters.credits_pending
    floor: str = counters.wanted
    left: dict[str, int] = {Floor.CREDIT: min(owed, lowest), Floor.DEBIT: min(had, -highest)}
    return left.get(floor, 0) < 0


@dataclass
class _Replay:
    """What an account's entries should say next, worked out from its transfers."""

    version: int = 0
    balance: int = 0
    pending: int = 0

    def step(self, entry: Row[Any]) -> list[str]:
        """Apply one entry's transfer; what the entry says that is not so."""
        if entry.transfer_id is None:
            return ["its transfer is missing"]
        if entry.side == 0:
            return ["its transfer is between other accounts"]
        self.version += 1
        self.balance += entry.side * entry.posted
        self.pending += entry.side * entry.pending
        checks = {
            "there is a gap in its versions": entry.version == self.version,
            "its amount is not its transfer's": entry.amount == entry.side * entry.posted,
            "its running balance is wrong": entry.balance_after == self.balance,
            "its running hold is wrong": entry.pending_after == self.pending,
        }
        return [problem for problem, holds in checks.items() if not holds]
