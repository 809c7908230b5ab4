"""Parts in banks that were ended: their rows are gone, and the audit alone still tells of them."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import AuditEntry
from models.bank import Bank
from models.people import Membership, Role

END_PART = "end_part"
"""The act; it is about the role, and of the person whose part it was."""
_ROLES = [role.value for role in Role]
_REFUSED = 400


class Ended(NamedTuple):
    bank_id: UUID
    person_id: UUID
    role: str


async def ended_parts(
    session: AsyncSession, bank_ids: Sequence[UUID], person_ids: Sequence[UUID] | None = None
) -> list[Ended]:
    """The parts that ended in these banks, of these people or of all; each once."""
    query = _ended().where(col(AuditEntry.bank_id).in_(bank_ids))
    if person_ids is not None:
        query = query.where(col(AuditEntry.person_id).in_(person_ids))
    rows = await (await session.connection()).execute(query)
    return [Ended(row.bank_id, row.person_id, row.about) for row in rows]


async def banks_left(session: AsyncSession, person_id: UUID) -> list[UUID]:
    """Every bank in which a part of somebody was ended, whether or not they play another."""
    bank_ids = list(await session.exec(select(Bank.id)))
    return sorted({one.bank_id for one in await ended_parts(session, bank_ids, [person_id])})


async def banks_of(session: AsyncSession, person_id: UUID) -> list[UUID]:
    """Every bank that may have something of somebody: they play a part there, or did."""
    plays = select(Membership.bank_id).where(Membership.person_id == person_id)
    return sorted({*await session.exec(plays), *await banks_left(session, person_id)})


def _ended() -> Select[UUID, UUID | None, str]:
    return (
        select_columns(col(AuditEntry.bank_id), col(AuditEntry.person_id), col(AuditEntry.about))
        .where(
            # By what it is about, of which there is an index; few things are called so.
            col(AuditEntry.about).in_(_ROLES),
            col(AuditEntry.act) == END_PART,
            col(AuditEntry.status) < _REFUSED,
        )
        .distinct()
    )
