"""How often somebody may give a NIK: the answer tells whether it is another account's."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import OwnEntry
from models.base import utc_now
from models.people import Person
from service import niks
from service.api import auditing
from service.api.dependencies import CurrentIdentity, CurrentParts, Session
from service.database import one_at_a_time
from service.errors import TooMany
from service.keys import Keys
from service.niks import NikTaken

_ACT = "give_nik"
MOST_A_DAY = 5
_DAY = timedelta(days=1)


class TooManyNiks(TooMany):
    english = "Too many NIKs were tried within a day. Try again later, or leave it out."
    indonesian = "Terlalu banyak NIK dicoba dalam sehari. Coba lagi nanti, atau kosongkan."


@dataclass(frozen=True, slots=True)
class Niks:
    """Enters NIKs in the name of who asks."""

    request: Request
    session: AsyncSession
    keys: Keys
    by: UUID

    async def give(self, person: Person, said: str) -> None:
        """Keep a NIK with a person. One's own count, and those that turn out another's.

        Raises NikNotValid, NikTaken or TooManyNiks; of what else was changed nothing is left.
        """
        nik = niks.read(said)
        await self._take_turn()
        try:
            await niks.give(self.session, self.keys, person, nik)
        except NikTaken:
            # With what was changed the turn is gone as well, and others may have had theirs.
            await self.session.rollback()
            await self._take_turn()
            await self._count()
            raise
        if person.id == self.by:
            await self._count()

    async def _take_turn(self) -> None:
        await one_at_a_time(self.session, f"nik {self.by}")
        await _check(self.session, self.by)

    async def _count(self) -> None:
        await auditing.note_own(self.request, self.session, self.by, _ACT)


async def niks_of_caller(
    request: Request, who: CurrentIdentity, session: Session, parts: CurrentParts
) -> Niks:
    return Niks(request, session, parts.keys, who.person_id)


CurrentNiks = Annotated[Niks, Depends(niks_of_caller)]


async def _check(session: AsyncSession, person_id: UUID) -> None:
    now = utc_now()
    first_that_counts = (
        select(OwnEntry.at)
        .where(
            OwnEntry.person_id == person_id,
            OwnEntry.act == _ACT,
            col(OwnEntry.at) > now - _DAY,
        )
        .order_by(col(OwnEntry.at).desc())
        .offset(MOST_A_DAY - 1)
        .limit(1)
    )
    tried_at = (await session.exec(first_that_counts)).first()
    if tried_at is not None:
        raise TooManyNiks(retry_after_s=math.ceil((tried_at + _DAY - now).total_seconds()))
