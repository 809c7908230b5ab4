"""How a pickup ends that nobody fetched: cancelled, or its window has passed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, or_, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among, utc_now
from models.pickup import HELD, Pickup, PickupStatus
from service import events
from service.errors import Conflict, WaitsForOperator


class PickupAlreadyEnded(Conflict):
    english = "This pickup is already {status}."
    indonesian = "Penjemputan ini sudah selesai ({status})."


async def cancel(session: AsyncSession, pickup: Pickup, *, by: UUID, reason: str) -> None:
    """End a pickup that nobody has fetched yet.

    Raises PickupAlreadyEnded, or WaitsForOperator while a weighing waits to be decided on.
    """
    cancelled = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            or_(
                col(Pickup.status) == PickupStatus.OPEN,
                and_(
                    among(col(Pickup.status), HELD), col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES
                ),
            ),
        )
        .values(status=PickupStatus.CANCELLED, ended_reason=reason, claimed_until=None)
        .returning(col(Pickup.id))
    )
    happened = cancelled.first() is not None
    await session.refresh(pickup)
    if not happened:
        raise (
            WaitsForOperator()
            if pickup.waits_for_decision
            else PickupAlreadyEnded(status=pickup.status)
        )
    for person_id in {pickup.collector_id, pickup.resident_id} - {None, by}:
        await events.record(
            session,
            pickup.bank_id,
            "pickup_cancelled",
            person_id=person_id,
            body={"pickup_id": str(pickup.id), "reason": reason},
        )


async def expire(session: AsyncSession, bank_ids: Sequence[UUID]) -> int:
    """End open pickups whose window has passed; how many."""
    ended = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id).in_(bank_ids),
            col(Pickup.status) == PickupStatus.OPEN,
            col(Pickup.window_end) < utc_now(),
        )
        .values(status=PickupStatus.EXPIRED, ended_reason="window_passed")
        .returning(col(Pickup.bank_id), col(Pickup.id), col(Pickup.resident_id))
    )
    rows = ended.all()
    for bank_id, pickup_id, resident_id in rows:
        await events.record(
            session,
            bank_id,
            "pickup_expired",
            person_id=resident_id,
            body={"pickup_id": str(pickup_id)},
        )
    return len(rows)
