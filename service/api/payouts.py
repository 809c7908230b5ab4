"""Payouts over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Payout, PayoutMethod, PayoutStatus
from models.people import Role
from service import ledger, members, payouts
from service.api.dependencies import (
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import PLAIN, Amount, Line
from service.api.idempotency import ActRoute
from service.api.pickups import ReasonInput
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=ActRoute)
_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing, payouts.PayoutNotOpen, payouts.OwnPayout)


class DestinationInput(BaseModel):
    """Where money goes that isn't paid in cash."""

    channel_code: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_number: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_holder_name: Annotated[str, Field(min_length=1, max_length=120), PLAIN]


class PayoutInput(BaseModel):
    """What is to be paid out. An officer names the resident they ask for."""

    bank_id: UUID
    resident_id: UUID | None = None
    amount_idr: Amount
    method: PayoutMethod = PayoutMethod.CASH
    destination: DestinationInput | None = None


class ProofInput(BaseModel):
    """What shows that the cash was handed over, such as the number of a receipt."""

    proof: Line = ""


class CancelInput(BaseModel):
    reason: Line = ""


class PayoutView(BaseModel):
    id: UUID
    bank_id: UUID
    resident_id: UUID
    entered_by: UUID
    amount_idr: int
    method: PayoutMethod
    channel_code: str
    account_number: str
    account_holder_name: str
    status: PayoutStatus
    approved_by: UUID | None
    approved_at: datetime | None
    paid_by: UUID | None
    paid_at: datetime | None
    proof: str
    reason: str
    expires_at: datetime | None
    created_at: datetime


class PayoutList(BaseModel):
    items: list[PayoutView]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        ledger.BalanceTooLow,
        payouts.PayoutTooSmall,
        payouts.MethodNotOffered,
    ),
)
async def request(body: PayoutInput, caller: Payer, session: Session) -> PayoutView:
    """Ask for a payout. The amount is held at once."""
    destination = body.destination.model_dump() if body.destination else {}
    wanted = payouts.Request(
        bank_id=body.bank_id,
        resident_id=await members.whose(session, caller, body.bank_id, body.resident_id),
        entered_by=caller.person_id,
        amount_idr=body.amount_idr,
        method=body.method,
        **destination,
    )
    return _view(await payouts.request(session, wanted))


@router.get("", responses=documented(NoValidToken))
async def list_payouts(
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    status: PayoutStatus | None = None,
) -> PayoutList:
    """My payouts, and as an officer those of my bank; newest first."""
    found = await payouts.visible(
        session, caller, status=status, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return PayoutList(
        items=[_view(payout) for payout in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.get("/{payout_id}", responses=documented(NoValidToken, NoSuchThing))
async def get_payout(payout_id: UUID, caller: Reader, session: ReadSession) -> PayoutView:
    """One payout that concerns me."""
    return _view(await payouts.find_own(session, caller, payout_id))


@router.post("/{payout_id}/cancel", responses=documented(*_REFUSALS))
async def cancel(
    payout_id: UUID, caller: Payer, session: Session, body: CancelInput | None = None
) -> PayoutView:
    """Take a payout back before any money has left."""
    payout = await payouts.find_own(session, caller, payout_id)
    own = payout.resident_id == caller.person_id
    caller.act_in(payout.bank_id, *((Role.RESIDENT,) if own else OFFICERS))
    reason = body.reason if body else ""
    await payouts.cancel(session, payout, by=caller.person_id, reason=reason)
    return _view(payout)


@router.post("/{payout_id}/approve", responses=documented(*_REFUSALS))
async def approve(payout_id: UUID, caller: Payer, session: Session) -> PayoutView:
    """Agree to a payout, as a treasurer who neither gets nor entered it."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.approve(session, payout, by=caller.person_id)
    return _view(payout)


@router.post("/{payout_id}/reject", responses=documented(*_REFUSALS))
async def reject(payout_id: UUID, body: ReasonInput, caller: Payer, session: Session) -> PayoutView:
    """Refuse a payout; what was held is available again."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.reject(session, payout, by=caller.person_id, reason=body.reason)
    return _view(payout)


@router.post("/{payout_id}/pay-cash", responses=documented(*_REFUSALS, payouts.MethodNotOffered))
async def pay_cash(
    payout_id: UUID, caller: Payer, session: Session, body: ProofInput | None = None
) -> PayoutView:
    """Hand an approved payout over in cash."""
    payout = await _for_treasurer(session, caller, payout_id)
    proof = body.proof if body else ""
    await payouts.pay_cash(session, payout, by=caller.person_id, proof=proof)
    return _view(payout)


async def _for_treasurer(session: AsyncSession, caller: Caller, payout_id: UUID) -> Payout:
    payout = await payouts.find_own(session, caller, payout_id)
    caller.act_in(payout.bank_id, Role.TREASURER)
    return payout


def _view(payout: Payout) -> PayoutView:
    return PayoutView(**payout.model_dump(include=set(PayoutView.model_fields)))
