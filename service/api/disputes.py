"""Disputes: door and station weighed too differently, and somebody has to decide."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from models.station import Decision, ReceivingStatus
from service import ledger, station
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
from service.api.loads import ReceivingView, receiving_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1/disputes", tags=["station"], route_class=ActRoute)


class VerdictInput(Sent):
    """Whose grams count, and why."""

    decision: Decision
    reason: Reason


class DisputeList(BaseModel):
    items: list[ReceivingView]
    next_cursor: str | None


@router.get("", responses=documented(NoValidToken))
async def list_disputes(
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    status: Literal[ReceivingStatus.DISPUTED, ReceivingStatus.DECIDED] | None = None,
) -> DisputeList:
    """Disputes of my bank, about my loads or about my waste; newest first.

    A resident sees of a shared load what is theirs: the grams at their door, and those
    that would count if the station is right.
    """
    wanted = station.Wanted(status, page.before_id, page.limit + 1)
    found = await station.visible(session, caller, wanted)
    shown, last = page.cut(found)
    return DisputeList(
        items=[receiving_view(dispute) for dispute in shown],
        next_cursor=cursor_of(last.receiving.id) if last else None,
    )


@router.get("/{receiving_id}", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def get_dispute(receiving_id: UUID, caller: Reader, session: ReadSession) -> ReceivingView:
    """One dispute that concerns me."""
    dispute = await station.find_own(session, caller, receiving_id)
    return receiving_view(await station.shown(session, caller, dispute))


@router.post(
    "/{receiving_id}/decide",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        station.OwnDispute,
        station.DisputeAlreadyDecided,
        ledger.BalanceTooLow,
    ),
)
async def decide(
    receiving_id: UUID, body: VerdictInput, caller: Payer, session: Session
) -> ReceivingView:
    """Say whether the grams of the door or those of the station count.

    Not for the collector, who weighed at the station, or a resident whose waste it was.
    """
    dispute = await station.find_own(session, caller, receiving_id)
    caller.act_in(dispute.bank_id)
    await station.decide(
        session, dispute, by=caller.person_id, decision=body.decision, reason=body.reason
    )
    return receiving_view(await station.shown(session, caller, dispute))
