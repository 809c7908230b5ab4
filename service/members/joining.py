"""People and memberships that are made: at the counter, by joining, or from a list."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.people import Language, Membership, Person, Role
from service.members.reading import find_by_phone


class Joined(NamedTuple):
    """A part in a bank, and whether it is new or was there already."""

    membership: Membership
    is_new: bool


async def person_by_phone(session: AsyncSession, phone: str, *, name: str = "") -> Person:
    """The person with this number, made if there is none; two at once get the same one."""
    found = await find_by_phone(session, phone)
    if found is None:
        await insert_once(session, Person, [person_row(new_id(), phone, name)])
        found = await find_by_phone(session, phone)
    if found is None:
        raise LookupError("A person who was just made can't be read.")
    return found


async def person_without_phone(session: AsyncSession, *, name: str) -> Person:
    """Somebody new, whom nobody can look up by a number."""
    person = Person(name=name)
    session.add(person)
    await session.flush()
    return person


async def register(
    session: AsyncSession, bank_id: UUID, person: Person, role: Role, *, entered_by: UUID | None
) -> Joined:
    """Make a person a member of a bank; once more changes nothing."""
    number = number_of(person.id) if role == Role.RESIDENT else None
    row = {
        "person_id": person.id,
        "bank_id": bank_id,
        "role": role,
        "passbook_number": number,
        "entered_by": entered_by,
        "created_at": utc_now(),
    }
    is_new = await insert_once(session, Membership, [row]) > 0
    return Joined(await _membership(session, bank_id, person.id, role), is_new)


async def _membership(
    session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role
) -> Membership:
    query = select(Membership).where(
        Membership.bank_id == bank_id,
        Membership.person_id == person_id,
        Membership.role == role,
    )
    return (await session.exec(query)).one()


def number_of(person_id: UUID) -> str:
    """The number of a resident's passbook, unless they bring one."""
    return person_id.hex[-10:].upper()


def person_row(person_id: UUID, phone: str | None, name: str) -> dict[str, object]:
    """Somebody to be."""
    return {
        "id": person_id,
        "phone": phone,
        "name": name,
        "language": Language.INDONESIAN,
        "created_at": utc_now(),
    }


async def insert_once(
    session: AsyncSession,
    table: type[Person] | type[Membership],
    rows: Sequence[Mapping[str, object]],
) -> int:
    """Insert what isn't there yet: people by their phone, memberships by who, where and what.

    How many are new.
    """
    if not rows:
        return 0
    connection = await session.connection()
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    known_by = ("phone",) if table is Person else ("person_id", "bank_id", "role")
    statement = insert(table).on_conflict_do_nothing(index_elements=known_by)
    told = statement.returning(col(Membership.person_id if table is Membership else Person.id))
    return len((await connection.execute(told, rows)).all())
