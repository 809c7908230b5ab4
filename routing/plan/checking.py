"""Whether a plan keeps every rule of its problem, whoever worked it out."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from routing.plan.problem import Plan, Problem, Stop, Trip, Vehicle, VehiclePlan, Visit


def check(problem: Problem, plan: Plan) -> list[str]:
    """Return what is wrong with the plan, a sentence each; an empty list if nothing is."""
    return list(_faults(problem, plan))


def _faults(problem: Problem, plan: Plan) -> Iterator[str]:
    yield from _every_stop_once(problem, plan)
    if [one.vehicle for one in plan.vehicles] != [one.key for one in problem.vehicles]:
        yield "the vehicles of the plan are not those of the problem, in their order"
        return
    stops = {stop.key: stop for stop in problem.stops}
    for vehicle, planned in zip(problem.vehicles, plan.vehicles, strict=True):
        if all(visit.stop in stops for trip in planned.trips for visit in trip.visits):
            yield from _vehicle_faults(problem, stops, vehicle, planned)
    yield from _totals(problem, stops, plan)


def _every_stop_once(problem: Problem, plan: Plan) -> Iterator[str]:
    visits = [visit.stop for one in plan.vehicles for trip in one.trips for visit in trip.visits]
    told = Counter([*visits, *(one.stop for one in plan.unserved)])
    known = {stop.key for stop in problem.stops}
    for key in sorted(known - told.keys()):
        yield f"stop {key} is neither served nor said to be left out"
    for key in sorted(told.keys() - known):
        yield f"stop {key} is not of this problem"
    for key, times in sorted(told.items()):
        if times > 1:
            yield f"stop {key} stands in the plan {times} times"


def _vehicle_faults(
    problem: Problem, stops: dict[str, Stop], vehicle: Vehicle, planned: VehiclePlan
) -> Iterator[str]:
    if len(planned.trips) > vehicle.max_trips:
        yield f"vehicle {vehicle.key} makes {len(planned.trips)} trips of {vehicle.max_trips}"
    starts = [vehicle.start, *(problem.bank for _ in planned.trips[1:])]
    for number, (start, trip) in enumerate(zip(starts, planned.trips, strict=False), start=1):
        for fault in _trip_faults(problem, stops, vehicle, start, trip):
            yield f"vehicle {vehicle.key}, trip {number}: {fault}"
    for before, after in pairwise(planned.trips):
        if after.start_s < before.end_s + problem.unload_s:
            yield f"vehicle {vehicle.key} leaves before its load is off"
    if planned.trips and planned.trips[0].start_s < vehicle.shift_start_s:
        yield f"vehicle {vehicle.key} begins before its shift"
    # The last load must be off as well before anybody goes home.
    if planned.trips and planned.trips[-1].end_s + problem.unload_s > vehicle.shift_end_s:
        yield f"vehicle {vehicle.key} is not done by the end of its shift"


def _trip_faults(
    problem: Problem, stops: dict[str, Stop], vehicle: Vehicle, start: int, trip: Trip
) -> Iterator[str]:
    if not trip.visits:
        yield "it visits nobody"
    visited = [stops[visit.stop] for visit in trip.visits]
    if (grams := sum(stop.grams for stop in visited)) != trip.grams:
        yield f"its load is {grams} grams, not {trip.grams}"
    if trip.grams > vehicle.capacity_grams:
        yield f"it carries {trip.grams} grams of {vehicle.capacity_grams}"
    here, left_s = start, trip.start_s
    for stop, visit in zip(visited, trip.visits, strict=True):
        yield from _visit_faults(stop, visit, left_s + problem.seconds[here][stop.index])
        here, left_s = stop.index, visit.departure_s
    if trip.end_s != left_s + problem.seconds[here][problem.bank]:
        yield "it doesn't reach the bank when it says"
    if trip.metres != metres_of(problem, start, visited):
        yield f"it is {metres_of(problem, start, visited)} metres long, not {trip.metres}"


def _visit_faults(stop: Stop, visit: Visit, reached_s: int) -> Iterator[str]:
    if visit.arrival_s != reached_s:
        yield f"stop {stop.key} is reached at {reached_s}, not {visit.arrival_s}"
    if visit.begin_s < visit.arrival_s:
        yield f"stop {stop.key} is begun before anybody is there"
    if not stop.opens_s <= visit.begin_s <= stop.closes_s:
        yield f"stop {stop.key} is begun outside of its window"
    if visit.departure_s != visit.begin_s + stop.service_s:
        yield f"stop {stop.key} is left before or after its time at the door"


def _totals(problem: Problem, stops: dict[str, Stop], plan: Plan) -> Iterator[str]:
    trips = [trip for one in plan.vehicles for trip in one.trips]
    if plan.metres != sum(trip.metres for trip in trips):
        yield "the metres of the plan are not those of its trips"
    if any(visit.stop not in stops for trip in trips for visit in trip.visits):
        return
    driven = sum(
        driven_s(problem, start, [stops[visit.stop] for visit in trip.visits])
        for vehicle, planned in zip(problem.vehicles, plan.vehicles, strict=True)
        for start, trip in zip(
            [vehicle.start, *(problem.bank for _ in planned.trips[1:])], planned.trips, strict=False
        )
    )
    if plan.seconds != driven:
        yield f"the plan drives {driven} seconds, not {plan.seconds}"


def metres_of(problem: Problem, start: int, visited: list[Stop]) -> int:
    """Metres from a start through the stops to the bank."""
    return _along(problem.metres, start, visited, problem.bank)


def driven_s(problem: Problem, start: int, visited: list[Stop]) -> int:
    """Seconds of driving from a start through the stops to the bank, without waits."""
    return _along(problem.seconds, start, visited, problem.bank)


def _along(matrix: list[list[int]], start: int, visited: list[Stop], bank: int) -> int:
    path = [start, *(stop.index for stop in visited), bank]
    return sum(matrix[here][there] for here, there in pairwise(path))
