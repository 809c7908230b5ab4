"""The queue of transfers: taken with a lease and a fence, and put back as it went."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import UNDER_WAY, Cause, GatewayFloat, Payout, PayoutStatus
from service.gateways import Refused, Reported, Unknown
from service.payouts import arriving, floats, moving, settling
from service.payouts.settling import Effect

LEASE = timedelta(seconds=60)
MOST_REFUSALS = 12
LONGEST_PAUSE = timedelta(hours=1)
_SLOWER = 5
"""So many doublings longer are the pauses between questions than those between refusals."""
NONE_UNDER_WAY: Mapping[str, int] = MappingProxyType({})
WORKED_ON = (PayoutStatus.APPROVED, *UNDER_WAY, PayoutStatus.PAID)


class Task(NamedTuple):
    """A payout that this worker has, until its lease is over."""

    payout: Payout
    must_ask: bool
    """It may have been sent before: ask how far it is, before anything is sent."""


async def take(
    session: AsyncSession,
    banks: Sequence[UUID],
    limit: int,
    under_way: Mapping[str, int] = NONE_UNDER_WAY,
) -> list[Task]:
    """Lease transfers that are due; from now on each counts as sent, until it is known not to be.

    No more than `limit`, nor than a gateway has room for beside its transfers `under_way`.
    """
    due = await _due(session, banks, limit, full(under_way, limit))
    return [await _take(session, payout) for payout in fitting(due, limit, under_way)]


def full(under_way: Mapping[str, int], limit: int) -> list[str]:
    """The gateways that have no room."""
    return [name for name, busy in under_way.items() if busy >= limit]


def fitting(due: Iterable[Payout], limit: int, under_way: Mapping[str, int]) -> list[Payout]:
    """Those that their gateways have room for, the first ones first."""
    busy, found = Counter(under_way), []
    for payout in due:
        busy[payout.gateway] += 1
        if busy[payout.gateway] <= limit:
            found.append(payout)
    return found


async def record(
    session: AsyncSession, task: Task, answer: Reported | Refused | Unknown, cause: Cause
) -> None:
    """Write down how it went. A certain report counts always; the rest only from who has it now."""
    payout = task.payout
    if isinstance(answer, Reported):
        effect = await settling.apply(session, payout.bank_id, payout.id, answer, cause)
        if effect != Effect.MOVED:
            await _later(session, task, is_certain=True)
        return
    if not await _still_has(session, task):
        return
    if isinstance(answer, Unknown):
        await _unknown(session, task, answer, cause)
    else:
        await _refused(session, task, answer, cause)


def pause_after(tries: int) -> timedelta:
    """How long to wait before the next try: it doubles, from 2 seconds to an hour."""
    return min(timedelta(seconds=2 ** min(tries + 1, 12)), LONGEST_PAUSE)


async def _due(
    session: AsyncSession, banks: Sequence[UUID], limit: int, without: Sequence[str]
) -> list[Payout]:
    stands_still = exists().where(
        col(GatewayFloat.bank_id) == Payout.bank_id,
        col(GatewayFloat.gateway) == Payout.gateway,
        col(GatewayFloat.stopped_at).is_not(None),
    )
    query = (
        select(Payout)
        .where(
            col(Payout.bank_id).in_(banks),
            col(Payout.due_at) <= utc_now(),
            col(Payout.status).in_(WORKED_ON),
            col(Payout.gateway).not_in(without),
            # A queue that stands still sends nothing; it may still be asked about.
            or_(col(Payout.asked_at).is_not(None), ~stands_still),
        )
        .order_by(col(Payout.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.exec(query))


async def _take(session: AsyncSession, payout: Payout) -> Task:
    must_ask = payout.asked_at is not None
    now = utc_now()
    leased = {
        "fence": payout.fence + 1,
        "due_at": now + LEASE,
        "asked_at": payout.asked_at or now,
    }
    if payout.status == PayoutStatus.APPROVED:
        before = (PayoutStatus.APPROVED,)
        sending = PayoutStatus.SENDING
        await moving.move(session, payout, before, sending, Cause.WORKER, is_locked=True, **leased)
    else:
        await _set(session, payout, **leased)
    session.expunge(payout)
    return Task(payout, must_ask)


async def _unknown(session: AsyncSession, task: Task, answer: Unknown, cause: Cause) -> None:
    """It may be paid: it is asked about from now on, and never given up by itself."""
    if answer.gateway_id and not task.payout.gateway_id:
        await _set(session, task.payout, gateway_id=answer.gateway_id)
    if task.payout.status == PayoutStatus.SENDING:
        now = utc_now()
        fresh = await _fresh(session, task)
        await moving.move(
            session,
            fresh,
            (PayoutStatus.SENDING,),
            PayoutStatus.UNKNOWN,
            cause,
            cause_detail=answer.why[:300],
            sent_at=fresh.asked_at,
            unknown_at=now,
            due_at=now + pause_after(0),
        )
    else:
        await _later(session, task, is_certain=False)


async def _refused(session: AsyncSession, task: Task, answer: Refused, cause: Cause) -> None:
    """The gateway certainly took nothing by this call: later once more, or never."""
    if answer.float_empty:
        await floats.stop(session, task.payout.bank_id, task.payout.gateway, answer.failure)
    if task.must_ask:
        # An earlier call may still be under way: only a person gives such a payout up.
        await _unknown(session, task, Unknown(answer.failure), cause)
    elif answer.float_empty or (answer.try_again and task.payout.tries < MOST_REFUSALS):
        await _once_more(session, task.payout, answer)
    else:
        fresh, origin = await _fresh(session, task), settling.Origin(cause)
        failed = PayoutStatus.FAILED
        await settling.end_unpaid(session, fresh, failed, origin, answer.failure)
        await moving.tell(session, fresh, "payout_failed")


async def _once_more(session: AsyncSession, payout: Payout, answer: Refused) -> None:
    """It was certainly not sent; an empty float is no fault of it, and uses up none of its tries."""
    wanted = min(timedelta(seconds=answer.retry_after_s or 0), LONGEST_PAUSE)
    pause = max(pause_after(payout.tries), wanted)
    tries = payout.tries + (not answer.float_empty)
    await _set(session, payout, asked_at=None, tries=tries, due_at=utc_now() + pause)


async def _later(session: AsyncSession, task: Task, *, is_certain: bool) -> None:
    """Nothing new: ask again after a longer pause."""
    fresh = await _fresh(session, task)
    if fresh.fence != task.payout.fence or fresh.due_at is None:
        return
    tries, now = fresh.tries + 1, utc_now()
    due_at: datetime | None = now + pause_after(tries + _SLOWER)
    if fresh.status == PayoutStatus.PAID:
        due_at = _next_look(now, tries, is_certain=is_certain)
    await _set(session, fresh, tries=tries, due_at=due_at)


def _next_look(now: datetime, tries: int, *, is_certain: bool) -> datetime | None:
    """What is paid is looked at no more than twice, unless nobody could say how it is."""
    if is_certain:
        return now + 2 * arriving.LOOK_AGAIN if tries < 2 else None
    return now + LONGEST_PAUSE if tries < MOST_REFUSALS else None


async def _still_has(session: AsyncSession, task: Task) -> bool:
    """Whether nobody has taken it since and nothing has moved it; holds it until the commit."""
    query = (
        select(Payout.fence, Payout.status)
        .where(Payout.bank_id == task.payout.bank_id, Payout.id == task.payout.id)
        .with_for_update()
    )
    fence, status = (await session.exec(query)).one()
    return bool(fence == task.payout.fence and status == task.payout.status)


async def _fresh(session: AsyncSession, task: Task) -> Payout:
    query = select(Payout).where(Payout.bank_id == task.payout.bank_id, Payout.id == task.payout.id)
    return (await session.exec(query)).one()


async def _set(session: AsyncSession, payout: Payout, **values: Any) -> None:
    await session.exec(
        update(Payout)
        .where(col(Payout.bank_id) == payout.bank_id, col(Payout.id) == payout.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if payout in session:
        await session.refresh(payout)
