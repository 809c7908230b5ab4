"""Phone numbers, which people are known by."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from service.errors import Conflict, FieldProblem, Malformed
from service.members.reading import hold_person

LONGEST_PHONE = 32


class PhoneNotValid(Malformed):
    english = "This is not a valid phone number. Write it like 0812-3456-7890."
    indonesian = "Nomor telepon tidak valid. Tulis seperti 0812-3456-7890."


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
