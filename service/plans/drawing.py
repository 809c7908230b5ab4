"""A plan as a picture and as GeoJSON, one colour a vehicle. No name, phone or address."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from models.bank import Bank
from models.plan import Plan
from routing.geo import Point
from routing.picture import DrawnRoute, DrawnStop, draw
from service.claims import WORDS, feature, km_of, label_of
from service.plans.records import PlanNotDone

_TITLES = {"id": "Rencana {day}", "en": "Plan of {day}"}
_VEHICLES = {"id": "Kendaraan {n}: {km}", "en": "Vehicle {n}: {km}"}


def picture_of(plan: Plan, bank: Bank, language: str) -> str:
    """The plan as an SVG. Raises PlanNotDone."""
    result, places = _result(plan), _places(plan)
    zone = ZoneInfo(bank.time_zone)
    loads = {one["collector_id"]: one["capacity_grams"] for one in plan.asked["vehicles"]}
    routes = []
    for number, vehicle in enumerate(result["vehicles"], start=1):
        full, count = loads[vehicle["collector_id"]], 0
        trips: list[list[DrawnStop]] = []
        for trip in vehicle["trips"]:
            visits = trip["visits"]
            trips.append(
                [
                    DrawnStop(
                        places[visit["pickup_id"]],
                        count + n,
                        _label(visit, zone, language),
                        visit["load_grams"] / full,
                    )
                    for n, visit in enumerate(visits, 1)
                ]
            )
            count += len(visits)
        metres = sum(trip["metres"] for trip in vehicle["trips"])
        name = _VEHICLES[language].format(n=number, km=km_of(metres, language))
        routes.append(DrawnRoute(name, _start(plan, number - 1), trips))
    return draw(
        _TITLES[language].format(day=plan.day.isoformat()),
        Point(plan.asked["bank"]["lat"], plan.asked["bank"]["lon"]),
        routes,
        WORDS[language],
        [places[one["pickup_id"]] for one in result["unserved"]],
    )


def geojson_of(plan: Plan) -> dict[str, Any]:
    """A line for each trip and a point for each visit. Raises PlanNotDone."""
    result, places = _result(plan), _places(plan)
    bank = [plan.asked["bank"]["lon"], plan.asked["bank"]["lat"]]
    features = []
    for number, vehicle in enumerate(result["vehicles"]):
        here = _lon_lat(_start(plan, number))
        for trip_number, trip in enumerate(vehicle["trips"], start=1):
            facts = {"collector_id": vehicle["collector_id"], "trip": trip_number}
            path = [_lon_lat(places[visit["pickup_id"]]) for visit in trip["visits"]]
            features.append(feature("LineString", [here, *path, bank], {"kind": "trip", **facts}))
            for place, visit in zip(path, trip["visits"], strict=True):
                features.append(feature("Point", place, {"kind": "visit", **facts, **visit}))
            here = bank
    for one in result["unserved"]:
        place = _lon_lat(places[one["pickup_id"]])
        features.append(feature("Point", place, {"kind": "unserved", **one}))
    return {"type": "FeatureCollection", "features": features}


def _result(plan: Plan) -> dict[str, Any]:
    if plan.result is None:
        raise PlanNotDone(status=plan.status)
    return plan.result


def _places(plan: Plan) -> dict[str, Point]:
    return {one["pickup_id"]: Point(one["lat"], one["lon"]) for one in plan.asked["stops"]}


def _start(plan: Plan, number: int) -> Point:
    vehicle = plan.asked["vehicles"][number]
    return Point(vehicle["lat"], vehicle["lon"])


def _lon_lat(point: Point) -> list[float]:
    return [point.lon, point.lat]


def _label(visit: dict[str, Any], zone: ZoneInfo, language: str) -> str:
    there, begin = (
        datetime.fromisoformat(visit[instant]).astimezone(zone) for instant in ("arrival", "begin")
    )
    return label_of(there, begin, visit["load_grams"], language)
