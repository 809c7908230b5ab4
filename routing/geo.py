"""Points on the globe, metres between them, and the cells that make them findable."""

import math
from collections.abc import Callable
from typing import NamedTuple

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG), for all great-circle distances."""

HALF_GLOBE_M = math.pi * EARTH_RADIUS_M
"""The distance to the antipode: nothing on the globe is farther away."""

_CELLS_ROUND = 2**26
_CELLS_A_DEGREE = _CELLS_ROUND / 360.0
"""A cell is 0.6 metres high, and as wide at the equator."""

_LAST_COLUMN = _CELLS_ROUND - 1
FEW_BLOCKS, MANY_BLOCKS = 20, 64
_ODD_BITS = 0x5555555555555555

# Rounding in the distance and in the box is far below this, and a cell far above it.
_PAD_M = 1.0
_ROUNDING_M = 0.01
_DECIMALS = 3

ABOUT_M = 100.0
"""A point and what is told of it by `about` are never so far apart."""


class Point(NamedTuple):
    """A place in degrees: latitude -90 to 90, longitude -180 to 180."""

    lat: float
    lon: float


def rounded(point: Point) -> Point:
    """A place to two digits of its degrees: about a kilometre."""
    return Point(round(point.lat, 2), round(point.lon, 2))


def metres_between(a: Point, b: Point) -> float:
    """Return the great-circle distance in metres, by the haversine formula.

    Within 0.6 % of the distance on the ellipsoid.
    """
    return metres_from(a)(b.lat, b.lon)


def metres_from(here: Point) -> Callable[[float, float], float]:
    """Return what measures `metres_between` here and a latitude and a longitude.

    For loops over many places: it does once what is the same for all.
    """
    sin, cos, sqrt, asin, radian = math.sin, math.cos, math.sqrt, math.asin, math.pi / 180
    here_lat, here_lon = here
    half, cos_here = radian / 2, cos(here_lat * radian)

    def metres(lat: float, lon: float) -> float:
        up = sin((lat - here_lat) * half)
        across = sin((lon - here_lon) * half)
        h = up * up + cos_here * cos(lat * radian) * across * across
        return 2 * EARTH_RADIUS_M * asin(sqrt(h if h < 1.0 else 1.0))

    return metres


def about(point: Point) -> Point:
    """Return a place near the point that many others share: to three decimals, 79 m off at most.

    What is told before a claim is measured to it, since distances from several places would
    tell the point itself.
    """
    return Point(round(point.lat, _DECIMALS), round(point.lon, _DECIMALS))


def shown_metres(a: Point, b: Point) -> int:
    """Return the distance on the WGS-84 ellipsoid in whole metres, to show to people.

    About a hundred times slower than `metres_between`: not for loops over candidates.
    """
    # It takes longer to import than most starts may last, and the first use is soon enough.
    from geopy.distance import geodesic  # noqa: PLC0415

    # A tuple of numbers: geopy would parse a string, and strings come from outside.
    metres: float = geodesic((float(a.lat), float(a.lon)), (float(b.lat), float(b.lon))).m
    return round(metres)


def metres_inside(here: Point, degrees: float) -> float:
    """Return a distance in metres that nothing is within which is so many degrees away.

    Degrees as in a plane, by the square root of squared differences of latitude and longitude:
    what an index of flat points sorts by. 0 if nothing can be said, as next to a pole.
    """
    lat, reach = math.radians(abs(here.lat)), math.radians(degrees)
    if not lat + reach < math.pi / 2:
        return 0.0
    # Within the reach the meridians are at least so near to each other as at its far end.
    narrow = math.sqrt(math.cos(lat) * math.cos(lat + reach))
    inside = 2 * math.asin(narrow * math.sin(reach / 2))
    # A plane doesn't know that the other side of the antimeridian is near.
    to_antimeridian = math.radians(180.0 - abs(here.lon))
    if to_antimeridian < math.pi / 2:
        inside = min(inside, math.asin(math.cos(lat) * math.sin(to_antimeridian)))
    return max(0.0, inside * (1 - 1e-9) * EARTH_RADIUS_M - _ROUNDING_M)


def degrees_a_metre(here: Point, radius_m: float) -> float | None:
    """Return how far in a plane of degrees, at most, each metre leads within a radius from here.

    None where there is no telling, as next to a pole or to the antimeridian.
    """
    # Twice as far as need be: the edge of the disc is surely inside.
    wide = 2 * math.degrees(radius_m / EARTH_RADIUS_M) / math.cos(math.radians(here.lat))
    # Nothing that is nearer in the plane is nearer for each degree.
    inside_m = metres_inside(here, wide)
    return wide / inside_m if inside_m > radius_m else None


def cell_of(point: Point) -> int:
    """Return the number of the cell that holds the point.

    The bits of its row, counted from the South Pole, and of its column take turns in it, so
    the cells of a square block, of any size that is a power of two, are one range of numbers.
    Longitudes 180 and -180 are one place and one cell. Raises ValueError off the globe.
    """
    _require_on_globe(point)
    column = _column(-180.0 if point.lon == 180.0 else point.lon)
    return _spread(_row(point.lat)) << 1 | _spread(column)


def cell_ranges(
    centre: Point, radius_m: float, *, most_blocks: int = FEW_BLOCKS
) -> list[tuple[int, int]]:
    """Return inclusive ranges of cell numbers that cover every point within `radius_m`.

    They are ordered and do not overlap, and are few at any radius: the blocks that they are
    made of are as large as the disc lets them be, so they hold points outside it too; fewer
    of those with many blocks, which take longer.
    A radius above half the globe covers all of it.
    Raises ValueError if the radius is negative or no number, or the centre off the globe.
    """
    if not radius_m >= 0:
        raise ValueError("A radius must be zero metres or more.")
    _require_on_globe(centre)
    reach = (min(radius_m, HALF_GLOBE_M) + _PAD_M) / EARTH_RADIUS_M
    south = max(-90.0, centre.lat - math.degrees(reach))
    north = min(90.0, centre.lat + math.degrees(reach))
    all_round = south == -90.0 or north == 90.0
    columns = [(0, _LAST_COLUMN)] if all_round else _columns(centre, reach)
    return _ranges(_row(south), _row(north), columns, most_blocks)


def _ranges(
    south: int, north: int, columns: list[tuple[int, int]], most_blocks: int
) -> list[tuple[int, int]]:
    """Cover rows and columns by the smallest blocks of which few are enough."""
    cells = (north - south + 1) * sum([east - west + 1 for west, east in columns])
    # So large they must be at least; how they lie decides whether that is enough.
    size = max(0, (cells // most_blocks).bit_length() - 1) // 2
    while True:
        up = (north >> size) - (south >> size) + 1
        across = sum([(east >> size) - (west >> size) + 1 for west, east in columns])
        if up * across <= most_blocks:
            break
        size += 1
    rows = [row << 1 for row in _spread_all(south >> size, north >> size)]
    blocks = [
        row | column
        for west, east in columns
        for column in _spread_all(west >> size, east >> size)
        for row in rows
    ]
    return _joined(blocks, 2 * size)


def _joined(blocks: list[int], bits: int) -> list[tuple[int, int]]:
    """The ranges of cells of blocks that have two to the power of `bits` cells each."""
    blocks.sort()
    first = last = blocks[0]
    ranges = []
    for block in blocks:
        if block > last + 1:
            ranges.append((first << bits, (last + 1 << bits) - 1))
            first = block
        last = block
    ranges.append((first << bits, (last + 1 << bits) - 1))
    return ranges


def _columns(centre: Point, reach: float) -> list[tuple[int, int]]:
    """Return the column ranges of a disc, `reach` in radians, that holds no pole."""
    # The disc is widest on the side of the pole, where its edge touches a meridian.
    widest = math.sin(reach) / math.cos(math.radians(centre.lat))
    half = math.degrees(math.asin(min(1.0, widest)))
    west, east = centre.lon - half, centre.lon + half
    # No disc without a pole is wider than half a circle, so the two parts never meet.
    if west <= -180.0:
        return [(0, _column(east)), (_column(west + 360.0), _LAST_COLUMN)]
    if east >= 180.0:
        return [(0, _column(east - 360.0)), (_column(west), _LAST_COLUMN)]
    return [(_column(west), _column(east))]


def _row(lat: float) -> int:
    return math.floor((lat + 90.0) * _CELLS_A_DEGREE)


def _column(lon: float) -> int:
    # Just west of 180 degrees the sum is rounded up to a full circle.
    return min(math.floor((lon + 180.0) * _CELLS_A_DEGREE), _LAST_COLUMN)


def _spread(number: int) -> int:
    """Put a zero before every bit of a number of up to 32 bits."""
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & _ODD_BITS


def _spread_all(first: int, last: int) -> list[int]:
    """Do so for all numbers of a range: less than nothing, borrowed over the zeros, is one more."""
    spread = [_spread(first)]
    for _ in range(last - first):
        spread.append((spread[-1] - _ODD_BITS) & _ODD_BITS)
    return spread


def _require_on_globe(point: Point) -> None:
    if not (-90.0 <= point.lat <= 90.0 and -180.0 <= point.lon <= 180.0):
        raise ValueError("A point needs a latitude of -90 to 90 and a longitude of -180 to 180.")
