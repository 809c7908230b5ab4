"""Giving a plan's stops to its collectors, as routes that they have claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.pickup import Pickup, PickupStatus, Route
from models.plan import Plan
from service import members
from service.plans.records import mark_applied

_LATE_AT_MOST = timedelta(hours=2)
"""A planned stop stays its collector's so long after it was to be begun."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The routes that were made, which stops were given, and which nobody could have."""

    route_ids: Sequence[UUID]
    given: Sequence[UUID]
    not_open: Sequence[UUID]


async def apply(session: AsyncSession, plan: Plan, *, by: UUID) -> Applied:
    """Claim what is still open for those who are to fetch it, whatever else they hold.

    Whose part as a collector was ended since gets nothing. Raises PlanNotDone or PlanAlreadyApplied.
    """
    await mark_applied(session, plan, by=by)
    result: dict[str, Any] = plan.result or {}
    trips = [
        (UUID(one["collector_id"]), trip) for one in result["vehicles"] for trip in one["trips"]
    ]
    wanted = [UUID(visit["pickup_id"]) for _, trip in trips for visit in trip["visits"]]
    known = await members.collectors_among(session, plan.bank_id, {one for one, _ in trips})
    trips = [(collector_id, trip) for collector_id, trip in trips if collector_id in known]
    theirs = [UUID(visit["pickup_id"]) for _, trip in trips for visit in trip["visits"]]
    free = await _free(session, plan.bank_id, theirs)
    routes = [
        await _give(session, plan, collector_id, trip, free)
        for collector_id, trip in trips
        if any(UUID(visit["pickup_id"]) in free for visit in trip["visits"])
    ]
    given = [one for one in wanted if one in free]
    return Applied(routes, given, [one for one in wanted if one not in free])


async def _free(session: AsyncSession, bank_id: UUID, wanted: Sequence[UUID]) -> set[UUID]:
    """Lock what is open; what somebody is claiming right now is theirs."""
    query = (
        select(Pickup.id)
        .where(
            Pickup.bank_id == bank_id,
            col(Pickup.id).in_(wanted),
            Pickup.status == PickupStatus.OPEN,
            Pickup.window_end > utc_now(),
        )
        .with_for_update(skip_locked=True)
    )
    return set(await session.exec(query))


async def _give(
    session: AsyncSession, plan: Plan, collector_id: UUID, trip: dict[str, Any], free: set[UUID]
) -> UUID:
    now = utc_now()
    begins, ends = datetime.fromisoformat(trip["starts"]), datetime.fromisoformat(trip["ends"])
    start = next(one for one in plan.asked["vehicles"] if one["collector_id"] == str(collector_id))
    route = Route(
        bank_id=plan.bank_id,
        id=new_id(),
        collector_id=collector_id,
        lat=start["lat"],
        lon=start["lon"],
        total_m=trip["metres"],
        total_s=round((ends - begins).total_seconds()),
        created_at=now,
    )
    session.add(route)
    await session.flush()
    visits = [visit for visit in trip["visits"] if UUID(visit["pickup_id"]) in free]
    connection = await session.connection()
    await connection.execute(_claim(plan.bank_id, collector_id, route.id, now), _rows(visits, now))
    return route.id


def _rows(visits: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "of": UUID(visit["pickup_id"]),
            "until": max(now, datetime.fromisoformat(visit["begin"])) + _LATE_AT_MOST,
            "sequence": number,
            "driven_m": visit["leg_m"],
        }
        for number, visit in enumerate(visits, start=1)
    ]


def _claim(bank_id: UUID, collector_id: UUID, route_id: UUID, now: datetime) -> Any:
    return (
        update(Pickup)
        .where(
            col(Pickup.bank_id) == bank_id,
            col(Pickup.id) == bindparam("of"),
            col(Pickup.status) == PickupStatus.OPEN,
        )
        .values(
            status=PickupStatus.CLAIMED,
            collector_id=collector_id,
            claim_number=Pickup.claim_number + 1,
            claimed_at=now,
            claimed_until=bindparam("until"),
            route_id=route_id,
            route_sequence=bindparam("sequence"),
            leg_m=bindparam("driven_m"),
            closest_m=None,
        )
    )
