"""The collector's side: the board, claiming, coming nearer, arriving."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup, PickupStatus
from routing.geo import Point, shown_metres
from routing.roads import Drive
from service import claims, pickups
from service.api.banks import Lat, Lon
from service.api.dependencies import (
    Actor,
    CurrentIdentity,
    CurrentParts,
    Reader,
    ReadSession,
    Session,
    Taker,
    known,
)
from service.api.errors import documented, language_of
from service.api.fields import HEAVIEST_LINE_GRAMS, Position, Sent
from service.api.idempotency import ActRoute
from service.api.job_views import ClaimedView, JobList, job_view, route_view
from service.api.pickups import PickupView, ReasonInput, pickup_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, WaitsForOperator
from service.members import Caller

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=ActRoute)


class ClaimInput(Sent):
    """Where I am, how many jobs I want, and how much still goes on the vehicle."""

    position: Position
    max_jobs: Annotated[int, Field(strict=True, ge=1, le=50)] = 1
    capacity_grams: Annotated[int, Field(strict=True, gt=0, le=10 * HEAVIEST_LINE_GRAMS)] | None = (
        None
    )


class ReleasedView(BaseModel):
    pickup_id: UUID
    status: PickupStatus


class ArriveInput(Sent):
    position: Position


class ProgressView(BaseModel):
    """How far it still is by the straight line, and until when the job is mine."""

    pickup_id: UUID
    distance_m: int
    claimed_until: datetime


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
    """Open jobs of the next twelve hours, nearest first; waiting makes a far one count as nearer.

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
    items = [job_view(one, looking.here, language) for one in ranked[: looking.limit]]
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
    return ClaimedView(route=route_view(drive))


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
    pickup = await job_of(session, caller, pickup_id)
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
    pickup = await job_of(session, caller, pickup_id)
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
    pickup = await job_of(session, caller, pickup_id)
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
    pickup = await job_of(session, caller, pickup_id)
    await claims.arrive(session, pickup, caller.person_id, body.position.point())
    (shown,) = await pickups.shown(session, [pickup])
    return pickup_view(shown, caller, parts.keys)


async def job_of(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """A pickup of a bank where the caller collects; otherwise as if it weren't there."""
    pickup = await pickups.find(session, caller, pickup_id)
    caller.act_in(pickup.bank_id)
    return pickup
