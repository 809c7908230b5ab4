"""Who waits how long when collectors take the nearest job, and when waiting counts.

python3 run.py bench fairness [--days 10] [--seeds 1 2 3] [--loads 1.6 2.05 2.9]

A simulated town: 20 collectors, most jobs in clusters, 12 % of them 12 to 25 km out; 20 km/h,
roads 1.3 times as long as lines, six minutes at the door. What is still open at the end counts with
the time it has waited until then. The same jobs come in both runs.
"""

import argparse
import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

from bench.support.figures import figure
from bench.support.rounds import p99
from routing.nearest import Ageing

COLLECTORS = 20
_DETOUR, _M_PER_S, _DOOR_S = 1.3, 20 / 3.6, 360.0
_FAR, _DAY_S, _TOWN_M = 0.12, 86_400.0, 6_000.0
_RULES = {"nearest": Ageing(tau_s=math.inf), "aged": Ageing()}


@dataclass(frozen=True, slots=True)
class Job:
    """A job: when it is listed, and where, in metres from the middle of the town."""

    listed_s: float
    x: float
    y: float
    is_far: bool


@dataclass(slots=True)
class Outcome:
    """What came of a run: hours waited near and far, kilometres, and how many were served."""

    near: list[float] = field(default_factory=list)
    far: list[float] = field(default_factory=list)
    driven_km: float = 0.0
    served: int = 0
    never_far: int = 0

    @property
    def mean_h(self) -> float:
        return mean([*self.near, *self.far])

    @property
    def km_a_job(self) -> float:
        return self.driven_km / self.served


def main() -> None:
    options = _options()
    for load in options.loads:
        found = {
            name: [
                _run(_jobs(load, options.days, seed), options.days, rule) for seed in options.seeds
            ]
            for name, rule in _RULES.items()
        }
        _say(load, found["nearest"], found["aged"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench fairness", description=__doc__)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--loads", type=float, nargs="+", default=[1.6, 2.05, 2.9])
    return parser.parse_args()


def _say(load: float, nearest: Sequence[Outcome], aged: Sequence[Outcome]) -> None:
    for name, runs in (("nearest", nearest), ("aged", aged)):
        key = f"fairness_{load}_{name}"
        figure(f"{key}_mean_h", mean(run.mean_h for run in runs))
        figure(f"{key}_near_p99_h", mean(p99(run.near) for run in runs))
        figure(f"{key}_far_p99_h", mean(p99(run.far) for run in runs))
        figure(f"{key}_km_per_job", mean(run.km_a_job for run in runs))
        figure(f"{key}_far_never", mean(run.never_far / len(run.far) for run in runs))
        figure(f"{key}_served", mean(run.served / _all(run) for run in runs))
    is_tight = load == 2.05
    for name, goal, of in (
        ("far_p99", "<=0.334", lambda run: p99(run.far)),
        ("mean", "<=1.0", lambda run: run.mean_h),
        ("km_per_job", "<=1.02", lambda run: run.km_a_job),
    ):
        ratio = mean(map(of, aged)) / mean(map(of, nearest))
        figure(f"fairness_{load}_{name}_of_nearest", ratio, goal if is_tight else "")


def _all(run: Outcome) -> int:
    return len(run.near) + len(run.far)


def _jobs(load: float, days: int, seed: int) -> list[Job]:
    """Jobs at so many a minute, round the clock."""
    chance = random.Random(seed)
    centres = [_disc(chance, 0, _TOWN_M) for _ in range(25)]
    jobs, now = [], 0.0
    while (now := now + chance.expovariate(load / 60)) < days * _DAY_S:
        if chance.random() < _FAR:
            jobs.append(Job(now, *_disc(chance, 12_000, 25_000), is_far=True))
        else:
            x, y = chance.choice(centres)
            jobs.append(Job(now, chance.gauss(x, 700), chance.gauss(y, 700), is_far=False))
    return jobs


def _disc(chance: random.Random, inner: float, outer: float) -> tuple[float, float]:
    """Somewhere in a ring, as likely in each part of it."""
    far = math.sqrt(chance.uniform(inner**2, outer**2))
    turn = chance.uniform(0, 2 * math.pi)
    return far * math.cos(turn), far * math.sin(turn)


def _run(jobs: Sequence[Job], days: int, rule: Ageing) -> Outcome:
    """Whoever is free takes the best open job; where nothing is open they wait for the next."""
    outcome, open_jobs, listed = Outcome(), set[int](), 0
    free = [(0.0, number, 0.0, 0.0) for number in range(COLLECTORS)]
    end = days * _DAY_S
    while free[0][0] < end:
        now, number, x, y = heapq.heappop(free)
        while listed < len(jobs) and jobs[listed].listed_s <= now:
            open_jobs.add(listed)
            listed += 1
        if not open_jobs:
            until = jobs[listed].listed_s if listed < len(jobs) else end
            heapq.heappush(free, (until, number, x, y))
            continue
        taken = min(open_jobs, key=lambda one: (_score(rule, jobs[one], now, x, y), one))
        open_jobs.remove(taken)
        job = jobs[taken]
        road_m = _DETOUR * math.hypot(job.x - x, job.y - y)
        arrives = now + road_m / _M_PER_S
        outcome.driven_km += road_m / 1_000
        outcome.served += 1
        _note(outcome, job, arrives - job.listed_s)
        heapq.heappush(free, (arrives + _DOOR_S, number, job.x, job.y))
    for one in [*open_jobs, *range(listed, len(jobs))]:
        outcome.never_far += jobs[one].is_far
        _note(outcome, jobs[one], end - jobs[one].listed_s)
    return outcome


def _score(rule: Ageing, job: Job, now: float, x: float, y: float) -> float:
    return rule.score(math.hypot(job.x - x, job.y - y), now - job.listed_s)


def _note(outcome: Outcome, job: Job, waited_s: float) -> None:
    (outcome.far if job.is_far else outcome.near).append(waited_s / 3_600)


if __name__ == "__main__":
    main()
