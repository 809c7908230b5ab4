"""Deciding on a payout: a treasurer agrees or refuses, it is taken back, or its time runs out."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import BEFORE_SENDING, Cause, Destination, Payout, PayoutMethod, PayoutStatus
from service import banks
from service.errors import Forbidden
from service.payouts import moving

NOT_APPROVED_IN_TIME = "Tidak disetujui sampai batas waktu."
BATCH_HOUR = time(9)
"""When a weekly batch leaves, at the bank."""


class OwnPayout(Forbidden):
    english = "Nobody approves or pays a payout of their own, or one they entered."
    indonesian = "Tidak boleh menyetujui atau membayar pencairan sendiri atau yang Anda masukkan."


async def approve(session: AsyncSession, payout: Payout, *, by: UUID) -> None:
    """A treasurer agrees; a transfer leaves when it may. Raises OwnPayout or PayoutNotOpen."""
    check_another(payout, by)
    now = utc_now()
    await moving.move(
        session,
        payout,
        (PayoutStatus.REQUESTED,),
        PayoutStatus.APPROVED,
        Cause.PERSON,
        moved_by=by,
        approved_by=by,
        approved_at=now,
        due_at=await _leaves_at(session, payout, now),
    )
    is_cash = payout.method == PayoutMethod.CASH
    await moving.tell(session, payout, "payout_approved" if is_cash else "payout_to_be_sent")


async def reject(session: AsyncSession, payout: Payout, *, by: UUID, reason: str) -> None:
    """A treasurer says no; the money is free again. Raises OwnPayout or PayoutNotOpen."""
    check_another(payout, by)
    await _end(session, payout, PayoutStatus.REJECTED, by=by, reason=reason)
    await moving.tell(session, payout, "payout_rejected")


async def cancel(session: AsyncSession, payout: Payout, *, by: UUID, reason: str) -> None:
    """Taken back before any money left, also out of a queue that stands still.

    Raises PayoutNotOpen.
    """
    await _end(session, payout, PayoutStatus.CANCELLED, by=by, reason=reason)
    await moving.tell(session, payout, "payout_cancelled")


async def expire_next(session: AsyncSession, bank_ids: Sequence[UUID]) -> bool:
    """Give back one payout that nobody approved in time; False if none is left.

    One a transaction: who gives several back at once could wait for somebody who waits for it.
    """
    payout = await _next_expired(session, bank_ids)
    if payout is None:
        return False
    await moving.move(
        session,
        payout,
        (PayoutStatus.REQUESTED,),
        PayoutStatus.CANCELLED,
        Cause.TIME,
        ended_at=utc_now(),
        reason=NOT_APPROVED_IN_TIME,
        cause_detail=NOT_APPROVED_IN_TIME,
    )
    await moving.give_back(session, payout)
    await moving.tell(session, payout, "payout_expired")
    return True


def check_another(payout: Payout, by: UUID) -> None:
    """Raises OwnPayout for who gets it or entered it."""
    if by in (payout.resident_id, payout.entered_by):
        raise OwnPayout


def next_batch(weekday: int, zone: str, now: datetime) -> datetime:
    """When the next weekly batch leaves: on this day (1 Monday to 7 Sunday), not before now."""
    here = now.astimezone(ZoneInfo(zone))
    days = (weekday - here.isoweekday()) % 7
    leaves = datetime.combine(here.date() + timedelta(days=days), BATCH_HOUR, ZoneInfo(zone))
    return leaves if leaves >= here else leaves + timedelta(days=7)


async def _leaves_at(session: AsyncSession, payout: Payout, now: datetime) -> datetime | None:
    if payout.method == PayoutMethod.CASH:
        return None
    policy = await banks.policy_of(session, payout.bank_id)
    leaves = now
    if policy.payout_weekday:
        bank = await banks.get(session, payout.bank_id)
        leaves = next_batch(policy.payout_weekday, bank.time_zone, now)
    usable = select(Destination.usable_from).where(
        Destination.bank_id == payout.bank_id, Destination.id == payout.destination_id
    )
    return max(leaves, (await session.exec(usable)).one())


async def _end(
    session: AsyncSession, payout: Payout, status: PayoutStatus, *, by: UUID, reason: str
) -> None:
    # A worker may be taking it right now: what counts is how it is once it is held.
    await session.refresh(payout, with_for_update=True)
    waits = payout.status == PayoutStatus.SENDING and payout.asked_at is None
    is_cancelled = status == PayoutStatus.CANCELLED
    await moving.move(
        session,
        payout,
        (PayoutStatus.SENDING,) if waits and is_cancelled else BEFORE_SENDING,
        status,
        Cause.PERSON,
        moved_by=by,
        cause_detail=reason,
        ended_by=by,
        ended_at=utc_now(),
        due_at=None,
        reason=reason,
    )
    await moving.give_back(session, payout, by)


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
