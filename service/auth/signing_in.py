"""From a code, or a refresh token that works once, to tokens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.sign_in import RefreshToken
from service.auth.access import access_token
from service.auth.codes import try_code, use_up
from service.auth.terms import Terms
from service.database import one_at_a_time
from service.errors import NotSignedIn
from service.keys import Keys
from service.members import person_by_phone


class SessionEnded(NotSignedIn):
    english = "Please sign in again."
    indonesian = "Silakan masuk kembali."
    keeps_changes = True


@dataclass(frozen=True, slots=True)
class Tokens:
    person_id: UUID
    access: str
    refresh: str
    expires_in_s: int


async def exchange_code(
    session: AsyncSession, keys: Keys, terms: Terms, phone: str, code: str
) -> Tokens:
    """Tokens for a phone that holds its code. A wrong try counts. Raises WrongCode."""
    await use_up(session, await try_code(session, keys, phone, code))
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
