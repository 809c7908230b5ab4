"""One-time codes: made, sent no oftener than the terms say, and used up."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, case, delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.sign_in import SignInCode
from service.auth import addresses, limits
from service.auth.terms import Terms
from service.database import one_at_a_time
from service.errors import NotSignedIn
from service.keys import CODE_DIGITS, Keys

CODE_LIFETIME = timedelta(minutes=5)
_DAY = timedelta(days=1)
PHONE = "phone"
"""What phones are hashed for."""


class WrongCode(NotSignedIn):
    english = "The code is wrong or has run out. Ask for a new one if it keeps failing."
    indonesian = "Kode salah atau sudah kedaluwarsa. Mintalah kode baru bila tetap gagal."
    keeps_changes = True


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What was decided: the code to send, or None if one is still on its way."""

    code: str | None
    expires_in_s: int
    resend_after_s: int


async def request_code(
    session: AsyncSession, keys: Keys, terms: Terms, phone: str, address: str
) -> CodeRequest:
    """Make a code for a phone, known or not, unless one was sent a moment ago and can be tried.

    Nothing is looked up about whose phone it is, so nothing can be told from the answer.
    Raises TooManyCodes or TooManyWrongCodes, and TooManyFromHere for the client's address.
    """
    await one_at_a_time(session, f"sign-in {phone}")
    now, here, whose = utc_now(), addresses.hash_of(keys, address), phone_hash(keys, phone)
    codes = await _codes_of(session, whose, since=now - _DAY)
    last = limits.last_alive([code for code in codes if code.address == here])
    if last and now < last.created_at + timedelta(seconds=terms.resend_s):
        return _still_on_its_way(last, terms, now)
    await limits.check(session, terms, codes, here, now)
    await addresses.check_rate(session, terms, here, now)
    code = _enter(session, keys, whose, here, now)
    return CodeRequest(code, int(CODE_LIFETIME.total_seconds()), terms.resend_s)


async def take_back(session: AsyncSession, keys: Keys, phone: str, address: str) -> None:
    """Forget the newest code that was asked for a phone from here, since it never went out."""
    here, whose = addresses.hash_of(keys, address), phone_hash(keys, phone)
    codes = await _codes_of(session, whose, since=utc_now() - CODE_LIFETIME)
    for code in [code for code in codes if code.used_at is None and code.address == here][:1]:
        await session.delete(code)


async def try_code(session: AsyncSession, keys: Keys, phone: str, said: str, address: str) -> UUID:
    """The id of a phone's newest code, if this is it. A wrong try counts. Raises WrongCode.

    It is the newest that was asked for from this address, or else from anywhere. Every try
    counts until `use_up` or `give_back` says that it was a right one.
    """
    now, here, whose = utc_now(), addresses.hash_of(keys, address), phone_hash(keys, phone)
    is_elsewhere = case((col(SignInCode.address) == here, 0), else_=1)
    newest = (
        select(SignInCode.id)
        .where(
            SignInCode.phone_hash == whose,
            col(SignInCode.used_at).is_(None),
            col(SignInCode.expires_at) > now,
        )
        .order_by(is_elsewhere, col(SignInCode.created_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    tried = await session.exec(
        update(SignInCode)
        .where(col(SignInCode.id) == newest, limits.may_be_tried(whose, here, now))
        .values(tries=SignInCode.tries + 1)
        .returning(col(SignInCode.id), col(SignInCode.code_hash))
    )
    row = tried.first()
    if row is None or not secrets.compare_digest(row[1], _hash_of_code(keys, row[0], said)):
        raise WrongCode
    code_id: UUID = row[0]
    return code_id


async def use_up(session: AsyncSession, code_id: UUID) -> None:
    """A code works once. Raises WrongCode if somebody else was first."""
    used = await session.exec(
        update(SignInCode)
        .where(col(SignInCode.id) == code_id, col(SignInCode.used_at).is_(None))
        .values(used_at=utc_now(), tries=SignInCode.tries - 1)
        .returning(col(SignInCode.id))
    )
    if used.first() is None:
        raise WrongCode


async def give_back(session: AsyncSession, code_id: UUID) -> None:
    """It was the right code, but something else lacks: this was no wrong try, and it still works."""
    code = col(SignInCode.id) == code_id
    await session.exec(update(SignInCode).where(code).values(tries=SignInCode.tries - 1))


async def forget_old(session: AsyncSession) -> None:
    """Delete codes that count nowhere any more, as tries or as a sign-in from a network."""
    now, used_at = utc_now(), col(SignInCode.used_at)
    unused = and_(used_at.is_(None), col(SignInCode.created_at) < now - _DAY)
    await session.exec(delete(SignInCode).where(or_(unused, used_at < now - limits.KNOWN)))


def phone_hash(keys: Keys, phone: str) -> str:
    """What the codes of a phone are kept under: whoever types a number leaves no number."""
    return keys.hash_of(PHONE, phone)


def _enter(session: AsyncSession, keys: Keys, whose: str, address: str, now: datetime) -> str:
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    code_id = new_id()
    session.add(
        SignInCode(
            id=code_id,
            phone_hash=whose,
            address=address,
            code_hash=_hash_of_code(keys, code_id, code),
            created_at=now,
            expires_at=now + CODE_LIFETIME,
        )
    )
    return code


def _still_on_its_way(last: SignInCode, terms: Terms, now: datetime) -> CodeRequest:
    return CodeRequest(
        code=None,
        expires_in_s=max(0, limits.seconds(last.expires_at - now)),
        resend_after_s=limits.seconds(last.created_at - now + timedelta(seconds=terms.resend_s)),
    )


def _hash_of_code(keys: Keys, code_id: UUID, code: str) -> str:
    return keys.hash_of("sign-in", code_id.hex, code)


async def _codes_of(session: AsyncSession, whose: str, *, since: datetime) -> list[SignInCode]:
    """The codes of a phone, used or not, newest first."""
    query = (
        select(SignInCode)
        .where(SignInCode.phone_hash == whose, col(SignInCode.created_at) > since)
        .order_by(col(SignInCode.created_at).desc())
    )
    return list(await session.exec(query))
