"""Looks at what is somebody else's: one entry a day for each reader, resident and kind."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import AuditEntry
from models.base import id_at, utc_now
from service.audit.writing import Entry, write

_MOST = 100_000


class Seen:
    """What this process knows to be noted today, so that a second look asks no database."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._noted: set[tuple[UUID, UUID | None, str, UUID]] = set()

    def today(self) -> date:
        """The day it is, in UTC."""
        return utc_now().date()

    def new_to(self, bank_id: UUID, entry: Entry, residents: Iterable[UUID]) -> list[UUID]:
        """Those residents whose data this reader wasn't noted to have looked at today."""
        today = self.today()
        if today != self._day or len(self._noted) > _MOST:
            self._day, self._noted = today, set()
        return [
            one
            for one in dict.fromkeys(residents)
            if (bank_id, entry.actor_id, entry.act, one) not in self._noted
        ]

    def add(self, bank_id: UUID, entry: Entry, residents: Iterable[UUID]) -> None:
        """Remember what was noted, once it is committed."""
        self._noted.update((bank_id, entry.actor_id, entry.act, one) for one in residents)


async def note_looks(
    session: AsyncSession, bank_id: UUID, look: Entry, residents: Iterable[UUID]
) -> None:
    """Note that somebody looked at what is these residents', unless it was noted today in UTC.

    Two processes at once may note one look twice, which says nothing that isn't so.
    """
    midnight = datetime.combine(utc_now().date(), time(), UTC)
    wanted = list(residents)
    query = select(AuditEntry.person_id).where(
        AuditEntry.bank_id == bank_id,
        col(AuditEntry.person_id).in_(wanted),
        col(AuditEntry.id) >= id_at(midnight),
        AuditEntry.actor_id == look.actor_id,
        AuditEntry.act == look.act,
    )
    noted = set(await session.exec(query))
    new = [replace(look, person_id=one) for one in wanted if one not in noted]
    await write(session, bank_id, new)
