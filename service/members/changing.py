"""The number that somebody is known by is given, or changed."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from service.errors import Conflict
from service.members.reading import hold_person


class PhoneTaken(Conflict):
    english = (
        "Another account has this number. Sign in with the number to use that account, or delete"
        " that account first."
    )
    indonesian = (
        "Nomor ini sudah dipakai akun lain. Masuk dengan nomor ini untuk memakai akun itu, atau"
        " hapus akun itu dahulu."
    )


async def change_phone(session: AsyncSession, person_id: UUID, phone: str) -> str | None:
    """Give somebody a number (E.164) in place of theirs, which is returned; None if they had none.

    Raises NoSuchThing, or PhoneTaken.
    """
    person = await hold_person(session, person_id)
    before, person.phone = person.phone, phone
    session.add(person)
    try:
        await session.flush()
    except IntegrityError as error:
        raise PhoneTaken from error
    return before
