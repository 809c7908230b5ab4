"""Somebody changes their phone number: codes sent to the old and to the new one prove both.

With the new one's alone, whoever gets hold of a signed-in phone would have the account for good.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service import events
from service.auth import second_factor
from service.auth.codes import WrongCode, try_code, use_up
from service.errors import Conflict, Forbidden, Malformed
from service.keys import Keys
from service.members import change_phone, hold_person, roles_of

CHANGED = "phone_changed"


class PhoneNotProved(Forbidden):
    # Not as at the sign-in (401): whoever asks is signed in, and new tokens would mend nothing.
    english = "The code sent to this number is wrong or has run out. Ask for a new one."
    indonesian = "Kode yang dikirim ke nomor ini salah atau sudah kedaluwarsa. Mintalah yang baru."
    keeps_changes = True


class SecondFactorMissing(Malformed):
    english = "Give a code of your authenticator app too, or a recovery code."
    indonesian = "Sertakan juga kode aplikasi autentikator atau kode pemulihan."


class NoPhoneOfBefore(Conflict):
    english = "This account has no phone number that could be changed."
    indonesian = "Akun ini tidak memiliki nomor telepon yang dapat diganti."


@dataclass(frozen=True, slots=True)
class NewPhone:
    """A number (E.164) with the codes sent to it and to the one of before, and where that is said."""

    number: str
    code: str
    code_of_before: str
    address: str


async def change_own_phone(
    session: AsyncSession, keys: Keys, person_id: UUID, new: NewPhone, *, second: str | None
) -> None:
    """Somebody signs in by another number from now on; whoever holds that of before is told.

    `second` is a code of their second factor, or a recovery code. Raises NoPhoneOfBefore,
    SecondFactorMissing, PhoneNotProved, what `second_factor.prove` raises, or PhoneTaken: then
    the codes still work, to sign in with.
    """
    person = await hold_person(session, person_id)
    before = person.phone
    if before is None:
        raise NoPhoneOfBefore
    proves = await second_factor.is_on(session, person_id)
    if proves and second is None:
        raise SecondFactorMissing().at("/second_factor")
    with _said_at("/code_of_before"):
        code_of_before_id = await try_code(session, keys, before, new.code_of_before, new.address)
    with _said_at("/code"):
        code_id = await try_code(session, keys, new.number, new.code, new.address)
    if proves and second is not None:
        await second_factor.prove(session, keys, person_id, second)
    await use_up(session, code_of_before_id)
    await use_up(session, code_id)
    await change_phone(session, person, new.number)
    await _warn(session, person_id, before)


@contextmanager
def _said_at(pointer: str) -> Iterator[None]:
    """Say of a wrong code that it proves no number, to who is signed in all the same."""
    try:
        yield
    except WrongCode:
        raise PhoneNotProved().at(pointer) from None


async def _warn(session: AsyncSession, person_id: UUID, before: str) -> None:
    """Once, whatever many banks know them; of whom none knows, nothing can be stolen."""
    for bank_id in sorted(await roles_of(session, person_id))[:1]:
        body = {"to_phone": before}
        await events.record(session, bank_id, CHANGED, person_id=person_id, body=body)
