"""Corrections over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from models.correction import Correction, CorrectionStatus
from service import corrections, drawers, ledger
from service.api.dependencies import (
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import Reason, Sent
from service.api.idempotency import ActRoute
from service.api.pickups import ReasonInput
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(
    prefix="/v1/banks/{bank_id}/corrections", tags=["corrections"], route_class=ActRoute
)
_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing, corrections.OwnCorrection)
_NOT_MADE = (
    corrections.NotCorrectable,
    corrections.OwnerDeleted,
    ledger.AlreadyReversed,
    ledger.BalanceTooLow,
    drawers.DrawerClosed,
    drawers.DrawerTooLow,
)


class CorrectionInput(Sent):
    """What is wrong, and why: a passbook line's `journal_id`, or the id of what was entered."""

    journal_id: UUID | None = None
    about_id: Annotated[
        UUID | None,
        Field(
            description=(
                "A pickup, a drop-off, a payout that was paid, a sale, a buyer's payment, residue,"
                " cash that was carried, a top-up, or an exception"
            )
        ),
    ] = None
    reason: Reason

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.journal_id is None) == (self.about_id is None):
            raise PydanticCustomError("one_of_both", "Name either journal_id or about_id.")
        return self


class CorrectionView(BaseModel):
    """`reversal_id` is the act that takes `journal_id` back, once it is made."""

    id: UUID
    bank_id: UUID
    journal_id: UUID
    reversal_id: UUID | None
    reason: str
    amount_idr: int
    needs_two: bool
    status: CorrectionStatus
    asked_by: UUID
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_reason: str


class CorrectionList(BaseModel):
    items: list[CorrectionView]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    responses=documented(
        *_REFUSALS, *_NOT_MADE, ledger.NotReversible, corrections.CorrectionAlreadyAsked
    ),
)
async def ask(
    bank_id: UUID, body: CorrectionInput, caller: Payer, session: Session
) -> CorrectionView:
    """Take an act back with a reason; both stay in the book, and its residents are told.

    A sale goes back whole: what its buyer owes, its goods, and what residents and collectors
    got of it. Where one of them spent that already, nothing goes back (409 `balance_too_low`).
    Up to the bank's `correction_limit_idr` it is made at once. Above, it is `asked` until
    another officer agrees.
    """
    act = await corrections.find_act(
        session, bank_id, journal_id=body.journal_id, about_id=body.about_id
    )
    return _view(
        await corrections.ask(session, bank_id, act, by=caller.person_id, reason=body.reason)
    )


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_corrections(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    status: Annotated[CorrectionStatus | None, Query()] = None,
) -> CorrectionList:
    """Corrections of a bank, newest first; `?status=asked` are those that wait for somebody."""
    found = await corrections.of_bank(
        session, bank_id, status=status, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return CorrectionList(
        items=[_view(correction) for correction in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.post(
    "/{correction_id}/agree",
    responses=documented(*_REFUSALS, *_NOT_MADE, corrections.CorrectionNotOpen),
)
async def agree(
    bank_id: UUID, correction_id: UUID, caller: Payer, session: Session
) -> CorrectionView:
    """Agree as the second officer; the act is taken back now."""
    correction = await corrections.find(session, bank_id, correction_id)
    await corrections.agree(session, correction, by=caller.person_id)
    return _view(correction)


@router.post(
    "/{correction_id}/refuse", responses=documented(*_REFUSALS, corrections.CorrectionNotOpen)
)
async def refuse(
    bank_id: UUID, correction_id: UUID, body: ReasonInput, caller: Payer, session: Session
) -> CorrectionView:
    """Refuse as the second officer; the act stays as it is."""
    correction = await corrections.find(session, bank_id, correction_id)
    await corrections.refuse(session, correction, by=caller.person_id, reason=body.reason)
    return _view(correction)


def _view(correction: Correction) -> CorrectionView:
    return CorrectionView(**correction.model_dump(include=set(CorrectionView.model_fields)))
