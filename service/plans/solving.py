"""From what was asked to a problem, and from a plan to what is kept of it. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from models.base import written
from routing.geo import Point
from routing.plan import Plan, Planner, Problem, Stop, Trip, Vehicle
from routing.plan.checking import check
from routing.plan.nearest import NearestFirst
from routing.plan.prizes import prize_of
from routing.plan.vrp import PyVRP
from routing.roads import Matrix

Asked = Mapping[str, Any]
PLANNERS: dict[str, Callable[[], Planner]] = {
    NearestFirst.name: NearestFirst,
    PyVRP.name: PyVRP,
}


class FaultyPlan(Exception):
    """A planner broke a rule of its problem."""


def points_of(asked: Asked) -> list[Point]:
    """The bank, where the vehicles begin, and the stops, in that order."""
    places = [asked["bank"], *asked["vehicles"], *asked["stops"]]
    return [Point(place["lat"], place["lon"]) for place in places]


def problem_of(asked: Asked, matrix: Matrix, now: datetime) -> Problem:
    """The problem in seconds since the day's midnight; nothing begins before now."""
    midnight = datetime.fromisoformat(asked["midnight"])
    now_s = _seconds(midnight, now)
    first_stop = 1 + len(asked["vehicles"])
    return Problem(
        stops=tuple(
            Stop(
                key=stop["pickup_id"],
                index=first_stop + number,
                grams=stop["grams"],
                service_s=asked["service_s"],
                opens_s=_seconds(midnight, datetime.fromisoformat(stop["opens"])),
                closes_s=_seconds(midnight, datetime.fromisoformat(stop["closes"])),
                prize=prize_of((now - datetime.fromisoformat(stop["listed"])).total_seconds()),
            )
            for number, stop in enumerate(asked["stops"])
        ),
        vehicles=tuple(
            Vehicle(
                key=one["collector_id"],
                start=1 + number,
                shift_start_s=max(
                    now_s, _seconds(midnight, datetime.fromisoformat(one["shift_start"]))
                ),
                shift_end_s=_seconds(midnight, datetime.fromisoformat(one["shift_end"])),
                capacity_grams=one["capacity_grams"],
                max_trips=one["max_trips"],
            )
            for number, one in enumerate(asked["vehicles"])
        ),
        bank=0,
        seconds=matrix.seconds,
        metres=matrix.metres,
        unload_s=asked["unload_s"],
    )


def result_of(asked: Asked, problem: Problem, plan: Plan, source: str) -> dict[str, Any]:
    """What is kept of a plan. Raises FaultyPlan if it breaks a rule."""
    if faults := check(problem, plan):
        raise FaultyPlan(faults[0])
    midnight = datetime.fromisoformat(asked["midnight"])
    stops = {stop.key: stop for stop in problem.stops}
    vehicles = []
    for vehicle, planned in zip(problem.vehicles, plan.vehicles, strict=True):
        starts = [vehicle.start, *(problem.bank for _ in planned.trips[1:])]
        trips = [
            _trip(problem, stops, midnight, start, trip)
            for start, trip in zip(starts, planned.trips, strict=False)
        ]
        vehicles.append({"collector_id": vehicle.key, "trips": trips})
    return {
        "planner": plan.planner,
        "roads": source,
        "metres": plan.metres,
        "seconds": plan.seconds,
        "vehicles": vehicles,
        "unserved": [{"pickup_id": one.stop, "why": one.why} for one in plan.unserved],
    }


def _trip(
    problem: Problem, stops: dict[str, Stop], midnight: datetime, start: int, trip: Trip
) -> dict[str, Any]:
    visits, here, load = [], start, 0
    for visit in trip.visits:
        stop = stops[visit.stop]
        load += stop.grams
        visits.append(
            {
                "pickup_id": stop.key,
                "arrival": _instant(midnight, visit.arrival_s),
                "begin": _instant(midnight, visit.begin_s),
                "departure": _instant(midnight, visit.departure_s),
                "leg_m": problem.metres[here][stop.index],
                "load_grams": load,
            }
        )
        here = stop.index
    return {
        "starts": _instant(midnight, trip.start_s),
        "ends": _instant(midnight, trip.end_s),
        "grams": trip.grams,
        "metres": trip.metres,
        "visits": visits,
    }


def _seconds(midnight: datetime, instant: datetime) -> int:
    return round((instant - midnight).total_seconds())


def _instant(midnight: datetime, seconds: int) -> str:
    return written(midnight + timedelta(seconds=seconds))
