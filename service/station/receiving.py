"""Receiving: a collector's load is unloaded, weighed again, and settled or disputed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.pickup import Pickup, PickupStatus
from models.station import Receiving, ReceivingLine, ReceivingStatus
from service import banks
from service.errors import Conflict, FieldProblem, Malformed, NoSuchThing, Problem, WaitsForOperator
from service.station.arithmetic import Compared, What, compared, is_inside
from service.station.fetched import (
    Fetched,
    at_doors,
    at_station,
    door_grams,
    quote_regraded,
    regraded,
)
from service.station.settling import Act, settle, unload
from service.station.telling import tell_confirmed, tell_disputed
from service.weighing import OwnWeighing

_INSERT_LINES = insert(ReceivingLine)


class LoadAlreadyReceived(Conflict):
    english = "This was already received; nothing of it is on the load any more."
    indonesian = "Muatan ini sudah diterima; tidak ada lagi yang tersisa untuk diterima."


class NotOnThisLoad(Conflict):
    english = "This pickup is not on the load of this collector."
    indonesian = "Penjemputan ini tidak ada dalam muatan petugas ini."


class ReceiveOneAtATime(Malformed):
    english = (
        "No pickup had this material in this condition at the door."
        " Receive the pickup it belongs to alone."
    )
    indonesian = (
        "Tidak ada penjemputan dengan jenis dan kondisi ini saat ditimbang di rumah."
        " Terima penjemputan asalnya secara terpisah."
    )


class OnScale(NamedTuple):
    """Grams of one material and condition on the station's scale."""

    what: What
    grams: int


@dataclass(frozen=True, slots=True)
class Unloaded:
    """What a collector brought: these pickups, or all there are; as weighed now, or as before."""

    collector_id: UUID
    pickup_ids: Sequence[UUID] | None
    weighings: Sequence[OnScale] | None


class Received(NamedTuple):
    """A second weighing with the pickups and the weights it is about."""

    receiving: Receiving
    pickup_ids: Sequence[UUID]
    lines: Sequence[Compared]


async def receive(
    session: AsyncSession, bank_id: UUID, unloaded: Unloaded, *, by: UUID
) -> Received:
    """Take a load into the store; what is within the tolerance is settled, the rest disputed.

    Raises LoadAlreadyReceived, NotOnThisLoad, WaitsForOperator, OwnWeighing,
    ReceiveOneAtATime or a pricing problem.
    """
    pickups = await _lock(session, bank_id, unloaded)
    if by in {unloaded.collector_id, *(pickup.resident_id for pickup in pickups)}:
        raise OwnWeighing
    door = await at_doors(session, pickups)
    station = await _on_scale(session, door, unloaded.weighings)
    lines = compared(door_grams(door), station)
    receiving = await _save(session, bank_id, unloaded, lines, by=by)
    await _claim(session, receiving, [pickup.id for pickup in pickups])
    act = Act("receiving", by, receiving.created_at)
    if receiving.status == ReceivingStatus.SETTLED:
        bought = await settle(session, receiving, act, lines, (door, door))
        await tell_confirmed(session, receiving, door, bought)
    else:
        counted = await at_station(session, door, station)
        await unload(session, receiving, act, lines, (door, counted))
        await tell_disputed(session, receiving, door, counted)
    return Received(receiving, [one.pickup.id for one in door], lines)


async def _lock(session: AsyncSession, bank_id: UUID, unloaded: Unloaded) -> list[Pickup]:
    """The pickups that are unloaded, locked in one order so that two can't wait for each other."""
    collector_id, wanted = unloaded.collector_id, unloaded.pickup_ids
    query = select(Pickup).where(Pickup.bank_id == bank_id).order_by(col(Pickup.id))
    if wanted is None:
        query = query.where(*on_load(), Pickup.collector_id == collector_id)
    else:
        query = query.where(col(Pickup.id).in_(wanted))
    locked = list(await session.exec(query.with_for_update()))
    if wanted is not None:
        _check_each(locked, collector_id, wanted)
    elif not locked:
        await _refuse_empty(session, bank_id, collector_id)
    return locked


def on_load() -> tuple[ColumnElement[bool], ...]:
    """What a pickup must be to lie on a vehicle."""
    return col(Pickup.status) == PickupStatus.COLLECTED, col(Pickup.receiving_id).is_(None)


def _check_each(locked: Sequence[Pickup], collector_id: UUID, wanted: Sequence[UUID]) -> None:
    found = {pickup.id: pickup for pickup in locked}
    problems = [_problem_of(found.get(each), collector_id) for each in wanted]
    for kind in (NotOnThisLoad, WaitsForOperator, LoadAlreadyReceived):
        pointers = [f"/pickup_ids/{i}" for i, problem in enumerate(problems) if problem is kind]
        if pointers:
            raise kind(*(_at(pointer, kind) for pointer in pointers))


def _problem_of(pickup: Pickup | None, collector_id: UUID) -> type[Problem] | None:
    if pickup is None or pickup.collector_id != collector_id:
        return NotOnThisLoad
    if pickup.waits_for_decision:
        return WaitsForOperator
    if pickup.status != PickupStatus.COLLECTED:
        return NotOnThisLoad
    return None if pickup.receiving_id is None else LoadAlreadyReceived


async def _refuse_empty(session: AsyncSession, bank_id: UUID, collector_id: UUID) -> None:
    """Somebody who never collected has no load at all."""
    query = select(Pickup.id).where(Pickup.bank_id == bank_id, Pickup.collector_id == collector_id)
    if (await session.exec(query.limit(1))).first() is None:
        raise NoSuchThing(thing="load")
    raise LoadAlreadyReceived


async def _on_scale(
    session: AsyncSession, door: Sequence[Fetched], weighings: Sequence[OnScale] | None
) -> Counter[What]:
    """The station's grams by material and condition; bags of the same are added up."""
    if weighings is None:
        return door_grams(door)
    station: Counter[What] = Counter()
    for line in weighings:
        station[line.what] += line.grams
    new = set(regraded(door, station))
    if new and len(door) > 1:
        pointers = [f"/weighings/{i}" for i, line in enumerate(weighings) if line.what in new]
        raise ReceiveOneAtATime(*(_at(pointer, ReceiveOneAtATime) for pointer in pointers))
    if new:
        await quote_regraded(session, door[0], [line.what for line in weighings])
    return station


async def _save(
    session: AsyncSession,
    bank_id: UUID,
    unloaded: Unloaded,
    lines: Sequence[Compared],
    *,
    by: UUID,
) -> Receiving:
    policy = await banks.policy_of(session, bank_id)
    permille, grams = policy.tolerance_permille, policy.tolerance_grams
    inside = all(is_inside(line, permille=permille, grams=grams) for line in lines)
    receiving = Receiving(
        bank_id=bank_id,
        id=new_id(),
        collector_id=unloaded.collector_id,
        entered_by=by,
        weighed=unloaded.weighings is not None,
        status=ReceivingStatus.SETTLED if inside else ReceivingStatus.DISPUTED,
        created_at=utc_now(),
    )
    session.add(receiving)
    await session.flush()
    if lines:
        rows = [_line_row(receiving, line) for line in lines]
        await (await session.connection()).execute(_INSERT_LINES, rows)
    return receiving


async def _claim(session: AsyncSession, receiving: Receiving, wanted: Sequence[UUID]) -> None:
    """Of two that receive the same pickup, the one who marks it first gets it."""
    marked = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == receiving.bank_id,
            col(Pickup.id).in_(wanted),
            *on_load(),
        )
        .values(receiving_id=receiving.id)
        .returning(col(Pickup.id))
    )
    if len(marked.all()) != len(wanted):
        raise LoadAlreadyReceived


def _line_row(receiving: Receiving, line: Compared) -> dict[str, object]:
    return {
        "bank_id": receiving.bank_id,
        "receiving_id": receiving.id,
        "material": line.what.material,
        "condition": line.what.condition,
        "door_grams": line.door,
        "station_grams": line.station,
    }


def _at(pointer: str, problem: type[Problem]) -> FieldProblem:
    return FieldProblem(pointer, problem.english, problem.indonesian)
