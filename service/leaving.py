"""A part in a bank ends: of who left, or was entered by mistake."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service import banks, events, members, privacy
from service.errors import Conflict, NoSuchThing


class PassbookStays(Conflict):
    english = (
        "A resident's passbook stays. Who wants to be known no more can have the account deleted."
    )
    indonesian = (
        "Buku tabungan warga tetap ada. Siapa yang tidak ingin tercatat lagi dapat meminta akunnya"
        " dihapus."
    )


class CityStays(Conflict):
    english = (
        "Who watches the bank for the city is let go by who runs the server, not by those who are"
        " watched."
    )
    indonesian = (
        "Petugas kota yang mengawasi bank ini hanya dapat diakhiri perannya oleh pengelola server,"
        " bukan oleh yang diawasi."
    )


class EndsOwnPart(Conflict):
    english = "Nobody ends a part of their own. Another treasurer does it."
    indonesian = "Peran sendiri tidak dapat diakhiri sendiri. Bendahara lain yang melakukannya."


async def end(
    session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role, *, by: UUID | None
) -> members.Member:
    """End somebody's part in a bank, at once; who it was, as they were. They are told.

    Its row goes, for that is what every request asks; that there was one stands in the audit,
    which the edge writes (`audit.END_PART`). Without `by` it is who runs the server. Raises
    PassbookStays, CityStays, EndsOwnPart, NoSuchThing, or as privacy.check_part() does.
    """
    if role == Role.RESIDENT:
        raise PassbookStays
    if role == Role.CITY and by is not None:
        raise CityStays
    if person_id == by:
        raise EndsOwnPart
    # Or the last two treasurers of a bank could end each other's part, or be deleted meanwhile.
    await privacy.hold_deletions(session)
    ended = await _locked(session, bank_id, person_id, role)
    await privacy.check_part(session, bank_id, person_id, role)
    bank = await banks.get(session, bank_id)
    told = {"bank": bank.name, "role": role.value}
    await events.record(session, bank_id, "part_ended", person_id=person_id, body=told)
    await session.delete(ended.membership)
    await session.flush()
    return ended


async def _locked(
    session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role
) -> members.Member:
    """The part, whose holder begins nothing in it until this is over. Raises NoSuchThing."""
    query = (
        select(Person, Membership)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(
            Membership.bank_id == bank_id,
            Membership.person_id == person_id,
            Membership.role == role,
        )
        .with_for_update(of=Membership)
    )
    found = (await session.exec(query)).first()
    if found is None:
        raise NoSuchThing(thing=role.value)
    return members.Member(*found)
