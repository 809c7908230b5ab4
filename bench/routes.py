"""How good the order of stops is: single tours and whole fleets against the best known.

python3 run.py bench routes INSTANCES [--seconds 5] [--only tours|monaco|fleets|loop]

INSTANCES is a folder with tsp/, cvrp/ and vrptw/ as TSPLIB, CVRPLIB and Solomon wrote them.
"""

import argparse
import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.support.figures import figure
from bench.support.instances import Instance, read
from routing.geo import Point, metres_between
from routing.plan import Plan, Planner
from routing.plan.checking import check
from routing.plan.nearest import NearestFirst
from routing.plan.vrp import PyVRP
from routing.roads import Router
from routing.roads.osrm import Osrm
from routing.route import Cost, length, nearest_first, order_stops
from tests.routing import osrm

GOALS = {"X-n200-k36": 3.0, "X-n502-k39": 2.0, "R101": 0.5, "RC208": 3.0, "RC2_10_9": 8.0}
"""Percent above the best known, after five seconds of one processor."""
_ASKED, _NO_WAY_S = 80, 3_600
_TOURS = {5: 40, 10: 40, 20: 20, 50: 10, 100: 6}


def main() -> None:
    options = _options()
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "tours": _tours,
        "monaco": _monaco,
        "fleets": _fleets,
        "loop": _loop,
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench routes", description=__doc__)
    parser.add_argument("instances", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", choices=["tours", "monaco", "fleets", "loop"])
    return parser.parse_args()


def _tours(options: argparse.Namespace) -> None:
    """One vehicle: plain Python against the best known, and against a long search."""
    for path in sorted((options.instances / "tsp").glob("*.tsp")):
        instance = read(path)
        cost = _closed(instance.problem.seconds)
        figure(f"routes_{path.stem}_nearest_gap", instance.gap(length(cost, nearest_first(cost))))
        began = time.process_time()
        order = order_stops(cost)
        spent_ms = 1e3 * (time.process_time() - began)
        figure(f"routes_{path.stem}_gap", instance.gap(length(cost, order)), "<=5")
        figure(f"routes_{path.stem}_ms", spent_ms, "<=100")
    for stops, count in _TOURS.items():
        _random_tours("town", stops, count, one_way=1.0)
        _random_tours("one_way", stops, count, one_way=1.2)


def _monaco(_options: argparse.Namespace) -> None:
    """Tours by the one-way times of a real OSRM; left out where its wheel can't be had."""
    with osrm.server() as url:
        if url is None:
            return
        chance, gaps, spent = random.Random(50), [], []
        for _ in range(_TOURS[50]):
            places = [
                Point(chance.uniform(43.727, 43.748), chance.uniform(7.413, 7.437))
                for _ in range(_ASKED)
            ]
            cost = _closed(asyncio.run(_driving_s(url, places)))
            began = time.process_time()
            order = order_stops(cost)
            spent.append(1e3 * (time.process_time() - began))
            gaps.append(100 * (length(cost, order) / _best_of(cost) - 1))
    figure("routes_monaco_50_mean_gap", statistics.mean(gaps), "<=5")
    figure("routes_monaco_50_worst_gap", max(gaps))
    figure("routes_monaco_50_median_ms", statistics.median(spent), "<=100")


async def _driving_s(url: str, places: list[Point]) -> list[list[int]]:
    """Seconds between the first 51 places from which and to which one can drive."""
    async with httpx.AsyncClient() as client:
        cells = (await Router(Osrm(url, client)).table(places)).cells
    near = [n for n, row in enumerate(cells) if sum(drive is None for drive in row) < _ASKED / 2]
    kept = near[:51]
    drives = [[cells[a][b] for b in kept] for a in kept]
    return [[drive.seconds if drive else _NO_WAY_S for drive in row] for row in drives]


def _random_tours(name: str, stops: int, count: int, *, one_way: float) -> None:
    """Tours through a town: how far above a long search they are in the mean."""
    chance, gaps, spent = random.Random(stops), [], []
    for _ in range(count):
        cost = _closed(_town(stops, chance, one_way))
        began = time.process_time()
        order = order_stops(cost)
        spent.append(1e3 * (time.process_time() - began))
        gaps.append(100 * (length(cost, order) / _best_of(cost) - 1))
    goal, within = ("<=1", "<=3") if stops <= 20 else ("<=5", "<=100")
    figure(f"routes_{name}_{stops}_mean_gap", statistics.mean(gaps), goal)
    figure(f"routes_{name}_{stops}_worst_gap", max(gaps))
    figure(f"routes_{name}_{stops}_median_ms", statistics.median(spent), within)


def _town(stops: int, chance: random.Random, one_way: float) -> list[list[int]]:
    """Whole metres between random places; one way costs up to `one_way` times the other."""
    places = [
        Point(3.55 + chance.gauss(0, 0.05), 98.87 + chance.gauss(0, 0.05)) for _ in range(stops + 1)
    ]
    return [
        [
            round(metres_between(a, b) * chance.uniform(1.0, one_way)) if a != b else 0
            for b in places
        ]
        for a in places
    ]


def _closed(seconds: list[list[int]]) -> Cost:
    """The matrix with the start once more as the end."""
    return [[*row, row[0]] for row in [*seconds, seconds[0]]]


def _best_of(cost: Cost) -> int:
    """What a long search finds, or our own order if that is better."""
    import pyvrp  # noqa: PLC0415  Only this part needs it directly.

    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in cost[:-1]]
    depot = model.add_depot(places[0])
    for place in places[1:]:
        model.add_client(place)
    model.add_vehicle_type(start_depot=depot, end_depot=depot)
    for a, here in enumerate(places):
        for b, there in enumerate(places):
            if a != b:
                model.add_edge(here, there, distance=cost[a][b])
    found = model.solve(_Idle(len(cost)), display=False, collect_stats=False)
    return min(int(found.cost()), length(cost, order_stops(cost)))


class _Idle:
    """Stops a search that has found nothing better for a while."""

    def __init__(self, stops: int) -> None:
        self._left = self._patience = 200 + 40 * stops
        self._best = math.inf

    def __call__(self, best_cost: float) -> bool:
        self._left = self._patience if best_cost < self._best else self._left - 1
        self._best = min(best_cost, self._best)
        return self._left < 0


def _fleets(options: argparse.Namespace) -> None:
    """Several vehicles, by the extra, with nearest-first beside it."""
    paths = sorted([*options.instances.glob("cvrp/*.vrp"), *options.instances.glob("vrptw/*.*")])
    for path in paths:
        if path.suffix == ".sol":
            continue
        instance = read(path)
        _fleet(instance, NearestFirst(), options.seconds, "")
        goal = f"<={GOALS[path.stem]}" if path.stem in GOALS and options.seconds <= 5 else ""
        _fleet(instance, PyVRP(clock=time.process_time), options.seconds, goal)


def _fleet(instance: Instance, planner: Planner, seconds: float, goal: str) -> None:
    began = time.process_time()
    plan = planner.plan(instance.problem, budget_s=seconds, seed=1)
    spent = time.process_time() - began
    if faults := check(instance.problem, plan):
        raise SystemExit(f"{planner.name} breaks a rule of {instance.name}: {faults[0]}")
    figure(f"routes_{instance.name}_{planner.name}_cpu_s", spent)
    figure(f"routes_{instance.name}_{planner.name}_unserved", len(plan.unserved))
    if not plan.unserved:
        figure(f"routes_{instance.name}_{planner.name}_gap", instance.gap(plan.seconds), goal)


def _loop(options: argparse.Namespace) -> None:
    """How often an idle event loop ticks, and how often while a plan is worked out."""
    instance = read(options.instances / "vrptw" / "RC2_10_9.vrp")
    idle, busy = asyncio.run(_ticks(instance, options.seconds))
    figure("routes_loop_idle_ticks_per_s", idle)
    figure("routes_loop_planning_ticks_per_s", busy)
    figure("routes_loop_kept", busy / idle, ">=0.5")


async def _ticks(instance: Instance, seconds: float) -> tuple[float, float]:
    async def tick(until: Callable[[], bool]) -> float:
        count, began = 0, time.perf_counter()
        while not until():
            await asyncio.sleep(0.001)
            count += 1
        return count / (time.perf_counter() - began)

    end = time.perf_counter() + seconds
    idle = await tick(lambda: time.perf_counter() > end)
    planning: asyncio.Task[Plan] = asyncio.create_task(
        asyncio.to_thread(PyVRP().plan, instance.problem, budget_s=seconds)
    )
    busy = await tick(planning.done)
    await planning
    return idle, busy


if __name__ == "__main__":
    main()
