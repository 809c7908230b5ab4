"""People, and what they may do in which bank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, or_
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.people import Language, Membership, Person, Role
from service.errors import FieldProblem, Forbidden, Malformed, NoSuchThing, NotAllowed

OFFICERS = (Role.OPERATOR, Role.TREASURER)
LONGEST_PHONE = 32


class PhoneNotValid(Malformed):
    english = "This is not a valid phone number. Write it like 0812-3456-7890."
    indonesian = "Nomor telepon tidak valid. Tulis seperti 0812-3456-7890."


class SecondFactorNotGiven(Forbidden):
    english = (
        "Operators and treasurers need a second factor for this."
        " Set one up (POST /v1/me/second-factor), or sign in with it."
    )
    indonesian = (
        "Operator dan bendahara memerlukan faktor kedua untuk ini."
        " Pasang dahulu (POST /v1/me/second-factor), atau masuk dengannya."
    )


class Joined(NamedTuple):
    """A part in a bank, and whether it is new or was there already."""

    membership: Membership
    is_new: bool


class ShownCard(NamedTuple):
    """A resident's card that was shown, and is valid at its bank."""

    bank_id: UUID
    id: UUID
    resident_id: UUID
    issued_by: UUID


@dataclass(slots=True)
class Caller:
    """Who is asking, with their parts in each bank."""

    person_id: UUID
    roles: Mapping[UUID, frozenset[str]]
    withheld: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    """Parts that count for nothing until a second factor was given."""
    bank_id: UUID | None = None
    """The bank of the act, once `act_in` has allowed it."""
    on_behalf_of: UUID | None = None
    """Whom somebody else acts for."""
    shown: ShownCard | None = None
    """The card of theirs that was shown."""
    touched: list[tuple[str, UUID]] = field(default_factory=list)
    """Kinds and ids of what an act is about, if neither its path nor its answer names it."""

    @property
    def memberships(self) -> list[tuple[UUID, str]]:
        """Every part in every bank, those that are withheld as well."""
        return [
            (bank_id, role)
            for parts in (self.roles, self.withheld)
            for bank_id, held in parts.items()
            for role in sorted(held)
        ]

    @property
    def is_officer(self) -> bool:
        """Of any bank, with or without a second factor."""
        return any(role in OFFICERS for _, role in self.memberships)

    def banks(self, *roles: Role) -> list[UUID]:
        """The banks where the caller has one of these parts, or any part if none is named."""
        wanted = set(roles)
        return [bank for bank, held in self.roles.items() if not wanted or held & wanted]

    def has(self, bank_id: UUID, *roles: Role) -> bool:
        return bool(self.roles.get(bank_id, frozenset()) & set(roles))

    def play_only(self, wanted: frozenset[Role]) -> None:
        """Forget every other part: what is asked for isn't done in it."""
        self.roles, self.withheld = _only(self.roles, wanted), _only(self.withheld, wanted)

    def act_in(self, bank_id: UUID, *roles: Role) -> None:
        """Refuse anybody without one of these parts in the bank, and remember the bank.

        If none is named, any of the parts that are left will do. Raises NotAllowed, or
        SecondFactorNotGiven to whom only that lacks.
        """
        if not (self.has(bank_id, *roles) if roles else bank_id in self.roles):
            withheld = self.withheld.get(bank_id, frozenset())
            lacks_only_proof = withheld & set(roles) if roles else withheld
            raise SecondFactorNotGiven if lacks_only_proof else NotAllowed
        self.bank_id = bank_id


def _only(
    parts: Mapping[UUID, frozenset[str]], wanted: frozenset[Role]
) -> dict[UUID, frozenset[str]]:
    return {bank: kept for bank, held in parts.items() if (kept := held & wanted)}


class Member(NamedTuple):
    person: Person
    membership: Membership


def normal_phone(text: str) -> str:
    """The number as E.164; Indonesian ones may come as 0812…, 62812… or 812….

    Raises PhoneNotValid.
    """
    # Only now: no start needs to wait for it.
    import phonenumbers  # noqa: PLC0415

    try:
        if len(text) > LONGEST_PHONE:
            raise PhoneNotValid(_AT_PHONE)
        number = phonenumbers.parse(text, "ID")
    except phonenumbers.NumberParseException:
        raise PhoneNotValid(_AT_PHONE) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneNotValid(_AT_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_AT_PHONE = FieldProblem("/phone", PhoneNotValid.english, PhoneNotValid.indonesian)


_ROLES = select_columns(col(Membership.bank_id), col(Membership.role)).where(
    col(Membership.person_id) == bindparam("person_id")
)


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


async def resident_of(session: AsyncSession, bank_id: UUID, person_id: UUID) -> Person:
    """A resident of this bank. Raises NoSuchThing for anybody else."""
    return await _with_part(session, bank_id, person_id, Role.RESIDENT)


async def _with_part(session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role) -> Person:
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
    """Whether somebody is an operator or a treasurer of the bank."""
    query = select(Membership.role).where(
        Membership.person_id == person_id,
        Membership.bank_id == bank_id,
        col(Membership.role).in_(OFFICERS),
    )
    return (await session.exec(query)).first() is not None


async def whose(
    session: AsyncSession,
    caller: Caller,
    bank_id: UUID,
    named: UUID | None,
    *,
    role: Role = Role.RESIDENT,
) -> UUID:
    """For which resident the caller acts: for themselves, or as an officer for the one named.

    Or for which collector, with that role. Raises NotAllowed, or NoSuchThing for nobody of
    this bank.
    """
    if caller.shown is not None and role == Role.RESIDENT:
        return whose_card(caller, bank_id, named)
    if named is None or named == caller.person_id:
        caller.act_in(bank_id, role)
        return caller.person_id
    caller.act_in(bank_id, *OFFICERS)
    caller.on_behalf_of = (await _with_part(session, bank_id, named, role)).id
    return caller.on_behalf_of


def whose_card(caller: Caller, bank_id: UUID, named: UUID | None = None) -> UUID:
    """The resident whose card the caller showed, who is also the one named, if any is.

    Raises NotAllowed, also for a card of another bank.
    """
    card = caller.shown
    if card is None or card.bank_id != bank_id or named not in (None, card.resident_id):
        raise NotAllowed
    caller.act_in(bank_id, Role.COLLECTOR, *OFFICERS)
    caller.on_behalf_of = card.resident_id
    return card.resident_id


async def members_of(
    session: AsyncSession,
    bank_id: UUID,
    *,
    role: Role | None,
    phone: str | None,
    after: tuple[UUID, Role] | None,
    limit: int,
) -> list[Member]:
    """Members of a bank, newest person first; `after` is the last one seen and their part."""
    query = (
        select(Person, Membership)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(Membership.bank_id == bank_id, col(Person.deleted_at).is_(None))
        .order_by(col(Person.id).desc(), col(Membership.role))
        .limit(limit)
    )
    if role is not None:
        query = query.where(Membership.role == role)
    if phone is not None:
        query = query.where(Person.phone == phone)
    if after is not None:
        person_id, part = after
        query = query.where(
            or_(
                col(Person.id) < person_id,
                and_(col(Person.id) == person_id, col(Membership.role) > part),
            )
        )
    return [Member(person, membership) for person, membership in await session.exec(query)]


async def find_by_phone(session: AsyncSession, phone: str) -> Person | None:
    """The person with this number (E.164), if there is one."""
    return (await session.exec(select(Person).where(Person.phone == phone))).first()


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
