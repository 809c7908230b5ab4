"""What a gateway says about a payout, made true here: the state moves, the ledger follows.

Answers, questions, callbacks and reports all end here. Each may come late, twice or in the
wrong order; a payout only ever moves forward, so whichever comes first decides.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import UNDER_WAY, Cause, Payout, PayoutStatus
from models.people import Role
from service import events, members
from service.gateways import Reported, Stage
from service.ledger import chart
from service.payouts import arriving, floats, moving, retrying

log = logging.getLogger(__name__)

ASK_FIRST = timedelta(seconds=60)
"""A callback is faster, mostly; after so long it may have been lost."""


class Effect(StrEnum):
    """What became of a report."""

    MOVED = "moved"
    NOTHING_NEW = "nothing_new"
    CONTRADICTS = "contradicts"
    """Of a payout that ended otherwise; reconciliation has to find out."""
    OTHER_ID = "other_id"
    """Of a second payout under the same reference."""
    NO_PAYOUT = "no_payout"


class Origin(NamedTuple):
    """Where a report comes from: what brought it, and who, if it was a person."""

    cause: Cause
    by: UUID | None = None


_Step = Callable[[AsyncSession, Payout, Reported, Origin], Awaitable[None]]


async def apply(
    session: AsyncSession,
    bank_id: UUID,
    payout_id: UUID,
    report: Reported,
    cause: Cause,
    by: UUID | None = None,
) -> Effect:
    """Move a payout to where its gateway, or a person, says it is, if that is forward."""
    payout = await locked(session, bank_id, payout_id)
    if payout is None:
        return Effect.NO_PAYOUT
    return await apply_to(session, payout, report, Origin(cause, by))


async def apply_to(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> Effect:
    """The same for a payout that this transaction has locked, and read since."""
    effect = await _effect(session, payout, report, origin)
    if effect in (Effect.CONTRADICTS, Effect.OTHER_ID):
        await _alarm(session, payout, effect)
    return effect


async def _effect(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> Effect:
    if payout.gateway_id and report.gateway_id not in ("", payout.gateway_id):
        return Effect.OTHER_ID
    await _note_id(session, payout, report)
    status = PayoutStatus(payout.status)
    if status in UNDER_WAY:
        return await _from_under_way(session, payout, report, origin)
    if status == PayoutStatus.PAID and report.stage in (Stage.REVERSED, Stage.FAILED):
        # A gateway without a word for it lets what was paid fail.
        await _reverse(session, payout, report, origin)
        return Effect.MOVED
    return Effect.NOTHING_NEW if _agrees(status, report.stage) else Effect.CONTRADICTS


async def _from_under_way(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> Effect:
    if payout.status == PayoutStatus.SENT and report.stage == Stage.SENT:
        return Effect.NOTHING_NEW
    await _STEPS[report.stage](session, payout, report, origin)
    return Effect.MOVED


async def _take_note(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> None:
    now = utc_now()
    await _move(
        session,
        payout,
        PayoutStatus.SENT,
        origin,
        sent_at=payout.asked_at or now,
        due_at=now + ASK_FIRST,
    )


async def _pay(session: AsyncSession, payout: Payout, report: Reported, origin: Origin) -> None:
    await arriving.pay(session, [payout], *origin)


async def _fail(session: AsyncSession, payout: Payout, report: Reported, origin: Origin) -> None:
    await _end(session, payout, PayoutStatus.FAILED, origin, report.failure)
    goes_on = report.try_again and await retrying.retry_by_itself(session, payout)
    if not goes_on:
        await moving.give_back(session, payout)
    if report.float_empty:
        await floats.stop(session, payout.bank_id, payout.gateway, report.failure)
    if not goes_on:
        await moving.tell(session, payout, "payout_failed")


async def _cancel(session: AsyncSession, payout: Payout, report: Reported, origin: Origin) -> None:
    await end_unpaid(session, payout, PayoutStatus.CANCELLED, origin, report.failure)
    await moving.tell(session, payout, "payout_cancelled")


async def _reverse(session: AsyncSession, payout: Payout, report: Reported, origin: Origin) -> None:
    await _to_reversed(session, payout, report, origin)
    await moving.take_back(session, payout)
    await moving.tell(session, payout, "payout_reversed")


async def _pay_and_reverse(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> None:
    """It is first heard of when it has come back."""
    await arriving.to_paid(session, payout.bank_id, [payout], *origin)
    await _to_reversed(session, payout, report, origin)
    await moving.pay_out_and_take_back(session, payout, chart.float(payout.gateway))
    await moving.tell(session, payout, "payout_arrived")
    await moving.tell(session, payout, "payout_reversed")


async def _to_reversed(
    session: AsyncSession, payout: Payout, report: Reported, origin: Origin
) -> None:
    await _move(
        session,
        payout,
        PayoutStatus.REVERSED,
        origin,
        failure=report.failure,
        reversed_at=utc_now(),
        due_at=None,
        cause_detail=report.failure,
    )


async def end_unpaid(
    session: AsyncSession, payout: Payout, to: PayoutStatus, origin: Origin, failure: str
) -> None:
    """It ended and was certainly not paid: what was held is available again."""
    await _end(session, payout, to, origin, failure)
    await moving.give_back(session, payout)


async def _end(
    session: AsyncSession, payout: Payout, to: PayoutStatus, origin: Origin, failure: str
) -> None:
    await _move(
        session,
        payout,
        to,
        origin,
        failure=failure,
        cause_detail=failure,
        ended_at=utc_now(),
        due_at=None,
    )


_STEPS: dict[Stage, _Step] = {
    Stage.SENT: _take_note,
    Stage.PAID: _pay,
    Stage.FAILED: _fail,
    Stage.CANCELLED: _cancel,
    Stage.REVERSED: _pay_and_reverse,
}
_AGREES: dict[Stage, tuple[PayoutStatus, ...]] = {
    Stage.SENT: (
        PayoutStatus.PAID,
        PayoutStatus.REVERSED,
        PayoutStatus.FAILED,
        PayoutStatus.CANCELLED,
    ),
    Stage.PAID: (PayoutStatus.PAID, PayoutStatus.REVERSED),
    Stage.FAILED: (PayoutStatus.FAILED, PayoutStatus.REVERSED),
    Stage.CANCELLED: (PayoutStatus.CANCELLED,),
    Stage.REVERSED: (PayoutStatus.REVERSED,),
}


def _agrees(status: PayoutStatus, stage: Stage) -> bool:
    """Whether a late report says nothing that isn't so."""
    return status in _AGREES[stage]


async def _move(
    session: AsyncSession, payout: Payout, to: PayoutStatus, origin: Origin, **values: Any
) -> None:
    before = (PayoutStatus(payout.status),)
    values |= {"moved_by": origin.by}
    await moving.move(session, payout, before, to, origin.cause, is_locked=True, **values)


async def _alarm(session: AsyncSession, payout: Payout, effect: Effect) -> None:
    """Money may have gone where our book has none: the treasurers hear of it at once."""
    log.warning("payout_%s %s", effect, payout.id)
    body = {"payout_id": str(payout.id), "amount_idr": payout.amount_idr, "status": payout.status}
    for treasurer in await members.holders_of(session, payout.bank_id, Role.TREASURER):
        await events.record(
            session, payout.bank_id, "payout_contradicted", person_id=treasurer, body=body
        )


async def locked(session: AsyncSession, bank_id: UUID, payout_id: UUID) -> Payout | None:
    """The payout as it is now, held until the end of the transaction."""
    query = (
        select(Payout)
        .where(Payout.bank_id == bank_id, Payout.id == payout_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.exec(query)).first()


async def _note_id(session: AsyncSession, payout: Payout, report: Reported) -> None:
    if payout.gateway_id or not report.gateway_id:
        return
    await session.exec(
        update(Payout)
        .where(col(Payout.bank_id) == payout.bank_id, col(Payout.id) == payout.id)
        .values(gateway_id=report.gateway_id)
        .execution_options(synchronize_session=False)
    )
    set_committed_value(payout, "gateway_id", report.gateway_id)
