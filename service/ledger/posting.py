"""Posting: accounts are opened as they are needed, and a transfer is one INSERT."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.ledger import Transfer, TransferKind
from service.database import constraint_of
from service.errors import Conflict
from service.ledger.accounts import forget, open_accounts
from service.ledger.chart import Place
from service.observing.masking import without_numbers

Row = dict[str, Any]

# One statement is one round trip, and by itself a transaction; its counters are locked in
# order. The page is the trigger's to say.
_JOURNAL = {
    "bank_id": "uuid",
    "id": "uuid",
    "kind": "text",
    "about_id": "uuid",
    "actor_id": "uuid",
    "memo": "text",
    "reverses_id": "uuid",
    "created_at": "timestamptz",
}
_TRANSFER = {
    "bank_id": "uuid",
    "id": "uuid",
    "key": "text",
    "kind": "text",
    "pending_id": "uuid",
    "journal_id": "uuid",
    "debit_account_id": "uuid",
    "debit_shard": "integer",
    "credit_account_id": "uuid",
    "credit_shard": "integer",
    "amount": "bigint",
    "unit": "text",
    "event_at": "timestamptz",
    "created_at": "timestamptz",
}

_WRITE_JOURNAL_SQLITE = f"""
INSERT INTO ledger_journal (page, {", ".join(_JOURNAL)})
SELECT max(number), {", ".join("?" for _ in _JOURNAL)} FROM ledger_page WHERE bank_id = ?"""
_WRITE_TRANSFER_SQLITE = f"""
INSERT INTO ledger_transfer ({", ".join(_TRANSFER)})
VALUES ({", ".join("?" for _ in _TRANSFER)})"""


def _rows_as(name: str, columns: Mapping[str, str]) -> str:
    shape = ", ".join(f"{column} {of}" for column, of in columns.items())
    return f"FROM json_to_recordset(CAST(%s AS json)) AS {name}({shape})"


_INSERTS = f"""
WITH journal AS (INSERT INTO ledger_journal (page, {", ".join(_JOURNAL)}) {{journals}})
INSERT INTO ledger_transfer ({", ".join(_TRANSFER)}) {{transfers}}"""
# Rows as values cost the least to write, and rows as JSON the least to have many of.
_WRITE_ONE = _INSERTS.format(
    journals=f"VALUES (0, {', '.join('%s' for _ in _JOURNAL)})",
    transfers=f"VALUES ({', '.join('%s' for _ in _TRANSFER)})",
)
_WRITE_MANY = _INSERTS.format(
    journals=f"SELECT 0, j.* {_rows_as('j', _JOURNAL)}",
    transfers=f"SELECT t.* {_rows_as('t', _TRANSFER)}",
)

# Built once: that takes about as long as to run it.
_SIDES = select(Transfer.id, Transfer.debit_shard, Transfer.credit_shard).where(
    col(Transfer.bank_id) == bindparam("of_bank"),
    col(Transfer.id).in_(bindparam("holds", expanding=True)),
)


class BalanceTooLow(Conflict):
    english = "The balance is too low for this."
    indonesian = "Saldo tidak cukup."
    bank_id: UUID | None = None
    drafts: "Sequence[Draft]" = ()
    """What was refused, for whoever tells how much there is."""


class HoldAlreadyResolved(Conflict):
    english = "This amount was already paid out or given back."
    indonesian = "Jumlah ini sudah dibayarkan atau dikembalikan."


class AlreadyReversed(Conflict):
    english = "This was already taken back."
    indonesian = "Ini sudah dikoreksi."


class AlreadyPosted(Conflict):
    english = "This was already entered in the ledger."
    indonesian = "Ini sudah tercatat di buku besar."


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount, more than 0, to the debited place from the credited one.

    `key` makes it happen once in its bank, whatever is retried.
    """

    key: str
    debit: Place
    credit: Place
    amount: int
    kind: TransferKind = TransferKind.POST
    pending_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One act of business, about to be posted."""

    kind: str
    movements: Sequence[Movement]
    event_at: datetime
    about_id: UUID | None = None
    actor_id: UUID | None = None
    memo: str = ""
    reverses_id: UUID | None = None
    id: UUID | None = None
    """The journal's, where another act of the same posting speaks of it."""


async def post(session: AsyncSession, bank_id: UUID, draft: Draft) -> list[UUID]:
    """Write an act's transfers, all or none; their ids, in order.

    Raises BalanceTooLow, HoldAlreadyResolved, AlreadyReversed or AlreadyPosted, as the
    database decides.
    """
    return await post_all(session, bank_id, [draft])


async def post_all(session: AsyncSession, bank_id: UUID, drafts: Sequence[Draft]) -> list[UUID]:
    """Write several acts at once, as post() does one; their transfers' ids, in order.

    Counters are locked in one order for all of them. Posted one by one, two transactions
    of several acts could wait for each other.
    """
    connection = await session.connection()
    shards = await open_accounts(session, bank_id, places_of(drafts))
    journals, rows = rows_of(bank_id, drafts, shards)
    await copy_sides_of_holds(connection, bank_id, rows)
    try:
        await write(connection, journals, rows)
    except IntegrityError as error:
        forget(connection)
        refusal = refusal_of(error)
        if isinstance(refusal, BalanceTooLow):
            refusal.bank_id, refusal.drafts = bank_id, drafts
        raise refusal from error
    return [row["id"] for row in rows]


def places_of(drafts: Iterable[Draft]) -> list[Place]:
    """Every place that these acts touch."""
    moves = (move for draft in drafts for move in draft.movements)
    return [place for move in moves for place in (move.debit, move.credit)]


def rows_of(
    bank_id: UUID, drafts: Iterable[Draft], shards: dict[UUID, int]
) -> tuple[list[Row], list[Row]]:
    """The journals and transfers that write these acts."""
    journals, rows = [], []
    for draft in drafts:
        journal = _journal_row(bank_id, draft)
        journals.append(journal)
        rows += [_transfer_row(bank_id, journal, draft, move, shards) for move in draft.movements]
    return journals, rows


def for_postgresql(journals: Sequence[Row], rows: Sequence[Row]) -> tuple[str, tuple[Any, ...]]:
    """The statement that writes them all for PostgreSQL's driver, and its values."""
    if len(journals) == len(rows) == 1:
        journal, row = journals[0], rows[0]
        values = (journal[name] for name in _JOURNAL), (row[name] for name in _TRANSFER)
        return _WRITE_ONE, tuple(chain(*values))
    return _WRITE_MANY, (_as_json(journals), _as_json(rows))


def _as_json(rows: Sequence[Row]) -> str:
    return json.dumps(rows, default=_as_text)


def _as_text(value: UUID | datetime) -> str:
    return value.hex if isinstance(value, UUID) else value.isoformat()


async def write(connection: AsyncConnection, journals: list[Row], rows: list[Row]) -> None:
    """Insert journals and their transfers. Raises IntegrityError."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(*for_postgresql(journals, rows))
        return
    written = [(*for_sqlite(journal, _JOURNAL), journal["bank_id"].hex) for journal in journals]
    await connection.exec_driver_sql(_WRITE_JOURNAL_SQLITE, written)
    if rows:
        values = [for_sqlite(row, _TRANSFER) for row in rows]
        await connection.exec_driver_sql(_WRITE_TRANSFER_SQLITE, values)


def for_sqlite(row: Row, columns: Iterable[str]) -> tuple[Any, ...]:
    """A row's values as SQLAlchemy would hand them to SQLite's driver, at a tenth of the cost."""
    return tuple(_as_stored(row[name]) for name in columns)


def _as_stored(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


def _journal_row(bank_id: UUID, draft: Draft) -> Row:
    return {
        "bank_id": bank_id,
        "id": draft.id or new_id(),
        "kind": draft.kind,
        "about_id": draft.about_id,
        "actor_id": draft.actor_id,
        "memo": draft.memo and without_numbers(draft.memo),
        "reverses_id": draft.reverses_id,
        "created_at": utc_now(),
    }


def _transfer_row(
    bank_id: UUID,
    journal: Row,
    draft: Draft,
    move: Movement,
    shards: dict[UUID, int],
) -> Row:
    debit, credit = move.debit.id_in(bank_id), move.credit.id_in(bank_id)
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "key": move.key,
        "kind": move.kind,
        "pending_id": move.pending_id,
        "journal_id": journal["id"],
        "debit_account_id": debit,
        "debit_shard": _any_of(shards[debit]),
        "credit_account_id": credit,
        "credit_shard": _any_of(shards[credit]),
        "amount": move.amount,
        "unit": move.debit.unit,
        "event_at": draft.event_at,
        "created_at": journal["created_at"],
    }


def _any_of(shards: int) -> int:
    return 0 if shards == 1 else random.randrange(shards)  # noqa: S311


async def copy_sides_of_holds(connection: AsyncConnection, bank_id: UUID, rows: list[Row]) -> None:
    """A settle or void touches the very rows of counters that its hold touched."""
    wanted = [row["pending_id"] for row in rows if row["pending_id"] is not None]
    # On SQLite every account is one row.
    if not wanted or connection.dialect.name == "sqlite":
        return
    told = {"of_bank": bank_id, "holds": wanted}
    sides = {row[0]: row for row in await connection.execute(_SIDES, told)}
    for row in rows:
        if row["pending_id"] in sides:
            _, row["debit_shard"], row["credit_shard"] = sides[row["pending_id"]]


def refusal_of(error: IntegrityError) -> Exception:
    """Which rule it was that the database refused to break."""
    broken = constraint_of(error)
    if "never_" in broken:
        return BalanceTooLow()
    if "resolves_once" in broken or "ledger_transfer.pending_id" in broken:
        return HoldAlreadyResolved()
    if "reversed_once" in broken or "ledger_journal.reverses_id" in broken:
        return AlreadyReversed()
    if "uq_ledger_transfer" in broken or "ledger_transfer.key" in broken:
        return AlreadyPosted()
    return error
