"""From a code, or a refresh token that works once, to tokens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.sign_in import Device, RefreshToken
from service.auth import devices, second_factor
from service.auth.access import access_token
from service.auth.callers import Identity
from service.auth.codes import give_back, try_code, use_up
from service.auth.terms import Terms
from service.errors import NotSignedIn
from service.keys import Keys
from service.members import person_by_phone


class SessionEnded(NotSignedIn):
    english = "Please sign in again."
    indonesian = "Silakan masuk kembali."
    keeps_changes = True


class SecondFactorNeeded(NotSignedIn):
    english = "Give the code of your authenticator app too, or a recovery code: second_factor."
    indonesian = "Sertakan juga kode aplikasi autentikator atau kode pemulihan: second_factor."
    keeps_changes = True


@dataclass(frozen=True, slots=True)
class Tokens:
    person_id: UUID
    access: str
    refresh: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A phone with the code that was sent to it, what the device is called and where it is.

    `second_factor` is a code of an authenticator app or a recovery code, if one was given.
    """

    phone: str
    code: str
    device: str
    address: str
    second_factor: str | None = None


async def exchange_code(session: AsyncSession, keys: Keys, terms: Terms, proof: Proof) -> Tokens:
    """Tokens for a phone that holds its code, and the second factor if there is one.

    A wrong try counts. Raises WrongCode, SecondFactorNeeded without using the code up, and
    what `second_factor.prove` raises.
    """
    code_id = await try_code(session, keys, proof.phone, proof.code, proof.address)
    person = await person_by_phone(session, proof.phone)
    proved_at = await _prove(session, keys, person.id, proof, code_id)
    await use_up(session, code_id)
    device = Device(person_id=person.id, name=proof.device, proved_at=proved_at)
    session.add(device)
    return await _issue(session, keys, terms, Identity(person.id, device.id))


async def _prove(
    session: AsyncSession, keys: Keys, person_id: UUID, proof: Proof, code_id: UUID
) -> datetime | None:
    """Ask whoever has a second factor for it; when they gave it."""
    if not await second_factor.is_on(session, person_id):
        return None
    if proof.second_factor is None:
        await give_back(session, code_id)
        raise SecondFactorNeeded
    await second_factor.prove(session, keys, person_id, proof.second_factor)
    return utc_now()


async def exchange_refresh_token(
    session: AsyncSession, keys: Keys, terms: Terms, token: str
) -> Tokens:
    """New tokens for one that was not used yet. A second use signs the whole device out."""
    token_hash = keys.hash_of("refresh", token)
    who = await _use_device(session, token_hash)
    if not await _use_token(session, token_hash):
        await devices.end(session, who.person_id, who.device_id)
        raise SessionEnded
    return await _issue(session, keys, terms, who)


async def _use_device(session: AsyncSession, token_hash: str) -> Identity:
    """Whose token it is, unless the device was signed out. Raises SessionEnded.

    It holds the device's row: a reuse waits for the token that a rotation is just making.
    """
    device = select(RefreshToken.device_id).where(RefreshToken.token_hash == token_hash)
    used = await session.exec(
        update(Device)
        .where(col(Device.id) == device.scalar_subquery(), col(Device.ended_at).is_(None))
        .values(last_used_at=utc_now())
        .returning(col(Device.person_id), col(Device.id))
    )
    row = used.first()
    if row is None:
        raise SessionEnded
    return Identity(*row)


async def _use_token(session: AsyncSession, token_hash: str) -> bool:
    now = utc_now()
    used = await session.exec(
        update(RefreshToken)
        .where(
            col(RefreshToken.token_hash) == token_hash,
            col(RefreshToken.used_at).is_(None),
            col(RefreshToken.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(RefreshToken.token_hash))
    )
    return used.first() is not None


async def _issue(session: AsyncSession, keys: Keys, terms: Terms, who: Identity) -> Tokens:
    now = utc_now()
    refresh = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=keys.hash_of("refresh", refresh),
            device_id=who.device_id,
            created_at=now,
            expires_at=now + timedelta(days=terms.refresh_days),
        )
    )
    access = access_token(keys, who.person_id, who.device_id, lifetime_s=terms.access_s)
    return Tokens(who.person_id, access, refresh, terms.access_s)
