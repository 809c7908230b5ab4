"""Valid things to test with: a bank of one's own, its people, its prices, a pickup."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, Policy
from models.base import new_id, utc_now
from models.material import Material
from models.payout import Payout
from models.people import Membership, Person, Role
from models.pickup import Pickup
from models.price import Channel, Price
from models.sign_in import Device
from routing.geo import Point
from service import auth, banks, claims, pickups, weighing
from service.database import Database
from service.keys import Keys
from service.weighing import Weighed

LUBUK_PAKAM = Point(3.56, 98.87)
PET, KARDUS, KACA, KAIN = "PET-BNG-B", "KRD-BGS", "KACA-BTL", "KAIN"
PRICES = {
    (PET, "clean", Channel.PICKUP): 2_474,
    (PET, "dirty", Channel.PICKUP): 1_200,
    (KARDUS, "clean", Channel.PICKUP): 1_190,
    (KACA, "clean", Channel.PICKUP): 500,
    (PET, "clean", Channel.DROPOFF): 2_600,
    (KARDUS, "clean", Channel.DROPOFF): 1_250,
}

# A free choice of digits would now and then be a number that nobody can have.
_numbers = count(int(uuid4()) % 10**8)


def new_phone() -> str:
    """A valid Indonesian mobile number that no other test has."""
    return f"+62812{next(_numbers) % 10**8:08d}"


@dataclass
class Town:
    """A bank with one person in each part."""

    database: Database
    bank: Bank
    policy: Policy
    resident: Person
    collector: Person
    operator: Person
    treasurer: Person
    city: Person

    @property
    def bank_id(self) -> UUID:
        return self.bank.id

    @property
    def people(self) -> dict[Role, Person]:
        return {role: getattr(self, role) for role in Role}


async def load_materials(session: AsyncSession) -> None:
    """The materials that tests weigh; KAIN is one that nobody buys."""
    known = set(await session.exec(select(Material.code)))
    for code, unit, grams in (
        (PET, "kg", 1_000),
        (KARDUS, "kg", 1_000),
        (KACA, "pcs", 400),
        (KAIN, "kg", 1_000),
    ):
        if code not in known:
            session.add(
                Material(
                    code=code,
                    name=code.title(),
                    group_name="test",
                    sipsn_class="lainnya",
                    unit=unit,
                    grams_per_unit=grams,
                )
            )


async def make_town(database: Database, *, at: Point = LUBUK_PAKAM, **policy: Any) -> Town:
    """A bank with prices that began a year ago, and its people."""
    (town,) = await make_towns(database, 1, at=at, **policy)
    return town


async def make_towns(
    database: Database, count: int, *, at: Point = LUBUK_PAKAM, **policy: Any
) -> list[Town]:
    """Several in one transaction, which costs each of them half."""
    began = utc_now() - timedelta(days=365)
    towns = [_planned(database, at, began, policy) for _ in range(count)]
    async with database.transaction() as session:
        session.add_all(town.bank for town in towns)
        people = [person for town in towns for person in town.people.values()]
        session.add_all(people)
        await session.flush()
        for town in towns:
            await banks.create(session, town.bank, town.policy)
        await _insert(session, device_of(people[0]), _devices(people))
        await _insert(session, _a_membership(towns[0]), _memberships(towns))
        await _insert(session, _a_price(towns[0], began), _prices(towns))
    return towns


async def _insert(session: AsyncSession, one: SQLModel, rows: Iterable[dict[str, Any]]) -> None:
    """Rows like this one but for what they say: nobody needs them as objects, which cost more."""
    alike = one.model_dump()
    connection = await session.connection()
    await connection.execute(insert(type(one)), [alike | row for row in rows])


def _planned(database: Database, at: Point, began: datetime, policy: dict[str, Any]) -> Town:
    bank = Bank(name=f"Bank {uuid4().hex}", lat=at.lat, lon=at.lon)
    people = {role.value: Person(phone=new_phone(), name="Somebody") for role in Role}
    return Town(database, bank, Policy(bank_id=bank.id, valid_from=began, **policy), **people)


def _devices(people: Iterable[Person]) -> Iterator[dict[str, Any]]:
    for person in people:
        yield {"id": person.id, "person_id": person.id}


def _a_membership(town: Town) -> Membership:
    return Membership(person_id=town.resident.id, bank_id=town.bank_id, role=Role.RESIDENT)


def _memberships(towns: Iterable[Town]) -> Iterator[dict[str, Any]]:
    for town in towns:
        for role, person in town.people.items():
            yield {"person_id": person.id, "bank_id": town.bank_id, "role": role}


def _a_price(town: Town, began: datetime) -> Price:
    what: dict[str, Any] = {"material": PET, "condition": "clean", "channel": Channel.PICKUP}
    return Price(bank_id=town.bank_id, valid_from=began, **what)


def _prices(towns: Iterable[Town]) -> Iterator[dict[str, Any]]:
    for town in towns:
        for (material, condition, channel), price in PRICES.items():
            what = {"material": material, "condition": condition, "channel": channel}
            yield {"id": new_id(), "bank_id": town.bank_id, "price_idr": price} | what


async def add_person(session: AsyncSession, bank_id: UUID, *roles: Role) -> Person:
    """Somebody new with these parts in a bank."""
    person = Person(phone=new_phone(), name="Somebody")
    session.add_all((person, device_of(person)))
    await session.flush()
    for role in roles:
        session.add(Membership(person_id=person.id, bank_id=bank_id, role=role))
    await session.flush()
    return person


async def another(town: Town, *roles: Role) -> Person:
    """One more person of the town, committed."""
    async with town.database.transaction() as session:
        return await add_person(session, town.bank_id, *roles)


def phone_of(person: Person) -> str:
    """The number of somebody who has one."""
    assert person.phone is not None
    return person.phone


def device_of(person: Person) -> Device:
    """What somebody of a test is signed in on."""
    return Device(id=person.id, person_id=person.id, name="Test")


def bearer(keys: Keys, person: Person) -> dict[str, str]:
    """Headers of somebody who is signed in, with a new idempotency key."""
    token = auth.access_token(keys, person.id, person.id, lifetime_s=600)
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


def a_listing(town: Town, *, at: Point = LUBUK_PAKAM, grams: int = 5_000) -> pickups.Listing:
    return pickups.Listing(
        bank_id=town.bank_id,
        resident_id=town.resident.id,
        entered_by=town.resident.id,
        position=at,
        address="Jl. Diponegoro 12, Lubuk Pakam",
        window_start=None,
        window_end=None,
        items=[pickups.Listed(PET, "clean", grams)],
        note="",
    )


async def list_pickup(town: Town, *, at: Point = LUBUK_PAKAM, grams: int = 5_000) -> Pickup:
    """An open pickup, committed."""
    async with town.database.transaction() as session:
        return (await pickups.list_waste(session, a_listing(town, at=at, grams=grams))).pickup


async def reload(town: Town, pickup: Pickup) -> Pickup:
    """The pickup as it is in the database now."""
    async with town.database.reading() as session:
        query = select(Pickup).where(Pickup.bank_id == town.bank_id, Pickup.id == pickup.id)
        return (await session.exec(query)).one()


async def claim_pickup(town: Town, pickup: Pickup, *, by: Person | None = None) -> Pickup:
    """The pickup, claimed by the town's collector or by somebody else."""
    async with town.database.transaction() as session:
        fresh = await attached(session, pickup)
        await claims.claim(session, fresh, (by or town.collector).id)
    return fresh


async def collect_pickup(
    town: Town, keys: Keys, pickup: Pickup, weighed: Sequence[Weighed] | None = None
) -> weighing.Credited:
    """The pickup, weighed with the right code."""
    lines = weighed or [Weighed(PET, "clean", 5_000, 0, "")]
    handover = weighing.Handover(keys.handover_code(pickup.id), lines, None)
    async with town.database.transaction() as session:
        fresh = await attached(session, pickup)
        return await weighing.collect(session, keys, fresh, town.collector.id, handover)


async def earn(town: Town, keys: Keys, grams: int = 10_000) -> int:
    """Put money into the resident's passbook by a whole pickup; how much."""
    pickup = await claim_pickup(town, await list_pickup(town, grams=grams))
    credited = await collect_pickup(town, keys, pickup, [Weighed(PET, "clean", grams, 0, "")])
    return credited.credited_idr


async def attached(session: AsyncSession, pickup: Pickup) -> Pickup:
    """The pickup as this session knows it."""
    query = select(Pickup).where(Pickup.bank_id == pickup.bank_id, Pickup.id == pickup.id)
    return (await session.exec(query)).one()


async def give(town: Town, person: Person, *roles: Role) -> None:
    """More parts in the town's bank for somebody, committed."""
    async with town.database.transaction() as session:
        for role in roles:
            session.add(Membership(person_id=person.id, bank_id=town.bank_id, role=role))


async def change_pickup(town: Town, pickup_id: UUID, **values: Any) -> None:
    """Write into a pickup's row, as time or chance would have done."""
    async with town.database.transaction() as session:
        await session.exec(
            update(Pickup)
            .where(col(Pickup.bank_id) == town.bank_id, col(Pickup.id) == pickup_id)
            .values(**values)
        )


async def payout_in(session: AsyncSession, payout: Payout) -> Payout:
    """The payout as this session knows it."""
    query = select(Payout).where(Payout.bank_id == payout.bank_id, Payout.id == payout.id)
    return (await session.exec(query)).one()
