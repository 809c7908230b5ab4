"""The members of a bank, and the parts of a person."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service.errors import NoSuchThing
from service.members.callers import OFFICERS
from service.members.numbers import has_number

_ROLES = select_columns(col(Membership.bank_id), col(Membership.role)).where(
    col(Membership.person_id) == bindparam("person_id")
)


class Member(NamedTuple):
    person: Person
    membership: Membership


@dataclass(frozen=True, slots=True)
class Sought:
    """Which members: in a part, with a phone (E.164), of a passbook, with these letters in the name."""

    role: Role | None = None
    phone: str | None = None
    passbook_number: str | None = None
    name: str | None = None


async def roles_of(session: AsyncSession, person_id: UUID) -> dict[UUID, frozenset[str]]:
    """The parts a person plays, by bank."""
    connection = await session.connection()
    rows = await connection.execute(_ROLES, {"person_id": person_id})
    return group_roles([(row.bank_id, row.role) for row in rows])


def group_roles(pairs: Sequence[tuple[UUID, str]]) -> dict[UUID, frozenset[str]]:
    """Pairs of bank and role, gathered by bank."""
    roles: dict[UUID, frozenset[str]] = {}
    for bank_id, role in pairs:
        roles[bank_id] = roles.get(bank_id, frozenset()) | {role}
    return roles


async def resident_of(session: AsyncSession, bank_id: UUID, person_id: UUID) -> Person:
    """A resident of this bank. Raises NoSuchThing for anybody else."""
    return await with_part(session, bank_id, person_id, Role.RESIDENT)


async def with_part(session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role) -> Person:
    query = (
        select(Person)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(
            Membership.person_id == person_id,
            Membership.bank_id == bank_id,
            Membership.role == role,
            col(Person.deleted_at).is_(None),
        )
    )
    person = (await session.exec(query)).first()
    if person is None:
        raise NoSuchThing(thing=role)
    return person


async def holders_of(session: AsyncSession, bank_id: UUID, *roles: Role) -> list[UUID]:
    """Everybody who plays one of these parts at the bank, each once."""
    query = select(Membership.person_id).where(
        Membership.bank_id == bank_id, col(Membership.role).in_(roles)
    )
    return list(await session.exec(query.distinct()))


async def is_officer(session: AsyncSession, bank_id: UUID, person_id: UUID) -> bool:
    """Whether somebody is an officer of the bank, and stays one while this transaction lasts."""
    query = select(Membership.role).where(
        Membership.person_id == person_id,
        Membership.bank_id == bank_id,
        col(Membership.role).in_(OFFICERS),
    )
    # Shared with all but whoever ends the part.
    kept = query.with_for_update(read=True, key_share=True)
    return (await session.exec(kept)).first() is not None


async def collectors_among(
    session: AsyncSession, bank_id: UUID, person_ids: Collection[UUID]
) -> set[UUID]:
    """Who of these are collectors of the bank, and stay so while this transaction lasts."""
    query = (
        select(Membership.person_id)
        .where(
            Membership.bank_id == bank_id,
            Membership.role == Role.COLLECTOR,
            col(Membership.person_id).in_(person_ids),
        )
        .with_for_update(read=True, key_share=True)
    )
    return set(await session.exec(query))


async def members_of(
    session: AsyncSession,
    bank_id: UUID,
    sought: Sought,
    *,
    after: tuple[UUID, Role] | None,
    limit: int,
) -> list[Member]:
    """Members of a bank, newest person first; `after` is the last one seen and their part."""
    query = (
        select(Person, Membership)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(
            Membership.bank_id == bank_id, col(Person.deleted_at).is_(None), *_conditions(sought)
        )
        .order_by(col(Person.id).desc(), col(Membership.role))
        .limit(limit)
    )
    if after is not None:
        person_id, part = after
        query = query.where(
            or_(
                col(Person.id) < person_id,
                and_(col(Person.id) == person_id, col(Membership.role) > part),
            )
        )
    return [Member(person, membership) for person, membership in await session.exec(query)]


def _conditions(sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.role is not None:
        yield col(Membership.role) == sought.role
    if sought.phone is not None:
        yield col(Person.phone) == sought.phone
    if sought.passbook_number is not None:
        yield has_number(sought.passbook_number)
    if sought.name is not None:
        # SQLite knows no other case than ASCII's: other letters are looked for in both.
        cases = {sought.name.lower(), sought.name.upper()}
        yield or_(*(col(Person.name).icontains(one, autoescape=True) for one in sorted(cases)))


async def find_by_phone(session: AsyncSession, phone: str) -> Person | None:
    """The person with this number (E.164), if there is one."""
    return (await session.exec(select(Person).where(Person.phone == phone))).first()


async def hold_person(session: AsyncSession, person_id: UUID) -> Person:
    """Somebody whom nobody else changes or refers to anew in this transaction. Raises NoSuchThing."""
    query = (
        select(Person)
        .where(Person.id == person_id, col(Person.deleted_at).is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    person = (await session.exec(query)).first()
    if person is None:
        raise NoSuchThing(thing="person")
    return person
