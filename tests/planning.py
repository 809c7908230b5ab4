"""Plans asked for and worked out, as tests want them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.base import utc_now
from models.people import Person
from models.plan import Plan
from service import plans
from tests.factories import Town


def an_ask(town: Town, *drivers: Person, **changes: Any) -> plans.Ask:
    """All that is open today, by these collectors or the town's, from now for eight hours."""
    wanted: dict[str, Any] = {
        "bank_id": town.bank_id,
        "entered_by": town.operator.id,
        "day": None,
        "vehicles": [a_vehicle(one) for one in drivers or (town.collector,)],
        "planner": "nearest_first",
        "budget_s": 10,
        "seed": 0,
        "service_s": 360,
        "unload_s": 600,
        "pickup_ids": None,
    }
    return plans.Ask(**(wanted | changes))


def a_vehicle(driver: Person, *, now: datetime | None = None, **changes: Any) -> plans.VehicleAsk:
    begins = now or utc_now()
    wanted: dict[str, Any] = {
        "collector_id": driver.id,
        "start": None,
        "shift_start": begins,
        "shift_end": begins + timedelta(hours=8),
        "capacity_grams": 300_000,
        "max_trips": 3,
    }
    return plans.VehicleAsk(**(wanted | changes))


async def asked(town: Town, ask: plans.Ask | None = None) -> Plan:
    """A plan that waits, committed."""
    async with town.database.transaction() as session:
        return await plans.create(session, ask or an_ask(town))


async def worked(town: Town, ask: plans.Ask | None = None) -> Plan:
    """A plan that a worker has ended."""
    plan = await asked(town, ask)
    assert await plans.Desk(town.database).work_one([town.bank_id])
    return await found(town, plan.id)


async def found(town: Town, plan_id: UUID) -> Plan:
    """The plan as it is in the database now."""
    async with town.database.reading() as session:
        return await plans.find(session, town.bank_id, plan_id)


def visited(plan: Plan) -> Sequence[str]:
    """The pickups that a plan visits, vehicle by vehicle, in order."""
    assert plan.result is not None
    trips = [trip for one in plan.result["vehicles"] for trip in one["trips"]]
    return [visit["pickup_id"] for trip in trips for visit in trip["visits"]]
