"""The sums behind a standing, each in one query or two, none of which reads all of history."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among, table_of
from models.ledger import Account, Balance, Journal, Page, Transfer, TransferKind
from models.payout import Payout, PayoutStatus
from models.reconciliation import (
    CaseKind,
    ReconciliationCase,
    StatementLine,
    StatementMatch,
)
from service.ledger.chart import IDR, KINDS
from service.reconciliation.standing import Days, OfLedger, OfPayouts, OfStatement, Standing
from service.reconciliation.store import WAITING

_account, _balance = table_of(Account), table_of(Balance)
_journal, _page, _transfer = table_of(Journal), table_of(Page), table_of(Transfer)
_payout, _line = table_of(Payout), table_of(StatementLine)
_match, _case = table_of(StatementMatch), table_of(ReconciliationCase)
_POSTED = (TransferKind.POST, TransferKind.SETTLE)
_HELD = _FLOAT, _BANK_ACCOUNT = KINDS["float"].name, KINDS["bank_account"].name
_PAID = (PayoutStatus.PAID, PayoutStatus.REVERSED)
_UNDER_WAY = (PayoutStatus.SENDING, PayoutStatus.SENT, PayoutStatus.UNKNOWN)


async def standings(session: AsyncSession, bank_id: UUID, days: Days) -> list[Standing]:
    """Every gateway and bank account of which any of the three says something, by name."""
    connection = await session.connection()
    floats, accounts = await _ledger(connection, bank_id, days)
    in_payouts = await _payouts(connection, bank_id, days)
    in_statements = await _statements(connection, bank_id, days)
    waiting = await _waiting(connection, bank_id, days)
    early = await _early(connection, bank_id, days)
    # A bank account of which nobody brings a statement can't be compared with one.
    in_ledger = {name: accounts[name] for name in accounts if name in in_statements} | floats
    return [
        Standing(
            source,
            in_ledger.get(source, OfLedger()),
            in_payouts.get(source, OfPayouts()),
            in_statements.get(source, OfStatement()),
            *waiting.get(source, (0, 0)),
            early.get(source, 0),
        )
        for source in sorted({*in_ledger, *in_payouts, *in_statements, *waiting})
    ]


async def matched_by_rule(
    session: AsyncSession, bank_id: UUID, days: Days, source: str | None = None
) -> Mapping[str, int]:
    """How many of the lines of these days were matched, by the rule that did it."""
    connection = await session.connection()
    query = (
        select(_match.c.rule, func.count(_match.c.line_id.distinct()))
        .select_from(_line)
        .join(_match, _of_line())
        .where(*_booked(bank_id, days), _match.c.undone_at.is_(None))
        .group_by(_match.c.rule)
    )
    if source is not None:
        query = query.where(_line.c.source == source)
    return {rule: int(count) for rule, count in await connection.execute(query)}


async def _ledger(
    connection: AsyncConnection, bank_id: UUID, days: Days
) -> tuple[dict[str, OfLedger], dict[str, OfLedger]]:
    """Floats and bank accounts by name. What is there now, less what has moved since: history is never read as a whole."""
    held = (
        select(_account.c.id, _account.c.code)
        .where(
            _account.c.bank_id == bank_id,
            _account.c.unit == IDR,
            or_(*(_account.c.code.startswith(f"{kind}:") for kind in _HELD)),
        )
        .cte("held")
    )
    now = (
        select(
            held.c.code, func.sum(_balance.c.debits_posted - _balance.c.credits_posted).label("now")
        )
        .join_from(held, _balance, _balance.c.account_id == held.c.id)
        .where(_balance.c.bank_id == bank_id)
        .group_by(held.c.code)
    )
    there = {row.code: int(row.now) for row in await connection.execute(now)}
    found: dict[str, dict[str, OfLedger]] = {kind: {} for kind in _HELD}
    moved = {row.code: row for row in await connection.execute(_moved(bank_id, days, held))}
    for code, amount in there.items():
        since = moved.get(code)
        after, came, left = (
            (int(since.after), int(since.came), int(since.left)) if since else (0, 0, 0)
        )
        kind, _, name = code.partition(":")
        found[kind][name] = OfLedger(amount - after - came + left, came, left)
    return found[_FLOAT], found[_BANK_ACCOUNT]


def _moved(bank_id: UUID, days: Days, held: Any) -> Any:
    """Per account what came and left in these days, and the net of what did after them."""
    first_page = (
        select(func.min(_page.c.number))
        .where(_page.c.bank_id == bank_id, _page.c.day >= days.first)
        .scalar_subquery()
    )
    since = (
        select(
            _journal.c.id,
            # A day that was opened again has pages above those of the day after it.
            _page.c.day.between(days.first, days.last).label("within"),
            (_page.c.day > days.last).label("after"),
        )
        .join(_page, and_(_page.c.bank_id == _journal.c.bank_id, _page.c.number == _journal.c.page))
        .where(_journal.c.bank_id == bank_id, _journal.c.page >= first_page)
        .cte("since")
        .prefix_with("MATERIALIZED")
    )
    debited = held.c.id == _transfer.c.debit_account_id
    amount = case((debited, _transfer.c.amount), else_=-_transfer.c.amount)
    within = since.c.within
    return (
        select(
            held.c.code,
            _sum(amount, since.c.after).label("after"),
            _sum(_transfer.c.amount, and_(within, debited)).label("came"),
            _sum(_transfer.c.amount, and_(within, ~debited)).label("left"),
        )
        .join_from(since, _transfer, _transfer.c.journal_id == since.c.id)
        .join(held, or_(debited, held.c.id == _transfer.c.credit_account_id))
        .where(_transfer.c.bank_id == bank_id, _transfer.c.kind.in_(_POSTED))
        .group_by(held.c.code)
    )


async def _payouts(connection: AsyncConnection, bank_id: UUID, days: Days) -> dict[str, OfPayouts]:
    """Paid in these days; on its way is what was sent by their end and has no end itself."""
    paid = and_(
        _payout.c.status.in_(_PAID),
        _payout.c.paid_at >= days.begins,
        _payout.c.paid_at < days.over,
    )
    came_back = and_(_payout.c.reversed_at >= days.begins, _payout.c.reversed_at < days.over)
    under_way = and_(_payout.c.status.in_(_UNDER_WAY), _payout.c.sent_at < days.over)
    send = _send()
    query = (
        select(
            _payout.c.gateway,
            _count(paid).label("paid_count"),
            _sum(send, paid).label("paid_idr"),
            _sum(_payout.c.fee_idr, paid).label("fees_idr"),
            _sum(send, came_back).label("reversed_idr"),
            _count(under_way).label("in_transit_count"),
            _sum(send + _payout.c.fee_idr, under_way).label("in_transit_idr"),
        )
        .where(
            _payout.c.bank_id == bank_id, _payout.c.gateway != "", or_(paid, came_back, under_way)
        )
        .group_by(_payout.c.gateway)
    )
    rows = await connection.execute(query)
    return {row.gateway: OfPayouts(*map(int, row[1:])) for row in rows}


async def _statements(
    connection: AsyncConnection, bank_id: UUID, days: Days
) -> dict[str, OfStatement]:
    amount = _line.c.amount_idr
    is_matched = (
        select(_match.c.line_id)
        .where(_of_line(), _match.c.undone_at.is_(None))
        .correlate(_line)
        .exists()
    )
    query = (
        select(
            _line.c.source,
            func.count().label("line_count"),
            _count(is_matched).label("matched_count"),
            _sum(amount, amount > 0).label("in_idr"),
            _sum(-amount, amount < 0).label("out_idr"),
        )
        .where(*_booked(bank_id, days))
        .group_by(_line.c.source)
    )
    found = {}
    for row in (await connection.execute(query)).all():
        first = await _edge(connection, bank_id, row.source, days, newest=False)
        last = await _edge(connection, bank_id, row.source, days, newest=True)
        opening = None if first.balance_idr is None else first.balance_idr - first.amount_idr
        count, matched, came, left = map(int, row[1:])
        found[row.source] = OfStatement(count, matched, came, left, opening, last.balance_idr)
    return found


async def _edge(
    connection: AsyncConnection, bank_id: UUID, source: str, days: Days, *, newest: bool
) -> Any:
    """The first or last line of a source in these days."""
    order = [_line.c.booked_at, _line.c.import_id, _line.c.number]
    query = (
        select(_line.c.amount_idr, _line.c.balance_idr)
        .where(*_booked(bank_id, days), _line.c.source == source)
        .order_by(*(column.desc() if newest else column for column in order))
        .limit(1)
    )
    return (await connection.execute(query)).one()


async def _waiting(
    connection: AsyncConnection, bank_id: UUID, days: Days
) -> dict[str, tuple[int, int]]:
    """Cases that wait, and what they account for; of unsettled payouts `_early` does."""
    left = case(
        (_payout.c.status.in_(_UNDER_WAY), 0),
        (_case.c.kind == CaseKind.LATE, 0),
        else_=_case.c.found_idr - _case.c.expected_idr,
    )
    of_payout = and_(_payout.c.bank_id == _case.c.bank_id, _payout.c.id == _case.c.payout_id)
    query = (
        select(_case.c.source, func.count(), func.sum(left))
        .select_from(_case)
        .outerjoin(_payout, of_payout)
        .where(
            _case.c.bank_id == bank_id,
            among(_case.c.status, WAITING),
            _case.c.since >= days.begins,
            _case.c.since < days.over,
        )
        .group_by(_case.c.source)
    )
    rows = await connection.execute(query)
    return {source: (count, int(total)) for source, count, total in rows}


async def _early(connection: AsyncConnection, bank_id: UUID, days: Days) -> dict[str, int]:
    """What left by lines of payouts that our book hasn't settled, matched or not."""
    matched = exists().where(
        _of_line(), _match.c.undone_at.is_(None), _unsettled(_match.c.payout_id)
    )
    in_case = exists().where(
        _case.c.bank_id == _line.c.bank_id,
        _case.c.line_id == _line.c.id,
        among(_case.c.status, WAITING),
        _unsettled(_case.c.payout_id),
    )
    query = (
        select(_line.c.source, func.sum(-_line.c.amount_idr))
        .where(*_booked(bank_id, days), or_(matched, in_case))
        .group_by(_line.c.source)
    )
    return {source: int(total) for source, total in await connection.execute(query)}


def _unsettled(payout_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    return exists().where(
        _payout.c.bank_id == _line.c.bank_id,
        _payout.c.id == payout_id,
        _payout.c.status.in_(_UNDER_WAY),
    )


def _booked(bank_id: UUID, days: Days) -> tuple[ColumnElement[bool], ...]:
    return (
        _line.c.bank_id == bank_id,
        _line.c.booked_at >= days.begins,
        _line.c.booked_at < days.over,
        _line.c.withdrawn_at.is_(None),
    )


def _of_line() -> ColumnElement[bool]:
    return and_(_match.c.bank_id == _line.c.bank_id, _match.c.line_id == _line.c.id)


def _send() -> ColumnElement[int]:
    of_resident = _payout.c.fee_by == "resident"
    return _payout.c.amount_idr - case((of_resident, _payout.c.fee_idr), else_=0)


def _sum(amount: ColumnElement[int], when: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((when, amount), else_=0)), 0)


def _count(when: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((when, 1), else_=0)), 0)
