"""Posting: accounts are opened as they are needed, and a transfer is one INSERT."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, func, insert, text
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.ledger import Account, Floor, Journal, Page, Transfer, TransferKind
from service.database import constraint_of
from service.errors import Conflict
from service.ledger.chart import HOT_SHARDS, Place

_known: WeakKeyDictionary[Engine, dict[tuple[UUID, UUID], int]] = WeakKeyDictionary()
"""Accounts seen in the database, with their shards; accounts are never removed."""
_KNOWN_LIMIT = 200_000
_page = table_of(Page)
_OPEN_PAGE = (
    select_columns(func.max(_page.c.number))
    .where(_page.c.bank_id == bindparam("of_bank"))
    .scalar_subquery()
)
_INSERT_JOURNAL = insert(Journal).values(page=_OPEN_PAGE)
_INSERT_TRANSFER = insert(Transfer)


class BalanceTooLow(Conflict):
    english = "The balance is too low for this."
    indonesian = "Saldo tidak cukup."


class HoldAlreadyResolved(Conflict):
    english = "This amount was already paid out or given back."
    indonesian = "Jumlah ini sudah dibayarkan atau dikembalikan."


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


async def post(session: AsyncSession, bank_id: UUID, draft: Draft) -> list[UUID]:
    """Write an act's transfers, all or none; their ids, in order.

    Raises BalanceTooLow, HoldAlreadyResolved or AlreadyPosted, as the database decides.
    """
    connection = await session.connection()
    shards = await open_accounts(session, bank_id, _places(draft.movements))
    journal = _journal_row(bank_id, draft)
    rows = [_transfer_row(bank_id, journal, draft, move, shards) for move in draft.movements]
    await _copy_sides_of_holds(session, bank_id, rows)
    try:
        await connection.execute(_INSERT_JOURNAL, [{**journal, "of_bank": bank_id}])
        if rows:
            await _lock_in_order(connection, rows)
            await connection.execute(_INSERT_TRANSFER, rows)
    except IntegrityError as error:
        # An account noted in a transaction that then failed would be missed for ever.
        _known.pop(_engine_of(connection), None)
        raise _refusal(error) from error
    return [row["id"] for row in rows]


async def open_accounts(
    session: AsyncSession, bank_id: UUID, places: Iterable[Place]
) -> dict[UUID, int]:
    """See that the accounts exist; the number of shards of each, by account id."""
    wanted = {place.id_in(bank_id): place for place in places}
    connection = await session.connection()
    known = _known.setdefault(_engine_of(connection), {})
    if len(known) > _KNOWN_LIMIT:
        known.clear()
    missing = [key for key in wanted if (bank_id, key) not in known]
    if missing:
        await _read_accounts(session, bank_id, missing, known)
        new = [wanted[key] for key in missing if (bank_id, key) not in known]
        if new:
            await _insert_accounts(connection, bank_id, new)
            fresh: dict[tuple[UUID, UUID], int] = {}
            await _read_accounts(session, bank_id, missing, fresh)
            return {key: known.get((bank_id, key)) or fresh[bank_id, key] for key in wanted}
    return {key: known[bank_id, key] for key in wanted}


def _engine_of(connection: AsyncConnection) -> Engine:
    sync: Connection | None = connection.sync_connection
    if sync is None:
        raise LookupError("The connection is not open.")
    return sync.engine


async def _read_accounts(
    session: AsyncSession,
    bank_id: UUID,
    ids: list[UUID],
    into: dict[tuple[UUID, UUID], int],
) -> None:
    """Note the accounts that exist. What this transaction makes is only noted by the next
    one that sees it, since this one may still fail."""
    query = select(Account.id, Account.shards).where(
        Account.bank_id == bank_id, col(Account.id).in_(ids)
    )
    for account_id, shards in await session.exec(query):
        into[bank_id, account_id] = shards


async def _insert_accounts(connection: AsyncConnection, bank_id: UUID, places: list[Place]) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    dialect_insert = sqlite_insert if is_sqlite else postgresql_insert
    rows = [_account_row(bank_id, place, one_shard=is_sqlite) for place in places]
    rows.sort(key=lambda row: row["id"].hex)
    await connection.execute(dialect_insert(Account).on_conflict_do_nothing(), rows)


def _account_row(bank_id: UUID, place: Place, *, one_shard: bool) -> dict[str, Any]:
    spread = place.hot and not one_shard and place.floor == Floor.NONE
    return {
        "bank_id": bank_id,
        "id": place.id_in(bank_id),
        "code": place.code,
        "unit": place.unit,
        "floor": place.floor,
        "shards": HOT_SHARDS if spread else 1,
        "owner_id": place.owner_id,
        "created_at": utc_now(),
    }


def _places(movements: Sequence[Movement]) -> list[Place]:
    return [place for move in movements for place in (move.debit, move.credit)]


def _journal_row(bank_id: UUID, draft: Draft) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "kind": draft.kind,
        "about_id": draft.about_id,
        "actor_id": draft.actor_id,
        "memo": draft.memo,
        "reverses_id": None,
        "created_at": utc_now(),
    }


def _transfer_row(
    bank_id: UUID,
    journal: dict[str, Any],
    draft: Draft,
    move: Movement,
    shards: dict[UUID, int],
) -> dict[str, Any]:
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


async def _copy_sides_of_holds(
    session: AsyncSession, bank_id: UUID, rows: list[dict[str, Any]]
) -> None:
    """A settle or void touches the very rows of counters that its hold touched."""
    wanted = [row["pending_id"] for row in rows if row["pending_id"] is not None]
    if not wanted:
        return
    query = select(Transfer.id, Transfer.debit_shard, Transfer.credit_shard).where(
        Transfer.bank_id == bank_id, col(Transfer.id).in_(wanted)
    )
    sides = {row[0]: row for row in await session.exec(query)}
    for row in rows:
        if row["pending_id"] in sides:
            _, row["debit_shard"], row["credit_shard"] = sides[row["pending_id"]]


async def _lock_in_order(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Lock all counters of an act in one order, so that two acts can't wait for each other.

    SQLite has one writer and needs none; a single transfer locks in order by itself.
    """
    if connection.dialect.name == "sqlite" or len(rows) < 2:
        return
    sides = {
        (row[f"{side}_account_id"], row[f"{side}_shard"])
        for row in rows
        for side in ("debit", "credit")
    }
    await connection.execute(
        text(
            "SELECT 1 FROM ledger_balance WHERE bank_id = :bank_id AND (account_id, shard) IN"
            " (SELECT * FROM unnest(CAST(:accounts AS uuid[]), CAST(:shards AS int[])))"
            " ORDER BY account_id, shard FOR NO KEY UPDATE"
        ),
        {
            "bank_id": rows[0]["bank_id"],
            "accounts": [account for account, _ in sides],
            "shards": [shard for _, shard in sides],
        },
    )


def _refusal(error: IntegrityError) -> Exception:
    """Which rule it was that the database refused to break."""
    broken = constraint_of(error)
    if "never_" in broken:
        return BalanceTooLow()
    if "resolves_once" in broken or "ledger_transfer.pending_id" in broken:
        return HoldAlreadyResolved()
    if "uq_ledger_transfer" in broken or "ledger_transfer.key" in broken:
        return AlreadyPosted()
    return error
