"""Looks at what is somebody else's are audited before the answer goes out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from service import audit
from service.api import auditing
from service.api.dependencies import CurrentParts, Parts, Reader, ReadSession
from service.audit import Seen
from service.members import Caller


@dataclass(frozen=True, slots=True)
class Looks:
    """Notes what a reader was shown of others: once a day for each of them and each kind."""

    request: Request
    parts: Parts
    session: AsyncSession
    caller: Caller

    async def note(self, kind: str, shown: Iterable[tuple[UUID, UUID]]) -> None:
        """Note banks and people whose `kind` is in the answer. Nothing is read any more after it."""
        await note_looks(self.request, self.parts, self.caller, kind, shown, after=self.session)


async def note_looks(
    request: Request,
    parts: Parts,
    caller: Caller,
    kind: str,
    shown: Iterable[tuple[UUID, UUID]],
    *,
    after: AsyncSession | None = None,
) -> None:
    """Note looks, having closed the session of what was read: one connection at a time."""
    look = auditing.entry_of(request, f"read_{kind}", caller)
    seen: Seen = request.app.state.seen
    others: dict[UUID, list[UUID]] = defaultdict(list)
    for bank_id, person_id in shown:
        if person_id != caller.person_id:
            others[bank_id].append(person_id)
    new = {bank: seen.new_to(bank, look, people) for bank, people in others.items()}
    if not any(new.values()):
        return
    if after is not None:
        await after.close()
    async with parts.database.transaction() as session:
        for bank_id, people in new.items():
            await audit.note_looks(session, bank_id, look, people)
    for bank_id, people in new.items():
        seen.add(bank_id, look, people)


async def looking(
    request: Request, parts: CurrentParts, session: ReadSession, caller: Reader
) -> Looks:
    return Looks(request, parts, session, caller)


CurrentLooks = Annotated[Looks, Depends(looking)]
