"""For whom a caller acts: for themselves, or for somebody else at a bank."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Role
from service.errors import NotAllowed
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
