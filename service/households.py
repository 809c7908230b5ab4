"""How long the household of a pickup is shown to whom it was shown."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup
from service import pickups
from service.members import OFFICERS, Caller


def hides_household(caller: Caller, pickup: Pickup, *, is_past: bool) -> bool:
    """Whether a caller who saw a pickup is shown nothing any more of whom it is of."""
    is_officer = caller.has(pickup.bank_id, *OFFICERS)
    return is_past and not is_officer and pickup.resident_id != caller.person_id


async def hidden_from(session: AsyncSession, caller: Caller, ids: Collection[UUID]) -> set[UUID]:
    """Of what a caller was shown once, or entered for somebody, what they aren't shown now."""
    query = select(Pickup).where(col(Pickup.bank_id).in_(caller.banks()), col(Pickup.id).in_(ids))
    found = (await session.exec(query)).all()
    are_past = await pickups.past(session, found)
    return {
        one.id
        for one in found
        if hides_household(caller, one, is_past=one.id in are_past)
        or not (pickups.may_see(caller, one) or one.entered_by == caller.person_id)
    }
