"""A second factor of somebody: set up, given, used once, taken off."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, or_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.sign_in import Device, SecondFactor
from service.auth import locked, recovery, totp
from service.auth.callers import Identity
from service.errors import Conflict, Forbidden, TooMany
from service.keys import Keys

MAX_TRIES = 5
"""Within an hour, of codes and recovery codes together."""
_HOUR = timedelta(hours=1)


class SecondFactorExists(Conflict):
    english = "You have a second factor already. Take it off first to set up another."
    indonesian = "Anda sudah memiliki faktor kedua. Hapus dahulu sebelum memasang yang baru."


class NoSecondFactor(Conflict):
    english = "There is no second factor to do this with. Set one up first."
    indonesian = "Belum ada faktor kedua. Pasang terlebih dahulu."


class WrongSecondFactor(Forbidden):
    english = "This second code is wrong or was used already. Wait for the app's next one."
    indonesian = "Kode kedua salah atau sudah dipakai. Tunggu kode berikutnya di aplikasi."
    keeps_changes = True


class TooManySecondFactors(TooMany):
    english = "Too many wrong second codes. Try again in an hour."
    indonesian = "Terlalu banyak kode kedua yang salah. Coba lagi satu jam lagi."


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs to be told, once."""

    secret: str
    uri: str


async def begin(session: AsyncSession, keys: Keys, person_id: UUID, account: str) -> Enrolment:
    """A new secret, which counts once a code of it was said. Raises SecondFactorExists."""
    secret = totp.new_secret()
    connection = await session.connection()
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    values = _fresh(locked.lock(keys, person_id, secret))
    written = await connection.execute(
        insert(SecondFactor)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(
            index_elements=["person_id"],
            set_=values,
            where=col(SecondFactor.confirmed_at).is_(None),
        )
        .returning(col(SecondFactor.person_id))
    )
    if written.first() is None:
        raise SecondFactorExists
    return Enrolment(secret, totp.uri_of(secret, account=account))


async def confirm(session: AsyncSession, keys: Keys, who: Identity, said: str) -> list[str]:
    """Turn it on with a first code of the app; the recovery codes, shown this once.

    Raises NoSecondFactor, SecondFactorExists, WrongSecondFactor or TooManySecondFactors.
    """
    if await is_on(session, who.person_id):
        raise SecondFactorExists
    await _use_step(session, keys, who.person_id, said, await _count_try(session, who.person_id))
    await session.exec(
        update(SecondFactor).where(_of(who.person_id)).values(confirmed_at=utc_now())
    )
    device = col(Device.id) == who.device_id
    await session.exec(update(Device).where(device).values(proved_at=utc_now()))
    return await recovery.make(session, keys, who.person_id)


async def is_on(session: AsyncSession, person_id: UUID) -> bool:
    """Whether somebody has a second factor, and so is asked for it."""
    query = select(SecondFactor.person_id).where(
        SecondFactor.person_id == person_id, col(SecondFactor.confirmed_at).is_not(None)
    )
    return (await session.exec(query)).first() is not None


async def prove(session: AsyncSession, keys: Keys, person_id: UUID, said: str) -> None:
    """Take a code of the app, or a recovery code, and use it up.

    Raises NoSecondFactor, WrongSecondFactor or TooManySecondFactors; a wrong try counts.
    """
    if not await is_on(session, person_id):
        raise NoSecondFactor
    kept = await _count_try(session, person_id)
    code = recovery.normal(said)
    if len(code) == totp.DIGITS:
        await _use_step(session, keys, person_id, code, kept)
    elif await recovery.use(session, keys, person_id, code):
        await session.exec(update(SecondFactor).where(_of(person_id)).values(tries=0))
    else:
        raise WrongSecondFactor


async def take_off(session: AsyncSession, person_id: UUID) -> None:
    """Nothing is left of it; what was signed in with it counts as without from now on."""
    await session.exec(delete(SecondFactor).where(_of(person_id)))
    await recovery.forget(session, person_id)
    devices = col(Device.person_id) == person_id
    await session.exec(update(Device).where(devices).values(proved_at=None))


def _of(person_id: UUID) -> ColumnElement[bool]:
    return col(SecondFactor.person_id) == person_id


def _fresh(secret: bytes) -> dict[str, object]:
    now = utc_now()
    return {
        "secret": secret,
        "created_at": now,
        "confirmed_at": None,
        "last_step": 0,
        "tries": 0,
        "tries_since": now,
    }


async def _count_try(session: AsyncSession, person_id: UUID) -> bytes:
    """Count a try; the locked secret to check it by. Raises as `prove` does."""
    now = utc_now()
    is_over = col(SecondFactor.tries_since) <= now - _HOUR
    tried = await session.exec(
        update(SecondFactor)
        .where(_of(person_id), or_(is_over, col(SecondFactor.tries) < MAX_TRIES))
        .values(
            tries=case((is_over, 1), else_=col(SecondFactor.tries) + 1),
            tries_since=case((is_over, now), else_=col(SecondFactor.tries_since)),
        )
        .returning(col(SecondFactor.secret))
    )
    row = tried.first()
    if row is None:
        await _refuse(session, person_id, now)
        raise NoSecondFactor
    secret: bytes = row[0]
    return secret


async def _refuse(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    since = select(SecondFactor.tries_since).where(SecondFactor.person_id == person_id)
    began = (await session.exec(since)).first()
    if began is not None:
        seconds = int((began + _HOUR - now).total_seconds()) + 1
        raise TooManySecondFactors(retry_after_s=max(1, seconds))


async def _use_step(
    session: AsyncSession, keys: Keys, person_id: UUID, said: str, kept: bytes
) -> None:
    """A code counts once, and none counts that is older than one that did."""
    secret = locked.unlock(keys, person_id, kept)
    step = totp.step_of(secret, said, utc_now()) if secret else None
    if step is None:
        raise WrongSecondFactor
    used = await session.exec(
        update(SecondFactor)
        .where(_of(person_id), col(SecondFactor.last_step) < step)
        .values(last_step=step, tries=0)
        .returning(col(SecondFactor.person_id))
    )
    if used.first() is None:
        raise WrongSecondFactor
