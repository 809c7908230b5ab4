"""Payouts: asked for, approved by another, paid in cash, or given back in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.ledger import TransferKind
from models.payout import BEFORE_SENDING, Payout, PayoutMethod, PayoutStatus
from models.people import Role
from service import banks, events, ledger
from service.errors import Conflict, Forbidden, NoSuchThing
from service.ledger import Draft, Movement, chart
from service.members import OFFICERS, Caller

NOT_APPROVED_IN_TIME = "Tidak disetujui sampai batas waktu."


class PayoutTooSmall(Conflict):
    english = "A payout is at least Rp{minimum_idr}."
    indonesian = "Pencairan minimal Rp{minimum_idr}."


class MethodNotOffered(Conflict):
    english = "This waste bank pays in cash only, for now."
    indonesian = "Untuk saat ini bank sampah ini hanya membayar tunai."


class OwnPayout(Forbidden):
    english = "Nobody approves or pays a payout of their own, or one they entered."
    indonesian = "Tidak boleh menyetujui atau membayar pencairan sendiri atau yang Anda masukkan."


class PayoutNotOpen(Conflict):
    english = "This payout is {status}; that can't be done any more, or not yet."
    indonesian = "Pencairan ini berstatus {status}; hal ini tidak dapat dilakukan."


@dataclass(frozen=True, slots=True)
class Request:
    """A payout that is asked for."""

    bank_id: UUID
    resident_id: UUID
    entered_by: UUID
    amount_idr: int
    method: PayoutMethod
    channel_code: str = ""
    account_number: str = ""
    account_holder_name: str = ""


async def request(session: AsyncSession, wanted: Request) -> Payout:
    """Ask for money; it is held from now on, so it can't be asked for twice.

    Raises MethodNotOffered, PayoutTooSmall or BalanceTooLow.
    """
    if wanted.method != PayoutMethod.CASH:
        raise MethodNotOffered
    policy = await banks.policy_of(session, wanted.bank_id)
    if wanted.amount_idr < policy.min_payout_idr:
        raise PayoutTooSmall(minimum_idr=policy.min_payout_idr)
    payout_id, now = new_id(), utc_now()
    hold = Movement(
        f"payout:{payout_id}:hold",
        debit=chart.available(wanted.resident_id),
        credit=chart.IN_TRANSIT,
        amount=wanted.amount_idr,
        kind=TransferKind.HOLD,
    )
    hold_id = await _post(session, wanted.bank_id, payout_id, wanted.entered_by, [hold])
    payout = Payout(
        bank_id=wanted.bank_id,
        id=payout_id,
        resident_id=wanted.resident_id,
        entered_by=wanted.entered_by,
        amount_idr=wanted.amount_idr,
        method=wanted.method,
        channel_code=wanted.channel_code,
        account_number=wanted.account_number,
        account_holder_name=wanted.account_holder_name,
        hold_id=hold_id,
        expires_at=now + timedelta(hours=policy.payout_expires_h),
        created_at=now,
    )
    session.add(payout)
    await session.flush()
    await _tell(session, payout, "payout_requested")
    return payout


async def approve(session: AsyncSession, payout: Payout, *, by: UUID) -> None:
    """A treasurer agrees. Raises OwnPayout or PayoutNotOpen."""
    _check_another(payout, by)
    values = {"status": PayoutStatus.APPROVED, "approved_by": by, "approved_at": utc_now()}
    await _move(session, payout, (PayoutStatus.REQUESTED,), values)
    await _tell(session, payout, "payout_approved")


async def pay_cash(session: AsyncSession, payout: Payout, *, by: UUID, proof: str) -> None:
    """The money is handed over: what was held leaves the passbook and the cash drawer.

    Raises OwnPayout, PayoutNotOpen or MethodNotOffered.
    """
    _check_another(payout, by)
    if payout.method != PayoutMethod.CASH:
        raise MethodNotOffered
    values = {
        "status": PayoutStatus.PAID,
        "paid_by": by,
        "paid_at": utc_now(),
        "proof": proof,
    }
    await _move(session, payout, (PayoutStatus.APPROVED,), values)
    settle = _resolution(payout, TransferKind.SETTLE)
    out = Movement(
        f"payout:{payout.id}:out",
        debit=chart.IN_TRANSIT,
        credit=chart.CASH,
        amount=payout.amount_idr,
    )
    await _post(session, payout.bank_id, payout.id, by, [settle, out])
    await _tell(session, payout, "payout_paid")


async def reject(session: AsyncSession, payout: Payout, *, by: UUID, reason: str) -> None:
    """A treasurer says no; the money is free again. Raises OwnPayout or PayoutNotOpen."""
    _check_another(payout, by)
    await _give_back(session, payout, PayoutStatus.REJECTED, by=by, reason=reason)
    await _tell(session, payout, "payout_rejected")


async def cancel(session: AsyncSession, payout: Payout, *, by: UUID, reason: str) -> None:
    """Taken back before any money left. Raises PayoutNotOpen."""
    await _give_back(session, payout, PayoutStatus.CANCELLED, by=by, reason=reason)
    await _tell(session, payout, "payout_cancelled")


async def expire_next(session: AsyncSession, bank_ids: Sequence[UUID]) -> bool:
    """Give back one payout that nobody approved in time; False if none is left.

    One a transaction: who gives several back at once could wait for somebody who waits for it.
    """
    payout = await _next_expired(session, bank_ids)
    if payout is None:
        return False
    values = {
        "status": PayoutStatus.CANCELLED,
        "ended_at": utc_now(),
        "reason": NOT_APPROVED_IN_TIME,
    }
    await _move(session, payout, (PayoutStatus.REQUESTED,), values)
    void = _resolution(payout, TransferKind.VOID)
    await _post(session, payout.bank_id, payout.id, None, [void])
    await _tell(session, payout, "payout_expired")
    return True


async def find_own(session: AsyncSession, caller: Caller, payout_id: UUID) -> Payout:
    """A payout that the caller may see. Raises NoSuchThing."""
    query = select(Payout).where(
        Payout.id == payout_id, col(Payout.bank_id).in_(caller.banks()), _visible_to(caller)
    )
    payout = (await session.exec(query)).first()
    if payout is None:
        raise NoSuchThing(thing="payout")
    return payout


async def visible(
    session: AsyncSession,
    caller: Caller,
    *,
    status: PayoutStatus | None,
    before: UUID | None,
    limit: int,
) -> list[Payout]:
    """Payouts the caller may see, newest first."""
    query = (
        select(Payout)
        .where(col(Payout.bank_id).in_(caller.banks()), _visible_to(caller))
        .order_by(col(Payout.id).desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(Payout.status == status)
    if before is not None:
        query = query.where(col(Payout.id) < before)
    return list(await session.exec(query))


def _visible_to(caller: Caller) -> ColumnElement[bool]:
    officer_of = caller.banks(*OFFICERS)
    own = col(Payout.resident_id) == caller.person_id
    return or_(
        own if caller.banks(Role.RESIDENT) else false(),
        col(Payout.bank_id).in_(officer_of) if officer_of else false(),
    )


def _check_another(payout: Payout, by: UUID) -> None:
    if by in (payout.resident_id, payout.entered_by):
        raise OwnPayout


async def _give_back(
    session: AsyncSession, payout: Payout, status: PayoutStatus, *, by: UUID, reason: str
) -> None:
    values = {"status": status, "ended_by": by, "ended_at": utc_now(), "reason": reason}
    await _move(session, payout, BEFORE_SENDING, values)
    void = _resolution(payout, TransferKind.VOID)
    await _post(session, payout.bank_id, payout.id, by, [void])


async def _next_expired(session: AsyncSession, bank_ids: Sequence[UUID]) -> Payout | None:
    """The payout whose time ran out first, unless somebody is deciding on it right now."""
    query = (
        select(Payout)
        .where(
            col(Payout.bank_id).in_(bank_ids),
            Payout.status == PayoutStatus.REQUESTED,
            col(Payout.expires_at) <= utc_now(),
        )
        .order_by(col(Payout.expires_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.exec(query)).first()


def _resolution(payout: Payout, kind: TransferKind) -> Movement:
    return Movement(
        f"payout:{payout.id}:{kind}",
        debit=chart.available(payout.resident_id),
        credit=chart.IN_TRANSIT,
        amount=payout.amount_idr,
        kind=kind,
        pending_id=payout.hold_id,
    )


async def _move(
    session: AsyncSession,
    payout: Payout,
    allowed: Sequence[PayoutStatus],
    values: dict[str, Any],
) -> None:
    """Change the state if it is still one of these; of two at once, one gets through."""
    moved = await session.exec(
        update(Payout)
        .where(
            col(Payout.bank_id) == payout.bank_id,
            col(Payout.id) == payout.id,
            col(Payout.status).in_(allowed),
        )
        .values(**values)
        .returning(col(Payout.id))
        .execution_options(synchronize_session=False)
    )
    happened = moved.first() is not None
    await session.refresh(payout)
    if not happened:
        raise PayoutNotOpen(status=payout.status)


async def _post(
    session: AsyncSession, bank_id: UUID, payout_id: UUID, by: UUID | None, moves: list[Movement]
) -> UUID:
    kind = "payout_hold" if moves[0].kind == TransferKind.HOLD else "payout"
    draft = Draft(kind, moves, event_at=utc_now(), about_id=payout_id, actor_id=by)
    return (await ledger.post(session, bank_id, draft))[0]


async def _tell(session: AsyncSession, payout: Payout, kind: str) -> None:
    body = {
        "payout_id": str(payout.id),
        "amount_idr": payout.amount_idr,
        "reason": payout.reason,
    }
    await events.record(session, payout.bank_id, kind, person_id=payout.resident_id, body=body)
