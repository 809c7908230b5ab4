"""The k best, against looking at everything."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.geo import HALF_GLOBE_M, Point, cell_of, metres_between, metres_inside
from routing.nearest import About, Ageing, Found, Ranked, Spot, Worth, best
from tests.routing.places import MEDAN, bearings, beyond, centres

NEAREST = Ageing(tau_s=math.inf)
HOUR_S = 3_600.0


@dataclass(frozen=True)
class Job:
    number: int
    point: Point
    age_s: float = 0.0


def spot(job: Job) -> Spot[int]:
    return Spot(job.number, *job.point, job.age_s)


def _degrees(here: Point, job: Job) -> float:
    return math.hypot(job.point.lat - here.lat, job.point.lon - here.lon)


@dataclass
class Table:
    """A source as a database would be one: it finds jobs by their cells alone."""

    jobs: list[Job]
    discs: list[int] = field(default_factory=list)
    oldest_asked: list[int] = field(default_factory=list)

    async def within(
        self, ranges: list[tuple[int, int]], worth: Worth | None
    ) -> Sequence[Spot[int]]:
        cells = [(cell_of(job.point), job) for job in self.jobs]
        found = [spot(job) for cell, job in cells for a, b in ranges if a <= cell <= b]
        self.discs.append(len(found))
        return found

    async def about(self, here: Point, count: int) -> About[int]:
        return None

    async def oldest(self, count: int) -> Sequence[Spot[int]]:
        self.oldest_asked.append(count)
        return [spot(job) for job in sorted(self.jobs, key=lambda job: -job.age_s)[:count]]


class Choosy(Table):
    """A source that tells of a disc only what is worth it."""

    async def within(
        self, ranges: list[tuple[int, int]], worth: Worth | None
    ) -> Sequence[Spot[int]]:
        if worth is None:
            return await super().within(ranges, worth)
        lat, lon, edge, near, per_s = worth
        reaches = {job.number: min(edge, near + per_s * max(job.age_s, 0)) for job in self.jobs}
        near_by = [
            job for job in self.jobs if _degrees(Point(lat, lon), job) <= reaches[job.number]
        ]
        found = await Table(near_by).within(ranges, worth)
        self.discs.append(len(found))
        return found


class Plane(Table):
    """A source that also finds the nearest as if the globe were flat."""

    async def about(self, here: Point, count: int) -> About[int]:
        near = sorted(self.jobs, key=lambda job: _degrees(here, job))[:count]
        if len(near) < count:
            return [spot(job) for job in near], math.inf
        return [spot(job) for job in near], metres_inside(here, _degrees(here, near[-1]))


def looked_at_all(
    jobs: list[Job], here: Point, k: int, within_m: float, ageing: Ageing
) -> list[Ranked[int]]:
    ranked = []
    for job in jobs:
        distance_m = metres_between(here, job.point)
        score = ageing.score(distance_m, job.age_s)
        ranked.append(Ranked(job.number, job.point, distance_m, job.age_s, score))
    inside = [each for each in ranked if each.distance_m <= within_m]
    return sorted(inside, key=lambda each: (each.score, each.distance_m, each.key))[:k]


def around_medan(distances_m: list[float], age_s: Callable[[int], float]) -> list[Job]:
    places = [beyond(MEDAN, number, metres) for number, metres in enumerate(distances_m)]
    return [Job(number, place, age_s(number)) for number, place in enumerate(places)]


async def search(table: Table, ageing: Ageing, k: int = 3, within_m: float = 25_000) -> Found[int]:
    return await best(table, MEDAN, k=k, within_m=within_m, ageing=ageing)


def numbers(found: Found[int]) -> list[int]:
    return [ranked.key for ranked in found.ranked]


distances_m = st.one_of(
    st.sampled_from([0.0, 50.0, 100.0, 900.0]), st.floats(0, 3_000), st.floats(0, 60_000)
)
ages_s = st.one_of(
    st.sampled_from([0.0, HOUR_S, 48 * HOUR_S]), st.floats(-60, 200_000), st.just(1e12)
)
taus_s = st.sampled_from([math.inf, 14_400.0, 60.0, 1e9])
floors_m = st.sampled_from([500.0, 0.0, 1.0, 1e20])


@pytest.mark.parametrize("source", [Table, Choosy, Plane])
@given(
    here=centres,
    spread=st.lists(st.tuples(bearings, distances_m, ages_s), max_size=90),
    same_age=st.booleans(),
    k=st.integers(1, 12),
    within_m=st.one_of(st.floats(0, 70_000), st.sampled_from([0.0, 25_000.0, math.inf])),
    ageing=st.builds(Ageing, floors_m, taus_s),
    first_radius_m=st.sampled_from([100.0, 1.0, 5_000.0]),
)
async def test_the_answer_is_that_of_looking_at_everything(
    *,
    source: type[Table],
    here: Point,
    spread: list[tuple[float, float, float]],
    same_age: bool,
    k: int,
    within_m: float,
    ageing: Ageing,
    first_radius_m: float,
) -> None:
    jobs = [
        Job(number, beyond(here, bearing, metres), 60.0 if same_age else age_s)
        for number, (bearing, metres, age_s) in enumerate(spread)
    ]
    found = await best(
        source(jobs),
        here,
        k=k,
        within_m=within_m,
        ageing=ageing,
        first_radius_m=first_radius_m,
    )
    assert found.ranked == looked_at_all(jobs, here, k, within_m, ageing)


@pytest.mark.parametrize("source", [Table, Choosy, Plane])
@given(
    here=centres,
    seed=st.integers(0, 2**32),
    count=st.integers(0, 500),
    spread_m=st.sampled_from([0.0, 300.0, 5_000.0, 60_000.0]),
    oldest_s=st.sampled_from([0.0, 600.0, 200_000.0]),
    old=st.integers(0, 300),
    k=st.integers(1, 40),
    within_m=st.sampled_from([1_000.0, 25_000.0, math.inf]),
    ageing=st.builds(Ageing, floors_m, taus_s),
)
async def test_the_answer_for_a_crowd_is_that_of_looking_at_everything(
    *,
    source: type[Table],
    here: Point,
    seed: int,
    count: int,
    spread_m: float,
    oldest_s: float,
    old: int,
    k: int,
    within_m: float,
    ageing: Ageing,
) -> None:
    # Drawn one by one, so many numbers would take hypothesis ten times as long as the search.
    numbers = random.Random(seed)
    jobs = [
        Job(
            number,
            beyond(here, numbers.uniform(0, 7), spread_m * numbers.random() ** 2),
            oldest_s * numbers.random() ** 4,
        )
        for number in range(count)
    ]
    # Farther away, and perhaps too far, many that have waited for days.
    jobs += [
        Job(
            count + number,
            beyond(here, numbers.uniform(0, 7), numbers.uniform(500, 30_000)),
            numbers.uniform(10_000, 400_000),
        )
        for number in range(old)
    ]
    found = await best(source(jobs), here, k=k, within_m=within_m, ageing=ageing)
    assert found.ranked == looked_at_all(jobs, here, k, within_m, ageing)


@pytest.mark.parametrize("ageing", [NEAREST, Ageing(), Ageing(0.0, 3_600.0)])
@pytest.mark.parametrize("age", ["none", "equal", "mixed", "far are old"])
async def test_a_busy_town_is_answered_as_exactly(ageing: Ageing, age: str) -> None:
    ages: dict[str, Callable[[int], float]] = {
        "none": lambda number: 0.0,
        "equal": lambda number: HOUR_S,
        "mixed": lambda number: (number * 7919) % 172_800,
        "far are old": lambda number: number * 60.0,
    }
    jobs = around_medan([(number % 1_000) * 17.0 for number in range(2_000)], ages[age])
    for k in (1, 10, 100):
        found = await search(Table(jobs), ageing, k=k)
        assert found.ranked == looked_at_all(jobs, MEDAN, k, 25_000, ageing)


async def test_jobs_at_one_spot_come_in_the_order_of_their_keys() -> None:
    jobs = [Job(number, MEDAN) for number in (5, 3, 9, 1)]
    assert numbers(await search(Table(jobs), NEAREST)) == [1, 3, 5]


async def test_of_equal_scores_the_nearer_comes_first() -> None:
    # Both score 1000: one is 500 m away and new, one 1500 m away and has waited one tau.
    near, far = (beyond(MEDAN, 0.0, metres) for metres in (500.0, 1_500.0))
    distances = metres_between(MEDAN, near), metres_between(MEDAN, far)
    ageing = Ageing(floor_m=distances[1] - 2 * distances[0], tau_s=60.0)
    jobs = [Job(1, far, 60.0), Job(2, near, 0.0)]
    found = await search(Table(jobs), ageing)
    assert found.ranked[0].score == pytest.approx(found.ranked[1].score)
    assert found.ranked == looked_at_all(jobs, MEDAN, 3, 25_000, ageing)


@dataclass
class Same:
    """A source that always answers the same."""

    spots: list[Spot[UUID]]

    async def within(
        self, ranges: list[tuple[int, int]], worth: Worth | None
    ) -> Sequence[Spot[UUID]]:
        return self.spots

    async def about(self, here: Point, count: int) -> About[UUID]:
        return None

    async def oldest(self, count: int) -> Sequence[Spot[UUID]]:
        return self.spots[:count]


async def test_keys_can_be_uuids() -> None:
    low, high = UUID(int=1), UUID(int=2)
    source = Same([Spot(high, *MEDAN, 0.0), Spot(low, *MEDAN, 0.0)])
    found = await best(source, MEDAN, k=2, within_m=10, ageing=Ageing())
    assert [one.key for one in found.ranked] == [low, high]


async def test_nearest_first_never_asks_for_the_oldest() -> None:
    table = Table(around_medan([1_000.0 * number for number in range(40)], lambda _: HOUR_S))
    assert numbers(await search(table, NEAREST)) == [0, 1, 2]
    assert table.oldest_asked == []


async def test_nothing_outside_the_limit_is_found_however_old() -> None:
    table = Table(around_medan([900.0, 1_100.0], lambda number: number * 1e9))
    assert numbers(await search(table, Ageing(), within_m=1_000)) == [0]


async def test_an_old_far_job_beats_a_new_near_one() -> None:
    table = Table(around_medan([300.0, 20_000.0], lambda number: number * 200 * HOUR_S))
    assert numbers(await search(table, Ageing())) == [1, 0]


async def test_an_empty_source_has_no_best() -> None:
    for ageing in (NEAREST, Ageing()):
        found = await search(Table([]), ageing)
        assert (found.ranked, found.seen) == ([], 0)


async def test_a_handful_of_jobs_takes_one_question() -> None:
    table = Table(around_medan([20_000.0, 300.0], lambda _: 0.0))
    found = await search(table, Ageing())
    assert (numbers(found), table.discs, found.radius_m) == ([1, 0], [], 0.0)


async def test_a_near_answer_needs_no_wide_disc() -> None:
    near = [10.0 * number for number in range(10)]
    table = Table(around_medan(near + [15_000.0] * 500, lambda _: 0.0))
    found = await search(table, NEAREST, within_m=math.inf)
    assert found.radius_m < 300
    assert found.seen < 50


async def test_the_next_search_about_here_takes_one_disc() -> None:
    table = Table(around_medan([400 + 2.0 * number for number in range(2_000)], float))
    first = await search(table, Ageing(), k=10)
    assert len(table.discs) > 2
    table.discs.clear()
    again = await best(
        table, MEDAN, k=10, within_m=25_000, ageing=Ageing(), first_radius_m=first.next_m
    )
    assert again.ranked == first.ranked
    assert len(table.discs) == 1
    assert again.seen < first.seen


async def test_of_a_wide_disc_little_is_worth_to_be_told() -> None:
    jobs = around_medan([400 + 2.0 * number for number in range(2_000)], lambda n: float(n % 900))
    told = await search(Table(jobs), Ageing(), k=10)
    worth = await search(Choosy(jobs), Ageing(), k=10)
    assert worth.ranked == told.ranked
    assert worth.seen < told.seen * 2 / 3


@pytest.mark.parametrize("k", [1, 3])
async def test_what_waits_beyond_the_reach_hides_nothing_within_it(k: int) -> None:
    old = [Job(number, beyond(MEDAN, number, 11_000), 3 * 24 * HOUR_S) for number in range(140)]
    new = Job(140, beyond(MEDAN, 0, 1_000))
    assert numbers(await search(Choosy([*old, new]), Ageing(), k=k, within_m=2_000)) == [140]


async def test_what_mattered_only_when_the_unseen_turned_out_younger_is_found() -> None:
    near = [(100.0, 100 * HOUR_S)] * 3 + [(300.0, HOUR_S)]
    far = [(20_000.0, 100 * HOUR_S)] * 17 + [(24_000.0, 1.5 * HOUR_S)] * 20
    jobs = [
        Job(number, beyond(MEDAN, number, metres), age_s)
        for number, (metres, age_s) in enumerate(near + far)
    ]
    table = Choosy(jobs)
    found = await search(table, Ageing(), k=10)
    assert found.ranked == looked_at_all(jobs, MEDAN, 10, 25_000, Ageing())
    assert (table.oldest_asked, 3 in numbers(found)) == ([20, 40], True)


async def test_a_reach_of_nearly_nothing_is_one() -> None:
    found = await search(Table(around_medan([0.0] * 40, float)), NEAREST, within_m=1e-200)
    assert found.next_m <= 1


async def test_nothing_is_learnt_where_the_oldest_are_all_there_are() -> None:
    assert (await search(Table(around_medan([300.0], float)), Ageing())).next_m == 0


async def test_a_search_without_a_limit_ends_at_the_antipode() -> None:
    table = Table(around_medan([50.0, 5e6], lambda _: 0.0))
    found = await search(table, NEAREST, k=3, within_m=math.inf)
    assert (numbers(found), found.radius_m) == ([0, 1], HALF_GLOBE_M)
    assert len(table.discs) < 15


async def test_a_few_very_old_jobs_do_not_force_a_wide_disc() -> None:
    far = around_medan([20_000.0] * 100, lambda number: (100 + number) * HOUR_S)
    near = around_medan([5.0 * number for number in range(3_000)], lambda _: 60.0)
    jobs = [Job(number, job.point, job.age_s) for number, job in enumerate(far + near)]
    found = await search(Table(jobs), Ageing(floor_m=10.0), k=10)
    assert found.ranked == looked_at_all(jobs, MEDAN, 10, 25_000, Ageing(floor_m=10.0))
    assert found.seen < len(jobs) / 10
    assert found.next_m < 1_000


@given(
    radius_m=st.floats(2_000, 9_000),
    step_m=st.floats(0, 600),
    worse=st.floats(1, 1.1),
    old_s=st.floats(0, 100_000),
)
async def test_the_best_just_outside_the_first_disc_is_not_missed(
    radius_m: float, step_m: float, worse: float, old_s: float
) -> None:
    ageing = Ageing()
    outside = Job(0, beyond(MEDAN, 0.0, radius_m + step_m), old_s)
    rival_m = worse * ageing.score(radius_m + step_m, old_s) - ageing.floor_m
    rival = Job(1, beyond(MEDAN, 0.0, max(0.0, min(rival_m, radius_m))))
    far = [Job(number, beyond(MEDAN, 0.0, 24_000.0), old_s) for number in range(2, 200)]
    jobs = [*far, rival, outside]
    table = Table(jobs)
    found = await best(
        table,
        MEDAN,
        k=1,
        within_m=23_000,
        ageing=ageing,
        first_radius_m=radius_m,
    )
    assert found.ranked == looked_at_all(jobs, MEDAN, 1, 23_000, ageing)


async def test_an_unseen_job_of_equal_score_but_nearer_wins() -> None:
    # So high a floor that distance is lost in it: equally old jobs have equal scores.
    ageing = Ageing(floor_m=1e23)
    table = Table(around_medan([10_000.0] * 40 + [2_000.0], lambda _: HOUR_S))
    found = await search(table, ageing, k=1)
    assert found.ranked[0].score == ageing.score(10_000.0, HOUR_S)
    assert numbers(found) == [40]


async def test_an_item_seen_both_ways_counts_once() -> None:
    table = Table(around_medan([10.0] * 100, lambda number: HOUR_S * number))
    found = await search(table, Ageing(), k=10)
    assert found.seen == len(table.jobs)
    assert len(set(numbers(found))) == 10


@pytest.mark.parametrize(
    ("k", "within_m", "first_radius_m"),
    [(0, 1.0, 1.0), (-1, 1.0, 1.0), (1, -1.0, 1.0), (1, math.nan, 1.0), (1, 1.0, 0.0)],
)
async def test_a_search_that_makes_no_sense_is_refused(
    k: int, within_m: float, first_radius_m: float
) -> None:
    with pytest.raises(ValueError, match="A search needs"):
        await best(
            Table([]),
            MEDAN,
            k=k,
            within_m=within_m,
            ageing=NEAREST,
            first_radius_m=first_radius_m,
        )


@pytest.mark.parametrize(("floor_m", "tau_s"), [(-1.0, 1.0), (1.0, 0.0), (math.nan, 1.0)])
def test_ageing_that_makes_no_sense_is_refused(floor_m: float, tau_s: float) -> None:
    with pytest.raises(ValueError, match="Ageing needs"):
        Ageing(floor_m, tau_s)


@given(metres=st.floats(0, 1e7), age_s=st.floats(0, 1e7))
def test_reach_undoes_score(metres: float, age_s: float) -> None:
    ageing = Ageing()
    reach_m = ageing.reach_m(ageing.score(metres, age_s), age_s)
    assert reach_m == pytest.approx(metres, abs=1e-6)


def test_a_job_a_kilometre_away_passes_any_new_one_after_eight_hours() -> None:
    ageing = Ageing()
    assert ageing.score(1_000, 8 * HOUR_S) == ageing.score(0, 0)
    assert ageing.score(1_000, 8.1 * HOUR_S) < ageing.score(0, 0)


def test_an_age_below_zero_is_none() -> None:
    assert Ageing().score(100, -1e9) == Ageing().score(100, 0)
