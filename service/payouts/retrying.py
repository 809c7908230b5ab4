"""Trying again after a payout certainly failed: as a new payout, with a new key.

The old one stays what it is. A key is used for one payout only, so that nothing that its
gateway still does with it can pay twice.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.payout import HIDDEN, Cause, Payout, PayoutMethod, PayoutStatus
from service.errors import Conflict
from service.payouts import moving
from service.payouts.deciding import check_another

MOST_RETRIES = 2
FIRST_PAUSE = timedelta(minutes=5)


class NotRetryable(Conflict):
    english = "Only a transfer that failed or came back can be tried again, and only once."
    indonesian = "Hanya transfer yang gagal atau kembali yang dapat diulang, dan hanya sekali."


async def retry(session: AsyncSession, payout: Payout, *, by: UUID) -> Payout:
    """A treasurer has it sent once more, now. Raises OwnPayout, NotRetryable or BalanceTooLow."""
    check_another(payout, by)
    # Of two at once the slower has to see what the faster has made.
    await session.refresh(payout, with_for_update=True)
    ended = payout.status in (PayoutStatus.FAILED, PayoutStatus.REVERSED)
    is_nobodys = payout.account_number.startswith(HIDDEN)
    never = not ended or payout.method == PayoutMethod.CASH or is_nobodys
    if never or await _was_retried(session, payout):
        raise NotRetryable
    next_id = new_id()
    hold_id = await moving.hold(
        session,
        payout.bank_id,
        next_id,
        book=moving.book_of(payout),
        amount_idr=payout.amount_idr,
        by=by,
    )
    new = _copy_of(payout, next_id, hold_id)
    return await _begin(session, new, approved_by=by, at=utc_now(), moved_by=by)


async def retry_by_itself(session: AsyncSession, payout: Payout) -> bool:
    """Send what just failed once more after a pause that grows, if it wasn't tried too often.

    What is still held for it is held for the new one; if not, it has to be given back.
    """
    before = await _tries_before(session, payout)
    if before >= MOST_RETRIES or payout.approved_by is None:
        return False
    next_id = new_id()
    new = _copy_of(payout, next_id, await moving.hold_again(session, payout, next_id))
    at = utc_now() + FIRST_PAUSE * 4**before
    await _begin(session, new, approved_by=payout.approved_by, at=at, moved_by=None)
    return True


async def _begin(
    session: AsyncSession, new: Payout, *, approved_by: UUID, at: datetime, moved_by: UUID | None
) -> Payout:
    session.add(new)
    await session.flush()
    await moving.move(
        session,
        new,
        (PayoutStatus.REQUESTED,),
        PayoutStatus.APPROVED,
        Cause.RETRY,
        moved_by=moved_by,
        approved_by=approved_by,
        approved_at=utc_now(),
        due_at=at,
    )
    return new


def _copy_of(payout: Payout, payout_id: UUID, hold_id: UUID) -> Payout:
    return Payout(
        bank_id=payout.bank_id,
        id=payout_id,
        resident_id=payout.resident_id,
        source=payout.source,
        entered_by=payout.entered_by,
        amount_idr=payout.amount_idr,
        method=payout.method,
        channel_code=payout.channel_code,
        account_number=payout.account_number,
        account_holder_name=payout.account_holder_name,
        destination_id=payout.destination_id,
        gateway=payout.gateway,
        fee_idr=payout.fee_idr,
        fee_by=payout.fee_by,
        key=f"payout-{payout_id}",
        cause=Cause.RETRY,
        hold_id=hold_id,
        retry_of=payout.id,
    )


async def _was_retried(session: AsyncSession, payout: Payout) -> bool:
    query = select(Payout.id).where(Payout.bank_id == payout.bank_id, Payout.retry_of == payout.id)
    return (await session.exec(query)).first() is not None


async def _tries_before(session: AsyncSession, payout: Payout) -> int:
    """How many payouts this one already follows, as far as it matters."""
    tries, before = 0, payout.retry_of
    while before is not None and tries < MOST_RETRIES:
        query = select(Payout.retry_of).where(Payout.bank_id == payout.bank_id, Payout.id == before)
        before, tries = (await session.exec(query)).one(), tries + 1
    return tries
