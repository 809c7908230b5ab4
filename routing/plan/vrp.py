"""PyVRP behind the planners' protocol: an extra, `pip install jumpa-madu[plan]`."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from routing.plan.problem import Cancelled, Plan, Problem, Stop, Vehicle
from routing.plan.timing import plan_of

_TELL_EVERY = 32
_Tour = list[list[Stop]]


class PlannerNotInstalled(Exception):
    """The package that this planner needs isn't there."""


def is_installed() -> bool:
    """Return whether PyVRP can be used."""
    from importlib.util import find_spec  # noqa: PLC0415  Asked for once a plan.

    return find_spec("pyvrp") is not None


class PyVRP:
    """Plans by iterated local search, as good as the budget allows.

    How far it comes in a number of seconds depends on the machine. With `iterations` it
    stops after so many of them instead, if the budget lasts, and then the same problem and
    seed give the same plan everywhere. `clock` says what a second is.
    """

    name = "pyvrp"

    def __init__(
        self, *, iterations: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._iterations = math.inf if iterations is None else iterations
        self._clock = clock

    def plan(
        self,
        problem: Problem,
        *,
        budget_s: float,
        seed: int = 0,
        progress: Callable[[float], bool] = lambda _: True,
    ) -> Plan:
        """Return the plan. Raises PlannerNotInstalled, or Cancelled when `progress` says no."""
        began = self._clock()
        fleet = _fleet_of(problem)
        if not (fleet and problem.stops):
            return plan_of(problem, [[] for _ in problem.vehicles], self.name)
        pyvrp = _package()
        data = _data_of(pyvrp, problem, fleet)
        stop = _Stop(self._clock, began, budget_s, self._iterations, progress)
        result = pyvrp.solve(data, stop=stop, seed=seed, collect_stats=False)
        tours = _tours_of(problem, list(fleet.values()), result.best)
        return plan_of(problem, tours, self.name)


class _Stop:
    """Ends the search in time, and tells how far it is."""

    def __init__(
        self,
        clock: Callable[[], float],
        began: float,
        budget_s: float,
        iterations: float,
        progress: Callable[[float], bool],
    ) -> None:
        self._clock = clock
        self._began = began
        self._budget_s = budget_s
        self._iterations = iterations
        self._progress = progress
        self._done = 0

    def __call__(self, _best_cost: int) -> bool:
        share = max(
            (self._clock() - self._began) / max(self._budget_s, 1e-9),
            self._done / self._iterations,
        )
        if self._done % _TELL_EVERY == 0 and not self._progress(min(share, 1.0)):
            raise Cancelled
        self._done += 1
        return share >= 1.0


def _package() -> Any:
    try:
        import pyvrp  # noqa: PLC0415  An extra, and it brings numpy.
    except ImportError as error:
        raise PlannerNotInstalled("PyVRP is not installed: it is the extra `plan`.") from error
    return pyvrp


def _fleet_of(problem: Problem) -> dict[tuple[int, ...], list[int]]:
    """Which vehicles are alike, by what they can do: the search is faster with few kinds."""
    fleet: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, vehicle in enumerate(problem.vehicles):
        if vehicle.max_trips > 0 and _last_arrival_s(problem, vehicle) >= vehicle.shift_start_s:
            fleet[_abilities(problem, vehicle)].append(number)
    return fleet


def _abilities(problem: Problem, vehicle: Vehicle) -> tuple[int, ...]:
    return (
        vehicle.start,
        vehicle.shift_start_s,
        _last_arrival_s(problem, vehicle),
        vehicle.capacity_grams,
        vehicle.max_trips,
    )


def _last_arrival_s(problem: Problem, vehicle: Vehicle) -> int:
    """When it must be at the bank for the last time, to be empty by the end of its shift."""
    return vehicle.shift_end_s - problem.unload_s


def _data_of(pyvrp: Any, problem: Problem, fleet: Mapping[tuple[int, ...], Sequence[int]]) -> Any:
    """The problem in PyVRP's terms: it drives seconds, and collects prizes in seconds."""
    import numpy as np  # noqa: PLC0415  PyVRP brings it.

    starts = sorted({kind[0] for kind in fleet})
    seconds = np.array(problem.seconds, dtype=np.int64)
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in problem.seconds],
        clients=[_client(pyvrp, stop) for stop in problem.stops],
        # The time to unload stands before a trip, so it is the reload's, not the start's.
        depots=[
            pyvrp.Depot(problem.bank, service_duration=problem.unload_s),
            pyvrp.Depot(problem.bank),
            *(pyvrp.Depot(start) for start in starts),
        ],
        vehicle_types=[
            _vehicle_type(pyvrp, kind, 2 + starts.index(kind[0]), len(numbers))
            for kind, numbers in fleet.items()
        ],
        distance_matrices=[seconds],
        duration_matrices=[seconds],
    )


def _client(pyvrp: Any, stop: Stop) -> Any:
    return pyvrp.Client(
        stop.index,
        pickup=[stop.grams],
        service_duration=stop.service_s,
        tw_early=stop.opens_s,
        tw_late=stop.closes_s,
        prize=stop.prize,
        required=False,
    )


def _vehicle_type(pyvrp: Any, kind: tuple[int, ...], start: int, count: int) -> Any:
    _, shift_start_s, last_arrival_s, capacity_grams, max_trips = kind
    return pyvrp.VehicleType(
        num_available=count,
        capacity=[capacity_grams],
        start_depot=start,
        end_depot=1,
        tw_early=shift_start_s,
        tw_late=last_arrival_s,
        reload_depots=[0] if max_trips > 1 else [],
        max_reloads=max_trips - 1,
    )


def _tours_of(problem: Problem, fleet: Sequence[Sequence[int]], best: Any) -> list[_Tour]:
    """The tours of the best solution, each given to one of the vehicles of its kind."""
    tours: list[_Tour] = [[] for _ in problem.vehicles]
    if not best.is_feasible():
        return tours
    free = [iter(numbers) for numbers in fleet]
    for route in best.routes():
        tours[next(free[route.vehicle_type()])] = _tour_of(problem, route)
    return tours


def _tour_of(problem: Problem, route: Any) -> _Tour:
    trips: _Tour = [[]]
    for activity in route.schedule():
        if activity.is_depot():
            trips.append([])
        elif activity.is_client():
            trips[-1].append(problem.stops[activity.idx])
    return [trip for trip in trips if trip]
