"""Corners of the globe where arithmetic that works in Medan goes wrong."""

import math

from hypothesis import strategies as st

from routing.geo import EARTH_RADIUS_M, Point

MEDAN = Point(3.5952, 98.6722)

CENTRES = [
    MEDAN,
    Point(0.0, 0.0),
    Point(60.0, 10.75),
    Point(88.5, -30.0),
    Point(90.0, 0.0),
    Point(-90.0, 45.0),
    Point(89.9999, 179.9999),
    Point(-17.8, 180.0),
    Point(-17.8, -180.0),
    Point(-16.8, 179.9999),
    Point(71.0, -179.99),
]

centres = st.sampled_from(CENTRES)
anywhere = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
bearings = st.floats(0, 2 * math.pi)


def beyond(start: Point, bearing: float, distance_m: float) -> Point:
    """Return the point reached by going straight on from `start` for so many metres."""
    lat, angle = math.radians(start.lat), distance_m / EARTH_RADIUS_M
    up = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing)
    end = math.asin(max(-1.0, min(1.0, up)))
    east = math.sin(bearing) * math.sin(angle) * math.cos(lat)
    turn = math.atan2(east, math.cos(angle) - math.sin(lat) * math.sin(end))
    lon = (start.lon + math.degrees(turn) + 180.0) % 360.0 - 180.0
    return Point(max(-90.0, min(90.0, math.degrees(end))), lon)
