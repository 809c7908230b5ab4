"""The devices that somebody is signed in on: one sign-in is one device, until it is ended."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.sign_in import Device
from service.auth.terms import Terms
from service.errors import NoSuchThing

MOST_SHOWN = 100
LONGEST_NAME = 80
_SYSTEM = re.compile(r"^Mozilla/\S+ \(([^()]+)\)")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]+")


def name_of(given: str | None, agent: str) -> str:
    """What a device is called: as the client says, or what its User-Agent says of the machine."""
    if given and given.strip():
        return given.strip()
    system = _SYSTEM.match(agent)
    return _NOT_PLAIN.sub(" ", system[1] if system else agent).strip()[:LONGEST_NAME]


async def devices_of(session: AsyncSession, terms: Terms, person_id: UUID) -> Sequence[Device]:
    """The devices somebody can still renew tokens on, the last used first."""
    since = utc_now() - timedelta(days=terms.refresh_days)
    query = (
        select(Device)
        .where(
            Device.person_id == person_id,
            col(Device.ended_at).is_(None),
            col(Device.last_used_at) > since,
        )
        .order_by(col(Device.last_used_at).desc(), col(Device.id).desc())
        .limit(MOST_SHOWN)
    )
    return (await session.exec(query)).all()


async def end(session: AsyncSession, person_id: UUID, device_id: UUID) -> None:
    """Sign somebody's device out: none of its tokens is taken any more. Raises NoSuchThing."""
    if not await _end(session, person_id, device_id):
        raise NoSuchThing(thing="device")


async def end_all(session: AsyncSession, person_id: UUID) -> int:
    """Sign somebody out everywhere; from how many devices."""
    return await _end(session, person_id, None)


async def _end(session: AsyncSession, person_id: UUID, device_id: UUID | None) -> int:
    statement = update(Device).where(
        col(Device.person_id) == person_id, col(Device.ended_at).is_(None)
    )
    if device_id is not None:
        statement = statement.where(col(Device.id) == device_id)
    ended = await session.exec(statement.values(ended_at=utc_now()).returning(col(Device.id)))
    return len(ended.all())
