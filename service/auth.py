"""One-time codes and tokens: who is on the phone."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.sign_in import RefreshToken, SignInCode
from service.database import one_at_a_time
from service.errors import NotSignedIn, TooMany
from service.keys import CODE_DIGITS, Keys
from service.members import person_by_phone

CODE_LIFETIME = timedelta(minutes=5)
MAX_TRIES = 5


class WrongCode(NotSignedIn):
    english = "The code is wrong or has run out. Ask for a new one if it keeps failing."
    indonesian = "Kode salah atau sudah kedaluwarsa. Mintalah kode baru bila tetap gagal."
    keeps_changes = True


class SessionEnded(NotSignedIn):
    english = "Please sign in again."
    indonesian = "Silakan masuk kembali."
    keeps_changes = True


class NoValidToken(NotSignedIn):
    english = "Sign in first: a valid access token is needed."
    indonesian = "Silakan masuk terlebih dahulu: token akses tidak ada atau tidak berlaku."


class TooManyCodes(TooMany):
    english = "Too many codes were asked for this number. Try again later."
    indonesian = "Terlalu banyak kode diminta untuk nomor ini. Coba lagi nanti."


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What was decided: the code to send, or None if one is still on its way."""

    code: str | None
    expires_in_s: int
    resend_after_s: int


@dataclass(frozen=True, slots=True)
class Tokens:
    person_id: UUID
    access: str
    refresh: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How long tokens live and how often codes may be asked for."""

    access_s: int
    refresh_days: int
    resend_s: int
    codes_per_hour: int


async def request_code(session: AsyncSession, keys: Keys, terms: Terms, phone: str) -> CodeRequest:
    """Make a code for a phone, known or not, unless one was sent a moment ago."""
    await one_at_a_time(session, f"sign-in {phone}")
    now = utc_now()
    unused = await _unused_codes(session, phone, since=now - timedelta(hours=1))
    if unused and now < unused[0].created_at + timedelta(seconds=terms.resend_s):
        return _still_on_its_way(unused[0], terms, now)
    if len(unused) >= terms.codes_per_hour:
        oldest_counts_until = unused[-1].created_at + timedelta(hours=1)
        raise TooManyCodes(retry_after_s=_seconds(oldest_counts_until - now))
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    row = SignInCode(
        id=new_id(),
        phone=phone,
        code_hash="",
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    row.code_hash = _hash_of_code(keys, row.id, code)
    session.add(row)
    return CodeRequest(code, int(CODE_LIFETIME.total_seconds()), terms.resend_s)


async def take_back(session: AsyncSession, phone: str) -> None:
    """Forget the newest code of a phone, since it never went out."""
    newest = (await _unused_codes(session, phone, since=utc_now() - CODE_LIFETIME))[:1]
    for code in newest:
        await session.delete(code)


async def exchange_code(
    session: AsyncSession, keys: Keys, terms: Terms, phone: str, code: str
) -> Tokens:
    """Tokens for a phone that holds its code. A wrong try counts. Raises WrongCode."""
    if not await _use_code(session, keys, phone, code):
        raise WrongCode
    person = await person_by_phone(session, phone)
    return await _issue(session, keys, terms, person.id, family_id=new_id())


async def exchange_refresh_token(
    session: AsyncSession, keys: Keys, terms: Terms, token: str
) -> Tokens:
    """New tokens for one that was not used yet. A second use ends the whole family."""
    now = utc_now()
    token_hash = keys.hash_of("refresh", token)
    family = select(RefreshToken.family_id).where(RefreshToken.token_hash == token_hash)
    # A reuse must not miss the token that a rotation is making at the same time.
    await one_at_a_time(session, f"family {(await session.exec(family)).first()}")
    used = await session.exec(
        update(RefreshToken)
        .where(
            col(RefreshToken.token_hash) == token_hash,
            col(RefreshToken.used_at).is_(None),
            col(RefreshToken.ended_at).is_(None),
            col(RefreshToken.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(RefreshToken.person_id), col(RefreshToken.family_id))
    )
    row = used.first()
    if row is None:
        await _end_family_of(session, token_hash, now)
        raise SessionEnded
    return await _issue(session, keys, terms, row[0], family_id=row[1])


def access_token(keys: Keys, person_id: UUID, family_id: UUID, *, lifetime_s: int) -> str:
    """A signed token that says who is asking; it needs no look-up."""
    import jwt  # noqa: PLC0415  Slow to import, and a start does without.

    now = utc_now()
    claims = {
        "sub": str(person_id),
        "typ": "access",
        "sid": str(family_id),
        "iat": now,
        "exp": now + timedelta(seconds=lifetime_s),
    }
    return jwt.encode(claims, keys.signing, algorithm="EdDSA")


def person_of_access_token(keys: Keys, token: str) -> UUID:
    """Whose access token it is. Raises NoValidToken."""
    claims = _verified(keys, token)
    if claims.expires_at <= utc_now().timestamp():
        raise NoValidToken
    return claims.person_id


def device_of_access_token(keys: Keys, token: str) -> UUID | None:
    """The sign-in that a token came from, its family; run out or not. Raises NoValidToken."""
    return _verified(keys, token).family_id


class _Claims(NamedTuple):
    person_id: UUID
    expires_at: float
    family_id: UUID | None


@lru_cache(maxsize=10_000)
def _verified(keys: Keys, token: str) -> _Claims:
    """What a token says; a signature is checked once, the time every time."""
    import jwt  # noqa: PLC0415  See above.

    try:
        claims = jwt.decode(
            token,
            keys.signing.public_key(),
            algorithms=["EdDSA"],
            options={"require": ["exp", "sub", "typ"]},
        )
        if claims["typ"] != "access":
            raise NoValidToken
        family = claims.get("sid")
        return _Claims(UUID(claims["sub"]), float(claims["exp"]), UUID(family) if family else None)
    except (jwt.PyJWTError, ValueError):
        raise NoValidToken from None


def _still_on_its_way(last: SignInCode, terms: Terms, now: datetime) -> CodeRequest:
    return CodeRequest(
        code=None,
        expires_in_s=max(0, _seconds(last.expires_at - now)),
        resend_after_s=_seconds(last.created_at - now + timedelta(seconds=terms.resend_s)),
    )


def _seconds(span: timedelta) -> int:
    """Whole seconds after which the span has surely passed."""
    return math.ceil(span.total_seconds())


def _hash_of_code(keys: Keys, code_id: UUID, code: str) -> str:
    return keys.hash_of("sign-in", code_id.hex, code)


async def _unused_codes(session: AsyncSession, phone: str, *, since: datetime) -> list[SignInCode]:
    query = (
        select(SignInCode)
        .where(
            SignInCode.phone == phone,
            col(SignInCode.used_at).is_(None),
            col(SignInCode.created_at) > since,
        )
        .order_by(col(SignInCode.created_at).desc())
    )
    return list(await session.exec(query))


async def _use_code(session: AsyncSession, keys: Keys, phone: str, code: str) -> bool:
    """Count a try against the newest code, and use it up if it is right."""
    now = utc_now()
    newest = (
        select(SignInCode.id)
        .where(SignInCode.phone == phone, col(SignInCode.used_at).is_(None))
        .order_by(col(SignInCode.created_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    tried = await session.exec(
        update(SignInCode)
        .where(
            col(SignInCode.id) == newest,
            col(SignInCode.tries) < MAX_TRIES,
            col(SignInCode.expires_at) > now,
        )
        .values(tries=SignInCode.tries + 1)
        .returning(col(SignInCode.id), col(SignInCode.code_hash))
    )
    row = tried.first()
    if row is None or not secrets.compare_digest(row[1], _hash_of_code(keys, row[0], code)):
        return False
    used = await session.exec(
        update(SignInCode)
        .where(col(SignInCode.id) == row[0], col(SignInCode.used_at).is_(None))
        .values(used_at=now)
        .returning(col(SignInCode.id))
    )
    return used.first() is not None


async def _issue(
    session: AsyncSession, keys: Keys, terms: Terms, person_id: UUID, *, family_id: UUID
) -> Tokens:
    now = utc_now()
    refresh = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=keys.hash_of("refresh", refresh),
            family_id=family_id,
            person_id=person_id,
            created_at=now,
            expires_at=now + timedelta(days=terms.refresh_days),
        )
    )
    access = access_token(keys, person_id, family_id, lifetime_s=terms.access_s)
    return Tokens(person_id, access, refresh, terms.access_s)


async def _end_family_of(session: AsyncSession, token_hash: str, now: datetime) -> None:
    family = select(RefreshToken.family_id).where(RefreshToken.token_hash == token_hash)
    await session.exec(
        update(RefreshToken)
        .where(
            col(RefreshToken.family_id).in_(family),
            col(RefreshToken.ended_at).is_(None),
        )
        .values(ended_at=now)
    )
