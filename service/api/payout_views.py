"""What is shown of a payout, to whom, and why it may be refused to act on one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
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
from service import payouts
from service.api.dependencies import Parts
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.keys import Keys
from service.members import Caller

REFUSALS = (NoValidToken, NotAllowed, NoSuchThing, payouts.PayoutNotOpen, payouts.OwnPayout)


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


async def shown(session: AsyncSession, parts: Parts, caller: Caller, payout: Payout) -> PayoutView:
    """One payout, as far as the caller may see it."""
    (view,) = await views(session, parts, caller, [payout])
    return view


async def views(
    session: AsyncSession, parts: Parts, caller: Caller, those: Sequence[Payout]
) -> list[PayoutView]:
    """Several, each as far as the caller may see it."""
    checks = await payouts.destinations_of(session, those)
    return [
        _own_view(parts.keys, payout)
        if payout.resident_id == caller.person_id
        else _view(payout, checks.get(payout.destination_id) if payout.destination_id else None)
        for payout in those
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
