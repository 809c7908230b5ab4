"""What was done for a resident by somebody else, and in which part they did it."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, union_all
from sqlalchemy import select as select_columns
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Payout
from models.people import Membership, Role
from models.pickup import Pickup
from service.assisting.cards import HELPERS


class Helped(NamedTuple):
    """`by` is the highest part that the helper plays in the bank now, if they still do."""

    by: Role | None


async def helped(
    session: AsyncSession, bank_id: UUID, about: Iterable[UUID | None]
) -> dict[UUID | None, Helped]:
    """Which of these pickups and payouts somebody else entered for their resident."""
    wanted = [one for one in about if one is not None]
    entered = union_all(
        *(
            select_columns(
                col(table.id).label("id"), col(table.entered_by).label("entered_by")
            ).where(
                col(table.bank_id) == bank_id,
                col(table.id).in_(wanted),
                col(table.entered_by) != col(table.resident_id),
            )
            for table in (Pickup, Payout)
        )
    ).subquery()
    query = select_columns(entered.c.id, col(Membership.role)).join(
        Membership,
        and_(
            col(Membership.bank_id) == bank_id,
            col(Membership.person_id) == entered.c.entered_by,
            col(Membership.role).in_(HELPERS),
        ),
        isouter=True,
    )
    parts: dict[UUID | None, list[str]] = {}
    for row in await (await session.connection()).execute(query) if wanted else ():
        parts.setdefault(row.id, []).append(row.role)
    return {one: Helped(_highest(roles)) for one, roles in parts.items()}


def _highest(roles: list[str]) -> Role | None:
    return next((role for role in reversed(HELPERS) if role in roles), None)
