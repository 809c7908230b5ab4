"""Routes as a picture: an SVG from which one sees whether an order is sensible.

No map lies under it. North is up, a metre is as long across as up, and a bar says how long.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from routing.geo import Point

_WIDTH, _HEIGHT, _EDGE = 960, 720, 56
_COLOURS = ("#1b6ca8", "#c8553d", "#2e7d32", "#7b3fa0", "#b8860b", "#00838f", "#ad1457", "#5d4037")
_BARS_M = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)
_RADIUS, _SMALL, _MANY = 13, 9, 60
"""Of a stop; with more than so many on the sheet they would hide each other."""
_LATE = "#b00020"
_METRES_A_DEGREE = 111_195
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class DrawnStop:
    """A stop with its number; `label` stands beside it, `load` is 0 to 1 of what fits."""

    point: Point
    number: int
    label: str
    load: float
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class DrawnRoute:
    """One vehicle: where it begins, its trips, and what the legend says of it."""

    name: str
    start: Point
    trips: Sequence[Sequence[DrawnStop]]


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in the picture, in one language."""

    bank: str
    late: str
    left_out: str
    load: str


def draw(
    title: str,
    bank: Point,
    routes: Sequence[DrawnRoute],
    words: Words,
    left_out: Sequence[Point] = (),
) -> str:
    """Return the SVG: a colour a vehicle, lines that grow thicker with the load, numbers in order.

    Lines are straight: they show the order, not the roads.
    """
    view = _View.of([bank, *left_out, *_points(routes)])
    count = sum(len(trip) for route in routes for trip in route.trips)
    radius = _RADIUS if count <= _MANY else _SMALL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="system-ui, sans-serif" role="img" aria-label="{escape(title, quote=True)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fbfaf7"/>',
        *(part for n, route in enumerate(routes) for part in _lines(view, bank, route, _colour(n))),
        *(part for n, one in enumerate(routes) for part in _stops(view, one, _colour(n), radius)),
        *(
            f'<path d="{view.cross(place)}" stroke="#555" stroke-width="3" fill="none"/>'
            for place in left_out
        ),
        _bank(view, bank, words),
        *_labels(view, bank, routes, radius),
        *_legend(title, routes, words, shows_left_out=bool(left_out)),
        _bar(view),
        "</svg>",
    ]
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _View:
    """From places on the globe to places on the sheet."""

    middle: Point
    pixels_a_metre: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> "_View":
        origin = points[0]
        ups = [point.lat for point in points]
        rights = [_nearest_turn(point.lon, origin.lon) for point in points]
        middle = Point((min(ups) + max(ups)) / 2, (min(rights) + max(rights)) / 2)
        tall_m = (max(ups) - min(ups)) * _METRES_A_DEGREE
        wide_m = (max(rights) - min(rights)) * _METRES_A_DEGREE * _squeeze(middle.lat)
        room = _WIDTH - 2 * _EDGE, _HEIGHT - 4 * _EDGE
        return cls(middle, min(room[0] / max(wide_m, 200.0), room[1] / max(tall_m, 200.0)))

    def at(self, point: Point) -> tuple[float, float]:
        right = _nearest_turn(point.lon, self.middle.lon) - self.middle.lon
        x_m = right * _METRES_A_DEGREE * _squeeze(self.middle.lat)
        y_m = (self.middle.lat - point.lat) * _METRES_A_DEGREE
        return (
            round(_WIDTH / 2 + x_m * self.pixels_a_metre, 1),
            round(_HEIGHT / 2 + y_m * self.pixels_a_metre, 1),
        )

    def cross(self, point: Point) -> str:
        x, y = self.at(point)
        return f"M{x - 6} {y - 6}l12 12m0 -12l-12 12"


def _squeeze(lat: float) -> float:
    """How much shorter a degree across is than one up."""
    return max(math.cos(math.radians(lat)), 0.01)


def _nearest_turn(lon: float, other: float) -> float:
    """The longitude, a turn more or less if that is nearer: routes may cross 180 degrees."""
    return other + (lon - other + 180.0) % 360.0 - 180.0


def _points(routes: Sequence[DrawnRoute]) -> Iterator[Point]:
    for route in routes:
        if route.trips:
            yield route.start
        for trip in route.trips:
            yield from (stop.point for stop in trip)


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _lines(view: _View, bank: Point, route: DrawnRoute, colour: str) -> Iterator[str]:
    """The way of the vehicle, thin when empty and thick when full, with an arrow half-way."""
    here = route.start
    for trip in route.trips:
        load = 0.0
        for stop in trip:
            yield from _leg(view.at(here), view.at(stop.point), colour, load)
            here, load = stop.point, stop.load
        yield from _leg(view.at(here), view.at(bank), colour, load, dashed=True)
        here = bank


def _leg(
    a: tuple[float, float],
    b: tuple[float, float],
    colour: str,
    load: float,
    *,
    dashed: bool = False,
) -> Iterator[str]:
    width = round(1.5 + 6 * min(max(load, 0.0), 1.0), 1)
    dash = ' stroke-dasharray="10 6"' if dashed else ""
    yield (
        f'<line x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round" stroke-opacity="0.75"{dash}/>'
    )
    if math.dist(a, b) > 40:
        turn = round(math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])), 1)
        x, y = round((a[0] + b[0]) / 2, 1), round((a[1] + b[1]) / 2, 1)
        yield (
            f'<path d="M-6 -7L8 0L-6 7Z" fill="{colour}" stroke="#fbfaf7" '
            f'transform="translate({x} {y}) rotate({turn})"/>'
        )


def _stops(view: _View, route: DrawnRoute, colour: str, radius: int) -> Iterator[str]:
    if route.trips:
        x, y = view.at(route.start)
        yield f'<circle cx="{x}" cy="{y}" r="7" fill="#fbfaf7" stroke="{colour}" stroke-width="3"/>'
    for trip in route.trips:
        for stops in _heaps(view, trip):
            x, y = view.at(stops[0].point)
            ring = _LATE if any(stop.is_late for stop in stops) else "#fbfaf7"
            yield (
                f'{_shape(x, y, radius, is_one=len(stops) == 1)} fill="{colour}" stroke="{ring}" stroke-width="3"/>'
                f'<text x="{x}" y="{round(y + radius / 3, 1)}" font-size="{radius}" font-weight="700" fill="#fff" '
                f'text-anchor="middle">{_numbers(stops)}</text>'
            )


def _shape(x: float, y: float, radius: int, *, is_one: bool) -> str:
    """A round for one number, twice as wide for two."""
    if is_one:
        return f'<circle cx="{x}" cy="{y}" r="{radius}"'
    left, top = round(x - 2 * radius, 1), round(y - radius, 1)
    size = f'width="{4 * radius}" height="{2 * radius}"'
    return f'<rect x="{left}" y="{top}" {size} rx="{radius}"'


def _heaps(view: _View, trip: Sequence[DrawnStop]) -> Iterator[Sequence[DrawnStop]]:
    """Stops one after the other at one place, which would hide each other."""
    for _, stops in groupby(trip, key=lambda stop: view.at(stop.point)):
        yield list(stops)


def _numbers(stops: Sequence[DrawnStop]) -> str:
    first, last = stops[0].number, stops[-1].number
    return str(first) if first == last else f"{first}–{last}"  # noqa: RUF001  As printers set it.


def _labels(view: _View, bank: Point, routes: Sequence[DrawnRoute], radius: int) -> Iterator[str]:
    """What stands beside the stops, where there is room: no word lies on another or a stop."""
    trips = [trip for route in routes for trip in route.trips]
    # Of several at one place how it is when the last is done.
    stops = [stops[-1] for trip in trips for stops in _heaps(view, trip)]
    x, y = view.at(bank)
    taken = [(x - 50, y - 16, x + 50, y + 34)]
    taken += [_box(*view.at(stop.point), radius, -radius, radius) for stop in stops]
    for stop in stops:
        x, y = view.at(stop.point)
        box = _box(x, y, 3.2 * len(stop.label), 17, 32)
        if not any(_overlap(box, other) for other in taken):
            taken.append(box)
            yield (
                f'<text x="{x}" y="{round(y + 28, 1)}" font-size="11" fill="#333" '
                f'text-anchor="middle" paint-order="stroke" stroke="#fbfaf7" stroke-width="3">'
                f"{escape(stop.label)}</text>"
            )


def _box(x: float, y: float, half: float, top: float, bottom: float) -> _Box:
    return x - half, y + top, x + half, y + bottom


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _bank(view: _View, bank: Point, words: Words) -> str:
    x, y = view.at(bank)
    return (
        f'<path d="M{x - 13} {y + 12}v-14l13 -11l13 11v14z" fill="#222" stroke="#fbfaf7" '
        f'stroke-width="2"/><text x="{x}" y="{y + 28}" font-size="12" font-weight="700" '
        f'text-anchor="middle" paint-order="stroke" stroke="#fbfaf7" stroke-width="3">'
        f"{escape(words.bank)}</text>"
    )


def _legend(
    title: str, routes: Sequence[DrawnRoute], words: Words, *, shows_left_out: bool
) -> Iterator[str]:
    yield f'<text x="20" y="30" font-size="18" font-weight="700">{escape(title)}</text>'
    for number, route in enumerate(routes):
        y = 56 + 20 * number
        yield (
            f'<line x1="20" y1="{y - 4}" x2="48" y2="{y - 4}" stroke="{_colour(number)}" '
            f'stroke-width="5"/><text x="56" y="{y}" font-size="13">{escape(route.name)}</text>'
        )
    notes = [words.load, *([words.left_out] if shows_left_out else [])]
    if any(stop.is_late for route in routes for trip in route.trips for stop in trip):
        notes.append(words.late)
    note = escape(" · ".join(notes))
    yield f'<text x="20" y="{_HEIGHT - 18}" font-size="12" fill="#555">{note}</text>'


def _bar(view: _View) -> str:
    longest = (_WIDTH / 4) / view.pixels_a_metre
    metres = max((one for one in _BARS_M if one <= longest), default=_BARS_M[0])
    width = round(metres * view.pixels_a_metre, 1)
    # Above the notes, which may be as long as the sheet is wide.
    x, y = _WIDTH - 24, _HEIGHT - 48
    said = f"{metres} m" if metres < 1_000 else f"{metres / 1_000:g} km"
    return (
        f'<path d="M{round(x - width, 1)} {y - 6}v6h{width}v-6" fill="none" stroke="#222" '
        f'stroke-width="2"/><text x="{x}" y="{y - 10}" font-size="12" text-anchor="end">{said}</text>'
    )
