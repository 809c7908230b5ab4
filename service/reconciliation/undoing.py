"""A match that was wrong is undone: it stays on record, and its line waits for somebody again.

So does the payout that it was taken for: by our book it left, and nothing says so now.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import among, utc_now
from models.ledger import Transfer
from models.payout import Payout, PayoutStatus
from models.reconciliation import (
    Action,
    CaseKind,
    CaseStatus,
    Holding,
    LineType,
    ReconciliationCase,
    StatementImport,
    StatementLine,
    StatementMatch,
)
from service import banks, ledger
from service.database import one_at_a_time
from service.errors import Conflict, NoSuchThing
from service.reconciliation.facts import GONE
from service.reconciliation.resolving import OwnReconciliation
from service.reconciliation.store import WAITING, due_on


class MatchAlreadyUndone(Conflict):
    english = "This match was already undone."
    indonesian = "Pencocokan ini sudah dibatalkan."


class MatchNotUndoable(Conflict):
    english = "This match has given a payout back to its resident, which can't be undone here."
    indonesian = (
        "Pencocokan ini telah mengembalikan pencairan kepada warga; tidak dapat dibatalkan di sini."
    )


class _Matched(NamedTuple):
    match: StatementMatch
    line: StatementLine
    imported_by: UUID


async def undo(
    session: AsyncSession, bank: Bank, match_id: UUID, *, by: UUID, reason: str
) -> StatementMatch:
    """Undo a match, with what it moved; line and payout are cases of their own now.

    Raises NoSuchThing, MatchAlreadyUndone, MatchNotUndoable or OwnReconciliation.
    """
    await one_at_a_time(session, f"statements of {bank.id}")
    found = await _find(session, bank.id, match_id)
    await _check_another(session, found, by)
    await _end(session, found.match, by, reason)
    await _take_back(session, found.match, by, reason)
    await _open_case(session, bank, found)
    if found.match.leg == LineType.OUT:
        await _open_missing(session, bank, found)
    return found.match


async def _find(session: AsyncSession, bank_id: UUID, match_id: UUID) -> _Matched:
    query = (
        select(StatementMatch, StatementLine, StatementImport.imported_by)
        .join(
            StatementLine,
            (col(StatementLine.bank_id) == StatementMatch.bank_id)
            & (col(StatementLine.id) == StatementMatch.line_id),
        )
        .join(
            StatementImport,
            (col(StatementImport.bank_id) == StatementLine.bank_id)
            & (col(StatementImport.id) == StatementLine.import_id),
        )
        .where(StatementMatch.bank_id == bank_id, StatementMatch.id == match_id)
    )
    row = (await session.exec(query)).first()
    if row is None:
        raise NoSuchThing(thing="match")
    return _Matched(*row)


async def _check_another(session: AsyncSession, found: _Matched, by: UUID) -> None:
    """As for a decision: above the limit, not who brought the line in or matched it."""
    policy = await banks.policy_of(session, found.match.bank_id)
    above = abs(found.line.amount_idr) > policy.correction_limit_idr
    if above and by in (found.imported_by, found.match.matched_by):
        raise OwnReconciliation


async def _end(session: AsyncSession, match: StatementMatch, by: UUID, reason: str) -> None:
    undone = await session.exec(
        update(StatementMatch)
        .where(
            col(StatementMatch.bank_id) == match.bank_id,
            col(StatementMatch.id) == match.id,
            col(StatementMatch.undone_at).is_(None),
        )
        .values(undone_by=by, undone_at=utc_now(), undone_reason=reason)
        .returning(col(StatementMatch.id))
        .execution_options(synchronize_session=False)
    )
    happened = undone.first() is not None
    await session.refresh(match)
    if not happened:
        raise MatchAlreadyUndone


async def _take_back(session: AsyncSession, match: StatementMatch, by: UUID, reason: str) -> None:
    """What the decision behind a match has moved is moved back."""
    query = (
        select(ReconciliationCase.action, Transfer.journal_id)
        .join(
            Transfer,
            (col(Transfer.bank_id) == ReconciliationCase.bank_id)
            & (col(Transfer.id) == ReconciliationCase.transfer_id),
        )
        .where(
            ReconciliationCase.bank_id == match.bank_id,
            ReconciliationCase.line_id == match.line_id,
            ReconciliationCase.status == CaseStatus.RESOLVED,
        )
        .order_by(col(ReconciliationCase.id).desc())
        .limit(1)
    )
    moved = (await session.exec(query)).first()
    if moved is None:
        return
    action, journal_id = moved
    if action == Action.REVERSE:
        raise MatchNotUndoable
    if await ledger.reversal_of(session, match.bank_id, journal_id):
        return
    act = await ledger.act_of(session, match.bank_id, journal_id)
    await ledger.reverse(session, match.bank_id, act, by=by, reason=reason)


async def _open_case(session: AsyncSession, bank: Bank, found: _Matched) -> None:
    """The line is unexplained as a whole; a case that it still had is part of that."""
    line, now = found.line, utc_now()
    await _clear(session, bank.id, col(ReconciliationCase.line_id) == line.id)
    session.add(
        ReconciliationCase(
            bank_id=bank.id,
            source=line.source,
            holding=Holding.FLOAT,
            kind=CaseKind.UNKNOWN,
            why="undone",
            line_id=line.id,
            payout_id=found.match.payout_id,
            expected_idr=0,
            found_idr=-line.amount_idr,
            proposed_action=Action.SUSPENSE,
            since=line.booked_at,
            due_on=due_on(now, bank.time_zone),
        )
    )
    await session.flush()


async def _open_missing(session: AsyncSession, bank: Bank, found: _Matched) -> None:
    """The payout has no line now; what its fee still lacked is part of that."""
    query = select(Payout).where(
        Payout.bank_id == bank.id,
        Payout.id == found.match.payout_id,
        col(Payout.status).in_(GONE - {PayoutStatus.REVERSED}),
    )
    payout = (await session.exec(query)).first()
    if payout is None:
        return
    now, is_unknown = utc_now(), payout.status == PayoutStatus.UNKNOWN
    of_payout = col(ReconciliationCase.payout_id) == payout.id
    await _clear(session, bank.id, of_payout & col(ReconciliationCase.line_id).is_(None))
    session.add(
        ReconciliationCase(
            bank_id=bank.id,
            source=found.line.source,
            holding=Holding.FLOAT,
            kind=CaseKind.UNKNOWN if is_unknown else CaseKind.MISSING_AT_GATEWAY,
            why="undone",
            payout_id=payout.id,
            expected_idr=payout.send_idr,
            found_idr=0,
            proposed_action=Action.WAIT,
            since=payout.sent_at or found.line.booked_at,
            due_on=due_on(now, bank.time_zone),
        )
    )
    await session.flush()


async def _clear(session: AsyncSession, bank_id: UUID, which: ColumnElement[bool]) -> None:
    await session.exec(
        update(ReconciliationCase)
        .where(
            col(ReconciliationCase.bank_id) == bank_id,
            among(col(ReconciliationCase.status), WAITING),
            which,
        )
        .values(status=CaseStatus.CLEARED, ended_at=utc_now())
        .execution_options(synchronize_session=False)
    )
