"""The collector's side: the board, claiming, arriving, weighing at the door."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Settlement
from models.people import Role
from models.pickup import Pickup, PickupStatus
from routing.geo import Point, shown_metres
from service import claims, pickups, prices, weighing
from service.api.banks import Lat, Lon
from service.api.dependencies import Actor, CurrentParts, Payer, Reader, ReadSession, Session, Taker
from service.api.errors import documented
from service.api.fields import (
    HEAVIEST_LINE_GRAMS,
    Instant,
    Position,
    Reason,
    Weighings,
    WeighingView,
    position_of,
)
from service.api.idempotency import ActRoute
from service.api.pickups import PickupView, ReasonInput, WindowView, pickup_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, WaitsForOperator
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=ActRoute)


class JobView(BaseModel):
    """An open pickup as a collector sees it before the claim: no name, phone or house number."""

    pickup_id: UUID
    bank_id: UUID
    distance_m: int
    position: Position
    area: str
    estimated_grams: int
    estimate_idr: int
    collector_fee_idr: int
    window: WindowView
    waiting_s: int


class JobList(BaseModel):
    items: list[JobView]
    next_cursor: str | None


class ClaimInput(BaseModel):
    """Where I am, how many jobs I want, and how much still goes on the vehicle."""

    position: Position
    max_jobs: Annotated[int, Field(strict=True, ge=1, le=50)] = 1
    capacity_grams: Annotated[int, Field(strict=True, gt=0, le=10 * HEAVIEST_LINE_GRAMS)] | None = (
        None
    )


class StopView(BaseModel):
    """A stop of a route; `late_min` is how late after its window the collector would be."""

    pickup_id: UUID
    sequence: int
    position: Position
    address: str
    leg_m: int
    eta: datetime
    late_min: int


class RouteView(BaseModel):
    id: UUID
    bank_id: UUID
    stops: list[StopView]
    total_m: int
    total_s: int


class ClaimedView(BaseModel):
    route: RouteView


class ReleasedView(BaseModel):
    pickup_id: UUID
    status: PickupStatus


class ArriveInput(BaseModel):
    position: Position


class ProgressView(BaseModel):
    """How far it still is by the straight line, and until when the job is mine."""

    pickup_id: UUID
    distance_m: int
    claimed_until: datetime


class CollectInput(BaseModel):
    handover_code: Annotated[str, Field(min_length=1, max_length=12)]
    weighings: Weighings
    position: Position | None = None
    collected_at: Instant | None = None


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


class DecisionInput(BaseModel):
    decision: Literal["accept", "refuse"]
    reason: Reason


@router.get("/jobs/nearest", responses=documented(NoValidToken, NotAllowed))
async def nearest(
    caller: Reader,
    session: ReadSession,
    lat: Lat,
    lon: Lon,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    within_m: Annotated[float | None, Query(gt=0, le=100_000, allow_inf_nan=False)] = None,
) -> JobList:
    """Open jobs, nearest first; waiting makes a far one count as nearer."""
    here = Point(lat, lon)
    found = await claims.nearest(
        session, _banks(caller), caller.person_id, here, limit=limit, within_m=within_m
    )
    return JobList(items=[_job_view(job, here) for job in found], next_cursor=None)


@router.post(
    "/jobs/claim",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, claims.NoOpenPickup, claims.TooManyJobsHeld),
)
async def claim_nearest(body: ClaimInput, caller: Taker, session: Session) -> ClaimedView:
    """Claim the best jobs near me, in driving order. The server picks."""
    wish = claims.Wish(body.position.point(), body.max_jobs, body.capacity_grams)
    drive = await claims.claim_nearest(session, _banks(caller), caller.person_id, wish)
    caller.act_in(drive.route.bank_id, Role.COLLECTOR)
    return ClaimedView(route=_route_view(drive))


@router.post(
    "/pickups/{pickup_id}/claim",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        claims.PickupAlreadyClaimed,
        claims.PickupNotOpen,
        claims.TooManyGramsHeld,
        claims.TooManyJobsHeld,
    ),
)
async def claim(
    pickup_id: UUID, caller: Actor, session: Session, parts: CurrentParts
) -> PickupView:
    """Claim this very job. It is mine until `claimed_until`."""
    pickup = await _job(session, caller, pickup_id)
    await claims.claim(session, pickup, caller.person_id)
    (shown,) = await pickups.shown(session, [pickup])
    return pickup_view(shown, caller, parts.keys)


@router.post(
    "/pickups/{pickup_id}/release",
    responses=documented(
        NoValidToken, NotAllowed, NoSuchThing, claims.ClaimExpired, WaitsForOperator
    ),
)
async def release(
    pickup_id: UUID, body: ReasonInput, caller: Actor, session: Session
) -> ReleasedView:
    """Give a job back. It is not offered to me again that day."""
    pickup = await _job(session, caller, pickup_id)
    await claims.release(session, pickup, caller.person_id, reason=body.reason)
    return ReleasedView(pickup_id=pickup.id, status=PickupStatus(pickup.status))


@router.post(
    "/pickups/{pickup_id}/progress",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, claims.ClaimExpired),
)
async def progress(
    pickup_id: UUID, body: ArriveInput, caller: Actor, session: Session
) -> ProgressView:
    """I am on my way, and here. Coming closer makes the claim last longer."""
    pickup = await _job(session, caller, pickup_id)
    here = body.position.point()
    await claims.come_closer(session, pickup, caller.person_id, here)
    if pickup.claimed_until is None:  # A held one always has it.
        raise claims.ClaimExpired
    return ProgressView(
        pickup_id=pickup.id,
        distance_m=shown_metres(here, Point(pickup.lat, pickup.lon)),
        claimed_until=pickup.claimed_until,
    )


@router.post(
    "/pickups/{pickup_id}/arrive",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, claims.ClaimExpired),
)
async def arrive(
    pickup_id: UUID, body: ArriveInput, caller: Actor, session: Session, parts: CurrentParts
) -> PickupView:
    """I am at the door."""
    pickup = await _job(session, caller, pickup_id)
    await claims.arrive(session, pickup, caller.person_id, body.position.point())
    (shown,) = await pickups.shown(session, [pickup])
    return pickup_view(shown, caller, parts.keys)


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
        prices.UnknownMaterial,
        prices.MaterialNotBought,
    ),
)
async def collect(
    pickup_id: UUID, body: CollectInput, caller: Payer, session: Session, parts: CurrentParts
) -> CollectedView:
    """Weigh at the door; the resident is credited by the rules the pickup was listed under."""
    pickup = await _job(session, caller, pickup_id)
    handover = weighing.Handover(
        body.handover_code, [line.weighed() for line in body.weighings], body.collected_at
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
    caller.act_in(pickup.bank_id, *OFFICERS)
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
    caller.act_in(pickup.bank_id, *OFFICERS)
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


async def _job(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """A pickup of a bank where the caller collects; otherwise as if it weren't there."""
    pickup = await pickups.find(session, caller, pickup_id)
    is_collector = caller.has(pickup.bank_id, Role.COLLECTOR)
    if not is_collector and not pickups.may_see(caller, pickup):
        raise NoSuchThing(thing="pickup")
    caller.act_in(pickup.bank_id, Role.COLLECTOR)
    return pickup


def _banks(caller: Caller) -> list[UUID]:
    found = caller.banks(Role.COLLECTOR)
    if not found:
        raise NotAllowed
    return found


def _job_view(job: claims.Job, here: Point) -> JobView:
    pickup = job.pickup
    return JobView(
        pickup_id=pickup.id,
        bank_id=pickup.bank_id,
        distance_m=shown_metres(here, Point(pickup.lat, pickup.lon)),
        position=position_of(pickup),
        area=pickup.area,
        estimated_grams=pickup.estimated_grams,
        estimate_idr=pickup.estimate_idr,
        collector_fee_idr=job.collector_fee_idr,
        window=WindowView(start=pickup.window_start, end=pickup.window_end),
        waiting_s=job.waiting_s,
    )


def _route_view(drive: claims.Drive) -> RouteView:
    return RouteView(
        id=drive.route.id,
        bank_id=drive.route.bank_id,
        stops=[
            StopView(
                pickup_id=stop.pickup.id,
                sequence=stop.sequence,
                position=position_of(stop.pickup),
                address=stop.pickup.address,
                leg_m=stop.leg_m,
                eta=stop.eta,
                late_min=-(-stop.late_s // 60),
            )
            for stop in drive.stops
        ],
        total_m=drive.route.total_m,
        total_s=drive.route.total_s,
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
