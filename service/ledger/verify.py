"""Replay: work every counter and entry out again from the transfers, and compare."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession


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


_ENTRIES = text("""
SELECT e.account_id, e.shard, e.version, e.amount, e.balance_after, e.pending_after, e.transfer_id,
       t.kind, t.amount AS transferred, t.debit_account_id, t.credit_account_id,
       t.debit_shard, t.credit_shard, h.amount AS held
  FROM ledger_entry e
  LEFT JOIN ledger_transfer t ON t.bank_id = e.bank_id AND t.id = e.transfer_id
  LEFT JOIN ledger_transfer h ON h.bank_id = t.bank_id AND h.id = t.pending_id
 WHERE e.bank_id = :bank_id
 ORDER BY e.account_id, e.shard, e.version""")

_BALANCES = text("""
SELECT account_id, shard, debits_posted, credits_posted, debits_pending, credits_pending, version
  FROM ledger_balance WHERE bank_id = :bank_id""")

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

_COUNTS = text("""
SELECT (SELECT count(*) FROM ledger_transfer WHERE bank_id = :bank_id) AS transfers,
       (SELECT count(*) FROM ledger_account WHERE bank_id = :bank_id) AS accounts""")

_SUMS = text("""
SELECT a.unit, sum(b.debits_posted - b.credits_posted) AS posted,
       sum(b.debits_pending - b.credits_pending) AS pending
  FROM ledger_balance b JOIN ledger_account a ON a.bank_id = b.bank_id AND a.id = b.account_id
 WHERE b.bank_id = :bank_id GROUP BY a.unit
HAVING sum(b.debits_posted - b.credits_posted) <> 0
    OR sum(b.debits_pending - b.credits_pending) <> 0""")


@dataclass
class _Replay:
    """Counters of one row of an account, worked out from its transfers."""

    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    version: int = 0


async def verify(session: AsyncSession, banks: list[UUID]) -> Verified:
    """Replay the ledgers of these banks, on a session that only reads.

    Memory grows with accounts, not with transfers.
    """
    one_moment = {
        "sqlite": "BEGIN",
        "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    }
    # All queries see the same moment, so that a running bank raises no false alarm.
    await session.rollback()
    connection = await session.connection()
    await connection.exec_driver_sql(one_moment[connection.dialect.name])
    result = Verified()
    for bank_id in banks:
        await _verify_bank(session, bank_id, result)
    return result


async def _verify_bank(session: AsyncSession, bank_id: UUID, result: Verified) -> None:
    connection = await session.connection()
    bound: dict[str, object] = {
        "bank_id": bank_id if connection.dialect.name == "postgresql" else bank_id.hex
    }
    counts = (await connection.execute(_COUNTS, bound)).one()
    result.banks += 1
    result.transfers += counts.transfers
    result.accounts += counts.accounts

    def found(subject: object, problem: str) -> None:
        result.findings.append(Finding(bank_id, str(subject), problem))

    replays = await _replay(connection, bound, result, found)
    for balance in await connection.execute(_BALANCES, bound):
        expected = replays.pop((balance.account_id, balance.shard), _Replay())
        if tuple(balance)[2:] != _counters(expected):
            found(
                f"account {balance.account_id}/{balance.shard}", "its counters are not its history"
            )
    for account_id, shard in replays:
        found(f"account {account_id}/{shard}", "has entries but no counters")
    for row in await connection.execute(_LONELY, bound):
        found(f"transfer {row.id}", f"has {row.entries} entries of its own, not 2")
    for row in await connection.execute(_SUMS, bound):
        found(f"unit {row.unit}", f"sums to {row.posted} posted, {row.pending} pending, not 0")


async def _replay(
    connection: AsyncConnection,
    bound: dict[str, object],
    result: Verified,
    found: Callable[[object, str], None],
) -> dict[tuple[object, int], _Replay]:
    """Go through every entry in the order of its account; the counters that result."""
    replays: dict[tuple[object, int], _Replay] = {}
    async with connection.stream(_ENTRIES, bound) as entries:
        async for entry in entries:
            result.entries += 1
            replay = replays.setdefault((entry.account_id, entry.shard), _Replay())
            for problem in _step(replay, entry):
                found(f"entry {entry.account_id}/{entry.shard}/{entry.version}", problem)
    return replays


def _counters(replay: _Replay) -> tuple[int, ...]:
    return (
        replay.debits_posted,
        replay.credits_posted,
        replay.debits_pending,
        replay.credits_pending,
        replay.version,
    )


def _step(replay: _Replay, entry: Row[tuple[object, ...]]) -> list[str]:
    """Apply one entry's transfer to the replay; what the entry says that is not so."""
    if entry.kind is None:
        return ["its transfer is missing"]
    is_debit = entry.account_id == entry.debit_account_id and entry.shard == entry.debit_shard
    is_credit = entry.account_id == entry.credit_account_id and entry.shard == entry.credit_shard
    if not is_debit and not is_credit:
        return ["its transfer is between other accounts"]
    posted = entry.transferred if entry.kind in ("post", "settle") else 0
    pending = _pending(entry)
    if is_debit:
        replay.debits_posted += posted
        replay.debits_pending += pending
    else:
        replay.credits_posted += posted
        replay.credits_pending += pending
    replay.version += 1
    signed = -posted if is_debit else posted
    checks = {
        "there is a gap in its versions": entry.version == replay.version,
        "its amount is not its transfer's": entry.amount == signed,
        "its running balance is wrong": entry.balance_after
        == replay.credits_posted - replay.debits_posted,
        "its running hold is wrong": entry.pending_after
        == replay.credits_pending - replay.debits_pending,
    }
    return [problem for problem, holds in checks.items() if not holds]


def _pending(entry: Row[tuple[object, ...]]) -> int:
    if entry.kind == "post":
        return 0
    return int(entry.transferred) if entry.kind == "hold" else -int(entry.held or 0)
