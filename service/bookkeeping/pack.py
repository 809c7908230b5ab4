"""What is in a pack: journal, trial balance, payouts, exceptions, counts of cash and of stock.

Everything that the ledger says goes by its days of business, so that the pack of days that
are over stays as it is. Nobody's name, phone or account number is in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, TableClause, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import table_of
from models.drawer import DrawerCount
from models.ledger import Account, Balance, Day, Journal, Page, Transfer, TransferKind
from models.payout import Payout
from models.reconciliation import ReconciliationCase
from models.stock import StockCount
from service.bookkeeping.shapes import Cell, Pack, PackTooLong, Part, Span, Table
from service.ledger.chart import KINDS

MOST_ROWS = 100_000
_AT_ONCE = 1_000
_account, _balance = table_of(Account), table_of(Balance)
_journal, _page, _transfer = table_of(Journal), table_of(Page), table_of(Transfer)
_payout, _case, _day = table_of(Payout), table_of(ReconciliationCase), table_of(Day)
_count, _stock_count = table_of(DrawerCount), table_of(StockCount)
_POSTED = (TransferKind.POST, TransferKind.SETTLE)


async def read(
    session: AsyncSession, bank: Bank, span: Span, parts: Sequence[Part] = tuple(Part)
) -> Pack:
    """The tables of these days. Raises PackTooLong."""
    connection = await session.connection()
    tables = [await _TABLES[part](connection, bank, span) for part in parts]
    return Pack(bank.name, span.first, span.last, tables)


async def _journal_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """Every transfer that was posted, in the order of the book."""
    debit, credit = _account.alias(), _account.alias()
    query = (
        select(
            _page.c.day,
            _transfer.c.event_at,
            _journal.c.id.label("journal_id"),
            _transfer.c.id.label("transfer_id"),
            _journal.c.kind,
            _journal.c.about_id,
            debit.c.code.label("debit"),
            credit.c.code.label("credit"),
            _transfer.c.unit,
            _transfer.c.amount,
            _journal.c.memo,
            _journal.c.reverses_id,
        )
        .join_from(_journal, _page, _on_page())
        .join(
            _transfer,
            and_(
                _transfer.c.bank_id == _journal.c.bank_id, _transfer.c.journal_id == _journal.c.id
            ),
        )
        .join(debit, _is_side(debit, "debit"))
        .join(credit, _is_side(credit, "credit"))
        .where(
            _journal.c.bank_id == bank.id,
            _page.c.day.between(span.first, span.last),
            _transfer.c.kind.in_(_POSTED),
        )
        .order_by(_journal.c.page, _journal.c.id, _transfer.c.id)
    )
    return await _table(connection, Part.JOURNAL, query, bank)


async def _trial_balance_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """Every account: what was there, what moved, what is there at the end of the last day."""
    now = (
        select(
            _account.c.code,
            _account.c.unit,
            func.sum(_balance.c.debits_posted - _balance.c.credits_posted).label("now"),
        )
        .join_from(
            _account,
            _balance,
            and_(_balance.c.bank_id == _account.c.bank_id, _balance.c.account_id == _account.c.id),
        )
        .where(_account.c.bank_id == bank.id)
        .group_by(_account.c.code, _account.c.unit)
        .order_by(_account.c.unit != "IDR", _account.c.unit, _account.c.code)
        .limit(MOST_ROWS + 1)
    )
    moved = await _moved(connection, bank.id, span)
    rows: list[Sequence[Cell]] = []
    for code, unit, total in await connection.execute(now):
        after, debit, credit = moved.get((code, unit), (0, 0, 0))
        closing = int(total) - after
        meaning = KINDS[code.partition(":")[0]]
        opening = closing - debit + credit
        rows.append((code, meaning.english, unit, opening, debit, credit, closing))
    columns = ("account", "meaning", "unit", "opening", "debit", "credit", "closing")
    return Table(Part.TRIAL_BALANCE, columns, _at_most(rows))


async def _moved(
    connection: AsyncConnection, bank_id: UUID, span: Span
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Per account the net of what moved after these days, and both sides of what moved in them."""
    within = _page.c.day <= span.last
    debited = _account.c.id == _transfer.c.debit_account_id
    amount = case((debited, _transfer.c.amount), else_=-_transfer.c.amount)
    query = (
        select(
            _account.c.code,
            _account.c.unit,
            _sum(amount, ~within),
            _sum(_transfer.c.amount, and_(within, debited)),
            _sum(_transfer.c.amount, and_(within, ~debited)),
        )
        .join_from(_journal, _page, _on_page())
        .join(
            _transfer,
            and_(
                _transfer.c.bank_id == _journal.c.bank_id, _transfer.c.journal_id == _journal.c.id
            ),
        )
        .join(
            _account,
            and_(
                _account.c.bank_id == _transfer.c.bank_id,
                _account.c.id.in_((_transfer.c.debit_account_id, _transfer.c.credit_account_id)),
            ),
        )
        .where(
            _journal.c.bank_id == bank_id,
            _page.c.day >= span.first,
            _transfer.c.kind.in_(_POSTED),
        )
        .group_by(_account.c.code, _account.c.unit)
    )
    return {
        (code, unit): (int(after), int(debit), int(credit))
        for code, unit, after, debit, credit in await connection.execute(query)
    }


async def _payouts_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """Payouts that were asked for, paid or sent back in these days."""
    names = (
        *("id", "created_at", "resident_id", "source", "method", "channel_code", "gateway"),
        *("key", "gateway_id", "amount_idr", "fee_idr", "fee_by", "status", "sent_at"),
        *("paid_at", "reversed_at", "proof", "reason"),
    )
    moments = (_payout.c[name] for name in ("created_at", "paid_at", "reversed_at"))
    query = (
        select(*(_payout.c[name] for name in names))
        .where(
            _payout.c.bank_id == bank.id,
            or_(*(and_(at >= span.begins, at < span.over) for at in moments)),
        )
        .order_by(_payout.c.id)
    )
    return await _table(connection, Part.PAYOUTS, query, bank)


async def _exceptions_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    names = (
        *("id", "since", "source", "kind", "why", "status", "payout_id", "line_id"),
        *("expected_idr", "found_idr", "due_on", "owner_id", "action", "reason", "resolved_by"),
        *("ended_at", "transfer_id"),
    )
    query = (
        select(*(_case.c[name] for name in names))
        .where(_case.c.bank_id == bank.id, _case.c.since >= span.begins, _case.c.since < span.over)
        .order_by(_case.c.since, _case.c.id)
    )
    return await _table(connection, Part.EXCEPTIONS, query, bank)


async def _cash_counts_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """What treasurers counted at the end of days, and by how much the ledger differed."""
    names = ("day", "version", "closed_at", "closed_by", "counted_cash_idr", "cash_difference_idr")
    query = (
        select(*(_day.c[name] for name in names))
        .where(_day.c.bank_id == bank.id, _day.c.day.between(span.first, span.last))
        .order_by(_day.c.day, _day.c.version)
    )
    return await _table(connection, Part.CASH_COUNTS, query, bank)


async def _drawer_counts_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """Every count of a drawer in these days, at their end or in between."""
    names = ("drawer", "counted_at", "counted_by", "counted_idr", "difference_idr", "day", "memo")
    return await _table(connection, Part.DRAWER_COUNTS, _counts(_count, names, bank, span), bank)


async def _stock_counts_table(connection: AsyncConnection, bank: Bank, span: Span) -> Table:
    """Every count of a material in the store in these days."""
    names = ("material", "counted_at", "counted_by", "counted_grams", "difference_grams", "note")
    query = _counts(_stock_count, names, bank, span)
    return await _table(connection, Part.STOCK_COUNTS, query, bank)


def _counts(table: TableClause, names: Sequence[str], bank: Bank, span: Span) -> Select[Any]:
    when = table.c.counted_at
    return (
        select(*(table.c[name] for name in names))
        .where(table.c.bank_id == bank.id, when >= span.begins, when < span.over)
        .order_by(when, table.c.id)
    )


_TABLES: dict[Part, Callable[[AsyncConnection, Bank, Span], Awaitable[Table]]] = {
    Part.JOURNAL: _journal_table,
    Part.TRIAL_BALANCE: _trial_balance_table,
    Part.PAYOUTS: _payouts_table,
    Part.EXCEPTIONS: _exceptions_table,
    Part.CASH_COUNTS: _cash_counts_table,
    Part.DRAWER_COUNTS: _drawer_counts_table,
    Part.STOCK_COUNTS: _stock_counts_table,
}


async def _table(connection: AsyncConnection, part: Part, query: Select[Any], bank: Bank) -> Table:
    """The rows of a query. In parts, and put into words in a thread: others are answered meanwhile."""
    zone = ZoneInfo(bank.time_zone)
    rows: list[Sequence[Cell]] = []
    async with connection.stream(query.limit(MOST_ROWS + 1)) as found:
        columns = list(found.keys())
        async for some in found.partitions(_AT_ONCE):
            rows.extend(await asyncio.to_thread(_in_cells, some, zone))
    return Table(part, columns, _at_most(rows))


def _in_cells(rows: Sequence[Sequence[Any]], zone: ZoneInfo) -> list[Sequence[Cell]]:
    return [[_cell(value, zone) for value in row] for row in rows]


def _at_most(rows: Sequence[Sequence[Cell]]) -> Sequence[Sequence[Cell]]:
    if len(rows) > MOST_ROWS:
        raise PackTooLong(rows=MOST_ROWS)
    return rows


def _cell(value: Any, zone: ZoneInfo) -> Cell:
    """A value as a spreadsheet takes it; instants as it is at the bank."""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")
    return value if value is None or isinstance(value, int) else str(value)


def _on_page() -> ColumnElement[bool]:
    return and_(_page.c.bank_id == _journal.c.bank_id, _page.c.number == _journal.c.page)


def _is_side(account: Any, side: str) -> ColumnElement[bool]:
    return and_(
        account.c.bank_id == _transfer.c.bank_id,
        account.c.id == _transfer.c[f"{side}_account_id"],
    )


def _sum(amount: ColumnElement[int], when: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((when, amount), else_=0)), 0)
