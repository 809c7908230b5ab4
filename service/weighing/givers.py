"""How many people's waste a figure is about."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, union
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup
from models.weighing import Dropoff, Weighing


async def givers(
    session: AsyncSession, bank_id: UUID, since: datetime, until: datetime
) -> dict[str, int]:
    """How many residents each material came from, of what was weighed between two instants."""
    fetched = (
        select(col(Weighing.material), col(Pickup.resident_id))
        .join(
            Pickup,
            (col(Pickup.bank_id) == Weighing.bank_id) & (col(Pickup.id) == Weighing.pickup_id),
        )
        .where(
            col(Weighing.bank_id) == bank_id,
            col(Pickup.collected_at) >= since,
            col(Pickup.collected_at) < until,
        )
    )
    brought = (
        select(col(Weighing.material), col(Dropoff.resident_id))
        .join(
            Dropoff,
            (col(Dropoff.bank_id) == Weighing.bank_id) & (col(Dropoff.id) == Weighing.dropoff_id),
        )
        .where(
            col(Weighing.bank_id) == bank_id,
            col(Dropoff.created_at) >= since,
            col(Dropoff.created_at) < until,
        )
    )
    each = union(fetched, brought).subquery()
    connection = await session.connection()
    counted = select(each.c.material, func.count().label("number")).group_by(each.c.material)
    return {row.material: row.number for row in await connection.execute(counted)}
