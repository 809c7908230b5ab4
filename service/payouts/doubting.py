"""Payouts in doubt for so long that a person has to say how they ended."""

from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Cause, Payout, PayoutStatus
from service.errors import Conflict
from service.gateways import Reported, Stage
from service.payouts import moving, settling
from service.payouts.deciding import OwnPayout, check_another

DOUBT_FOR = timedelta(hours=24)
"""How long a gateway is asked, and a day is kept from being closed, before somebody decides."""
DECIDED = "DECIDED"
"""Stands where the gateway's code would."""


class StillInDoubt(Conflict):
    english = (
        "The gateway is still asked about this payout; decide {hours} hours after it was sent."
    )
    indonesian = "Gerbang bayar masih ditanya; putuskan setelah {hours} jam sejak dikirim."


async def decide(
    session: AsyncSession, payout: Payout, *, was_paid: bool, by: UUID, reason: str
) -> None:
    """Say how a payout ended that nobody can find out about: after a look at the statements.

    Not who approved it. Raises OwnPayout, PayoutNotOpen or StillInDoubt.
    """
    check_another(payout, by)
    if by == payout.approved_by:
        raise OwnPayout
    if payout.status != PayoutStatus.UNKNOWN:
        raise moving.PayoutNotOpen(status=payout.status)
    if payout.unknown_at is not None and payout.unknown_at > utc_now() - DOUBT_FOR:
        raise StillInDoubt(hours=int(DOUBT_FOR.total_seconds()) // 3_600)
    stage = Stage.PAID if was_paid else Stage.FAILED
    report = Reported(stage, payout.gateway_id, DECIDED)
    await settling.apply(session, payout.bank_id, payout.id, report, Cause.PERSON, by)
    await moving.note_reason(session, payout, reason)
