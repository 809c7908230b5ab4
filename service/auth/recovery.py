"""Recovery codes: on paper, for whoever lost the device with their second factor."""

import secrets
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.sign_in import RecoveryCode
from service.keys import Keys

COUNT = 10
# Without 0, 1, i, l and o, which look alike on paper; ten of these are 49 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_HALF = 5


def normal(said: str) -> str:
    """A code without the spaces, dashes and capitals that people write it with."""
    return "".join(said.split()).replace("-", "").lower()


async def make(session: AsyncSession, keys: Keys, person_id: UUID) -> list[str]:
    """Ten new codes instead of those of before; they are shown now and never again."""
    await forget(session, person_id)
    codes = [_new_code() for _ in range(COUNT)]
    session.add_all(
        RecoveryCode(code_hash=_hash_of(keys, person_id, code), person_id=person_id)
        for code in codes
    )
    return codes


async def use(session: AsyncSession, keys: Keys, person_id: UUID, said: str) -> bool:
    """Whether it is one of somebody's codes that wasn't used; it is now."""
    used = await session.exec(
        update(RecoveryCode)
        .where(
            col(RecoveryCode.code_hash) == _hash_of(keys, person_id, said),
            col(RecoveryCode.person_id) == person_id,
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=utc_now())
        .returning(col(RecoveryCode.code_hash))
    )
    return used.first() is not None


async def left(session: AsyncSession, person_id: UUID) -> int:
    """How many codes somebody still has."""
    query = select(func.count(col(RecoveryCode.code_hash))).where(
        RecoveryCode.person_id == person_id, col(RecoveryCode.used_at).is_(None)
    )
    return (await session.exec(query)).one()


async def forget(session: AsyncSession, person_id: UUID) -> None:
    """None of somebody's codes works any more."""
    await session.exec(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def _hash_of(keys: Keys, person_id: UUID, code: str) -> str:
    return keys.hash_of("recovery", person_id.hex, normal(code))
