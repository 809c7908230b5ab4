"""Public routing instances, read as problems of ours.

TSPLIB and CVRPLIB round distances to whole numbers; the instances with windows count in
tenths, cut off, as the DIMACS challenge did.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from routing.plan import Problem, Stop, Vehicle

FOREVER = 10**7
_MUST = 10**6
"""A prize above any detour: these instances leave nobody out."""

BEST_KNOWN = {
    "berlin52": 7542,
    "eil51": 426,
    "kroA100": 21282,
    "st70": 675,
    "C101": 827.3,
    "R101": 1637.7,
    "RC208": 776.1,
}
"""Costs without a file of their own: TSPLIB's optima, and Solomon's by the DIMACS rules."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem with the best cost that anybody has published, in its own unit."""

    name: str
    problem: Problem
    best: float
    tenths: bool

    def gap(self, seconds: int) -> float:
        """How far a plan is above it, in percent."""
        cost = seconds / 10 if self.tenths else seconds
        return 100 * (cost / self.best - 1)


def read(path: Path) -> Instance:
    """Read a `.tsp`, `.vrp` or Solomon's `.txt`."""
    problem = _solomon(path) if path.suffix == ".txt" else _sections(path)
    tenths = path.parent.name == "vrptw"
    return Instance(path.stem, problem, _best(path), tenths)


def _best(path: Path) -> float:
    solved = path.with_suffix(".sol")
    if not solved.exists():
        return BEST_KNOWN[path.stem]
    return float(re.findall(r"Cost\s+([\d.]+)", solved.read_text())[-1])


def _solomon(path: Path) -> Problem:
    rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()[4:5]]
    (vehicles, capacity) = rows[0]
    lines = [line.split() for line in path.read_text().splitlines()[9:]]
    places = [[int(word) for word in line] for line in lines if line]
    return _problem(
        [(x, y) for _, x, y, *_ in places],
        [place[3] for place in places],
        [(place[4], place[5]) for place in places],
        places[-1][6],
        vehicles,
        capacity,
    )


def _sections(path: Path) -> Problem:
    text = path.read_text()
    places = _numbers(text, "NODE_COORD_SECTION")
    demands = _numbers(text, "DEMAND_SECTION")
    windows = _numbers(text, "TIME_WINDOW_SECTION")
    count = len(places)
    return _problem(
        [(x, y) for _, x, y in places],
        [int(row[1]) for row in demands] or [1] * count,
        [(int(row[1]), int(row[2])) for row in windows],
        int(_header(text, "SERVICE_TIME", "0")),
        int(_header(text, "VEHICLES", str(_vehicles(path)))),
        int(_header(text, "CAPACITY", str(count))),
    )


def _vehicles(path: Path) -> int:
    """As many as its name says, and some to spare; one for a single tour."""
    named = re.search(r"-k(\d+)", path.stem)
    return int(named.group(1)) + 4 if named else 1


def _header(text: str, name: str, default: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(\S+)", text, re.MULTILINE)
    return found.group(1) if found else default


def _numbers(text: str, section: str) -> list[list[float]]:
    found = re.search(rf"^{section}\s*\n((?:[ \t]*-?[\d.][^\n]*\n)+)", text, re.MULTILINE)
    lines = found.group(1).splitlines() if found else []
    return [[float(word) for word in line.split()] for line in lines]


def _problem(
    places: list[tuple[float, float]],
    demands: list[int],
    windows: list[tuple[int, int]],
    service: int,
    vehicles: int,
    capacity: int,
) -> Problem:
    scale = 10 if windows else 1
    rounded = math.floor if windows else lambda far: math.floor(far + 0.5)
    seconds = [[rounded(scale * math.dist(a, b)) for b in places] for a in places]
    windows = windows or [(0, FOREVER)] * len(places)
    stops = tuple(
        Stop(
            str(index),
            index,
            demands[index],
            scale * service,
            scale * windows[index][0],
            scale * windows[index][1],
            _MUST,
        )
        for index in range(1, len(places))
    )
    shift = 0, scale * windows[0][1]
    fleet = tuple(Vehicle(f"v{n}", 0, *shift, capacity, max_trips=1) for n in range(vehicles))
    return Problem(stops, fleet, 0, seconds, seconds, unload_s=0)
