"""A collector's route while it is driven: in order, as GeoJSON, as a picture."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Role
from models.pickup import Pickup, Route
from routing.geo import Point, about
from routing.roads import Router
from service import claims, pickups
from service.api.dependencies import (
    Actor,
    CurrentPage,
    CurrentParts,
    PictureLanguage,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import HEAVIEST_LINE_GRAMS, Position, Sent, position_of
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1/routes", tags=["routes"], route_class=ActRoute)
_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing)
Capacity = Annotated[
    int | None,
    Query(
        gt=0,
        le=10 * HEAVIEST_LINE_GRAMS,
        description="What goes on the vehicle: the route unloads at the bank where it is full",
    ),
]


class HaltView(BaseModel):
    """A stop that is left, or the bank. `late_min` is how late after its window it is begun.

    `eta` is when the collector is there; `begin` is later where they wait for the window.
    """

    kind: Literal["stop", "bank"]
    pickup_id: UUID | None
    sequence: int | None
    position: Position
    address: str | None
    leg_m: int
    eta: datetime
    begin: datetime
    late_min: int
    load_grams: int


class RouteView(BaseModel):
    """What is left of a route, from where its collector was last seen, at this moment.

    It is `done` when nothing is left. Where `start_is_rounded`, its collector did not agree to
    have the place kept where they began: until the first stop is done, `start` is about a
    kilometre off, and metres and times differ from those that the claim was answered with.
    Distances and times are those of the road where a router
    is set and knows it, and estimates from straight lines elsewhere.
    """

    id: UUID
    bank_id: UUID
    collector_id: UUID
    status: Literal["running", "done"]
    start: Position
    start_is_rounded: bool
    done: list[UUID]
    halts: list[HaltView]
    total_m: int
    total_s: int
    created_at: datetime


class RouteLine(BaseModel):
    """A route as a list shows it, as long as it was when it was begun."""

    id: UUID
    bank_id: UUID
    collector_id: UUID
    total_m: int
    total_s: int
    created_at: datetime


class RouteList(BaseModel):
    items: list[RouteLine]
    next_cursor: str | None


class LateView(BaseModel):
    pickup_id: UUID
    late_min: int


class InsertionView(BaseModel):
    """What one more job adds to a route where it fits best; `after_pickup_id` is null at the
    front. `late` names the stops that would be begun after their window."""

    pickup_id: UUID
    after_pickup_id: UUID | None
    added_m: int
    added_s: int
    collector_fee_idr: int
    late: list[LateView]


class MoreInput(Sent):
    pickup_id: UUID = Field(description="An open job")


@router.get("", responses=documented(NoValidToken))
async def list_routes(caller: Reader, session: ReadSession, page: CurrentPage) -> RouteList:
    """Routes: a collector's own, or all of a bank for its officers; newest first."""
    officer_of = caller.banks(*OFFICERS)
    found = await claims.of_collector(
        session,
        officer_of or caller.banks(Role.COLLECTOR),
        None if officer_of else caller.person_id,
        before=page.before_id,
        limit=page.limit + 1,
    )
    shown, last = page.cut(found)
    return RouteList(
        items=[
            RouteLine(**route.model_dump(include=set(RouteLine.model_fields))) for route in shown
        ],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.get(
    "/{route_id}.geojson",
    response_class=Response,
    responses=documented(*_REFUSALS) | {200: {"content": {"application/geo+json": {}}}},
)
async def geojson(
    route_id: UUID,
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    capacity_grams: Capacity = None,
) -> Response:
    """What is left of a route as GeoJSON: a line through all, and each halt as a point."""
    going = await _running(session, caller, route_id, capacity_grams, parts.router)
    body = json.dumps(claims.geojson_of(going))
    return Response(body, media_type="application/geo+json")


@router.get(
    "/{route_id}.svg",
    response_class=Response,
    responses=documented(*_REFUSALS) | {200: {"content": {"image/svg+xml": {}}}},
)
async def picture(
    route_id: UUID,
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    language: PictureLanguage,
    capacity_grams: Capacity = None,
) -> Response:
    """What is left of a route as a picture: stops in order, the load, the bank. No names."""
    going = await _running(session, caller, route_id, capacity_grams, parts.router)
    return Response(claims.picture_of(going, language), media_type="image/svg+xml")


@router.get("/{route_id}", responses=documented(*_REFUSALS))
async def get_route(
    route_id: UUID,
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    capacity_grams: Capacity = None,
) -> RouteView:
    """A route as it stands: what is left, in driving order, and when."""
    return _view(await _running(session, caller, route_id, capacity_grams, parts.router))


@router.get("/{route_id}/insertion", responses=documented(*_REFUSALS, claims.PickupNotOpen))
async def insertion(
    route_id: UUID, pickup_id: UUID, caller: Reader, session: ReadSession, parts: CurrentParts
) -> InsertionView:
    """What one more open job would add to my route, and what I would earn by it.

    As if it were at the place that the board tells, some metres off.
    """
    pickup = await pickups.find(session, caller, pickup_id)
    going = await _running(session, caller, route_id, None, parts.router)
    await session.close()
    place = about(Point(pickup.lat, pickup.lon))
    more = await claims.one_more(going, pickup, parts.router, place=place)
    return InsertionView(
        pickup_id=pickup.id,
        after_pickup_id=more.after.id if more.after else None,
        added_m=more.found.added_m,
        added_s=more.found.added_s,
        collector_fee_idr=more.collector_fee_idr,
        late=_late(more.late),
    )


@router.post(
    "/{route_id}/stops",
    responses=documented(
        *_REFUSALS,
        claims.PickupNotOpen,
        claims.PickupAlreadyClaimed,
        claims.TooManyJobsHeld,
        claims.TooManyGramsHeld,
    ),
)
async def add_stop(route_id: UUID, body: MoreInput, caller: Actor, session: Session) -> RouteView:
    """Claim one more job and take it into my route where it adds least."""
    going = await _running(session, caller, route_id, None, None)
    caller.act_in(going.bank.id)
    pickup = await pickups.find(session, caller, body.pickup_id)
    await claims.add(session, going, pickup)
    caller.touched.append(("pickup", pickup.id))
    return _view(await claims.running(session, going.route))


async def _running(
    session: AsyncSession,
    caller: Caller,
    route_id: UUID,
    capacity_grams: int | None,
    router: Router | None,
) -> claims.Running:
    """A route that the caller may see: their own, or one of a bank where they are an officer.

    With a router the session is closed afterwards: nobody waits for roads in a transaction.
    """
    route = await _own(session, caller, route_id)
    return await claims.running(session, route, capacity_grams=capacity_grams, router=router)


async def _own(session: AsyncSession, caller: Caller, route_id: UUID) -> Route:
    route = await claims.find_route(session, caller.banks(Role.COLLECTOR, *OFFICERS), route_id)
    is_officer = any(caller.has(route.bank_id, role) for role in OFFICERS)
    if not is_officer and route.collector_id != caller.person_id:
        raise NoSuchThing(thing="route")
    return route


def _view(going: claims.Running) -> RouteView:
    number, halts = len(going.done), []
    for pickup, halt in going.halts():
        number += pickup is not None
        halts.append(
            HaltView(
                kind="stop" if pickup else "bank",
                pickup_id=pickup.id if pickup else None,
                sequence=number if pickup else None,
                position=position_of(pickup or going.bank),
                address=pickup.address if pickup else None,
                leg_m=halt.metres,
                eta=going.now + timedelta(seconds=halt.arrival_s),
                begin=going.now + timedelta(seconds=halt.begin_s),
                late_min=-(-halt.late_s // 60),
                load_grams=halt.load_grams,
            )
        )
    return RouteView(
        **going.route.model_dump(include={"id", "bank_id", "collector_id", "created_at"}),
        status="running" if going.left else "done",
        start=Position(lat=going.here.lat, lon=going.here.lon),
        start_is_rounded=going.start_is_rounded,
        done=[pickup.id for pickup in going.done],
        halts=halts if going.left else [],
        total_m=going.drive.metres if going.left else 0,
        total_s=going.drive.seconds if going.left else 0,
    )


def _late(late: Sequence[tuple[Pickup, int]]) -> list[LateView]:
    return [LateView(pickup_id=one.id, late_min=-(-late_s // 60)) for one, late_s in late]
