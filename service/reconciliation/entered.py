"""The top-ups in our book that no line of a statement was until now."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import table_of
from models.ledger import Account, Journal, Page, Transfer
from models.reconciliation import (
    Action,
    CaseKind,
    CaseStatus,
    LineType,
    ReconciliationCase,
    StatementLine,
)
from service.ledger import chart
from service.reconciliation.facts import Line
from service.reconciliation.store import Whose
from service.reconciliation.topups import NEAR, TOPPED_UP, Came, TopUp, pairs

_account, _journal = table_of(Account), table_of(Journal)
_page, _transfer = table_of(Page), table_of(Transfer)
_case, _line = table_of(ReconciliationCase), table_of(StatementLine)


async def top_ups_for(
    connection: AsyncConnection, whose: Whose, lines: Sequence[Line]
) -> Sequence[TopUp]:
    """Top-ups of this gateway's float about the time of the lines that no earlier line was."""
    ins = [line for line in lines if line.kind == LineType.IN]
    if not ins:
        return ()
    first = min(line.booked_at for line in ins) - NEAR
    last = max(line.booked_until for line in ins) + NEAR
    # An earlier line may have one of these, or one that is farther away.
    entered = await _entered(connection, whose, first - 2 * NEAR, last + 2 * NEAR)
    explained = await _explained(connection, whose, first - NEAR, last + NEAR)
    taken = set(pairs(explained, entered).values())
    return [top_up for at, top_up in enumerate(entered) if at not in taken]


async def _entered(
    connection: AsyncConnection, whose: Whose, first: datetime, last: datetime
) -> list[TopUp]:
    """What was entered and not taken back, in order of time."""
    # Everything since then stands on the page that was open then, or on a later one.
    first_page = (
        select(func.coalesce(func.max(_page.c.number), 0))
        .where(_page.c.bank_id == whose.bank_id, _page.c.opened_at <= first)
        .scalar_subquery()
    )
    back = _journal.alias()
    taken_back = exists().where(
        back.c.bank_id == _journal.c.bank_id, back.c.reverses_id == _journal.c.id
    )
    of_journal = and_(
        _transfer.c.bank_id == _journal.c.bank_id, _transfer.c.journal_id == _journal.c.id
    )
    debited = and_(
        _account.c.bank_id == _transfer.c.bank_id, _account.c.id == _transfer.c.debit_account_id
    )
    query = (
        select(_transfer.c.amount, _transfer.c.event_at)
        .select_from(_journal)
        .join(_transfer, of_journal)
        .join(_account, debited)
        .where(
            _journal.c.bank_id == whose.bank_id,
            _journal.c.page >= first_page,
            _journal.c.kind == "float_top_up",
            _account.c.code == chart.float(whose.source).code,
            _transfer.c.event_at.between(first, last),
            ~taken_back,
        )
        .order_by(_transfer.c.event_at, _transfer.c.id)
    )
    return [TopUp(*row) for row in await connection.execute(query)]


async def _explained(
    connection: AsyncConnection, whose: Whose, first: datetime, last: datetime
) -> list[Came]:
    """Earlier lines that were a top-up, by the matcher or by what somebody said of them."""
    of_line = and_(_case.c.bank_id == _line.c.bank_id, _case.c.line_id == _line.c.id)
    query = (
        select(_line.c.amount_idr, _line.c.booked_at, _line.c.booked_until)
        .join(_case, of_line)
        .where(
            _line.c.bank_id == whose.bank_id,
            _line.c.source == whose.source,
            _line.c.line_type == LineType.IN,
            _line.c.booked_at.between(first, last),
            _line.c.withdrawn_at.is_(None),
            _case.c.kind == CaseKind.MISSING_HERE,
            _case.c.status != CaseStatus.CLEARED,
            or_(_case.c.why == TOPPED_UP, _case.c.action == Action.ACCEPT),
        )
        .order_by(_line.c.booked_at, _line.c.id)
    )
    return [Came(*row) for row in await connection.execute(query)]
