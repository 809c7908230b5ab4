"""Payouts in doubt for so long that a person has to say how they ended."""

from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Cause, Payout, PayoutStatus
from service.errors import Conflict
from service.gateways import Reported, Stage
from service.gateways.failures import DECIDED
from service.payouts import moving, settling
from service.payouts.deciding import OwnPayout, check_another

DOUBT_FOR = timedelta(hours=24)
"""How long a gateway is asked, and a day is kept from being closed, before somebody decides."""


class StillInDoubt(Conflict):
    english = (
        "The gateway is still asked about this payout; decide {hours} hours after it was sent."
    )
    indonesian = "Gerbang bayar masih ditanya; putuskan setelah {hours} jam sejak dikirim."


async def decide(
    session: AsyncSession, payout: Payout, *, was_paid: bool, by: UUID, reason: str
) -> None:
    """Say how a payout ended that nobody can find out about: after a look at the statements.

    It has been in doubt, or without an end from its gateway, for DOUBT_FOR; not who approved
    it decides. Raises OwnPayout, PayoutNotOpen or StillInDoubt.
    """
    check_another(payout, by)
    if by == payout.approved_by:
        raise OwnPayout
    # A callback may be ending it right now: what counts is how it is once it is held.
    now = await settling.locked(session, payout.bank_id, payout.id)
    if now is None or now.status not in (PayoutStatus.UNKNOWN, PayoutStatus.SENT):
        raise moving.PayoutNotOpen(status=payout.status)
    since = now.unknown_at or now.sent_at
    if since is not None and since > utc_now() - DOUBT_FOR:
        raise StillInDoubt(hours=int(DOUBT_FOR.total_seconds()) // 3_600)
    stage = Stage.PAID if was_paid else Stage.FAILED
    report, origin = Reported(stage, now.gateway_id, DECIDED), settling.Origin(Cause.PERSON, by)
    await settling.apply_to(session, now, report, origin)
    await moving.note_reason(session, now, reason)
