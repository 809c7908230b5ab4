"""The server picks: the best jobs for a collector, in driving order."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, insert, inspect, null, text, update
from sqlmodel import UTCDateTime, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id
from models.pickup import Pickup, PickupStatus, Route
from models.privacy import Purpose
from routing.drive import Call, Ground
from routing.geo import Point, rounded
from routing.nearest import Ranked
from routing.roads import DistanceProvider, Prefetched
from routing.roads import Drive as RoadDrive
from routing.timely import best_drive
from service import banks, consents
from service.claims.board import Board, boards
from service.claims.leases import SPARE, NoOpenPickup, Room, TooManyJobsHeld, room_for

SERVICE_S = 360
"""What a stop takes at the door."""
_SHORTLIST = 62
_SPARE_JOBS = 6
_WIDEST_SHORTLIST = 1_024
_NO_LIMIT_GRAMS = 10**12
_COLUMNS = inspect(Pickup).local_table.c
_ALL = ", ".join(f"p.{column.name}" for column in _COLUMNS)

# Not "= 'open'": a planner that knows nothing yet would read all open pickups by their index.
_LOCK_POSTGRESQL = f"""
SELECT {_ALL} FROM pickup p
 WHERE p.bank_id = :bank_id AND p.status || '' = 'open' AND p.estimated_grams <= :fitting
   AND p.id = ANY(CAST(:ids AS uuid[]))
 ORDER BY array_position(CAST(:ids AS uuid[]), p.id) LIMIT :limit FOR UPDATE SKIP LOCKED"""  # noqa: S608  Only names of columns are put in.

_LOCK_SQLITE = f"""
SELECT {_ALL} FROM json_each(:ids) wanted CROSS JOIN pickup p
 WHERE p.bank_id = :bank_id AND p.id = wanted.value AND p.status = 'open'
   AND p.estimated_grams <= :fitting
 ORDER BY wanted.key LIMIT :limit"""  # noqa: S608
_LOCKS = {
    is_sqlite: select(Pickup).from_statement(text(sql).columns(*_COLUMNS))
    for is_sqlite, sql in ((True, _LOCK_SQLITE), (False, _LOCK_POSTGRESQL))
}


_AGREES = consents.agrees(bindparam("whose"), Purpose.LOCATION)
# Who didn't agree to it leaves no more than a kilometre or so of where they began.
_BEGIN = insert(Route).values(
    lat=case((_AGREES, bindparam("exact_lat")), else_=bindparam("rounded_lat")),
    lon=case((_AGREES, bindparam("exact_lon")), else_=bindparam("rounded_lon")),
    place_forgotten_at=case((_AGREES, null()), else_=bindparam("begun", type_=UTCDateTime())),
)
_CLAIM = (
    update(Pickup)
    .where(
        col(Pickup.bank_id) == bindparam("of_bank"),
        col(Pickup.id) == bindparam("of"),
        col(Pickup.status) == PickupStatus.OPEN,
    )
    .values(
        status=PickupStatus.CLAIMED,
        collector_id=bindparam("by"),
        claim_number=Pickup.claim_number + 1,
        claimed_at=bindparam("now"),
        claimed_until=bindparam("until"),
        route_id=bindparam("route"),
        route_sequence=bindparam("sequence"),
        leg_m=bindparam("driven_m"),
        closest_m=None,
    )
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a collector asks for: up to so many jobs, into so much room."""

    position: Point
    max_jobs: int
    capacity_grams: int | None
    within_m: float | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    pickup: Pickup
    sequence: int
    leg_m: int
    paid_m: int
    """What of the leg the fee counts: where a collector begins is only what they say."""
    eta: datetime
    begin: datetime
    """Later than `eta` where the collector waits for the window to open."""
    late_s: int
    """How long after its window the collector would begin."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A route with its stops in driving order; it ends at the bank."""

    route: Route
    stops: Sequence[Stop]


async def claim_nearest(
    session: AsyncSession,
    bank_ids: Sequence[UUID],
    collector_id: UUID,
    wish: Wish,
    *,
    drives: Mapping[tuple[Point, Point], RoadDrive] | None = None,
) -> Drive:
    """Claim the best jobs within reach, all at one bank, and order them into a route.

    `drives` are those measured beforehand; all others are estimated.
    Raises NoOpenPickup or TooManyJobsHeld.
    """
    full: TooManyJobsHeld | None = None
    for board in await _by_best_job(session, bank_ids, collector_id, wish):
        try:
            room = await room_for(session, board.bank.id, board.policy, collector_id)
        except TooManyJobsHeld as error:
            full = error
            continue
        taken = await _take(board, _within(wish, room))
        if taken:
            roads = Prefetched(drives or {}, banks.estimate_of(board.policy))
            return await _drive(board, wish, taken, roads)
    raise full or NoOpenPickup()


def _within(wish: Wish, room: Room) -> Wish:
    """The wish as far as the bank's rules let it come true."""
    return replace(
        wish,
        max_jobs=min(room.jobs, wish.max_jobs),
        capacity_grams=min(room.grams, wish.capacity_grams or _NO_LIMIT_GRAMS),
    )


async def _by_best_job(
    session: AsyncSession, bank_ids: Sequence[UUID], collector_id: UUID, wish: Wish
) -> list[Board]:
    """The boards that have a job at all, that with the best one first."""
    found = await boards(session, bank_ids, collector_id)
    if len(found) == 1:
        return found
    tops: list[tuple[float, float, Board]] = []
    for board in found:
        ranked = await shortlist(board, wish, 1)
        tops.extend((job.score, job.distance_m, board) for job in ranked)
    return [board for _, _, board in sorted(tops, key=lambda top: top[:2])]


async def shortlist(board: Board, wish: Wish, k: int) -> list[Ranked[UUID]]:
    """The k best jobs of a bank within reach of who asks."""
    reach_m = min(
        math.inf if wish.within_m is None else wish.within_m, 2.0 * board.policy.service_radius_m
    )
    return await board.best(wish.position, k=k, within_m=reach_m)


async def _take(board: Board, wish: Wish) -> list[Pickup]:
    """The best free jobs that fit; from a longer shortlist if others hold the first ones."""
    # Where nobody is skipped, the first few are free; they only have to fit.
    k = 2 * wish.max_jobs + (_SPARE_JOBS if await board.is_sqlite() else _SHORTLIST)
    while True:
        ranked = await shortlist(board, wish, k)
        taken = await _take_from(board, wish, [job.key for job in ranked])
        if taken or len(ranked) < k or k >= _WIDEST_SHORTLIST:
            return taken
        k *= 4


async def _take_from(board: Board, wish: Wish, ranked: list[UUID]) -> list[Pickup]:
    """Lock jobs in rank order until enough go on the vehicle together."""
    taken: list[Pickup] = []
    left_grams = wish.capacity_grams or 0
    while len(taken) < wish.max_jobs:
        locked = await _lock(board, ranked, fitting=left_grams, limit=wish.max_jobs - len(taken))
        if not locked:
            break
        ranked = ranked[1 + max(ranked.index(pickup.id) for pickup in locked) :]
        for pickup in locked:
            if pickup.estimated_grams <= left_grams:
                taken.append(pickup)
                left_grams -= pickup.estimated_grams
    return taken


async def _lock(board: Board, ranked: list[UUID], *, fitting: int, limit: int) -> list[Pickup]:
    """The first few of these that fit and that nobody else is taking right now.

    On PostgreSQL those being taken are skipped, so that many collectors at one spot get
    different jobs without waiting. SQLite's one writer has nobody to skip.
    """
    if not ranked:
        return []
    is_sqlite = await board.is_sqlite()
    asked = {
        "bank_id": board.bank.id.hex if is_sqlite else board.bank.id,
        "ids": json.dumps([pickup_id.hex for pickup_id in ranked]) if is_sqlite else ranked,
        "fitting": fitting,
        "limit": limit,
    }
    found = await board.session.exec(_LOCKS[is_sqlite], params=asked)  # type: ignore[call-overload]
    return list(found.scalars())


def _row(route: Route) -> dict[str, Any]:
    row = route.model_dump(exclude={"lat", "lon", "place_forgotten_at"})
    near = rounded(Point(route.lat, route.lon))
    exact = {"exact_lat": route.lat, "exact_lon": route.lon}
    begun = {"whose": route.collector_id, "begun": route.created_at}
    return row | begun | exact | {"rounded_lat": near.lat, "rounded_lon": near.lon}


async def _drive(board: Board, wish: Wish, taken: list[Pickup], roads: DistanceProvider) -> Drive:
    points = [wish.position, *(Point(p.lat, p.lon) for p in taken)]
    points.append(Point(board.bank.lat, board.bank.lon))
    matrix = await roads.matrix(points)
    ground = Ground(matrix.seconds, matrix.metres, SERVICE_S)
    drive = best_drive(ground, [call_of(p, n, board.now) for n, p in enumerate(taken, start=1)])
    route = Route(
        bank_id=board.bank.id,
        id=new_id(),
        collector_id=board.collector_id,
        lat=wish.position.lat,
        lon=wish.position.lon,
        total_m=drive.metres,
        total_s=drive.seconds,
        created_at=board.now,
    )
    await (await board.session.connection()).execute(_BEGIN, [_row(route)])
    from_bank = matrix.metres[-1]
    stops = [
        Stop(
            taken[halt.index - 1],
            sequence,
            halt.metres,
            min(halt.metres, from_bank[halt.index]) if sequence == 1 else halt.metres,
            board.now + timedelta(seconds=halt.arrival_s),
            board.now + timedelta(seconds=halt.begin_s),
            halt.late_s,
        )
        for sequence, halt in enumerate(drive.halts[:-1], start=1)
    ]
    await _write_claims(board, route, stops)
    return Drive(route, stops)


def call_of(pickup: Pickup, index: int, now: datetime) -> Call:
    """A pickup as a stop of a drive that begins now."""
    return Call(
        index,
        pickup.estimated_grams,
        max(0, math.ceil((pickup.window_start - now).total_seconds())),
        round((pickup.window_end - now).total_seconds()),
    )


async def _write_claims(board: Board, route: Route, stops: Sequence[Stop]) -> None:
    """Each lease lasts twice the way there and some more, so that a slow drive keeps it."""
    lease = timedelta(seconds=board.policy.lease_s)
    rows = [
        {
            "of_bank": board.bank.id,
            "of": stop.pickup.id,
            "by": board.collector_id,
            "now": board.now,
            "route": route.id,
            "until": max(board.now + lease, stop.eta + (stop.eta - board.now) + SPARE),
            "sequence": stop.sequence,
            "driven_m": stop.paid_m,
        }
        for stop in stops
    ]
    await (await board.session.connection()).execute(_CLAIM, rows)
