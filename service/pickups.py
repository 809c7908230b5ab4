"""Listings: what a resident wants fetched, and how it ends without being fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, false, insert, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, Policy
from models.base import among, table_of, utc_now
from models.people import Person, Role
from models.pickup import HELD, Pickup, PickupItem, PickupStatus
from models.price import Channel
from models.station import Receiving
from routing.geo import Point, cell_of, metres_between
from service import banks, events, prices
from service.errors import Conflict, FieldProblem, Malformed, NoSuchThing, WaitsForOperator
from service.members import OFFICERS, Caller

LONGEST_AHEAD = timedelta(days=60)
LONGEST_AGO = timedelta(days=1)
"""A window may have begun, as one that is open all day has by noon."""
DEFAULT_WINDOW = timedelta(days=7)


class OutsideServiceArea(Conflict):
    english = "This place is {distance_m} m away; the waste bank fetches up to {radius_m} m."
    indonesian = "Tempat ini berjarak {distance_m} m; bank sampah menjemput sampai {radius_m} m."


class BelowMinimumWeight(Conflict):
    english = "A pickup needs at least {minimum_grams} grams."
    indonesian = "Penjemputan minimal {minimum_grams} gram."


class WindowNotPossible(Malformed):
    english = "The time window must begin before it ends, end in the future and within 60 days."
    indonesian = (
        "Waktu jemput harus dimulai sebelum berakhir, berakhir di masa depan, dan dalam 60 hari."
    )


class PickupAlreadyEnded(Conflict):
    english = "This pickup is already {status}."
    indonesian = "Penjemputan ini sudah selesai ({status})."


_OF_THE_CALLER = and_(
    col(Pickup.id) == bindparam("pickup_id"),
    col(Pickup.bank_id).in_(bindparam("banks", expanding=True)),
)
_FIND = select(Pickup).where(_OF_THE_CALLER)
_READ = select_columns(table_of(Pickup)).where(_OF_THE_CALLER)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing as it was asked for."""

    material: str
    condition: str
    estimated_grams: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A pickup that is asked for."""

    bank_id: UUID
    resident_id: UUID
    entered_by: UUID
    position: Point
    address: str
    window_start: datetime | None
    window_end: datetime | None
    items: Sequence[Listed]
    note: str


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


async def list_waste(session: AsyncSession, listing: Listing) -> Shown:
    """Put a pickup on the board with prices locked as they are now.

    Raises WindowNotPossible, OutsideServiceArea, BelowMinimumWeight, UnknownMaterial or
    MaterialNotBought.
    """
    now = utc_now()
    start, end = _window(listing, now)
    bank = await banks.get(session, listing.bank_id)
    policy = await banks.policy_of(session, listing.bank_id)
    _check_reach(policy, Point(bank.lat, bank.lon), listing.position)
    grams = sum(item.estimated_grams for item in listing.items)
    if grams < policy.min_pickup_grams:
        raise BelowMinimumWeight(minimum_grams=policy.min_pickup_grams)
    quotes = await _quotes(session, listing, now)
    pickup = Pickup(
        bank_id=bank.id,
        policy_id=policy.id,
        resident_id=listing.resident_id,
        entered_by=listing.entered_by,
        lat=listing.position.lat,
        lon=listing.position.lon,
        cell=cell_of(listing.position),
        address=listing.address,
        area=await banks.area_of(session, bank, listing.address),
        note=listing.note,
        window_start=start,
        window_end=end,
        estimated_grams=grams,
        estimate_idr=_estimate(listing, quotes),
        created_at=now,
    )
    return await _save(session, pickup, listing, quotes)


async def cancel(session: AsyncSession, pickup: Pickup, *, by: UUID, reason: str) -> None:
    """End a pickup that nobody has fetched yet.

    Raises PickupAlreadyEnded, or WaitsForOperator while a weighing waits to be decided on.
    """
    cancelled = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            or_(
                col(Pickup.status) == PickupStatus.OPEN,
                and_(
                    among(col(Pickup.status), HELD), col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES
                ),
            ),
        )
        .values(status=PickupStatus.CANCELLED, ended_reason=reason, claimed_until=None)
        .returning(col(Pickup.id))
    )
    happened = cancelled.first() is not None
    await session.refresh(pickup)
    if not happened:
        raise (
            WaitsForOperator()
            if pickup.waits_for_decision
            else PickupAlreadyEnded(status=pickup.status)
        )
    for person_id in {pickup.collector_id, pickup.resident_id} - {None, by}:
        await events.record(
            session,
            pickup.bank_id,
            "pickup_cancelled",
            person_id=person_id,
            body={"pickup_id": str(pickup.id), "reason": reason},
        )


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
    """As find(), at a third of the cost: the session doesn't follow what becomes of it.

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pickups to list: in one state, or waiting for a decision; so many, before one."""

    status: PickupStatus | None
    waits_for_decision: bool
    before: UUID | None
    limit: int


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


async def expire(session: AsyncSession, bank_ids: Sequence[UUID]) -> int:
    """End open pickups whose window has passed; how many."""
    ended = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id).in_(bank_ids),
            col(Pickup.status) == PickupStatus.OPEN,
            col(Pickup.window_end) < utc_now(),
        )
        .values(status=PickupStatus.EXPIRED, ended_reason="window_passed")
        .returning(col(Pickup.bank_id), col(Pickup.id), col(Pickup.resident_id))
    )
    rows = ended.all()
    for bank_id, pickup_id, resident_id in rows:
        await events.record(
            session,
            bank_id,
            "pickup_expired",
            person_id=resident_id,
            body={"pickup_id": str(pickup_id)},
        )
    return len(rows)


def _window(listing: Listing, now: datetime) -> tuple[datetime, datetime]:
    start = listing.window_start or now
    end = listing.window_end or start + DEFAULT_WINDOW
    if not now - LONGEST_AGO < start < end or not now < end <= now + LONGEST_AHEAD:
        raise WindowNotPossible(
            FieldProblem("/window", WindowNotPossible.english, WindowNotPossible.indonesian)
        )
    return start, end


def _check_reach(policy: Policy, bank: Point, place: Point) -> None:
    distance = metres_between(bank, place)
    if distance > policy.service_radius_m:
        raise OutsideServiceArea(distance_m=round(distance), radius_m=policy.service_radius_m)


async def _quotes(session: AsyncSession, listing: Listing, now: datetime) -> list[prices.Quote]:
    wanted = [(item.material, item.condition) for item in listing.items]
    return await prices.quotes(
        session, listing.bank_id, Channel.PICKUP, now, wanted, pointer="/items"
    )


def _estimate(listing: Listing, quotes: Sequence[prices.Quote]) -> int:
    return sum(
        prices.amount_idr(quote.price_idr, item.estimated_grams, quote.grams_per_unit)
        for item, quote in zip(listing.items, quotes, strict=True)
    )


async def _save(
    session: AsyncSession, pickup: Pickup, listing: Listing, quotes: Sequence[prices.Quote]
) -> Shown:
    session.add(pickup)
    await session.flush()
    items = [
        PickupItem(
            bank_id=pickup.bank_id,
            pickup_id=pickup.id,
            line=line,
            material=item.material,
            condition=item.condition,
            estimated_grams=item.estimated_grams,
            price_idr=quote.price_idr,
        )
        for line, (item, quote) in enumerate(zip(listing.items, quotes, strict=True))
    ]
    connection = await session.connection()
    await connection.execute(insert(PickupItem), [item.model_dump() for item in items])
    resident = (await session.exec(select(Person).where(Person.id == pickup.resident_id))).one()
    await events.record(
        session,
        pickup.bank_id,
        "pickup_listed",
        person_id=pickup.resident_id,
        body={"pickup_id": str(pickup.id), "estimate_idr": pickup.estimate_idr},
    )
    return Shown(pickup, items, resident)


def may_see(caller: Caller, pickup: Pickup) -> bool:
    """Whether a pickup is the caller's own, a claim of theirs, or one of their bank's."""
    return (
        caller.has(pickup.bank_id, *OFFICERS)
        or pickup.resident_id == caller.person_id
        or (pickup.collector_id == caller.person_id and pickup.status != PickupStatus.OPEN)
    )


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
