"""A person decides what a case is: the line is matched, the money is moved, once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Transfer
from models.payout import Cause, Payout, PayoutStatus
from models.reconciliation import (
    Action,
    CaseKind,
    CaseStatus,
    LineType,
    ReconciliationCase,
    StatementImport,
    StatementLine,
    StatementMatch,
)
from service import banks, ledger, payouts
from service.database import one_at_a_time
from service.errors import Conflict, Forbidden
from service.gateways import Reported, Stage
from service.ledger import Draft, Movement
from service.reconciliation import cases, effects, store
from service.reconciliation.facts import Rule

_BACK = (LineType.OUT_BACK, LineType.IN)


class ActionDoesNotFit(Conflict):
    english = "This can't be done about this exception. Possible: {actions}."
    indonesian = "Tindakan ini tidak sesuai untuk selisih ini. Pilihan: {actions}."


class OwnReconciliation(Forbidden):
    english = "Somebody else has to decide this: it is your own money, or above the limit what you entered, approved or imported."
    indonesian = "Harus diputuskan orang lain: ini uang Anda sendiri, atau di atas batas dan Anda yang memasukkan, menyetujui atau mengimpornya."


class PayoutNotPaid(Conflict):
    english = "By our book this payout has not been paid, so that nothing of it can come back."
    indonesian = "Menurut buku kita pencairan ini belum dibayar sehingga tidak dapat dikembalikan."


class AlreadyMatched(Conflict):
    english = "This line or this payout was matched in the meantime."
    indonesian = "Baris atau pencairan ini sudah dicocokkan."


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a case, why, and by whom; `account` is the bank's own, for a top-up."""

    action: Action
    reason: str
    by: UUID
    account: str = "main"


async def resolve(session: AsyncSession, case: ReconciliationCase, decision: Decision) -> None:
    """Do it, or wait. What moves is one balanced act of the ledger.

    Raises ActionDoesNotFit, OwnReconciliation, CaseNotOpen, PayoutNotPaid or
    AlreadyMatched.
    """
    possible = effects.allowed(case)
    if decision.action not in possible:
        raise ActionDoesNotFit(actions=", ".join(possible))
    await one_at_a_time(session, f"statements of {case.bank_id}")
    payout = await _payout_of(session, case)
    await _check_another(session, case, payout, decision)
    if decision.action == Action.WAIT:
        await cases.change(session, case, status=CaseStatus.WAITING, reason=decision.reason)
        return
    # Ending it locks the row, so that of two who decide the slower finds it ended.
    await cases.change(
        session,
        case,
        status=CaseStatus.RESOLVED,
        action=decision.action,
        reason=decision.reason,
        resolved_by=decision.by,
        ended_at=utc_now(),
    )
    await _match(session, case, decision)
    await _note_transfer(session, case, await _move(session, case, payout, decision))


async def _payout_of(session: AsyncSession, case: ReconciliationCase) -> Payout | None:
    query = select(Payout).where(Payout.bank_id == case.bank_id, Payout.id == case.payout_id)
    return (await session.exec(query)).first() if case.payout_id else None


async def _check_another(
    session: AsyncSession, case: ReconciliationCase, payout: Payout | None, decision: Decision
) -> None:
    if payout and payout.resident_id == decision.by:
        raise OwnReconciliation
    policy = await banks.policy_of(session, case.bank_id)
    if effects.at_stake_idr(case, decision.action) <= policy.correction_limit_idr:
        return
    makers = {payout.entered_by, payout.approved_by} if payout else set()
    if decision.by in makers | {await _importer(session, case)}:
        raise OwnReconciliation


async def _importer(session: AsyncSession, case: ReconciliationCase) -> UUID | None:
    """Who brought the line in."""
    if case.line_id is None:
        return None
    query = (
        select(StatementImport.imported_by)
        .join(
            StatementLine,
            (col(StatementLine.bank_id) == StatementImport.bank_id)
            & (col(StatementLine.import_id) == StatementImport.id),
        )
        .where(StatementLine.bank_id == case.bank_id, StatementLine.id == case.line_id)
    )
    return (await session.exec(query)).first()


async def _match(session: AsyncSession, case: ReconciliationCase, decision: Decision) -> None:
    """The line is the payout's from now on, where the decision says so. Raises AlreadyMatched."""
    if case.line_id is None or case.payout_id is None or not _says_it_is(case, decision.action):
        return
    query = select(StatementLine.line_type).where(
        StatementLine.bank_id == case.bank_id, StatementLine.id == case.line_id
    )
    kind = (await session.exec(query)).one()
    match = StatementMatch(
        bank_id=case.bank_id,
        line_id=case.line_id,
        part=await _next_part(session, case),
        payout_id=case.payout_id,
        leg=await _free_leg(session, case, LineType.OUT_BACK if kind in _BACK else kind),
        rule=Rule.PERSON,
        matched_by=decision.by,
    )
    session.add(match)
    try:
        await session.flush()
    except IntegrityError as error:
        raise AlreadyMatched from error
    # It isn't missing any more.
    await store.clear_settled(await session.connection(), store.Whose(case.bank_id, case.source))


def _says_it_is(case: ReconciliationCase, action: Action) -> bool:
    known = case.kind in (CaseKind.AMOUNT_DIFFERS, CaseKind.FEE_DIFFERS)
    return action == Action.MATCH or known or case.kind == CaseKind.REVERSED


async def _next_part(session: AsyncSession, case: ReconciliationCase) -> int:
    """One, unless the line is a batch of which others are matched."""
    query = select(func.max(StatementMatch.part)).where(
        StatementMatch.bank_id == case.bank_id,
        StatementMatch.line_id == case.line_id,
        col(StatementMatch.undone_at).is_(None),
    )
    return ((await session.exec(query)).one() or 0) + 1


async def _free_leg(session: AsyncSession, case: ReconciliationCase, leg: str) -> str:
    """The side of the payout that the line is; of several parts, the next."""
    query = select(StatementMatch.leg).where(
        StatementMatch.bank_id == case.bank_id,
        StatementMatch.payout_id == case.payout_id,
        col(StatementMatch.undone_at).is_(None),
    )
    taken = set(await session.exec(query))
    names = [leg, *(f"{leg}:{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


async def _move(
    session: AsyncSession, case: ReconciliationCase, payout: Payout | None, decision: Decision
) -> UUID | None:
    """Post what the decision moves; its transfer."""
    if decision.action == Action.REVERSE:
        if payout is None:
            raise PayoutNotPaid
        return await _take_back(session, payout, decision)
    other = effects.counter_place(decision.action, decision.account)
    if other is None:
        return None
    if case.line_id is None and (payout is None or payout.status != PayoutStatus.PAID):
        # What is only held has not left the float.
        raise PayoutNotPaid
    left = case.unexplained_idr
    ours = effects.place_of(case)
    debit, credit = (other, ours) if left > 0 else (ours, other)
    move = Movement(f"reconciliation:{case.id}", debit, credit, abs(left))
    draft = Draft(
        "reconciliation",
        [move],
        event_at=utc_now(),
        about_id=case.id,
        actor_id=decision.by,
        memo=decision.reason,
    )
    return (await ledger.post(session, case.bank_id, draft))[0]


async def _take_back(session: AsyncSession, payout: Payout, decision: Decision) -> UUID:
    """The payout came back: it is the resident's again, who is told. Raises PayoutNotPaid."""
    if payout.status != PayoutStatus.PAID:
        raise PayoutNotPaid
    report = Reported(Stage.REVERSED, payout.gateway_id)
    effect = await payouts.settle(
        session, payout.bank_id, payout.id, report, Cause.REPORT, decision.by
    )
    if effect != payouts.Effect.MOVED:
        raise PayoutNotPaid
    query = select(Transfer.id).where(
        Transfer.bank_id == payout.bank_id, Transfer.key == f"payout:{payout.id}:back"
    )
    return (await session.exec(query)).one()


async def _note_transfer(
    session: AsyncSession, case: ReconciliationCase, transfer_id: UUID | None
) -> None:
    if transfer_id is None:
        return
    await session.exec(
        update(ReconciliationCase)
        .where(
            col(ReconciliationCase.bank_id) == case.bank_id, col(ReconciliationCase.id) == case.id
        )
        .values(transfer_id=transfer_id)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(case)
