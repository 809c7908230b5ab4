"""Pickups found: one by its id, those that somebody may see, and what is shown of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, false, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import among, table_of, utc_now
from models.people import Person, Role
from models.pickup import HELD, Pickup, PickupItem, PickupStatus
from models.station import Receiving
from service import banks
from service.errors import NoSuchThing
from service.members import OFFICERS, Caller

_OF_THE_CALLER = and_(
    col(Pickup.id) == bindparam("pickup_id"),
    col(Pickup.bank_id).in_(bindparam("banks", expanding=True)),
)
_FIND = select(Pickup).where(_OF_THE_CALLER)
_READ = select_columns(table_of(Pickup)).where(_OF_THE_CALLER)


@dataclass(frozen=True, slots=True)
class Shown:
    """A pickup with its lines and the people it concerns."""

    pickup: Pickup
    items: Sequence[PickupItem]
    resident: Person
    received: str | None = None
    """How far its second weighing is."""
    is_past: bool = False
    """Whether nobody has to find the door any more: the day of its weighing is over, or it ended
    without one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pickups to list: in one state, or waiting for a decision; so many, before one."""

    status: PickupStatus | None
    waits_for_decision: bool
    before: UUID | None
    limit: int


async def find(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """A pickup of one of the caller's banks. Raises NoSuchThing.

    Whether the caller may see or change it is for the act to say.
    """
    asked = {"pickup_id": pickup_id, "banks": caller.banks()}
    pickup = (await session.exec(_FIND, params=asked)).first()
    if pickup is None:
        raise NoSuchThing(thing="pickup")
    return pickup


async def read(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """As find(), but cheaper: the session doesn't follow what becomes of it.

    For acts that change it by statements alone.
    """
    connection = await session.connection()
    asked = {"pickup_id": pickup_id, "banks": caller.banks()}
    row = (await connection.execute(_READ, asked)).first()
    if row is None:
        raise NoSuchThing(thing="pickup")
    return Pickup.model_construct(**row._mapping)


async def find_own(session: AsyncSession, caller: Caller, pickup_id: UUID) -> Pickup:
    """A pickup that the caller may see. Raises NoSuchThing."""
    pickup = await find(session, caller, pickup_id)
    if not may_see(caller, pickup):
        raise NoSuchThing(thing="pickup")
    return pickup


async def shown(session: AsyncSession, found: Sequence[Pickup]) -> list[Shown]:
    """Pickups with their lines and residents, in the same order."""
    items: dict[UUID, list[PickupItem]] = {pickup.id: [] for pickup in found}
    lines = select(PickupItem).where(
        col(PickupItem.bank_id).in_({pickup.bank_id for pickup in found}),
        col(PickupItem.pickup_id).in_(items),
    )
    for item in await session.exec(lines.order_by(col(PickupItem.line))):
        items[item.pickup_id].append(item)
    people = select(Person).where(col(Person.id).in_({pickup.resident_id for pickup in found}))
    residents = {person.id: person for person in await session.exec(people)}
    received = await _received(session, found)
    are_past = await past(session, found)
    return [
        Shown(
            pickup,
            items[pickup.id],
            residents[pickup.resident_id],
            received.get(pickup.receiving_id),
            pickup.id in are_past,
        )
        for pickup in found
    ]


async def past(session: AsyncSession, found: Sequence[Pickup]) -> set[UUID]:
    """Those that ended on a day which is over at their bank, or without a weighing."""
    weighed = [(one, one.collected_at) for one in found if one.collected_at is not None]
    ended = {
        one.id for one in found if one.status in (PickupStatus.CANCELLED, PickupStatus.EXPIRED)
    }
    if not weighed:
        return ended
    query = select(Bank).where(col(Bank.id).in_({one.bank_id for one, _ in weighed}))
    bank = {one.id: one for one in await session.exec(query)}
    now = utc_now()
    return ended | {
        one.id
        for one, at in weighed
        if banks.day_at(bank[one.bank_id], at) < banks.day_at(bank[one.bank_id], now)
    }


async def visible(session: AsyncSession, caller: Caller, wanted: Wanted) -> list[Pickup]:
    """What the caller may see, newest first: own listings, own claims, all as an officer."""
    query = (
        select(Pickup)
        .where(col(Pickup.bank_id).in_(caller.banks()), _visible_to(caller))
        .order_by(col(Pickup.id).desc())
        .limit(wanted.limit)
    )
    if wanted.status is not None:
        query = query.where(Pickup.status == wanted.status)
    if wanted.waits_for_decision:
        locked = col(Pickup.code_tries) >= Pickup.MAX_CODE_TRIES
        query = query.where(among(col(Pickup.status), HELD), locked)
    if wanted.before is not None:
        query = query.where(col(Pickup.id) < wanted.before)
    return list(await session.exec(query))


def may_see(caller: Caller, pickup: Pickup) -> bool:
    """Whether a pickup is the caller's own, a claim of theirs, or one of their bank's."""
    return (
        caller.has(pickup.bank_id, *OFFICERS)
        or pickup.resident_id == caller.person_id
        or (pickup.collector_id == caller.person_id and pickup.status != PickupStatus.OPEN)
    )


async def _received(session: AsyncSession, found: Sequence[Pickup]) -> dict[UUID | None, str]:
    """The states of these pickups' second weighings."""
    wanted = {pickup.receiving_id for pickup in found} - {None}
    if not wanted:
        return {}
    query = select(Receiving.id, Receiving.status).where(
        col(Receiving.bank_id).in_({pickup.bank_id for pickup in found}),
        col(Receiving.id).in_(wanted),
    )
    return dict((await session.exec(query)).all())


def _visible_to(caller: Caller) -> ColumnElement[bool]:
    officer_of = caller.banks(*OFFICERS)
    return or_(
        col(Pickup.bank_id).in_(officer_of) if officer_of else false(),
        col(Pickup.resident_id) == caller.person_id if caller.banks(Role.RESIDENT) else false(),
        and_(
            col(Pickup.collector_id) == caller.person_id,
            col(Pickup.status) != PickupStatus.OPEN,
        ),
    )
