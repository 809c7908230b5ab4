"""Door grams against station grams: what is within the tolerance, and who brought what."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.apportioning import apportion


class What(NamedTuple):
    """A material in a condition: what a price is for."""

    material: str
    condition: str


class Compared(NamedTuple):
    """One material and condition on both scales, in grams."""

    what: What
    door: int
    station: int


class Custody(NamedTuple):
    """One material in grams: what reached the store, what came on top, what is missing."""

    material: str
    brought: int
    surplus: int
    missing: int


def compared(door: Mapping[What, int], station: Mapping[What, int]) -> list[Compared]:
    """Both scales side by side, in order; what weighed nothing on either is left out."""
    both = [Compared(what, door.get(what, 0), station.get(what, 0)) for what in {*door, *station}]
    return sorted(line for line in both if line.door or line.station)


def is_inside(line: Compared, *, permille: int, grams: int) -> bool:
    """Whether the scales agree within a share of the door's grams or so many grams."""
    difference = abs(line.door - line.station)
    return difference <= grams or difference * 1000 <= line.door * permille


def custody(lines: Sequence[Compared]) -> list[Custody]:
    """What happens to the grams of each material.

    The conditions of a material are one heap: what was clean at the door and is dirty at
    the station is neither missing nor on top.
    """
    sums: dict[str, tuple[int, int]] = {}
    for line in lines:
        door, station = sums.get(line.what.material, (0, 0))
        sums[line.what.material] = (door + line.door, station + line.station)
    return [
        Custody(material, min(door, station), max(station - door, 0), max(door - station, 0))
        for material, (door, station) in sums.items()
    ]


def scaled(door: Sequence[tuple[What, int]], station: Mapping[What, int]) -> list[int]:
    """The grams of each line at the door, made to add up to what the station weighed."""
    grams = [0] * len(door)
    for what in {what for what, _ in door}:
        places = [place for place, line in enumerate(door) if line[0] == what]
        weights = [door[place][1] for place in places]
        # What weighed nothing at the door has no shares; it is a re-grade.
        total = station.get(what, 0) if any(weights) else 0
        for place, share in zip(places, apportion(total, weights), strict=True):
            grams[place] = share
    return grams


def unreached(door: Sequence[tuple[What, int]], station: Mapping[What, int]) -> list[int]:
    """Of each line at the door the grams that never reached the store.

    What is missing of a material is divided among the lines that the station has less of, by
    how much less; what was only graded otherwise did reach it.
    """
    now = scaled(door, station)
    fallen = [max(grams - left, 0) for (_, grams), left in zip(door, now, strict=True)]
    short = [0] * len(door)
    for material in {what.material for what, _ in door}:
        places = [place for place, (what, _) in enumerate(door) if what.material == material]
        found = sum(grams for what, grams in station.items() if what.material == material)
        missing = max(sum(door[place][1] for place in places) - found, 0)
        shares = apportion(missing, [fallen[place] for place in places])
        for place, share in zip(places, shares, strict=True):
            short[place] = share
    return short
