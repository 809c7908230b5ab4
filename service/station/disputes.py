"""Disputes: door and station differ too much; both sides see it, somebody else decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.people import Role
from models.pickup import Pickup
from models.station import Decision, Receiving, ReceivingLine, ReceivingStatus
from service.errors import Conflict, Forbidden, NoSuchThing
from service.members import OFFICERS, Caller
from service.station.arithmetic import Compared, What, compared, scaled
from service.station.fetched import Fetched, at_doors, at_station, door_grams
from service.station.receiving import Received
from service.station.settling import Act, settle, settle_changed
from service.station.telling import tell_decided

_DISPUTES = (ReceivingStatus.DISPUTED, ReceivingStatus.DECIDED)


class DisputeAlreadyDecided(Conflict):
    english = "This dispute was already decided."
    indonesian = "Sengketa ini sudah diputuskan."


class OwnDispute(Forbidden):
    english = "Nobody decides a dispute that is about them, or that they weighed."
    indonesian = "Tidak boleh memutuskan sengketa sendiri atau yang Anda timbang."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which disputes to list: in one state or any; so many, before one."""

    status: ReceivingStatus | None
    before: UUID | None
    limit: int


async def visible(session: AsyncSession, caller: Caller, wanted: Wanted) -> list[Received]:
    """Disputes the caller may see, newest first; a resident sees what is theirs of each."""
    statuses = _DISPUTES if wanted.status is None else (wanted.status,)
    query = (
        select(Receiving)
        .where(
            col(Receiving.bank_id).in_(caller.banks()),
            col(Receiving.status).in_(statuses),
            _visible_to(caller),
        )
        .order_by(col(Receiving.id).desc())
        .limit(wanted.limit)
    )
    if wanted.before is not None:
        query = query.where(col(Receiving.id) < wanted.before)
    return await _shown(session, caller, list(await session.exec(query)))


async def find_own(session: AsyncSession, caller: Caller, receiving_id: UUID) -> Receiving:
    """A dispute that the caller may see. Raises NoSuchThing."""
    query = select(Receiving).where(
        Receiving.id == receiving_id,
        col(Receiving.bank_id).in_(caller.banks()),
        col(Receiving.status).in_(_DISPUTES),
        _visible_to(caller),
    )
    receiving = (await session.exec(query)).first()
    if receiving is None:
        raise NoSuchThing(thing="dispute")
    return receiving


async def shown(session: AsyncSession, caller: Caller, receiving: Receiving) -> Received:
    """What the caller may see of a dispute."""
    return (await _shown(session, caller, [receiving]))[0]


async def decide(
    session: AsyncSession, receiving: Receiving, *, by: UUID, decision: Decision, reason: str
) -> None:
    """Say whose grams count. Raises OwnDispute, DisputeAlreadyDecided or BalanceTooLow."""
    door = await at_doors(session, await _pickups_of(session, [receiving]))
    if by in {receiving.collector_id, receiving.entered_by} | _residents(door):
        raise OwnDispute
    await _mark_decided(session, receiving, by=by, decision=decision, reason=reason)
    lines = (await _lines_of(session, [receiving]))[receiving.id]
    act = Act("dispute", by, receiving.decided_at or utc_now(), reason)
    station = await at_station(session, door, {line.what: line.station for line in lines})
    if decision == Decision.DOOR:
        await settle(session, receiving, act, lines, (door, station))
    else:
        await settle_changed(session, receiving, act, lines, (door, station))
    await tell_decided(session, receiving, door if decision == Decision.DOOR else station)


def _residents(door: Sequence[Fetched]) -> set[UUID]:
    return {one.pickup.resident_id for one in door}


async def _mark_decided(
    session: AsyncSession, receiving: Receiving, *, by: UUID, decision: Decision, reason: str
) -> None:
    """Of two decisions at once, one counts."""
    marked = await session.exec(
        update(Receiving)
        .where(
            col(Receiving.bank_id) == receiving.bank_id,
            col(Receiving.id) == receiving.id,
            col(Receiving.status) == ReceivingStatus.DISPUTED,
        )
        .values(
            status=ReceivingStatus.DECIDED,
            decision=decision,
            reason=reason,
            decided_by=by,
            decided_at=utc_now(),
        )
        .returning(col(Receiving.id))
        .execution_options(synchronize_session=False)
    )
    if marked.first() is None:
        raise DisputeAlreadyDecided
    await session.refresh(receiving)


def _visible_to(caller: Caller) -> ColumnElement[bool]:
    officer_of = caller.banks(*OFFICERS)
    of_mine = exists().where(
        col(Pickup.bank_id) == Receiving.bank_id,
        col(Pickup.receiving_id) == Receiving.id,
        col(Pickup.resident_id) == caller.person_id,
    )
    return or_(
        col(Receiving.bank_id).in_(officer_of) if officer_of else false(),
        col(Receiving.collector_id) == caller.person_id,
        of_mine if caller.banks(Role.RESIDENT) else false(),
    )


async def _shown(
    session: AsyncSession, caller: Caller, found: Sequence[Receiving]
) -> list[Received]:
    lines = await _lines_of(session, found)
    door = await at_doors(session, await _pickups_of(session, found))
    views = []
    for receiving in found:
        own = [one for one in door if one.pickup.receiving_id == receiving.id]
        sees_all = (
            caller.has(receiving.bank_id, *OFFICERS) or receiving.collector_id == caller.person_id
        )
        views.append(
            Received(receiving, [one.pickup.id for one in own], lines[receiving.id])
            if sees_all
            else _part_of(receiving, own, lines[receiving.id], caller.person_id)
        )
    return views


def _part_of(
    receiving: Receiving, door: Sequence[Fetched], lines: Sequence[Compared], resident_id: UUID
) -> Received:
    """What of a load is one resident's: their grams, and those the station gives them."""
    own = [one for one in door if one.pickup.resident_id == resident_id]
    ids = [one.pickup.id for one in own]
    if len(door) == len(own):
        return Received(receiving, ids, lines)
    flat = [(one.pickup.resident_id, line) for one in door for line in one.lines]
    grams = scaled(
        [(line.what, line.grams) for _, line in flat], {line.what: line.station for line in lines}
    )
    station: dict[What, int] = {}
    for (whose, line), share in zip(flat, grams, strict=True):
        if whose == resident_id:
            station[line.what] = station.get(line.what, 0) + share
    return Received(receiving, ids, compared(door_grams(own), station))


async def _pickups_of(session: AsyncSession, found: Sequence[Receiving]) -> list[Pickup]:
    query = (
        select(Pickup)
        .where(
            col(Pickup.bank_id).in_({receiving.bank_id for receiving in found}),
            col(Pickup.receiving_id).in_({receiving.id for receiving in found}),
        )
        .order_by(col(Pickup.id))
    )
    return list(await session.exec(query))


async def _lines_of(
    session: AsyncSession, found: Sequence[Receiving]
) -> dict[UUID, list[Compared]]:
    query = (
        select(ReceivingLine)
        .where(
            col(ReceivingLine.bank_id).in_({receiving.bank_id for receiving in found}),
            col(ReceivingLine.receiving_id).in_({receiving.id for receiving in found}),
        )
        .order_by(col(ReceivingLine.material), col(ReceivingLine.condition))
    )
    lines: dict[UUID, list[Compared]] = {receiving.id: [] for receiving in found}
    for line in await session.exec(query):
        what = What(line.material, line.condition)
        lines[line.receiving_id].append(Compared(what, line.door_grams, line.station_grams))
    return lines
