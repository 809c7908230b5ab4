"""Weighing at the door, and deciding on what came with a wrong code."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.bank import Settlement
from models.pickup import Pickup, PickupStatus
from service import pickups, prices, weighing
from service.api.dependencies import (
    CurrentParts,
    Payer,
    Reader,
    ReadSession,
    Session,
)
from service.api.errors import documented
from service.api.fields import (
    Instant,
    Position,
    Reason,
    Sent,
    UnusualConfirmed,
    Weighings,
    WeighingView,
)
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=ActRoute)


class CollectInput(Sent):
    handover_code: Annotated[str, Field(min_length=1, max_length=12)]
    weighings: Weighings
    position: Position | None = None
    collected_at: Instant | None = None
    unusual_confirmed: UnusualConfirmed = False


class CollectedView(BaseModel):
    """What was weighed, and what the resident gets for it.

    `expected_idr` is its value at the locked prices. Under beli_putus `credited_idr` is the
    same: in the passbook, available, or pending until the station has weighed too. Under
    bagi_hasil it is 0, and the money follows when the batch is sold.
    """

    id: UUID
    status: PickupStatus
    weighings: list[WeighingView]
    settlement: Settlement
    credited_idr: int
    expected_idr: int
    collector_fee_idr: int


class WeighedView(BaseModel):
    material: str
    condition: str
    grams: int
    rejected_grams: int
    reason: str


class AttemptView(BaseModel):
    id: UUID
    collector_id: UUID
    weighings: list[WeighedView]
    collected_at: datetime
    created_at: datetime


class AttemptList(BaseModel):
    items: list[AttemptView]
    next_cursor: str | None


class DecisionInput(Sent):
    decision: Literal["accept", "refuse"]
    reason: Reason


@router.post(
    "/pickups/{pickup_id}/collect",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        weighing.ClaimNotHeld,
        weighing.PickupAlreadyCollected,
        weighing.WrongHandoverCode,
        weighing.HandoverCodeLocked,
        weighing.OwnWeighing,
        weighing.CollectedAtNotPossible,
        weighing.UnusualWeighing,
        prices.UnknownMaterial,
        prices.MaterialNotBought,
    ),
)
async def collect(
    pickup_id: UUID, body: CollectInput, caller: Payer, session: Session, parts: CurrentParts
) -> CollectedView:
    """Weigh at the door; the resident is credited by the rules the pickup was listed under."""
    pickup = await pickups.read(session, caller, pickup_id)
    caller.act_in(pickup.bank_id)
    handover = weighing.Handover(
        body.handover_code,
        [line.weighed() for line in body.weighings],
        body.collected_at,
        body.position.point() if body.position else None,
        body.unusual_confirmed,
    )
    credited = await weighing.collect(session, parts.keys, pickup, caller.person_id, handover)
    return _collected_view(pickup, PickupStatus.COLLECTED, credited)


@router.post(
    "/pickups/{pickup_id}/decide",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, weighing.NothingToDecide),
)
async def decide(
    pickup_id: UUID, body: DecisionInput, caller: Payer, session: Session
) -> CollectedView:
    """Decide on a weighing whose handover code was wrong too often."""
    pickup = await pickups.find_own(session, caller, pickup_id)
    caller.act_in(pickup.bank_id)
    if caller.person_id in (pickup.collector_id, pickup.resident_id):
        raise weighing.OwnWeighing
    credited = await weighing.decide(
        session,
        pickup,
        by=caller.person_id,
        accept=body.decision == "accept",
        reason=body.reason,
    )
    is_collected = body.decision == "accept"
    status = PickupStatus.COLLECTED if is_collected else PickupStatus.OPEN
    return _collected_view(pickup, status, credited)


@router.get(
    "/pickups/{pickup_id}/attempts", responses=documented(NoValidToken, NotAllowed, NoSuchThing)
)
async def attempts(pickup_id: UUID, caller: Reader, session: ReadSession) -> AttemptList:
    """The weighings that came with a wrong handover code, for the operator who decides."""
    pickup = await pickups.find_own(session, caller, pickup_id)
    caller.act_in(pickup.bank_id)
    found = await weighing.evidence(session, pickup)
    return AttemptList(
        items=[
            AttemptView(
                **attempt.model_dump(include={"id", "collector_id", "collected_at", "created_at"}),
                weighings=[WeighedView(**asdict(line)) for line in weighing.weighed_in(attempt)],
            )
            for attempt in found
        ],
        next_cursor=None,
    )


def _collected_view(
    pickup: Pickup, status: PickupStatus, credited: weighing.Credited
) -> CollectedView:
    return CollectedView(
        id=pickup.id,
        status=status,
        weighings=[WeighingView(**line) for line in credited.lines],
        settlement=credited.settlement,
        credited_idr=credited.credited_idr,
        expected_idr=credited.expected_idr,
        collector_fee_idr=credited.fee_idr,
    )
