"""The collector's side: the board, claiming, arriving, weighing at the door."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Settlement
from models.pickup import Pickup, PickupStatus
from routing.geo import Point, shown_metres
from routing.roads import Drive
from service import claims, pickups, prices, weighing
from service.api.banks import Lat, Lon
from service.api.dependencies import (
    Actor,
    CurrentIdentity,
    CurrentParts,
    Payer,
    Reader,
    ReadSession,
    Session,
    Taker,
    known,
)
from service.api.errors import documented, language_of
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
from service.members import Caller

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=ActRoute)


class WhyView(BaseModel):
    """Why a job stands where it does: it counts as one listed just now at `counts_as_m`.

    `text` says it in the language of the request.
    """

    counts_as_m: int
    text: str


class JobView(BaseModel):
    """An open pickup as a collector sees it before the claim: no name, phone or house number.

    `position` is rounded to three decimals, about 100 m; every figure is of that place.
    `road_m` and `road_s` are the drive to it, estimated from the straight line unless a
    router knows the way.
    """

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
    road_m: int
    road_s: int
    road_is_estimate: bool
    why: WhyView


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


class Look(NamedTuple):
    """From where somebody looks at the board, how far, and at how many."""

    here: Point
    limit: int
    within_m: float | None


async def look(
    lat: Lat,
    lon: Lon,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    within_m: Annotated[float | None, Query(gt=0, le=100_000, allow_inf_nan=False)] = None,
) -> Look:
    return Look(Point(lat, lon), limit, within_m)


@router.get("/jobs/nearest", responses=documented(NoValidToken, NotAllowed))
async def nearest(
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    looking: Annotated[Look, Depends(look)],
    language: Annotated[str, Depends(language_of)],
) -> JobList:
    """Open jobs, nearest first; waiting makes a far one count as nearer.

    Where a router is set, the first 20 are ranked by the road.
    """
    found = await claims.nearest(
        session,
        caller.banks(),
        caller.person_id,
        looking.here,
        limit=max(looking.limit, claims.SHORTLIST) if parts.router else looking.limit,
        within_m=looking.within_m,
    )
    await session.close()
    ranked = await claims.by_road(found, looking.here, parts.router)
    items = [_job_view(one, looking.here, language) for one in ranked[: looking.limit]]
    return JobList(items=items, next_cursor=None)


class Prepared(NamedTuple):
    """A claim as it was asked for, and the roads that were looked up for it."""

    wish: claims.Wish
    drives: dict[tuple[Point, Point], Drive]


async def prepared(
    request: Request, body: ClaimInput, who: CurrentIdentity, parts: CurrentParts
) -> Prepared:
    """Ask the router before the transaction of the claim begins; without one, ask nobody."""
    wish = claims.Wish(body.position.point(), body.max_jobs, body.capacity_grams)
    if parts.router is None:
        return Prepared(wish, {})
    async with parts.database.reading() as session:
        caller = await known(request, session, who)
        drives = await claims.known_drives(
            session, caller.banks(), caller.person_id, wish, parts.router
        )
    return Prepared(wish, drives)


@router.post(
    "/jobs/claim",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, claims.NoOpenPickup, claims.TooManyJobsHeld),
)
async def claim_nearest(
    asked: Annotated[Prepared, Depends(prepared)], caller: Taker, session: Session
) -> ClaimedView:
    """Claim the best jobs near me, in driving order. The server picks."""
    drive = await claims.claim_nearest(
        session, caller.banks(), caller.person_id, asked.wish, drives=asked.drives
    )
    caller.act_in(drive.route.bank_id)
    caller.touched += [("pickup", stop.pickup.id) for stop in drive.stops]
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
        body.handover_code,
        [line.weighed() for line in body.weighings],
        body.collected_at,
        body.position.point() if body.position else None,
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


async def _job(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """A pickup of a bank where the caller collects; otherwise as if it weren't there."""
    pickup = await pickups.find(session, caller, pickup_id)
    caller.act_in(pickup.bank_id)
    return pickup


def _job_view(one: claims.JobByRoad, here: Point, language: str) -> JobView:
    job, pickup = one.job, one.job.pickup
    return JobView(
        pickup_id=pickup.id,
        bank_id=pickup.bank_id,
        distance_m=shown_metres(here, job.place),
        position=Position(lat=job.place.lat, lon=job.place.lon),
        area=pickup.area,
        estimated_grams=pickup.estimated_grams,
        estimate_idr=pickup.estimate_idr,
        collector_fee_idr=job.collector_fee_idr,
        window=WindowView(start=pickup.window_start, end=pickup.window_end),
        waiting_s=job.waiting_s,
        road_m=one.drive.metres,
        road_s=one.drive.seconds,
        road_is_estimate=one.is_estimate,
        why=_why(one, language),
    )


_WHY = {
    "id": "{km} km{road}, menunggu {waiting}: dihitung seperti {counts} km yang baru didaftarkan.",
    "en": "{km} km{road}, waiting for {waiting}: counts as {counts} km listed just now.",
}


def _why(one: claims.JobByRoad, language: str) -> WhyView:
    far_m = one.job.distance_m if one.is_estimate else one.drive.metres
    counts_m = one.counts_as_m
    facts = {
        "km": _km(far_m, language),
        "road": "" if one.is_estimate else {"id": " lewat jalan"}.get(language, " by road"),
        "waiting": _waiting(one.job.waiting_s, language),
        "counts": _km(counts_m, language),
    }
    return WhyView(counts_as_m=round(counts_m), text=_WHY[language].format(**facts))


def _km(metres: float, language: str) -> str:
    said = f"{metres / 1000:.1f}"
    return said if language == "en" else said.replace(".", ",")


def _waiting(seconds: int, language: str) -> str:
    minutes, hours = seconds // 60, seconds // 3_600
    if hours:
        return f"{hours} h" if language == "en" else f"{hours} jam"
    return f"{minutes} min" if language == "en" else f"{minutes} menit"


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
