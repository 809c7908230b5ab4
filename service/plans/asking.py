"""Asking for a plan: who drives, what is to be fetched, frozen as it is now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.pickup import Pickup, PickupStatus
from models.plan import Plan
from routing.geo import Point
from routing.plan import vrp
from service import banks, members
from service.errors import Conflict, FieldProblem, Malformed

MOST_VEHICLES = 50
MOST_STOPS = 1_000
_LONGEST_SHIFT = timedelta(hours=24)


class NotTheirCollector(Malformed):
    english = "Every vehicle needs a collector of this waste bank, and each has one vehicle."
    indonesian = "Setiap kendaraan memerlukan petugas bank sampah ini, satu petugas satu kendaraan."


class WrongShift(Malformed):
    english = "A shift ends after it begins, within 24 hours, and begins on the day of the plan."
    indonesian = "Sif berakhir setelah mulai, paling lama 24 jam, dan mulai pada hari rencana."


class NothingToPlan(Conflict):
    english = "There is no open pickup that could be fetched on this day."
    indonesian = "Tidak ada penjemputan terbuka yang dapat dijemput pada hari itu."


class TooManyStops(Conflict):
    english = "A plan takes at most {allowed} pickups; these are {asked}. Name fewer."
    indonesian = "Satu rencana paling banyak {allowed} penjemputan; ini {asked}. Kurangi."


class PlannerNotInstalled(Conflict):
    english = "The planner {planner} is not installed here; nearest_first always is."
    indonesian = "Perencana {planner} tidak terpasang di sini; nearest_first selalu ada."


@dataclass(frozen=True, slots=True)
class VehicleAsk:
    """A collector with a vehicle: where they begin, when they drive, how much goes on."""

    collector_id: UUID
    start: Point | None
    shift_start: datetime
    shift_end: datetime
    capacity_grams: int
    max_trips: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What an operator asks for. Without `pickup_ids`, all that is open on the day."""

    bank_id: UUID
    entered_by: UUID
    day: date | None
    vehicles: Sequence[VehicleAsk]
    planner: str
    budget_s: int
    seed: int
    service_s: int
    unload_s: int
    pickup_ids: Sequence[UUID] | None


async def create(session: AsyncSession, ask: Ask) -> Plan:
    """Note what is asked; a worker takes it from there.

    Raises NotTheirCollector, WrongShift, PlannerNotInstalled, NothingToPlan or TooManyStops.
    """
    if ask.planner == vrp.PyVRP.name and not vrp.is_installed():
        raise PlannerNotInstalled(planner=ask.planner)
    bank = await banks.get(session, ask.bank_id)
    day = ask.day or banks.day_at(bank, utc_now())
    await _check_collectors(session, ask)
    midnight = banks.midnight_of(bank, day)
    _check_shifts(ask.vehicles, midnight)
    found = await _open_pickups(session, ask, midnight)
    policy = await banks.policy_of(session, ask.bank_id)
    asked = {
        "midnight": midnight.isoformat(),
        "bank": {"lat": bank.lat, "lon": bank.lon},
        "service_s": ask.service_s,
        "unload_s": ask.unload_s,
        "road": [policy.road_factor, policy.road_extra_m, policy.road_speed_kmh],
        "vehicles": [_vehicle(one, bank) for one in ask.vehicles],
        "stops": [_stop(pickup) for pickup in found],
    }
    plan = Plan(
        bank_id=ask.bank_id,
        day=day,
        planner=ask.planner,
        seed=ask.seed,
        budget_s=ask.budget_s,
        asked=asked,
        entered_by=ask.entered_by,
    )
    session.add(plan)
    await session.flush()
    return plan


async def _check_collectors(session: AsyncSession, ask: Ask) -> None:
    ids = [vehicle.collector_id for vehicle in ask.vehicles]
    known = await members.collectors_among(session, ask.bank_id, ids)
    wrong = [n for n, one in enumerate(ids) if one not in known or one in ids[:n]]
    if wrong:
        raise NotTheirCollector(*_at(wrong, "collector_id", NotTheirCollector))


def _check_shifts(vehicles: Sequence[VehicleAsk], midnight: datetime) -> None:
    tomorrow = midnight + _LONGEST_SHIFT
    wrong = [
        number
        for number, one in enumerate(vehicles)
        if not (
            midnight <= one.shift_start < tomorrow
            and one.shift_start < one.shift_end <= one.shift_start + _LONGEST_SHIFT
        )
    ]
    if wrong:
        raise WrongShift(*_at(wrong, "shift", WrongShift))


def _at(numbers: Iterable[int], field: str, problem: type[Malformed]) -> list[FieldProblem]:
    return [
        FieldProblem(f"/vehicles/{number}/{field}", problem.english, problem.indonesian)
        for number in numbers
    ]


async def _open_pickups(session: AsyncSession, ask: Ask, midnight: datetime) -> list[Pickup]:
    """What can be fetched on the day, oldest first."""
    query = (
        select(Pickup)
        .where(
            Pickup.bank_id == ask.bank_id,
            Pickup.status == PickupStatus.OPEN,
            Pickup.window_start < midnight + _LONGEST_SHIFT,
            Pickup.window_end > max(midnight, utc_now()),
        )
        .order_by(col(Pickup.created_at), col(Pickup.id))
        .limit(MOST_STOPS + 1)
    )
    if ask.pickup_ids is not None:
        query = query.where(col(Pickup.id).in_(ask.pickup_ids))
    found = list(await session.exec(query))
    if not found:
        raise NothingToPlan
    if len(found) > MOST_STOPS:
        raise TooManyStops(allowed=MOST_STOPS, asked=f"> {MOST_STOPS}")
    return found


def _vehicle(one: VehicleAsk, bank: Bank) -> dict[str, Any]:
    start = one.start or Point(bank.lat, bank.lon)
    return {
        "collector_id": str(one.collector_id),
        "lat": start.lat,
        "lon": start.lon,
        "shift_start": one.shift_start.isoformat(),
        "shift_end": one.shift_end.isoformat(),
        "capacity_grams": one.capacity_grams,
        "max_trips": one.max_trips,
    }


def _stop(pickup: Pickup) -> dict[str, Any]:
    return {
        "pickup_id": str(pickup.id),
        "lat": pickup.lat,
        "lon": pickup.lon,
        "grams": pickup.estimated_grams,
        "opens": pickup.window_start.isoformat(),
        "closes": pickup.window_end.isoformat(),
        "listed": pickup.created_at.isoformat(),
    }
