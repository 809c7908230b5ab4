"""For whom a caller acts: for themselves, or for somebody else at a bank."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service.errors import NoSuchThing, NotAllowed
from service.members.callers import OFFICERS, Caller
from service.members.reading import with_part


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
    caller.on_behalf_of = (await with_part(session, bank_id, named, role)).id
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


async def is_in_officers_hands(session: AsyncSession, caller: Caller, person_id: UUID) -> bool:
    """Whether somebody is a resident without a phone whom no other bank knows.

    For them the officers do what everybody else does for themselves. Raises NoSuchThing for who
    plays no part where the caller is an officer.
    """
    query = (
        select(Membership.bank_id, Membership.role, Person.phone)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(Membership.person_id == person_id, col(Person.deleted_at).is_(None))
    )
    parts = list(await session.exec(query))
    if not any(caller.has(bank_id, *OFFICERS) for bank_id, _, _ in parts):
        raise NoSuchThing(thing="resident")
    theirs = (caller.bank_id, Role.RESIDENT, None)
    return all((bank_id, role, phone) == theirs for bank_id, role, phone in parts)
