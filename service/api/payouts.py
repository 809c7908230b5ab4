"""Payouts over HTTP: asking for one, seeing them, and taking one back."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from models.payout import (
    PayoutMethod,
    PayoutSource,
    PayoutStatus,
)
from models.people import Role
from service import ledger, members, payouts
from service.api.assisting import HelpingPayer
from service.api.dependencies import (
    CurrentPage,
    CurrentParts,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import LARGEST_AMOUNT_IDR, PLAIN, Amount, Line, Name, Sent
from service.api.idempotency import ActRoute
from service.api.looks import CurrentLooks
from service.api.payout_views import (
    REFUSALS,
    MoveList,
    MoveView,
    PayoutList,
    PayoutView,
    shown,
    views,
)
from service.assisting import CardNotValid
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, said_of
from service.members import OFFICERS

router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=ActRoute)
BankQuery = Annotated[UUID | None, Query(description="Only payouts of this bank")]


@dataclass(frozen=True, slots=True)
class Only:
    """Which payouts of a list are wanted."""

    bank_id: UUID | None
    status: PayoutStatus | None


async def only(bank_id: BankQuery = None, status: PayoutStatus | None = None) -> Only:
    return Only(bank_id, status)


class DestinationInput(Sent):
    """Where money goes that isn't paid in cash; a wallet's account is its phone number."""

    channel_code: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_number: Annotated[str, Field(min_length=1, max_length=40), PLAIN]
    account_holder_name: Name


class PayoutInput(Sent):
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


class CancelInput(Sent):
    reason: Line = ""


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
    with said_of("/resident_id", NoSuchThing):
        whose = await members.whose(session, caller, body.bank_id, body.resident_id, role=payee)
    wanted = payouts.Request(
        bank_id=body.bank_id,
        resident_id=whose,
        source=body.source,
        entered_by=caller.person_id,
        amount_idr=body.amount_idr,
        method=body.method,
        expected_fee_idr=body.expected_fee_idr,
        **destination,
    )
    with said_of("/amount_idr", ledger.BalanceTooLow):
        payout = await payouts.request(session, wanted)
    return await shown(session, parts, caller, payout)


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
    cut, last = page.cut(found)
    view = PayoutList(
        items=await views(session, parts, caller, cut),
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
    view = await shown(session, parts, caller, payout)
    await looks.note("payout", [(view.bank_id, view.resident_id)])
    return view


@router.get("/{payout_id}/moves", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def list_moves(payout_id: UUID, caller: Reader, session: ReadSession) -> MoveList:
    """How a payout came to where it is: each move, what caused it, and when."""
    payout = await payouts.find_own(session, caller, payout_id)
    moves = await payouts.moves_of(session, payout)
    return MoveList(items=[MoveView.model_validate(move) for move in moves])


@router.post("/{payout_id}/cancel", responses=documented(*REFUSALS))
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
    return await shown(session, parts, caller, payout)


def _payee(source: str) -> Role:
    """As what somebody is paid."""
    return Role.COLLECTOR if source == PayoutSource.EARNINGS else Role.RESIDENT
