"""Where people live and were is known for thirty days, and then to a kilometre or so."""

from datetime import timedelta
from typing import Any

from sqlmodel import select

from models.base import utc_now
from models.pickup import Pickup, PickupStatus, Route
from models.plan import Plan
from routing.geo import Point, cell_of
from service import privacy
from service.keys import Keys
from service.worker import Worker
from tests.factories import Town, change_pickup, list_pickup, reload
from tests.planning import asked
from tests.service.test_worker import Outbox

EXACT = Point(3.561234, 98.871234)
NEAR = Point(3.56, 98.87)
MONTH = timedelta(days=30)


async def long_ago(town: Town, pickup: Pickup, days: int) -> None:
    """As if it had ended so many days ago."""
    then = utc_now() - timedelta(days=days)
    await change_pickup(
        town,
        pickup.id,
        status=PickupStatus.EXPIRED,
        created_at=then - timedelta(days=1),
        window_start=then - timedelta(days=1),
        window_end=then,
        closest_m=40,
    )


async def test_a_place_is_forgotten_thirty_days_after_its_pickup_ended(
    town: Town, keys: Keys
) -> None:
    old, young, still_open = [await list_pickup(town, at=EXACT) for _ in range(3)]
    await long_ago(town, old, 31)
    await long_ago(town, young, 29)
    await change_pickup(town, still_open.id, created_at=utc_now() - timedelta(days=40))
    await Worker(town.database, keys, Outbox()).sweep([town.bank_id])
    old, young, still_open = [await reload(town, one) for one in (old, young, still_open)]
    assert (old.lat, old.lon, old.address, old.note, old.closest_m) == (*NEAR, "", "", None)
    assert old.cell == cell_of(NEAR)
    assert old.place_forgotten_at is not None
    for kept in (young, still_open):
        assert (kept.lat, kept.lon, kept.place_forgotten_at) == (*EXACT, None)
        assert kept.address
    assert await privacy.forget_old(town.database, [town.bank_id], utc_now() - MONTH) == 0


async def test_where_a_route_began_and_what_a_plan_was_asked_is_rounded(town: Town) -> None:
    await list_pickup(town, at=EXACT)
    plan = await asked(town)
    async with town.database.transaction() as session:
        began: dict[str, Any] = {"lat": EXACT.lat, "lon": EXACT.lon, "total_m": 1, "total_s": 1}
        session.add(Route(bank_id=town.bank_id, collector_id=town.collector.id, **began))
    later = utc_now() + timedelta(seconds=1)
    assert await privacy.forget_old(town.database, [town.bank_id], later) == 2
    async with town.database.reading() as session:
        of_bank = {"bank_id": town.bank_id}
        kept = (await session.exec(select(Route).filter_by(**of_bank))).one()
        rounded = (await session.exec(select(Plan).filter_by(**of_bank))).one()
    assert (kept.lat, kept.lon) == NEAR
    assert {(stop["lat"], stop["lon"]) for stop in rounded.asked["stops"]} == {NEAR}
    assert rounded.asked["stops"][0]["grams"] == plan.asked["stops"][0]["grams"]
