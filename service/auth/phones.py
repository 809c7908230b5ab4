"""Somebody is given a phone number, or another one: the code that was sent to it proves it."""

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
from service.members import Caller, change_phone, is_in_officers_hands, roles_of

CHANGED, GIVEN = "phone_changed", "phone_given"


class PhoneNotProved(Forbidden):
    # Not as at the sign-in (401): whoever asks is signed in, and new tokens would mend nothing.
    english = "The code sent to this number is wrong or has run out. Ask for a new one."
    indonesian = "Kode yang dikirim ke nomor ini salah atau sudah kedaluwarsa. Mintalah yang baru."
    keeps_changes = True


class SecondFactorMissing(Malformed):
    english = "Give a code of your authenticator app too, or a recovery code."
    indonesian = "Sertakan juga kode aplikasi autentikator atau kode pemulihan."


class ChangesPhoneThemselves(Conflict):
    english = (
        "They have a phone, which only they change in their account, or are known elsewhere:"
        " an officer can't give them a number."
    )
    indonesian = (
        "Ia punya telepon, yang hanya dapat ia ganti sendiri di akunnya, atau terdaftar di tempat"
        " lain: petugas tidak dapat memberinya nomor."
    )


@dataclass(frozen=True, slots=True)
class NewPhone:
    """A number (E.164) with the code that was sent to it, and where that is said."""

    number: str
    code: str
    address: str


async def change_own_phone(
    session: AsyncSession, keys: Keys, person_id: UUID, new: NewPhone, *, second: str | None
) -> None:
    """Somebody signs in by another number from now on; whoever holds that of before is told.

    `second` is a code of their second factor, or a recovery code. Raises SecondFactorMissing,
    PhoneNotProved, what `second_factor.prove` raises, or PhoneTaken: then the code still works,
    to sign in with.
    """
    proves = await second_factor.is_on(session, person_id)
    if proves and second is None:
        raise SecondFactorMissing().at("/second_factor")
    with _of_the_number():
        code_id = await try_code(session, keys, new.number, new.code, new.address)
        if proves and second is not None:
            await second_factor.prove(session, keys, person_id, second)
        await use_up(session, code_id)
    before = await change_phone(session, person_id, new.number)
    if before not in (None, new.number):
        await _warn(session, person_id, before)


async def give_phone(
    session: AsyncSession, keys: Keys, caller: Caller, person_id: UUID, new: NewPhone
) -> None:
    """An officer enters the number of a resident who had none, in the bank where they act.

    Raises NoSuchThing, ChangesPhoneThemselves, PhoneNotProved or PhoneTaken.
    """
    if caller.bank_id is None or not await is_in_officers_hands(session, caller, person_id):
        raise ChangesPhoneThemselves
    with _of_the_number():
        code_id = await try_code(session, keys, new.number, new.code, new.address)
        await use_up(session, code_id)
    if await change_phone(session, person_id, new.number) is not None:
        raise ChangesPhoneThemselves
    await events.record(session, caller.bank_id, GIVEN, person_id=person_id, body={})


@contextmanager
def _of_the_number() -> Iterator[None]:
    """Say of a wrong code that it proves no number, to who is signed in all the same."""
    try:
        yield
    except WrongCode:
        raise PhoneNotProved from None


async def _warn(session: AsyncSession, person_id: UUID, before: str | None) -> None:
    """Once, whatever many banks know them; of whom none knows, nothing can be stolen."""
    for bank_id in sorted(await roles_of(session, person_id))[:1]:
        body = {"to_phone": before}
        await events.record(session, bank_id, CHANGED, person_id=person_id, body=body)
