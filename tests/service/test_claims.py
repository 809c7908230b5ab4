"""The board and claims: who may fetch what, for how long, and how it comes back."""

from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from models.base import utc_now
from models.people import Person, Role
from models.pickup import Pickup, PickupStatus, Refusal
from routing.geo import Point, about, metres_between
from service import claims
from service.claims import (
    ClaimExpired,
    NoOpenPickup,
    PickupAlreadyClaimed,
    PickupNotOpen,
    TooManyGramsHeld,
    TooManyJobsHeld,
    Wish,
)
from service.database import Database
from service.errors import WaitsForOperator
from tests import factories
from tests.factories import LUBUK_PAKAM, Town, make_town


def north(metres: float) -> Point:
    return Point(LUBUK_PAKAM.lat + metres / 111_195, LUBUK_PAKAM.lon)


async def board(town: Town, *, limit: int = 50, within_m: float | None = None) -> list[claims.Job]:
    async with town.database.reading() as session:
        return await claims.nearest(
            session,
            [town.bank_id],
            town.collector.id,
            LUBUK_PAKAM,
            limit=limit,
            within_m=within_m,
        )


async def take(town: Town, wish: Wish, *, by: Person | None = None) -> claims.Drive:
    async with town.database.transaction() as session:
        collector = by or town.collector
        return await claims.claim_nearest(session, [town.bank_id], collector.id, wish)


async def change(town: Town, pickup: Pickup, **values: object) -> None:
    async with town.database.transaction() as session:
        await session.exec(
            update(Pickup)
            .where(col(Pickup.bank_id) == town.bank_id, col(Pickup.id) == pickup.id)
            .values(**values)
        )


async def claim(town: Town, pickup: Pickup, *, by: Person | None = None) -> Pickup:
    return await factories.claim_pickup(town, pickup, by=by)


async def give_back(town: Town, pickup: Pickup) -> None:
    async with town.database.transaction() as session:
        fresh = await factories.attached(session, pickup)
        await claims.release(session, fresh, town.collector.id, reason="ban bocor")


async def test_the_board_is_nearest_first(town: Town) -> None:
    listed = [await factories.list_pickup(town, at=north(d)) for d in (3_000, 100, 900)]
    jobs = await board(town)
    assert [job.pickup.id for job in jobs] == [listed[1].id, listed[2].id, listed[0].id]
    assert jobs[0].distance_m == metres_between(LUBUK_PAKAM, about(north(100)))


async def test_a_far_job_that_waited_comes_before_a_near_new_one(town: Town) -> None:
    far = await factories.list_pickup(town, at=north(2_000))
    near = await factories.list_pickup(town, at=north(500))
    await change(town, far, created_at=utc_now() - timedelta(hours=8))
    assert [job.pickup.id for job in await board(town)] == [far.id, near.id]


async def test_without_ageing_only_the_distance_counts(database: Database) -> None:
    town = await make_town(database, age_tau_s=0)
    far = await factories.list_pickup(town, at=north(2_000))
    near = await factories.list_pickup(town, at=north(500))
    await change(town, far, created_at=utc_now() - timedelta(days=30))
    assert [job.pickup.id for job in await board(town)] == [near.id, far.id]


async def test_the_board_equals_looking_at_every_job(town: Town) -> None:
    for number in range(60):
        place = Point(3.50 + 0.0019 * (number % 8), 98.80 + 0.0131 * (number % 11))
        await factories.list_pickup(town, at=place)
    jobs = await board(town, limit=10, within_m=9_000)
    async with town.database.reading() as session:
        query = select(Pickup).where(Pickup.bank_id == town.bank_id)
        everything = list(await session.exec(query))
    now = utc_now()

    def told_m(pickup: Pickup) -> float:
        return metres_between(LUBUK_PAKAM, about(Point(pickup.lat, pickup.lon)))

    def score(pickup: Pickup) -> float:
        age_s = (now - pickup.created_at).total_seconds()
        return (told_m(pickup) + 500) / (1 + age_s / 14_400)

    within = [pickup for pickup in everything if told_m(pickup) <= 9_000]
    expected = sorted(within, key=score)[:10]
    assert [round(score(job.pickup)) for job in jobs] == [round(score(p)) for p in expected]


async def test_a_job_out_of_reach_is_not_on_the_board(town: Town) -> None:
    await factories.list_pickup(town, at=north(2_000))
    assert await board(town, within_m=1_000) == []


async def test_a_job_of_another_shift_is_not_on_the_board_yet(town: Town) -> None:
    today, later = [await factories.list_pickup(town) for _ in range(2)]
    now = utc_now()
    await change(town, today, window_start=now + timedelta(hours=11))
    await change(town, later, window_start=now + timedelta(hours=13))
    assert [job.pickup.id for job in await board(town)] == [today.id]
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=2, capacity_grams=None))
    assert [stop.pickup.id for stop in drive.stops] == [today.id]


async def test_the_server_claims_several_and_orders_the_drive(town: Town) -> None:
    for distance in (900, 100, 500):
        await factories.list_pickup(town, at=north(distance))
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=3, capacity_grams=None))
    assert [stop.sequence for stop in drive.stops] == [1, 2, 3]
    assert len({stop.pickup.id for stop in drive.stops}) == 3
    etas = [stop.eta for stop in drive.stops]
    assert etas == sorted(etas)
    assert drive.route.total_m > sum(stop.leg_m for stop in drive.stops)
    held = [await factories.reload(town, stop.pickup) for stop in drive.stops]
    assert {pickup.status for pickup in held} == {"claimed"}
    assert {pickup.route_id for pickup in held} == {drive.route.id}
    assert all(
        pickup.claimed_until and pickup.claimed_until > stop.eta
        for pickup, stop in zip(held, drive.stops, strict=True)
    )


async def test_what_does_not_fit_on_the_vehicle_is_left(town: Town) -> None:
    await factories.list_pickup(town, at=north(100), grams=60_000)
    small = await factories.list_pickup(town, at=north(200), grams=30_000)
    other = await factories.list_pickup(town, at=north(300), grams=15_000)
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=3, capacity_grams=50_000))
    assert {stop.pickup.id for stop in drive.stops} == {small.id, other.id}


async def test_no_open_job_is_said_so(town: Town) -> None:
    with pytest.raises(NoOpenPickup):
        await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None))


async def test_a_collector_holds_only_so_many(database: Database) -> None:
    town = await make_town(database, max_held_jobs=2)
    listed = [await factories.list_pickup(town) for _ in range(3)]
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=3, capacity_grams=None))
    assert len(drive.stops) == 2
    with pytest.raises(TooManyJobsHeld):
        await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None))
    left = {pickup.id for pickup in listed} - {stop.pickup.id for stop in drive.stops}
    (last,) = [pickup for pickup in listed if pickup.id in left]
    with pytest.raises(TooManyJobsHeld):
        await claim(town, last)


async def test_claiming_what_one_holds_changes_nothing(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    again = await claim(town, pickup)
    assert (again.claim_number, again.claimed_until) == (1, pickup.claimed_until)


async def test_what_another_holds_can_not_be_claimed(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    other = await factories.another(town, Role.COLLECTOR)
    with pytest.raises(PickupAlreadyClaimed):
        await claim(town, pickup, by=other)


async def test_a_lapsed_claim_can_be_taken_over_under_a_new_number(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await change(town, pickup, claimed_until=utc_now() - timedelta(seconds=1))
    other = await factories.another(town, Role.COLLECTOR)
    taken = await claim(town, pickup, by=other)
    assert (taken.collector_id, taken.claim_number) == (other.id, 2)


async def test_a_lapsed_claim_comes_back_as_old_as_it_was(town: Town) -> None:
    listed = await factories.list_pickup(town)
    pickup = await claim(town, listed)
    await change(town, pickup, claimed_until=utc_now() - timedelta(seconds=1))
    async with town.database.transaction() as session:
        assert await claims.sweep(session, [town.bank_id]) == 1
        assert await claims.sweep(session, [town.bank_id]) == 0
    fresh = await factories.reload(town, pickup)
    assert (fresh.status, fresh.collector_id) == (PickupStatus.OPEN, None)
    assert fresh.created_at == listed.created_at


async def test_a_running_claim_is_not_swept(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    async with town.database.transaction() as session:
        assert await claims.sweep(session, [town.bank_id]) == 0
    assert (await factories.reload(town, pickup)).status == PickupStatus.CLAIMED


async def test_a_claim_whose_code_is_locked_waits_for_the_operator(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await change(town, pickup, claimed_until=utc_now() - timedelta(hours=1), code_tries=5)
    async with town.database.transaction() as session:
        assert await claims.sweep(session, [town.bank_id]) == 0
    with pytest.raises(PickupAlreadyClaimed):
        await claim(town, pickup, by=await factories.another(town, Role.COLLECTOR))


async def test_a_job_given_back_is_not_offered_again_that_day(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await give_back(town, pickup)
    assert (await factories.reload(town, pickup)).status == PickupStatus.OPEN
    assert await board(town) == []
    with pytest.raises(NoOpenPickup):
        await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None))
    other = await factories.another(town, Role.COLLECTOR)
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None), by=other)
    assert drive.stops[0].pickup.id == pickup.id


async def test_the_next_day_it_is_offered_again(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await give_back(town, pickup)
    async with town.database.transaction() as session:
        await session.exec(
            update(Refusal)
            .where(col(Refusal.bank_id) == town.bank_id)
            .values(refused_on=(utc_now() - timedelta(days=2)).date())
        )
    assert [job.pickup.id for job in await board(town)] == [pickup.id]


async def test_a_locked_job_can_not_be_given_back(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await change(town, pickup, code_tries=5)
    with pytest.raises(WaitsForOperator):
        await give_back(town, pickup)
    assert (await factories.reload(town, pickup)).status == PickupStatus.CLAIMED


async def test_what_is_not_held_can_not_be_given_back(town: Town) -> None:
    pickup = await factories.list_pickup(town)
    with pytest.raises(ClaimExpired):
        await give_back(town, pickup)


async def test_arriving_makes_the_lease_longer_and_notes_how_far_off(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await change(town, pickup, claimed_until=utc_now() + timedelta(minutes=1))
    async with town.database.transaction() as session:
        fresh = await factories.attached(session, pickup)
        await claims.arrive(session, fresh, town.collector.id, north(40))
    assert fresh.status == PickupStatus.ARRIVED
    assert fresh.arrived_off_m == pytest.approx(40, abs=1)
    assert fresh.claimed_until is not None
    assert fresh.claimed_until > utc_now() + timedelta(minutes=25)


async def test_arriving_again_does_not_hide_how_far_off_the_first_time_was(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    async with town.database.transaction() as session:
        fresh = await factories.attached(session, pickup)
        await claims.arrive(session, fresh, town.collector.id, north(10_000))
        first = (fresh.arrived_at, fresh.arrived_off_m, fresh.claimed_until)
        await claims.arrive(session, fresh, town.collector.id, north(0))
    assert fresh.arrived_off_m == pytest.approx(10_000, rel=0.01)
    assert (fresh.arrived_at, fresh.arrived_off_m, fresh.claimed_until) == first


async def test_a_cancelled_pickup_can_not_be_claimed(town: Town) -> None:
    pickup = await factories.list_pickup(town)
    await change(town, pickup, status=PickupStatus.CANCELLED)
    with pytest.raises(PickupNotOpen):
        await claim(town, pickup)


async def test_the_way_to_a_job_counts_if_the_server_knows_it(town: Town) -> None:
    pickup = await factories.list_pickup(town, at=north(1_000))
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None))
    claimed = await factories.reload(town, pickup)
    assert claimed.leg_m == drive.stops[0].leg_m == pytest.approx(1_700, abs=10)
    await change(town, pickup, claimed_until=utc_now() - timedelta(seconds=1))
    other = await factories.another(town, Role.COLLECTOR)
    await claim(town, pickup, by=other)
    assert (await factories.reload(town, pickup)).leg_m is None


async def test_where_a_collector_says_they_are_earns_no_more_than_the_way_from_the_bank(
    town: Town,
) -> None:
    pickup = await factories.list_pickup(town, at=north(1_000))
    drive = await take(town, Wish(north(21_000), max_jobs=1, capacity_grams=None))
    assert drive.stops[0].leg_m > 25_000
    assert (await factories.reload(town, pickup)).leg_m == pytest.approx(1_700, abs=10)


async def test_a_collector_holds_only_so_many_kilograms(database: Database) -> None:
    town = await make_town(database, max_held_grams=100_000)
    heavy, light, more = [
        await factories.list_pickup(town, grams=grams) for grams in (70_000, 30_000, 1_000)
    ]
    drive = await take(town, Wish(LUBUK_PAKAM, max_jobs=3, capacity_grams=None))
    taken = {stop.pickup.id for stop in drive.stops}
    left = [pickup for pickup in (heavy, light, more) if pickup.id not in taken]
    assert sum(stop.pickup.estimated_grams for stop in drive.stops) <= 100_000
    assert len(left) == 1
    with pytest.raises(TooManyGramsHeld, match="100 kg"):
        await claim(town, await factories.list_pickup(town, grams=90_000))
    with pytest.raises(NoOpenPickup):
        await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=200_000, within_m=1))


async def test_one_that_is_too_heavy_may_be_fetched_alone(database: Database) -> None:
    town = await make_town(database, max_held_grams=100_000)
    heavy = await factories.list_pickup(town, grams=150_000)
    with pytest.raises(NoOpenPickup):
        await take(town, Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None))
    assert (await claim(town, heavy)).status == "claimed"
    with pytest.raises(TooManyGramsHeld):
        await claim(town, await factories.list_pickup(town, grams=1_000))


async def closer(town: Town, pickup: Pickup, here: Point) -> Pickup:
    async with town.database.transaction() as session:
        found = await factories.reload(town, pickup)
        session.add(found)
        return await claims.come_closer(session, found, town.collector.id, here)


async def test_coming_closer_makes_the_claim_last(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town, at=north(8_000)))
    soon = utc_now() + timedelta(minutes=5)
    await change(town, pickup, claimed_until=soon)
    assert (await closer(town, pickup, LUBUK_PAKAM)).claimed_until == soon
    nearer = await closer(town, pickup, north(2_000))
    assert nearer.claimed_until is not None
    assert nearer.closest_m == pytest.approx(6_000, abs=20)
    # 6 km are 8.95 km of road at 20 km/h: 26.9 minutes, twice, and a quarter of an hour.
    assert (nearer.claimed_until - utc_now()).total_seconds() == pytest.approx(68.7 * 60, abs=60)


async def test_standing_about_or_turning_back_does_not(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town, at=north(8_000)))
    await closer(town, pickup, north(2_000))
    soon = utc_now() + timedelta(minutes=5)
    await change(town, pickup, claimed_until=soon)
    for place in (north(2_000), north(2_050), north(500), north(14_100)):
        same = await closer(town, pickup, place)
        assert same.claimed_until == soon
        assert same.closest_m == pytest.approx(6_000, abs=20)


async def test_a_claim_that_has_run_out_can_not_be_made_to_last(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town))
    await change(town, pickup, claimed_until=utc_now() - timedelta(seconds=1))
    with pytest.raises(ClaimExpired):
        await closer(town, pickup, LUBUK_PAKAM)


async def test_the_next_holder_begins_anew(town: Town) -> None:
    pickup = await claim(town, await factories.list_pickup(town, at=north(8_000)))
    await closer(town, pickup, north(2_000))
    await change(town, pickup, claimed_until=utc_now() - timedelta(seconds=1))
    async with town.database.transaction() as session:
        await claims.sweep(session, [town.bank_id])
    swept = await factories.reload(town, pickup)
    assert (swept.status, swept.closest_m, swept.created_at) == ("open", None, pickup.created_at)
