"""Waste put on the board: within reach, heavy enough, at prices locked as they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.base import utc_now
from models.people import Person
from models.pickup import Pickup, PickupItem
from models.price import Channel
from routing.geo import Point, cell_of, metres_between
from service import banks, events, prices
from service.errors import Conflict, FieldProblem, Malformed
from service.pickups.finding import Shown

LONGEST_AHEAD = timedelta(days=60)
LONGEST_AGO = timedelta(days=1)
"""A window may have begun, as one that is open all day has by noon."""
DEFAULT_WINDOW = timedelta(days=7)


class OutsideServiceArea(Conflict):
    english = (
        "This place is {distance_m} m away; the waste bank fetches up to {radius_m} m. Bring the"
        " waste there, or look for a waste bank that is nearer."
    )
    indonesian = (
        "Tempat ini berjarak {distance_m} m; bank sampah menjemput sampai {radius_m} m. Antar"
        " sendiri ke sana, atau cari bank sampah yang lebih dekat."
    )


class BelowMinimumWeight(Conflict):
    english = (
        "A pickup needs at least {minimum_grams} grams. List it once there is more, or bring it to"
        " the waste bank."
    )
    indonesian = (
        "Penjemputan minimal {minimum_grams} gram. Daftarkan setelah terkumpul, atau antar ke bank"
        " sampah."
    )


class WindowNotPossible(Malformed):
    english = "The time window must begin before it ends, end in the future and within 60 days."
    indonesian = (
        "Waktu jemput harus dimulai sebelum berakhir, berakhir di masa depan, dan dalam 60 hari."
    )


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
        raise BelowMinimumWeight(minimum_grams=policy.min_pickup_grams).at("/items")
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
