"""Deciding about payouts over HTTP: agreeing, refusing, handing over, and saying how one ended."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StrictBool
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Payout
from models.people import Role
from service import drawers, ledger, members, payouts
from service.api.assisting import HelpingPayer
from service.api.dependencies import CurrentParts, Payer, Session
from service.api.errors import RequestMalformed, documented
from service.api.fields import OR_NOTHING, PLAIN, Line, Reason, Sent
from service.api.idempotency import ActRoute
from service.api.payout_views import REFUSALS, PayoutBatch, PayoutView, shown, views
from service.api.pickups import ReasonInput
from service.assisting import CardNotValid
from service.errors import FieldProblem, Problem
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=ActRoute)


class ApprovalsInput(Sent):
    """Payouts of one bank that a treasurer agrees to."""

    payout_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class DecisionInput(Sent):
    """How a payout in doubt ended, and how that was found out."""

    was_paid: StrictBool
    reason: Reason


class ProofInput(Sent):
    """What shows that the cash was handed over, such as the number of a receipt.

    `code` is what the resident says: it signs for the money.
    """

    proof: Line = ""
    code: Annotated[str, Field(max_length=12), PLAIN, OR_NOTHING] = ""


@router.post("/{payout_id}/approve", responses=documented(*REFUSALS))
async def approve(
    payout_id: UUID, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Agree to a payout, as a treasurer who neither gets nor entered it.

    A transfer leaves at `leaves_at`: at once, with the bank's next weekly batch, or when
    a destination that was changed may be used.
    """
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.approve(session, payout, by=caller.person_id)
    return await shown(session, parts, caller, payout)


@router.post("/approvals", responses=documented(*REFUSALS, RequestMalformed))
async def approve_batch(
    body: ApprovalsInput, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutBatch:
    """Agree to many payouts at once, such as a week's: to all of them, or to none."""
    approved = []
    # In one order, so that two batches can't wait for each other.
    for payout_id in sorted(set(body.payout_ids)):
        try:
            payout = await _for_treasurer(session, caller, payout_id)
            await payouts.approve(session, payout, by=caller.person_id)
        except Problem as problem:
            raise _at(body, payout_id, problem) from problem
        approved.append(payout)
        caller.touched.append(("payout", payout.id))
    return PayoutBatch(items=await views(session, parts, caller, approved))


@router.post("/{payout_id}/reject", responses=documented(*REFUSALS))
async def reject(
    payout_id: UUID, body: ReasonInput, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Refuse a payout; what was held is available again."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.reject(session, payout, by=caller.person_id, reason=body.reason)
    return await shown(session, parts, caller, payout)


@router.post(
    "/{payout_id}/pay-cash",
    responses=documented(
        *REFUSALS,
        payouts.NotPaidInCash,
        payouts.CashNeedsCode,
        payouts.CardIssuedByYou,
        payouts.WrongPayoutCode,
        drawers.NoOwnDrawer,
        drawers.DrawerTooLow,
        CardNotValid,
    ),
)
async def pay_cash(
    payout_id: UUID,
    caller: HelpingPayer,
    session: Session,
    parts: CurrentParts,
    body: ProofInput | None = None,
) -> PayoutView:
    """Hand an approved payout over in cash, signed for by the resident's code or card.

    A card doesn't sign for cash that is paid by who gave the card out: another officer pays, or
    gives out a new card.

    The money comes out of the treasurer's own drawer, if they have one, else out of the safe.
    An operator pays out of a drawer of their own, and always against the code or card. Nobody pays
    themselves, or what they entered.
    """
    body = body or ProofInput()
    payout = await payouts.find_own(session, caller, payout_id)
    caller.act_in(payout.bank_id, *OFFICERS)
    or_safe, by = caller.has(payout.bank_id, Role.TREASURER), caller.person_id
    # Before the code: who can't pay has no need to try any.
    await drawers.paying_from(session, payout.bank_id, by, or_safe=or_safe)
    if body.code:
        await payouts.sign(session, parts.keys, payout, body.code)
    if caller.shown is not None:
        members.whose_card(caller, payout.bank_id, payout.resident_id)
    signed = _signed(caller, with_code=bool(body.code))
    await payouts.pay_cash(session, payout, by=by, proof=body.proof, signed=signed, or_safe=or_safe)
    return await shown(session, parts, caller, payout)


@router.post("/{payout_id}/decide", responses=documented(*REFUSALS, payouts.StillInDoubt))
async def decide(
    payout_id: UUID, body: DecisionInput, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Say how a payout ended that has been `unknown` for a day, as another than who approved it."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.decide(
        session, payout, was_paid=body.was_paid, by=caller.person_id, reason=body.reason
    )
    return await shown(session, parts, caller, payout)


@router.post(
    "/{payout_id}/retry",
    status_code=201,
    responses=documented(*REFUSALS, payouts.NotRetryable, ledger.BalanceTooLow),
)
async def retry(
    payout_id: UUID, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Send a transfer that failed or came back once more, as a new payout that is approved."""
    payout = await _for_treasurer(session, caller, payout_id)
    new = await payouts.retry(session, payout, by=caller.person_id)
    return await shown(session, parts, caller, new)


def _at(body: ApprovalsInput, payout_id: UUID, problem: Problem) -> Problem:
    """The same problem, naming which of the payouts it is about."""
    pointer = f"/payout_ids/{body.payout_ids.index(payout_id)}"
    english, indonesian = problem.detail("en"), problem.detail("id")
    return type(problem)(FieldProblem(pointer, english, indonesian), **problem.facts)


def _signed(caller: Caller, *, with_code: bool) -> payouts.Signed:
    if with_code:
        return payouts.Signed.BY_RESIDENT
    if caller.shown is None:
        return payouts.Signed.NO
    is_own = caller.shown.issued_by == caller.person_id
    return payouts.Signed.BY_OWN_CARD if is_own else payouts.Signed.BY_RESIDENT


async def _for_treasurer(session: AsyncSession, caller: Caller, payout_id: UUID) -> Payout:
    payout = await payouts.find_own(session, caller, payout_id)
    caller.act_in(payout.bank_id)
    return payout
