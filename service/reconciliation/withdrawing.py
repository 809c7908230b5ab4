"""A statement that should not have come in is withdrawn: it stays on record and counts no more.

Its lines match nothing, and what was only a question because of it is none. What somebody
decided about it and moved money has to be undone before.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import among, table_of, utc_now
from models.ledger import Journal, Transfer
from models.reconciliation import (
    CaseStatus,
    LineType,
    ReconciliationCase,
    StatementImport,
    StatementLine,
    StatementMatch,
)
from service.database import one_at_a_time
from service.errors import Conflict, NoSuchThing
from service.reconciliation.store import WAITING, due_on

_case, _line = table_of(ReconciliationCase), table_of(StatementLine)
_match = table_of(StatementMatch)
_journal, _transfer = table_of(Journal), table_of(Transfer)


class StatementWithdrawn(Conflict):
    english = "This statement was already withdrawn."
    indonesian = "Mutasi ini sudah ditarik."


class StatementDecided(Conflict):
    english = (
        "{decisions} decisions about this statement have moved money. Take them back first, by"
        " undoing the match or correcting the entry."
    )
    indonesian = (
        "{decisions} keputusan tentang mutasi ini sudah memindahkan uang. Batalkan dahulu, lewat"
        " pembatalan pencocokan atau koreksi."
    )


async def withdraw(
    session: AsyncSession, bank: Bank, import_id: UUID, *, by: UUID, reason: str
) -> StatementImport:
    """Withdraw an import, with a reason; the same file may be brought in again.

    Raises NoSuchThing, StatementWithdrawn or StatementDecided.
    """
    await one_at_a_time(session, f"statements of {bank.id}")
    found = await _find(session, bank.id, import_id)
    await _check_undecided(session, found)
    await _end(session, found, by, reason)
    await _undo_matches(session, found, by, reason)
    await _clear(session, found)
    await _open_again(session, bank, found)
    return found


async def _find(session: AsyncSession, bank_id: UUID, import_id: UUID) -> StatementImport:
    query = select(StatementImport).where(
        StatementImport.bank_id == bank_id, StatementImport.id == import_id
    )
    found = (await session.exec(query)).first()
    if found is None:
        raise NoSuchThing(thing="statement")
    if found.withdrawn_at is not None:
        raise StatementWithdrawn
    return found


async def _check_undecided(session: AsyncSession, found: StatementImport) -> None:
    """Raises StatementDecided where a decision's transfer stands."""
    taken_back = exists().where(
        _journal.c.bank_id == found.bank_id, _journal.c.reverses_id == _transfer.c.journal_id
    )
    query = (
        select_columns(func.count())
        .select_from(_case)
        .join(
            _transfer,
            (_transfer.c.bank_id == _case.c.bank_id) & (_transfer.c.id == _case.c.transfer_id),
        )
        .where(_by_it(found), ~taken_back)
    )
    decisions = (await (await session.connection()).execute(query)).scalar_one()
    if decisions:
        raise StatementDecided(decisions=decisions)


async def _end(session: AsyncSession, found: StatementImport, by: UUID, reason: str) -> None:
    now = utc_now()
    found.withdrawn_by, found.withdrawn_at, found.withdrawn_reason = by, now, reason
    session.add(found)
    await session.flush()
    connection = await session.connection()
    of_it = (_line.c.bank_id == found.bank_id) & (_line.c.import_id == found.id)
    await connection.execute(update(_line).where(of_it).values(withdrawn_at=now))


async def _undo_matches(
    session: AsyncSession, found: StatementImport, by: UUID, reason: str
) -> None:
    connection = await session.connection()
    await connection.execute(
        update(_match)
        .where(
            _match.c.bank_id == found.bank_id,
            _match.c.line_id.in_(_lines_of(found)),
            _match.c.undone_at.is_(None),
        )
        .values(undone_by=by, undone_at=found.withdrawn_at, undone_reason=reason)
    )


async def _clear(session: AsyncSession, found: StatementImport) -> None:
    """End the cases that came up by it and wait."""
    connection = await session.connection()
    await connection.execute(
        update(_case)
        .where(_by_it(found), among(_case.c.status, WAITING))
        .values(status=CaseStatus.CLEARED, ended_at=found.withdrawn_at)
    )


async def _open_again(session: AsyncSession, bank: Bank, found: StatementImport) -> None:
    """Payouts that were missing before it came are missing again."""
    left = select_columns(_match.c.payout_id).where(
        _match.c.bank_id == found.bank_id,
        _match.c.line_id.in_(_lines_of(found)),
        _match.c.leg == LineType.OUT,
        _match.c.undone_at == found.withdrawn_at,
    )
    waits = _case.alias()
    waiting = exists().where(
        waits.c.bank_id == _case.c.bank_id,
        waits.c.payout_id == _case.c.payout_id,
        waits.c.line_id.is_(None),
        among(waits.c.status, WAITING),
    )
    query = (
        select(ReconciliationCase)
        .where(
            _case.c.bank_id == found.bank_id,
            _case.c.status == CaseStatus.CLEARED,
            _case.c.line_id.is_(None),
            _case.c.ended_at >= found.imported_at,
            or_(_case.c.import_id.is_(None), _case.c.import_id != found.id),
            _case.c.payout_id.in_(left),
            ~waiting,
        )
        .order_by(col(ReconciliationCase.id))
    )
    cleared = {case.payout_id: case for case in await session.exec(query)}
    for case in cleared.values():
        session.add(_anew(bank, case))
    await session.flush()


def _anew(bank: Bank, case: ReconciliationCase) -> ReconciliationCase:
    names = {
        *("bank_id", "source", "holding", "kind", "why", "payout_id", "import_id"),
        *("expected_idr", "found_idr", "proposed_action", "since"),
    }
    return ReconciliationCase(
        **case.model_dump(include=names), due_on=due_on(utc_now(), bank.time_zone)
    )


def _by_it(found: StatementImport) -> ColumnElement[bool]:
    """Cases about its lines, and those of payouts of which it was silent."""
    of_it = or_(_case.c.import_id == found.id, _case.c.line_id.in_(_lines_of(found)))
    return (_case.c.bank_id == found.bank_id) & of_it


def _lines_of(found: StatementImport) -> ColumnElement[UUID]:
    return (
        select_columns(_line.c.id)
        .where(_line.c.bank_id == found.bank_id, _line.c.import_id == found.id)
        .scalar_subquery()
    )
