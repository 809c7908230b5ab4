"""The clock of a plan: when each vehicle is where, from the order of its stops alone."""

from collections.abc import Sequence

from routing.plan.checking import driven_s, metres_of
from routing.plan.problem import (
    Plan,
    Problem,
    Stop,
    Trip,
    Unserved,
    Vehicle,
    VehiclePlan,
    Visit,
    Why,
)

Tour = Sequence[Sequence[Stop]]
"""The trips of one vehicle, each the stops in their order."""


def timed(problem: Problem, vehicle: Vehicle, tour: Tour) -> VehiclePlan | None:
    """Return the trips with their times, or None if they break a rule.

    Every vehicle leaves as early as it can, and waits where it comes before a window opens.
    """
    if len(tour) > vehicle.max_trips:
        return None
    here, ready_s = vehicle.start, vehicle.shift_start_s
    trips: list[Trip] = []
    for stops in tour:
        trip = _timed_trip(problem, vehicle, here, ready_s, stops)
        if trip is None:
            return None
        trips.append(trip)
        here, ready_s = problem.bank, trip.end_s + problem.unload_s
    return VehiclePlan(vehicle.key, tuple(trips)) if ready_s <= vehicle.shift_end_s else None


def fits(problem: Problem, vehicle: Vehicle, tour: Tour) -> bool:
    """Return whether `timed` would find no rule broken; several times as fast."""
    if len(tour) > vehicle.max_trips:
        return False
    here, now_s = vehicle.start, vehicle.shift_start_s
    for stops in tour:
        room = vehicle.capacity_grams
        for stop in stops:
            now_s = max(now_s + problem.seconds[here][stop.index], stop.opens_s)
            room -= stop.grams
            if now_s > stop.closes_s or room < 0:
                return False
            here, now_s = stop.index, now_s + stop.service_s
        now_s += problem.seconds[here][problem.bank] + problem.unload_s
        here = problem.bank
    return now_s <= vehicle.shift_end_s or not tour


def plan_of(problem: Problem, tours: Sequence[Tour], planner: str) -> Plan:
    """Return the plan of these tours, one a vehicle, each of which must fit.

    Stops that stand in none of them are said to be left out, and why.
    Raises ValueError if a tour breaks a rule.
    """
    planned, metres, seconds = [], 0, 0
    for vehicle, tour in zip(problem.vehicles, tours, strict=True):
        one = timed(problem, vehicle, tour)
        if one is None:
            raise ValueError(f"The tour of vehicle {vehicle.key} breaks a rule of the problem.")
        planned.append(one)
        starts = [vehicle.start, *(problem.bank for _ in tour[1:])]
        for start, stops in zip(starts, tour, strict=False):
            metres += metres_of(problem, start, list(stops))
            seconds += driven_s(problem, start, list(stops))
    served = {stop.key for tour in tours for stops in tour for stop in stops}
    left = tuple(
        Unserved(stop.key, why_not(problem, stop))
        for stop in problem.stops
        if stop.key not in served
    )
    return Plan(tuple(planned), left, metres, seconds, planner)


def why_not(problem: Problem, stop: Stop) -> Why:
    """Return what keeps a stop from being served: itself, or the others."""
    able = [one for one in problem.vehicles if stop.grams <= one.capacity_grams and one.max_trips]
    if not able:
        return Why.TOO_HEAVY
    if not any(fits(problem, vehicle, [[stop]]) for vehicle in able):
        return Why.OUT_OF_TIME
    return Why.NOT_WORTH_IT


def _timed_trip(
    problem: Problem, vehicle: Vehicle, start: int, start_s: int, stops: Sequence[Stop]
) -> Trip | None:
    here, now_s, visits = start, start_s, []
    for stop in stops:
        arrival_s = now_s + problem.seconds[here][stop.index]
        begin_s = max(arrival_s, stop.opens_s)
        if begin_s > stop.closes_s:
            return None
        here, now_s = stop.index, begin_s + stop.service_s
        visits.append(Visit(stop.key, arrival_s, begin_s, now_s))
    grams = sum(stop.grams for stop in stops)
    if grams > vehicle.capacity_grams or not stops:
        return None
    end_s = now_s + problem.seconds[here][problem.bank]
    return Trip(start_s, tuple(visits), end_s, grams, metres_of(problem, start, list(stops)))
