"""What the ledger says: a resident's standing, the passbook, the trial balance."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Account, Balance, Entry, Journal, Transfer, TransferKind
from service.ledger.chart import IDR, chart


class Standing(NamedTuple):
    """How a resident stands with a bank; rupiah and grams."""

    available_idr: int
    pending_idr: int
    held_idr: int
    grams_total: int


class PassbookLine(NamedTuple):
    """One line of the passbook, as it stands in the book; `version` orders them."""

    id: UUID
    at: datetime
    kind: str
    memo: str
    amount_idr: int
    balance_idr: int
    about_id: UUID | None
    version: int


class AccountTotals(NamedTuple):
    """What went through an account, posted amounts only."""

    code: str
    unit: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debits less credits, so that a unit's accounts sum to zero."""
        return self.debit - self.credit


async def standing(session: AsyncSession, bank_id: UUID, resident_id: UUID) -> Standing:
    """A resident's four figures; zeros before the first weighing."""
    query = (
        select(
            col(Account.code),
            col(Account.unit),
            col(Balance.credits_posted),
            col(Balance.debits_posted),
            col(Balance.debits_pending),
        )
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(col(Account.bank_id) == bank_id, col(Account.owner_id) == resident_id)
    )
    available = pending = held = grams = 0
    connection = await session.connection()
    for code, unit, credits, debits, on_hold in await connection.execute(query):  # noqa: A001
        if code == chart.available(resident_id).code:
            available, held = credits - debits - on_hold, on_hold
        elif code == chart.pending(resident_id).code:
            pending = credits - debits
        elif code.startswith("source:") and unit != IDR:
            grams += credits - debits
    return Standing(available, pending, held, grams)


async def passbook_lines(
    session: AsyncSession, bank_id: UUID, resident_id: UUID, *, before: int | None, limit: int
) -> list[PassbookLine]:
    """Lines of the passbook, newest first; `before` is the version of the last one seen."""
    account_id = chart.available(resident_id).id_in(bank_id)
    query = (
        select(
            col(Transfer.id),
            col(Transfer.event_at),
            col(Journal.kind),
            col(Journal.memo),
            col(Entry.amount),
            col(Entry.balance_after),
            col(Journal.about_id),
            col(Entry.version),
        )
        .select_from(Entry)
        .join(
            Transfer,
            (col(Transfer.bank_id) == Entry.bank_id) & (col(Transfer.id) == Entry.transfer_id),
        )
        .join(
            Journal,
            (col(Journal.bank_id) == Transfer.bank_id) & (col(Journal.id) == Transfer.journal_id),
        )
        .where(
            col(Entry.bank_id) == bank_id,
            col(Entry.account_id) == account_id,
            col(Entry.shard) == 0,
            col(Entry.amount) != 0,
        )
        .order_by(col(Entry.version).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Entry.version) < before)
    connection = await session.connection()
    return [PassbookLine(*row) for row in await connection.execute(query)]


async def trial_balance(
    session: AsyncSession, bank_id: UUID, *, at: datetime | None = None
) -> list[AccountTotals]:
    """Every account of a bank with what was posted to it, now or up to an instant."""
    rows = await (_totals_now(session, bank_id) if at is None else _totals_at(session, bank_id, at))
    return sorted(rows, key=lambda row: (row.unit != IDR, row.unit, row.code))


async def _totals_now(session: AsyncSession, bank_id: UUID) -> list[AccountTotals]:
    query = (
        select(
            col(Account.code),
            col(Account.unit),
            func.sum(Balance.debits_posted),
            func.sum(Balance.credits_posted),
        )
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(col(Account.bank_id) == bank_id)
        .group_by(col(Account.code), col(Account.unit))
    )
    connection = await session.connection()
    rows = await connection.execute(query)
    return [AccountTotals(code, unit, int(d), int(c)) for code, unit, d, c in rows]


async def _totals_at(session: AsyncSession, bank_id: UUID, at: datetime) -> list[AccountTotals]:
    debited = case((col(Entry.amount) < 0, -col(Entry.amount)), else_=0)
    credited = case((col(Entry.amount) > 0, col(Entry.amount)), else_=0)
    query = (
        select(col(Account.code), col(Account.unit), func.sum(debited), func.sum(credited))
        .select_from(Account)
        .join(
            Entry,
            (col(Entry.bank_id) == Account.bank_id) & (col(Entry.account_id) == Account.id),
        )
        .join(
            Transfer,
            (col(Transfer.bank_id) == Entry.bank_id) & (col(Transfer.id) == Entry.transfer_id),
        )
        .where(
            col(Account.bank_id) == bank_id,
            col(Transfer.created_at) <= at,
            col(Transfer.kind).in_((TransferKind.POST, TransferKind.SETTLE)),
        )
        .group_by(col(Account.code), col(Account.unit))
    )
    connection = await session.connection()
    rows = await connection.execute(query)
    return [AccountTotals(code, unit, int(d), int(c)) for code, unit, d, c in rows]
