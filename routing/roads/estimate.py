"""Road distances from straight lines: an estimate that needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.geo import Point, metres_between
from routing.roads.matrix import Drive, Matrix


@dataclass(frozen=True)
class Estimate:
    """Road metres from the straight line: `factor * d + extra_m`, driven at `speed_kmh`.

    Needs no network. Roads are longer than lines, short ways by more: hence both figures.
    Raises ValueError unless the factor is 1 or more, the extra 0 or more, the speed above 0.
    """

    factor: float = 1.45
    extra_m: float = 250.0
    speed_kmh: float = 20.0

    def __post_init__(self) -> None:
        if not (self.factor >= 1 and self.extra_m >= 0 and self.speed_kmh > 0):
            raise ValueError("An estimate needs a factor of 1, an extra of 0 and a speed above 0.")

    def drive_between(self, a: Point, b: Point) -> Drive:
        """Return metres and seconds of the drive from one to the other."""
        metres = self._metres(a, b)
        return Drive(metres, self._seconds(metres))

    async def matrix(
        self,
        points: Sequence[Point],
        *,
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> Matrix:
        every = range(len(points))
        froms = every if sources is None else sources
        tos = every if targets is None else targets
        metres = [[self._metres(points[a], points[b]) for b in tos] for a in froms]
        seconds = [[self._seconds(drive) for drive in row] for row in metres]
        estimated = [[a != b for b in tos] for a in froms]
        return Matrix(seconds, metres, estimated, source="estimate")

    def _metres(self, a: Point, b: Point) -> int:
        straight_m = metres_between(a, b)
        return round(self.factor * straight_m + self.extra_m) if straight_m > 0 else 0

    def _seconds(self, metres: int) -> int:
        return round(metres * 3.6 / self.speed_kmh)
