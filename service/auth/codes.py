"""One-time codes: made, sent no oftener than the terms say, and used up."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.sign_in import SignInCode
from service.auth.terms import Terms
from service.database import one_at_a_time
from service.errors import NotSignedIn, TooMany
from service.keys import CODE_DIGITS, Keys

CODE_LIFETIME = timedelta(minutes=5)
MAX_TRIES = 5


class WrongCode(NotSignedIn):
    english = "The code is wrong or has run out. Ask for a new one if it keeps failing."
    indonesian = "Kode salah atau sudah kedaluwarsa. Mintalah kode baru bila tetap gagal."
    keeps_changes = True


class TooManyCodes(TooMany):
    english = "Too many codes were asked for this number. Try again later."
    indonesian = "Terlalu banyak kode diminta untuk nomor ini. Coba lagi nanti."


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What was decided: the code to send, or None if one is still on its way."""

    code: str | None
    expires_in_s: int
    resend_after_s: int


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


async def use_code(session: AsyncSession, keys: Keys, phone: str, code: str) -> bool:
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
