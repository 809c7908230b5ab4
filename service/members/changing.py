"""The number that somebody is known by is changed."""

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Person
from service.errors import Conflict


class PhoneTaken(Conflict):
    english = (
        "Another account has this number. Sign in with the number to use that account, or delete"
        " that account first."
    )
    indonesian = (
        "Nomor ini sudah dipakai akun lain. Masuk dengan nomor ini untuk memakai akun itu, atau"
        " hapus akun itu dahulu."
    )


async def change_phone(session: AsyncSession, person: Person, phone: str) -> None:
    """Give somebody who is held a number (E.164) in place of theirs. Raises PhoneTaken."""
    person.phone = phone
    session.add(person)
    try:
        await session.flush()
    except IntegrityError as error:
        raise PhoneTaken from error
