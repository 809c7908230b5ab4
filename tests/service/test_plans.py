"""Plans: frozen when asked for, worked out apart, ended once, given out once."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.event import Event
from models.people import Role
from models.pickup import Pickup, PickupStatus, Route
from models.plan import Plan, PlanStatus
from routing.geo import Point
from routing.plan import Cancelled, Problem
from routing.plan import Plan as Routes
from service import claims, plans
from service.database import Database
from service.plans import records, solving
from tests import factories
from tests.factories import LUBUK_PAKAM, Town
from tests.planning import a_vehicle, an_ask, asked, found, visited, worked
from tests.races import slower_of


def north(metres: float) -> Point:
    return Point(LUBUK_PAKAM.lat + metres / 111_195, LUBUK_PAKAM.lon)


async def change(town: Town, plan: Plan, **values: object) -> None:
    async with town.database.transaction() as session:
        await session.exec(
            update(Plan)
            .where(col(Plan.bank_id) == town.bank_id, col(Plan.id) == plan.id)
            .values(**values)
        )


async def test_what_is_open_today_is_planned(town: Town) -> None:
    near = await factories.list_pickup(town, at=north(500))
    far = await factories.list_pickup(town, at=north(4_000))
    await factories.claim_pickup(town, await factories.list_pickup(town))
    plan = await worked(town)
    assert (plan.status, plan.progress_permille, plan.failure) == ("done", 1000, "")
    assert visited(plan) == [str(near.id), str(far.id)]
    assert plan.result is not None
    assert plan.result["roads"] == "estimate"
    first = plan.result["vehicles"][0]["trips"][0]["visits"][0]
    assert first["leg_m"] == pytest.approx(1.45 * 500 + 250, abs=5)
    assert first["load_grams"] == 5_000


async def test_roads_are_as_long_as_the_bank_says(database: Database) -> None:
    town = await factories.make_town(database, road_factor=2.0, road_extra_m=1_000.0)
    await factories.list_pickup(town, at=north(500))
    plan = await worked(town)
    assert plan.result is not None
    assert plan.result["metres"] == pytest.approx(2 * 2_000, abs=5)


async def test_it_can_be_about_some_pickups_only(town: Town) -> None:
    one = await factories.list_pickup(town)
    await factories.list_pickup(town)
    plan = await worked(town, an_ask(town, pickup_ids=[one.id]))
    assert visited(plan) == [str(one.id)]


async def test_what_was_asked_stays_as_it_was(town: Town) -> None:
    one = await factories.list_pickup(town)
    plan = await asked(town)
    await factories.list_pickup(town)
    await plans.Desk(town.database).work_one([town.bank_id])
    assert visited(await found(town, plan.id)) == [str(one.id)]


async def test_what_is_left_out_says_why(town: Town) -> None:
    heavy = await factories.list_pickup(town, grams=400_000)
    plan = await worked(town)
    assert plan.result is not None
    assert plan.result["unserved"] == [{"pickup_id": str(heavy.id), "why": "too_heavy"}]


async def test_no_stop_is_begun_before_now(town: Town) -> None:
    await factories.list_pickup(town)
    early = a_vehicle(town.collector, now=utc_now() - timedelta(minutes=1))
    plan = await worked(town, an_ask(town, vehicles=[early]))
    assert plan.result is not None
    starts = datetime.fromisoformat(plan.result["vehicles"][0]["trips"][0]["starts"])
    assert starts >= plan.created_at - timedelta(seconds=1)


async def test_the_extra_plans_as_well(town: Town) -> None:
    for metres in (300, 600, 900):
        await factories.list_pickup(town, at=north(metres))
    plan = await worked(town, an_ask(town, planner="pyvrp", budget_s=1))
    assert plan.status == "done"
    assert len(visited(plan)) == 3


async def test_nothing_open_is_nothing_to_plan(town: Town) -> None:
    with pytest.raises(plans.NothingToPlan):
        await asked(town)


async def test_too_many_stops_are_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.plans.asking.MOST_STOPS", 1)
    await factories.list_pickup(town)
    await factories.list_pickup(town)
    with pytest.raises(plans.TooManyStops):
        await asked(town)


async def test_drivers_are_the_banks_collectors_once_each(town: Town) -> None:
    await factories.list_pickup(town)
    for drivers in ((town.resident,), (town.collector, town.collector)):
        with pytest.raises(plans.NotTheirCollector) as refusal:
            await asked(town, an_ask(town, *drivers))
        assert refusal.value.fields[0].pointer == f"/vehicles/{len(drivers) - 1}/collector_id"


@pytest.mark.parametrize(
    ("begins", "lasts"), [(0, 0), (0, -1), (0, 25), (-30, 8), (30, 8)], ids=str
)
async def test_a_shift_is_of_the_day_and_forwards(town: Town, begins: int, lasts: int) -> None:
    await factories.list_pickup(town)
    start = utc_now() + timedelta(hours=begins)
    wrong = replace(
        a_vehicle(town.collector), shift_start=start, shift_end=start + timedelta(hours=lasts)
    )
    with pytest.raises(plans.WrongShift):
        await asked(town, an_ask(town, vehicles=[wrong]))


async def test_a_planner_that_breaks_a_rule_fails(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless:
        def plan(self, _problem: Problem, **_options: object) -> Routes:
            return Routes((), (), 0, 0, "careless")

    monkeypatch.setitem(solving.PLANNERS, "nearest_first", Careless)
    await factories.list_pickup(town)
    plan = await worked(town)
    assert (plan.status, plan.result) == ("failed", None)
    assert "neither served" in plan.failure


async def test_a_worker_that_died_is_followed_by_another(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await asked(town)
    async with town.database.transaction() as session:
        dead = await records.take(session, [town.bank_id])
    assert dead is not None
    assert not await plans.Desk(town.database).work_one([town.bank_id])
    await change(town, plan, due_at=utc_now() - timedelta(seconds=1))
    assert await plans.Desk(town.database).work_one([town.bank_id])
    assert (await found(town, plan.id)).fence == 2
    async with town.database.transaction() as session:
        assert not await records.go_on(session, dead, 500)
        assert not await records.end(session, dead, PlanStatus.FAILED, failure="too late")
    assert (await found(town, plan.id)).status == "done"


async def test_a_plan_that_kills_its_workers_is_given_up(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await asked(town)
    await change(town, plan, fence=records.MOST_TAKINGS, status="running")
    assert await plans.Desk(town.database).work_one([town.bank_id])
    assert (await found(town, plan.id)).status == "failed"


async def test_who_waits_is_cancelled_at_once(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await asked(town)
    await cancel(town, plan)
    assert (await found(town, plan.id)).status == "cancelled"
    assert not await plans.Desk(town.database).work_one([town.bank_id])
    with pytest.raises(plans.PlanEnded):
        await cancel(town, plan)


async def cancel(town: Town, plan: Plan) -> None:
    async with town.database.transaction() as session:
        await plans.cancel(session, await plans.find(session, town.bank_id, plan.id))


async def until(town: Town, plan: Plan, holds: Callable[[Plan], bool]) -> None:
    for _ in range(1_000):
        if holds(await found(town, plan.id)):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("The plan never came so far.")


class Endless:
    """Plans until somebody says that it isn't wanted any more."""

    def plan(
        self, _problem: Problem, *, progress: Callable[[float], bool], **_options: object
    ) -> Routes:
        while progress(0.25):
            threading.Event().wait(0.01)
        raise Cancelled


async def test_what_is_under_way_tells_how_far_it_is_and_can_be_cancelled(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(solving.PLANNERS, "nearest_first", Endless)
    monkeypatch.setattr("service.plans.working.PAUSE_S", 0.02)
    await factories.list_pickup(town)
    plan = await asked(town)
    work = asyncio.create_task(plans.Desk(town.database).work_one([town.bank_id]))
    await until(town, plan, lambda one: one.progress_permille == 250)
    await cancel(town, plan)
    await asyncio.wait_for(work, 10)
    ended = await found(town, plan.id)
    assert (ended.status, ended.result) == ("cancelled", None)


async def test_a_worker_that_stops_leaves_the_plan_to_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(solving.PLANNERS, "nearest_first", Endless)
    monkeypatch.setattr("service.plans.working.PAUSE_S", 0.02)
    await factories.list_pickup(town)
    plan = await asked(town)
    stop = asyncio.Event()
    work = asyncio.create_task(plans.Desk(town.database).work_one([town.bank_id], stop))
    await until(town, plan, lambda one: one.status == "running")
    stop.set()
    await asyncio.wait_for(work, 10)
    assert (await found(town, plan.id)).status == "running"


async def test_who_asked_hears_of_the_end(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await worked(town)
    async with town.database.reading() as session:
        query = select(Event).where(Event.bank_id == town.bank_id, Event.kind == "plan_ended")
        (event,) = await session.exec(query)
    assert event.person_id == town.operator.id
    assert str(plan.id) in event.body


async def apply(town: Town, plan: Plan) -> plans.Applied:
    async with town.database.transaction() as session:
        fresh = await plans.find(session, town.bank_id, plan.id)
        return await plans.apply(session, fresh, by=town.operator.id)


async def test_its_stops_become_the_collectors_routes(database: Database) -> None:
    town = await factories.make_town(database, max_held_jobs=1)
    listed = [await factories.list_pickup(town, at=north(100 * n)) for n in range(1, 7)]
    second = await factories.another(town, Role.COLLECTOR)
    vehicles = [
        a_vehicle(one, capacity_grams=15_000, max_trips=1) for one in (town.collector, second)
    ]
    plan = await worked(town, an_ask(town, vehicles=vehicles))
    applied = await apply(town, plan)
    assert set(applied.given) == {pickup.id for pickup in listed}
    assert applied.not_open == []
    held = [await factories.reload(town, pickup) for pickup in listed]
    assert {pickup.status for pickup in held} == {PickupStatus.CLAIMED}
    assert {pickup.collector_id for pickup in held} == {town.collector.id, second.id}
    assert {pickup.route_id for pickup in held} == set(applied.route_ids)
    assert all(pickup.claimed_until and pickup.claimed_until > utc_now() for pickup in held)
    async with database.reading() as session:
        routes = list(await session.exec(select(Route).where(Route.bank_id == town.bank_id)))
    assert {route.id for route in routes} == set(applied.route_ids)
    for route in routes:
        theirs = sorted(p.route_sequence or 0 for p in held if p.route_id == route.id)
        assert theirs == list(range(1, len(theirs) + 1))


async def test_what_somebody_has_by_now_stays_theirs(town: Town) -> None:
    one, other = await factories.list_pickup(town), await factories.list_pickup(town)
    plan = await worked(town)
    second = await factories.another(town, Role.COLLECTOR)
    await factories.claim_pickup(town, one, by=second)
    applied = await apply(town, plan)
    assert (applied.given, applied.not_open) == ([other.id], [one.id])
    assert (await factories.reload(town, one)).collector_id == second.id


async def test_a_plan_is_given_out_once_and_only_when_it_is_done(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await asked(town)
    with pytest.raises(plans.PlanNotDone):
        await apply(town, plan)
    assert (await found(town, plan.id)).applied_at is None
    await plans.Desk(town.database).work_one([town.bank_id])
    await apply(town, plan)
    with pytest.raises(plans.PlanAlreadyApplied):
        await apply(town, plan)


async def test_given_out_by_two_at_once_it_is_given_out_once(town: Town) -> None:
    await factories.list_pickup(town)
    plan = await worked(town)

    async def give(session: AsyncSession) -> None:
        fresh = await plans.find(session, town.bank_id, plan.id)
        await plans.apply(session, fresh, by=town.operator.id)

    assert isinstance(await slower_of(town, give, give), plans.PlanAlreadyApplied)


async def test_cancelled_while_it_ends_one_of_them_counts(town: Town) -> None:
    await factories.list_pickup(town)
    await asked(town)
    async with town.database.transaction() as session:
        plan = await records.take(session, [town.bank_id])
    assert plan is not None

    async def end(session: AsyncSession) -> None:
        assert await records.end(session, plan, PlanStatus.FAILED, failure="x")

    async def stop(session: AsyncSession) -> None:
        await plans.cancel(session, await plans.find(session, town.bank_id, plan.id))

    assert isinstance(await slower_of(town, end, stop), plans.PlanEnded)


async def test_a_claim_first_and_then_the_plan(town: Town) -> None:
    """On PostgreSQL the plan skips what is being claimed; on SQLite it comes after."""
    pickup = await factories.list_pickup(town)
    plan = await worked(town)
    second = await factories.another(town, Role.COLLECTOR)
    async with town.database.transaction() as session:
        fresh = await factories.attached(session, pickup)
        await claims.claim(session, fresh, second.id)
        giving = asyncio.create_task(apply(town, plan))
        await asyncio.sleep(0.2)
    applied = await asyncio.wait_for(giving, 10)
    assert (applied.given, applied.not_open) == ([], [pickup.id])


async def test_the_plan_first_and_then_a_claim(town: Town) -> None:
    pickup = await factories.list_pickup(town)
    plan = await worked(town)
    second = await factories.another(town, Role.COLLECTOR)

    async def give(session: AsyncSession) -> None:
        fresh = await plans.find(session, town.bank_id, plan.id)
        assert (await plans.apply(session, fresh, by=town.operator.id)).given

    async def claim(session: AsyncSession) -> None:
        query = select(Pickup).where(Pickup.bank_id == town.bank_id, Pickup.id == pickup.id)
        await claims.claim(session, (await session.exec(query)).one(), second.id)

    refusal = await slower_of(town, give, claim)
    assert isinstance(refusal, claims.PickupAlreadyClaimed)
