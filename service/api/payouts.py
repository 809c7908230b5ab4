"""Payouts over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import (
    BEFORE_SENDING,
    Cause,
    Destination,
    FeeBy,
    NameCheck,
    Payout,
    PayoutMethod,
    PayoutSource,
    PayoutStatus,
)
from models.people import Role
from service import drawers, ledger, members, payouts
from service.api.assisting import HelpingPayer
from service.api.dependencies import (
    CurrentPage,
    CurrentParts,
    Parts,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import RequestMalformed, documented
from service.api.fields import LARGEST_AMOUNT_IDR, OR_NOTHING, PLAIN, Amount, Line, Reason
from service.api.idempotency import ActRoute
from service.api.looks import CurrentLooks
from service.api.pickups import ReasonInput
from service.assisting import CardNotValid
from service.auth import NoValidToken
from service.errors import FieldProblem, NoSuchThing, NotAllowed, Problem
from service.keys import Keys
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=ActRoute)
BankQuery = Annotated[UUID | None, Query(description="Only payouts of this bank")]


@dataclass(frozen=True, slots=True)
class Only:
    """Which payouts of a list are wanted."""

    bank_id: UUID | None
    status: PayoutStatus | None


async def only(bank_id: BankQuery = None, status: PayoutStatus | None = None) -> Only:
    return Only(bank_id, status)


_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing, payouts.PayoutNotOpen, payouts.OwnPayout)


class DestinationInput(BaseModel):
    """Where money goes that isn't paid in cash; a wallet's account is its phone number."""

    channel_code: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_number: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_holder_name: Annotated[str, Field(max_length=120, pattern=r"\S"), PLAIN]


class PayoutInput(BaseModel):
    """What is to be paid out. An officer names the resident they ask for.

    Of `earnings`, it is paid to a collector: `resident_id` is then the collector. Without a destination a transfer goes where the last one went. `expected_fee_idr` is the
    fee that was shown; should it have changed, nothing is asked for.
    """

    bank_id: UUID
    source: PayoutSource = PayoutSource.PASSBOOK
    resident_id: UUID | None = None
    amount_idr: Amount
    method: PayoutMethod = PayoutMethod.CASH
    destination: DestinationInput | None = None
    expected_fee_idr: Annotated[int, Field(strict=True, ge=0, le=LARGEST_AMOUNT_IDR)] | None = None


class ApprovalsInput(BaseModel):
    """Payouts of one bank that a treasurer agrees to."""

    payout_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class DecisionInput(BaseModel):
    """How a payout in doubt ended, and how that was found out."""

    was_paid: StrictBool
    reason: Reason


class ProofInput(BaseModel):
    """What shows that the cash was handed over, such as the number of a receipt.

    `code` is what the resident says: it signs for the money.
    """

    proof: Line = ""
    code: Annotated[str, Field(max_length=12), PLAIN, OR_NOTHING] = ""


class CancelInput(BaseModel):
    reason: Line = ""


class DestinationCheckView(BaseModel):
    """A name that differs, or an account of several residents, wants a second look."""

    name_check: NameCheck
    name_found: str
    shared_with: int
    usable_from: datetime


class FailureView(BaseModel):
    """Why a payout failed or came back, in both languages, and what may help."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    en: str


class PayoutView(BaseModel):
    """A payout. Officers see the last digits of an account; whoever gets the money, all.

    `payout_code` is the resident's alone: told at the counter, it signs for the cash.
    `destination` says what an officer should know before agreeing.
    """

    id: UUID
    bank_id: UUID
    source: PayoutSource
    resident_id: UUID
    entered_by: UUID
    assisted: bool
    amount_idr: int
    fee_idr: int
    fee_by: FeeBy
    receives_idr: int
    method: PayoutMethod
    channel_code: str
    account_number: str
    account_holder_name: str
    gateway: str
    status: PayoutStatus
    approved_by: UUID | None
    approved_at: datetime | None
    leaves_at: datetime | None
    sent_at: datetime | None
    paid_by: UUID | None
    paid_at: datetime | None
    reversed_at: datetime | None
    proof: str
    code_given: bool
    payout_code: str | None
    reason: str
    failure: str
    failure_words: FailureView | None
    retry_of: UUID | None
    destination: DestinationCheckView | None
    expires_at: datetime | None
    created_at: datetime


class MoveView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int
    from_status: PayoutStatus | None
    to_status: PayoutStatus
    cause: Cause
    detail: str
    actor_id: UUID | None
    at: datetime


class MoveList(BaseModel):
    """How a payout came to where it is, oldest first."""

    items: list[MoveView]


class PayoutList(BaseModel):
    items: list[PayoutView]
    next_cursor: str | None


class PayoutBatch(BaseModel):
    items: list[PayoutView]


@router.post(
    "",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        ledger.BalanceTooLow,
        payouts.PayoutTooSmall,
        payouts.PayoutTooLarge,
        payouts.MethodNotOffered,
        payouts.ChannelNotOffered,
        payouts.FeeTooHigh,
        payouts.FeeChanged,
        payouts.DestinationNotValid,
        payouts.AssistedLimitReached,
        payouts.HelpersAccount,
        CardNotValid,
    ),
)
async def request(
    body: PayoutInput, caller: HelpingPayer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Ask for a payout, as a resident of the passbook or as a collector of earnings.

    The amount is held at once.

    `GET /v1/banks/{bank_id}/payout-channels` shows what each way costs, before anything
    is asked for.
    """
    destination = body.destination.model_dump() if body.destination else {}
    payee = _payee(body.source)
    wanted = payouts.Request(
        bank_id=body.bank_id,
        resident_id=await members.whose(
            session, caller, body.bank_id, body.resident_id, role=payee
        ),
        source=body.source,
        entered_by=caller.person_id,
        amount_idr=body.amount_idr,
        method=body.method,
        expected_fee_idr=body.expected_fee_idr,
        **destination,
    )
    return await _shown(session, parts, caller, await payouts.request(session, wanted))


@router.get("", responses=documented(NoValidToken))
async def list_payouts(
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    page: CurrentPage,
    looks: CurrentLooks,
    wanted: Annotated[Only, Depends(only)],
) -> PayoutList:
    """My payouts, and as an officer those of my bank; newest first."""
    found = await payouts.visible(
        session,
        caller,
        bank_id=wanted.bank_id,
        status=wanted.status,
        before=page.before_id,
        limit=page.limit + 1,
    )
    shown, last = page.cut(found)
    view = PayoutList(
        items=await _views(session, parts, caller, shown),
        next_cursor=cursor_of(last.id) if last else None,
    )
    await looks.note("payout", [(one.bank_id, one.resident_id) for one in view.items])
    return view


@router.get("/{payout_id}", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def get_payout(
    payout_id: UUID, caller: Reader, session: ReadSession, parts: CurrentParts, looks: CurrentLooks
) -> PayoutView:
    """One payout that concerns me."""
    payout = await payouts.find_own(session, caller, payout_id)
    view = await _shown(session, parts, caller, payout)
    await looks.note("payout", [(view.bank_id, view.resident_id)])
    return view


@router.get("/{payout_id}/moves", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def list_moves(payout_id: UUID, caller: Reader, session: ReadSession) -> MoveList:
    """How a payout came to where it is: each move, what caused it, and when."""
    payout = await payouts.find_own(session, caller, payout_id)
    moves = await payouts.moves_of(session, payout)
    return MoveList(items=[MoveView.model_validate(move) for move in moves])


@router.post("/{payout_id}/cancel", responses=documented(*_REFUSALS))
async def cancel(
    payout_id: UUID,
    caller: Payer,
    session: Session,
    parts: CurrentParts,
    body: CancelInput | None = None,
) -> PayoutView:
    """Take a payout back before any money has left."""
    payout = await payouts.find_own(session, caller, payout_id)
    own = payout.resident_id == caller.person_id
    caller.act_in(payout.bank_id, *((_payee(payout.source),) if own else OFFICERS))
    reason = body.reason if body else ""
    await payouts.cancel(session, payout, by=caller.person_id, reason=reason)
    return await _shown(session, parts, caller, payout)


@router.post("/{payout_id}/approve", responses=documented(*_REFUSALS))
async def approve(
    payout_id: UUID, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Agree to a payout, as a treasurer who neither gets nor entered it.

    A transfer leaves at `leaves_at`: at once, with the bank's next weekly batch, or when
    a destination that was changed may be used.
    """
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.approve(session, payout, by=caller.person_id)
    return await _shown(session, parts, caller, payout)


@router.post("/approvals", responses=documented(*_REFUSALS, RequestMalformed))
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
    return PayoutBatch(items=await _views(session, parts, caller, approved))


@router.post("/{payout_id}/reject", responses=documented(*_REFUSALS))
async def reject(
    payout_id: UUID, body: ReasonInput, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Refuse a payout; what was held is available again."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.reject(session, payout, by=caller.person_id, reason=body.reason)
    return await _shown(session, parts, caller, payout)


@router.post(
    "/{payout_id}/pay-cash",
    responses=documented(
        *_REFUSALS,
        payouts.NotPaidInCash,
        payouts.CashNeedsCode,
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

    The money comes out of the treasurer's own drawer, if they have one, else out of the safe.
    An operator pays out of a drawer of their own, and always against the code. Nobody pays
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
    # A card that one gave out oneself shows nothing of whom the money went to.
    signed = bool(body.code) or (caller.shown is not None and caller.shown.issued_by != by)
    await payouts.pay_cash(session, payout, by=by, proof=body.proof, signed=signed, or_safe=or_safe)
    return await _shown(session, parts, caller, payout)


@router.post("/{payout_id}/decide", responses=documented(*_REFUSALS, payouts.StillInDoubt))
async def decide(
    payout_id: UUID, body: DecisionInput, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Say how a payout ended that has been `unknown` for a day, as another than who approved it."""
    payout = await _for_treasurer(session, caller, payout_id)
    await payouts.decide(
        session, payout, was_paid=body.was_paid, by=caller.person_id, reason=body.reason
    )
    return await _shown(session, parts, caller, payout)


@router.post(
    "/{payout_id}/retry",
    status_code=201,
    responses=documented(*_REFUSALS, payouts.NotRetryable, ledger.BalanceTooLow),
)
async def retry(
    payout_id: UUID, caller: Payer, session: Session, parts: CurrentParts
) -> PayoutView:
    """Send a transfer that failed or came back once more, as a new payout that is approved."""
    payout = await _for_treasurer(session, caller, payout_id)
    new = await payouts.retry(session, payout, by=caller.person_id)
    return await _shown(session, parts, caller, new)


def _payee(source: str) -> Role:
    """As what somebody is paid."""
    return Role.COLLECTOR if source == PayoutSource.EARNINGS else Role.RESIDENT


def _at(body: ApprovalsInput, payout_id: UUID, problem: Problem) -> Problem:
    """The same problem, naming which of the payouts it is about."""
    pointer = f"/payout_ids/{body.payout_ids.index(payout_id)}"
    english, indonesian = problem.detail("en"), problem.detail("id")
    return type(problem)(FieldProblem(pointer, english, indonesian), **problem.facts)


async def _for_treasurer(session: AsyncSession, caller: Caller, payout_id: UUID) -> Payout:
    payout = await payouts.find_own(session, caller, payout_id)
    caller.act_in(payout.bank_id)
    return payout


async def _shown(session: AsyncSession, parts: Parts, caller: Caller, payout: Payout) -> PayoutView:
    (view,) = await _views(session, parts, caller, [payout])
    return view


async def _views(
    session: AsyncSession, parts: Parts, caller: Caller, shown: Sequence[Payout]
) -> list[PayoutView]:
    checks = await payouts.destinations_of(session, shown)
    return [
        _own_view(parts.keys, payout)
        if payout.resident_id == caller.person_id
        else _view(payout, checks.get(payout.destination_id) if payout.destination_id else None)
        for payout in shown
    ]


def _own_view(keys: Keys, payout: Payout) -> PayoutView:
    """As its resident sees it: with the whole account, and the code to sign with."""
    view = _view(payout, None)
    view.account_number = payout.account_number
    if payout.method == PayoutMethod.CASH and payout.status in BEFORE_SENDING:
        view.payout_code = keys.payout_code(payout.id)
    return view


def _view(payout: Payout, destination: Destination | None) -> PayoutView:
    facts = payout.model_dump(include=set(PayoutView.model_fields))
    facts |= {
        "assisted": payout.entered_by != payout.resident_id,
        "account_number": payouts.masked(payout.account_number),
        "receives_idr": payout.send_idr,
        "leaves_at": payout.due_at if payout.status == PayoutStatus.APPROVED else None,
        "payout_code": None,
        "failure_words": payouts.why_failed(payout),
        "destination": _check_view(destination) if destination else None,
    }
    return PayoutView(**facts)


def _check_view(destination: Destination) -> DestinationCheckView:
    return DestinationCheckView(
        name_check=NameCheck(destination.name_check),
        name_found=destination.name_found,
        shared_with=destination.shared_with,
        usable_from=destination.usable_from,
    )
