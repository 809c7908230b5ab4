"""Loads: what lies on each collector's vehicle, and how their scales agree with the bank's."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup
from models.station import Receiving, ReceivingLine
from models.weighing import Weighing
from service.station.arithmetic import What
from service.station.receiving import on_load

MOST_PICKUPS = 200
"""So many pickups of a load are named, the oldest first; all of them count."""


class Waiting(NamedTuple):
    """A pickup that was collected and not yet received."""

    id: UUID
    collected_at: datetime
    grams: int


@dataclass(slots=True)
class Load:
    """What one collector has on the vehicle."""

    collector_id: UUID
    pickup_count: int
    lines: list[tuple[What, int]] = field(default_factory=list)
    pickups: list[Waiting] = field(default_factory=list)


class Bias(NamedTuple):
    """A collector's door scale against the bank's: only loads that were weighed again."""

    collector_id: UUID
    receivings: int
    door_grams: int
    station_grams: int

    @property
    def permille(self) -> int:
        """What the station found above the door's grams, negative if less, half away from 0."""
        if not self.door_grams:
            return 0
        difference = self.station_grams - self.door_grams
        size = (2000 * abs(difference) + self.door_grams) // (2 * self.door_grams)
        return size if difference > 0 else -size


async def on_vehicles(
    session: AsyncSession, bank_id: UUID, *, collector_id: UUID | None = None
) -> list[Load]:
    """The load of each collector of a bank, or of one; nobody without a load."""
    loads: dict[UUID, Load] = {}
    connection = await session.connection()
    for pickup in await connection.execute(_oldest(bank_id, collector_id)):
        load = loads.setdefault(pickup.collector_id, Load(pickup.collector_id, pickup.total))
        load.pickups.append(Waiting(pickup.id, pickup.collected_at, int(pickup.grams)))
    for line in await connection.execute(_sums(bank_id, collector_id)):
        # Who began to collect between the two statements has a load in the next answer.
        if line.collector_id in loads:
            what = What(line.material, line.condition)
            loads[line.collector_id].lines.append((what, int(line.grams)))
    return sorted(loads.values(), key=lambda load: load.collector_id)


async def biases(
    session: AsyncSession, bank_id: UUID, *, since: datetime, until: datetime
) -> list[Bias]:
    """Each collector's doors against the station over loads weighed again in a time."""
    query = (
        select(
            col(Receiving.collector_id),
            func.count(col(Receiving.id).distinct()),
            func.sum(ReceivingLine.door_grams),
            func.sum(ReceivingLine.station_grams),
        )
        .join(
            ReceivingLine,
            and_(
                col(ReceivingLine.bank_id) == Receiving.bank_id,
                col(ReceivingLine.receiving_id) == Receiving.id,
            ),
        )
        .where(
            col(Receiving.bank_id) == bank_id,
            col(Receiving.weighed),
            col(Receiving.created_at) >= since,
            col(Receiving.created_at) < until,
        )
        .group_by(col(Receiving.collector_id))
        .order_by(col(Receiving.collector_id))
    )
    rows = await (await session.connection()).execute(query)
    return [Bias(who, count, int(door), int(station)) for who, count, door, station in rows]


def _waiting(bank_id: UUID, collector_id: UUID | None) -> list[ColumnElement[bool]]:
    waiting = [col(Pickup.bank_id) == bank_id, *on_load()]
    return waiting + ([] if collector_id is None else [col(Pickup.collector_id) == collector_id])


def _sums(bank_id: UUID, collector_id: UUID | None) -> Select[UUID | None, str, str, int]:
    of_pickup = and_(col(Weighing.bank_id) == Pickup.bank_id, col(Weighing.pickup_id) == Pickup.id)
    what = (col(Pickup.collector_id), col(Weighing.material), col(Weighing.condition))
    return (
        select(*what, func.sum(Weighing.grams).label("grams"))
        .join(Weighing, of_pickup)
        .where(*_waiting(bank_id, collector_id), col(Weighing.grams) > 0)
        .group_by(*what)
        .order_by(*what)
    )


def _oldest(bank_id: UUID, collector_id: UUID | None) -> Select[Any]:
    whose = col(Pickup.collector_id)
    ranked = (
        select(
            col(Pickup.bank_id),
            whose,
            col(Pickup.id),
            col(Pickup.collected_at),
            func.count().over(partition_by=whose).label("total"),
            func.row_number().over(partition_by=whose, order_by=col(Pickup.id)).label("place"),
        )
        .where(*_waiting(bank_id, collector_id))
        .subquery()
    )
    of_pickup = and_(
        col(Weighing.bank_id) == ranked.c.bank_id, col(Weighing.pickup_id) == ranked.c.id
    )
    shown = (ranked.c.collector_id, ranked.c.id, ranked.c.collected_at, ranked.c.total)
    return (
        select(*shown, func.sum(Weighing.grams).label("grams"))
        .join(Weighing, of_pickup)
        .where(ranked.c.place <= MOST_PICKUPS)
        .group_by(*shown)
        .order_by(ranked.c.id)
    )
