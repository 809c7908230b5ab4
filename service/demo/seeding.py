"""Puts the demo town into a database, once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, Policy
from models.base import new_id, utc_now
from models.people import Language, Membership, Person, Role
from models.price import Channel, Price
from service import banks
from service.database import Database
from service.demo import town
from service.seeds import list_prices, load_reference


async def seed(database: Database) -> None:
    """Enter reference data, banks, prices, people and their parts; again changes nothing."""
    async with database.transaction() as session:
        await load_reference(session)
        known = await _known_banks(session)
        for bank in town.BANKS:
            if bank.id not in known:
                await _open_bank(session, bank)
        await _enter_people(session)


async def is_seeded(session: AsyncSession) -> bool:
    """Whether the town is there. It is entered in one transaction, so a part tells of all."""
    return len(await _known_banks(session)) == len(town.BANKS)


async def _known_banks(session: AsyncSession) -> set[UUID]:
    ids = [bank.id for bank in town.BANKS]
    return set(await session.exec(select(Bank.id).where(col(Bank.id).in_(ids))))


async def _open_bank(session: AsyncSession, bank: town.TownBank) -> None:
    begun = utc_now().replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    policy = Policy(
        bank_id=bank.id,
        valid_from=begun,
        service_radius_m=town.SERVICE_RADIUS_M,
        min_pickup_grams=town.MIN_PICKUP_GRAMS,
        min_payout_idr=town.MIN_PAYOUT_IDR,
    )
    await banks.create(session, _bank_row(bank), policy)
    # Straight into the table: the price book takes no price that began in the past.
    connection = await session.connection()
    await connection.execute(insert(Price), _price_rows(bank.id, begun))


def _bank_row(bank: town.TownBank) -> Bank:
    return Bank(
        id=bank.id,
        name=bank.name,
        kind=bank.kind,
        address=bank.address,
        district_code=bank.district_code,
        lat=bank.position.lat,
        lon=bank.position.lon,
        hours=town.HOURS,
    )


def _price_rows(bank_id: UUID, begun: datetime) -> list[dict[str, Any]]:
    return [
        {
            "bank_id": bank_id,
            "id": new_id(),
            "material": price.material,
            "condition": price.condition,
            "channel": channel,
            "price_idr": price.at(channel),
            "valid_from": begun,
            "created_at": utc_now(),
        }
        for price in list_prices()
        for channel in Channel
    ]


async def _enter_people(session: AsyncSession) -> None:
    people = town.people()
    await _insert_new(session, Person, [_person_row(person) for person in people])
    # Somebody may have signed in with one of these numbers before, and so have another id.
    phones = [person.phone for person in people]
    found = await session.exec(select(Person.phone, Person.id).where(col(Person.phone).in_(phones)))
    ids = dict(found.all())
    rows = [_membership_row(ids[one.phone], one, bank) for one in people for bank in one.banks]
    await _insert_new(session, Membership, rows)


def _person_row(person: town.Townsperson) -> dict[str, Any]:
    return {
        "id": new_id(),
        "phone": person.phone,
        "name": person.name,
        "language": Language.INDONESIAN,
        "created_at": utc_now(),
    }


def _membership_row(person_id: UUID, person: town.Townsperson, bank_id: UUID) -> dict[str, Any]:
    is_resident = person.role == Role.RESIDENT
    return {
        "person_id": person_id,
        "bank_id": bank_id,
        "role": person.role,
        "passbook_number": person_id.hex[-10:].upper() if is_resident else None,
        "created_at": utc_now(),
    }


async def _insert_new(
    session: AsyncSession, table: type[Person] | type[Membership], rows: list[dict[str, Any]]
) -> None:
    connection = await session.connection()
    dialect_insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    await connection.execute(dialect_insert(table).on_conflict_do_nothing(), rows)
