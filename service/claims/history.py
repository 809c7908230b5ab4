"""Trips that were driven: from one door to the next of the same route."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup, PickupStatus
from routing.geo import Point, metres_between
from routing.roads import Router
from routing.roads.calibrating import Trip

_LONGEST = timedelta(hours=2)
_MOST = 2_000


async def finished_trips(
    session: AsyncSession, bank_id: UUID, router: Router | None = None
) -> list[Trip]:
    """The last trips of a bank between doors where a collector arrived and had collected before.

    With a router each comes with its road metres; the session is closed before it is asked.
    """
    query = (
        select(Pickup)
        .where(
            Pickup.bank_id == bank_id,
            Pickup.status == PickupStatus.COLLECTED,
            col(Pickup.route_id).is_not(None),
            col(Pickup.arrived_at).is_not(None),
            # Later only a kilometre or so is known of where it was.
            col(Pickup.place_forgotten_at).is_(None),
        )
        .order_by(col(Pickup.collected_at).desc())
        .limit(_MOST)
    )
    found = sorted(await session.exec(query), key=lambda one: (str(one.route_id), one.arrived_at))
    await session.close()
    trips = []
    for before, after in pairwise(found):
        if before.route_id == after.route_id and (trip := await _trip(before, after, router)):
            trips.append(trip)
    return trips


async def _trip(before: Pickup, after: Pickup, router: Router | None) -> Trip | None:
    if before.collected_at is None or after.arrived_at is None:
        return None
    spent = after.arrived_at - before.collected_at
    if not timedelta(0) < spent < _LONGEST:
        return None
    here, there = Point(before.lat, before.lon), Point(after.lat, after.lon)
    road_m = None
    if router is not None:
        drive = (await router.table([here, there], sources=[0], targets=[1])).cells[0][0]
        road_m = float(drive.metres) if drive else None
    return Trip(metres_between(here, there), spent.total_seconds(), road_m)
