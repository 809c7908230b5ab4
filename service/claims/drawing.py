"""Routes and plans as pictures and as GeoJSON. No name, phone or address is in them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models.base import written
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
_STOPS = {"id": ("perhentian", "perhentian"), "en": ("stop", "stops")}
_WAITS = {"id": "{there}, mulai {begin}", "en": "{there}, begins {begin}"}


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
        there, begin = (
            _at(going, seconds).astimezone(zone) for seconds in (halt.arrival_s, halt.begin_s)
        )
        label = label_of(there, begin, pickup.estimated_grams, language)
        load, place = halt.load_grams / most, Point(pickup.lat, pickup.lon)
        trips[-1].append(DrawnStop(place, number, label, load, is_late=halt.late_s > 0))
    metres, grams = going.drive.metres, max(halt.load_grams for _, halt in halts)
    stops = f"{len(going.left)} {_STOPS[language][len(going.left) != 1]}"
    name = f"{km_of(metres, language)} · {stops} · {grams / 1000:.0f} kg"
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
        facts = {
            "kind": "stop" if pickup else "bank",
            "pickup_id": str(pickup.id) if pickup else None,
            "sequence": number if pickup else None,
            "eta": written(_at(going, halt.arrival_s)),
            "begin": written(_at(going, halt.begin_s)),
            "late_min": -(-halt.late_s // 60),
            "load_grams": halt.load_grams,
        }
        features.append(feature("Point", _lon_lat(place), facts))
    line = feature(
        "LineString", [_lon_lat(place) for place in places], {"kind": "route", **_totals(going)}
    )
    return {"type": "FeatureCollection", "features": [line, *features]}


def km_of(metres: int, language: str) -> str:
    """3,4 km; the point is English."""
    return f"{metres / 1000:.1f} km".replace(".", "," if language == "id" else ".")


def label_of(there: datetime, begin: datetime, grams: int, language: str) -> str:
    """When somebody is at a stop, when they begin if they wait until then, and the load."""
    day = "" if begin.date() == there.date() else f"{begin.day}/{begin.month} "
    hours = {"there": f"{there:%H:%M}", "begin": f"{day}{begin:%H:%M}"}
    waits = hours["there"] != hours["begin"]
    said = _WAITS[language].format(**hours) if waits else hours["there"]
    return f"{said} · {grams / 1000:.0f} kg"


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
        "start_is_rounded": going.start_is_rounded,
    }


def _at(going: Running, seconds: int) -> datetime:
    return going.now + timedelta(seconds=seconds)
