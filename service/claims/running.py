"""A route while it is driven: what is left, when it is where, and what one more job adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, Policy
from models.base import utc_now
from models.pickup import HELD, Pickup, PickupStatus, Route
from routing.drive import Drive, Ground, Halt, Insertion, drive, insertion
from routing.geo import Point
from routing.roads import DistanceProvider, Router, WithFallback
from service import banks
from service.claims.leases import PickupNotOpen, claim
from service.claims.routes import SERVICE_S, call_of
from service.errors import NoSuchThing

UNLOAD_S = 900


@dataclass(frozen=True, slots=True)
class Running:
    """A route with the stops that are left, from where its collector was last seen."""

    route: Route
    bank: Bank
    policy: Policy
    done: Sequence[Pickup]
    left: Sequence[Pickup]
    here: Point
    now: datetime
    drive: Drive

    @property
    def start_is_rounded(self) -> bool:
        """Whether it begins about a kilometre from where its collector was, who didn't agree to
        have the place kept, or whose place was forgotten since."""
        return not self.done and self.route.place_forgotten_at is not None

    def halts(self) -> list[tuple[Pickup | None, Halt]]:
        """What is left, in driving order; no pickup where the vehicle unloads at the bank."""
        return [
            (self.left[halt.index - 1] if halt.call else None, halt) for halt in self.drive.halts
        ]


@dataclass(frozen=True, slots=True)
class OneMore:
    """What one more job would add to a route, and what its collector would earn by it."""

    found: Insertion
    after: Pickup | None
    leg_m: int
    collector_fee_idr: int
    late: Sequence[tuple[Pickup, int]]


async def of_collector(
    session: AsyncSession,
    bank_ids: Sequence[UUID],
    collector_id: UUID | None,
    *,
    before: UUID | None,
    limit: int,
) -> list[Route]:
    """Routes of these banks, of one collector or of all, newest first."""
    query = (
        select(Route)
        .where(col(Route.bank_id).in_(bank_ids))
        .order_by(col(Route.id).desc())
        .limit(limit)
    )
    if collector_id is not None:
        query = query.where(Route.collector_id == collector_id)
    if before is not None:
        query = query.where(col(Route.id) < before)
    return list(await session.exec(query))


async def find_route(session: AsyncSession, bank_ids: Sequence[UUID], route_id: UUID) -> Route:
    """A route of one of these banks. Raises NoSuchThing."""
    query = select(Route).where(col(Route.bank_id).in_(bank_ids), Route.id == route_id)
    route = (await session.exec(query)).first()
    if route is None:
        raise NoSuchThing(thing="route")
    return route


async def running(
    session: AsyncSession,
    route: Route,
    *,
    capacity_grams: int | None = None,
    router: Router | None = None,
) -> Running:
    """A route as it stands: its stops in the order they were given, with times from now on.

    With `capacity_grams` it goes to the bank in between when the next stop wouldn't fit. With
    a `router` it is asked for the roads, after the session was closed.
    """
    pickups = await _stops(session, route)
    bank = await banks.get(session, route.bank_id)
    policy = await banks.policy_of(session, route.bank_id)
    done = sorted(
        (one for one in pickups if one.status == PickupStatus.COLLECTED),
        key=lambda one: (one.collected_at or one.created_at, one.id),
    )
    left = sorted(
        (one for one in pickups if one.status in HELD), key=lambda one: one.route_sequence or 0
    )
    seen = done[-1] if done else route
    here, now = Point(seen.lat, seen.lon), utc_now()
    roads: DistanceProvider = banks.estimate_of(policy)
    if router is not None:
        await session.close()
        roads = WithFallback(router, banks.estimate_of(policy))
    ground = await _ground(bank, here, _places(left), capacity_grams, roads)
    calls = [call_of(one, number, now) for number, one in enumerate(left, start=1)]
    return Running(route, bank, policy, done, left, here, now, drive(ground, calls))


async def one_more(
    going: Running, pickup: Pickup, router: Router | None = None, *, place: Point | None = None
) -> OneMore:
    """Where one more open job fits best into what is left, and what that costs.

    As if it were at `place`, where that is all that may be told. Raises PickupNotOpen.
    """
    if pickup.status != PickupStatus.OPEN or pickup.bank_id != going.bank.id:
        raise PickupNotOpen(status=pickup.status)
    estimate = banks.estimate_of(going.policy)
    roads = WithFallback(router, estimate) if router else estimate
    stops = [*_places(going.left), place or _place(pickup)]
    ground = await _ground(going.bank, going.here, stops, None, roads)
    calls = [call_of(one, n, going.now) for n, one in enumerate([*going.left, pickup], start=1)]
    found = insertion(ground, calls[:-1], calls[-1])
    (halt,) = [one for one in found.drive.halts if one.index == len(calls)]
    fee = going.policy.collector_fee_idr(pickup.estimated_grams, halt.metres)
    late = [
        (([*going.left, pickup])[one.index - 1], one.late_s)
        for one in found.drive.halts
        if one.late_s
    ]
    after = going.left[found.position - 1] if found.position else None
    return OneMore(found, after, halt.metres, fee, late)


async def add(session: AsyncSession, going: Running, pickup: Pickup) -> None:
    """Claim one more job and put it where it fits best; the others keep their order.

    Raises PickupNotOpen, PickupAlreadyClaimed, TooManyJobsHeld or TooManyGramsHeld.
    """
    more = await one_more(going, pickup)
    await claim(session, pickup, going.route.collector_id)
    order = list(going.left)
    order.insert(more.found.position, pickup)
    numbered = update(Pickup).where(
        col(Pickup.bank_id) == going.bank.id,
        col(Pickup.id) == bindparam("of"),
        col(Pickup.collector_id) == going.route.collector_id,
        or_(*(col(Pickup.status) == status for status in HELD)),
    )
    values = {"route_id": going.route.id, "route_sequence": bindparam("sequence")}
    connection = await session.connection()
    first = len(going.done) + 1
    rows = [{"of": one.id, "sequence": first + n} for n, one in enumerate(order)]
    await connection.execute(numbered.values(**values), rows)
    await connection.execute(
        update(Pickup)
        .where(col(Pickup.bank_id) == going.bank.id, col(Pickup.id) == pickup.id)
        .values(leg_m=more.leg_m)
    )


async def _stops(session: AsyncSession, route: Route) -> list[Pickup]:
    query = select(Pickup).where(
        Pickup.bank_id == route.bank_id,
        Pickup.collector_id == route.collector_id,
        Pickup.route_id == route.id,
    )
    # What this session changed by statements of its own must be seen as well.
    return list(await session.exec(query.execution_options(populate_existing=True)))


async def _ground(
    bank: Bank,
    here: Point,
    stops: Sequence[Point],
    capacity_grams: int | None,
    roads: DistanceProvider,
) -> Ground:
    points = [here, *stops, Point(bank.lat, bank.lon)]
    matrix = await roads.matrix(points)
    if capacity_grams is None:
        return Ground(matrix.seconds, matrix.metres, SERVICE_S, UNLOAD_S)
    return Ground(matrix.seconds, matrix.metres, SERVICE_S, UNLOAD_S, capacity_grams)


def _places(stops: Sequence[Pickup]) -> list[Point]:
    return [_place(one) for one in stops]


def _place(pickup: Pickup) -> Point:
    return Point(pickup.lat, pickup.lon)
