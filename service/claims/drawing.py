"""Routes and plans as pictures and as GeoJSON. No name, phone or address is in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from models.pickup import Pickup
from routing.drive import Halt
from routing.geo import Point
from routing.picture import DrawnRoute, DrawnStop, Words, draw
from service.claims.running import Running

WORDS = {
    "id": Words(
        bank="Bank sampah",
        late="lingkar merah: terlambat",
        left_out="silang: tidak dilayani",
        load="garis menebal seiring muatan; garis lurus menunjukkan urutan, bukan jalan",
    ),
    "en": Words(
        bank="Waste bank",
        late="red ring: late",
        left_out="cross: left out",
        load="lines thicken with the load; straight lines show the order, not the roads",
    ),
}
_TITLES = {"id": "Rute", "en": "Route"}


def picture_of(going: Running, language: str) -> str:
    """What is left of a route as an SVG."""
    zone = ZoneInfo(going.bank.time_zone)
    halts = going.halts()
    most = max((halt.load_grams for _, halt in halts), default=0) or 1
    trips: list[list[DrawnStop]] = [[]]
    number = len(going.done)
    for pickup, halt in halts[:-1]:
        if pickup is None:
            trips.append([])
            continue
        number += 1
        trips[-1].append(_drawn(pickup, halt, number, going.now, zone, most))
    metres, grams = going.drive.metres, max(halt.load_grams for _, halt in halts)
    name = f"{metres / 1000:.1f} km · {len(going.left)} · {grams / 1000:.0f} kg"
    route = DrawnRoute(name, going.here, [trip for trip in trips if trip])
    bank = Point(going.bank.lat, going.bank.lon)
    return draw(f"{_TITLES[language]} {str(going.route.id)[-6:]}", bank, [route], WORDS[language])


def geojson_of(going: Running) -> dict[str, Any]:
    """What is left of a route: a line through all halts, and each stop as a point."""
    bank = Point(going.bank.lat, going.bank.lon)
    places, features, number = [going.here], [], len(going.done)
    for pickup, halt in going.halts():
        place = Point(pickup.lat, pickup.lon) if pickup else bank
        places.append(place)
        number += pickup is not None
        eta = going.now.timestamp() + halt.arrival_s
        facts = {
            "kind": "stop" if pickup else "bank",
            "pickup_id": str(pickup.id) if pickup else None,
            "sequence": number if pickup else None,
            "eta": datetime.fromtimestamp(eta, tz=going.now.tzinfo).isoformat(),
            "late_min": -(-halt.late_s // 60),
            "load_grams": halt.load_grams,
        }
        features.append(feature("Point", _lon_lat(place), facts))
    line = feature(
        "LineString", [_lon_lat(place) for place in places], {"kind": "route", **_totals(going)}
    )
    return {"type": "FeatureCollection", "features": [line, *features]}


def feature(kind: str, coordinates: Sequence[Any], facts: dict[str, Any]) -> dict[str, Any]:
    """A feature of GeoJSON (RFC 7946): longitude first."""
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": facts}


def _lon_lat(point: Point) -> list[float]:
    return [point.lon, point.lat]


def _totals(going: Running) -> dict[str, Any]:
    return {
        "route_id": str(going.route.id),
        "total_m": going.drive.metres,
        "total_s": going.drive.seconds,
    }


def _drawn(
    pickup: Pickup, halt: Halt, number: int, now: datetime, zone: ZoneInfo, most: int
) -> DrawnStop:
    begins = datetime.fromtimestamp(now.timestamp() + halt.begin_s, tz=zone)
    return DrawnStop(
        Point(pickup.lat, pickup.lon),
        number,
        f"{begins:%H:%M} · {pickup.estimated_grams / 1000:.0f} kg",
        halt.load_grams / most,
        is_late=halt.late_s > 0,
    )
