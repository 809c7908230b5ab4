"""What is asked about roads, and how the answers are held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from routing.geo import Point


class Drive(NamedTuple):
    """One way, as driven: whole metres and whole seconds."""

    metres: int
    seconds: int


class Matrix(NamedTuple):
    """Driving between points: `seconds[a][b]` from a to b, `metres` likewise, whole numbers.

    `estimated[a][b]` is True where no road was measured; `source` names the provider.
    """

    seconds: list[list[int]]
    metres: list[list[int]]
    estimated: list[list[bool]]
    source: str


class DistanceProvider(Protocol):
    """Anything that knows how far it is by road."""

    async def matrix(
        self,
        points: Sequence[Point],
        *,
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> Matrix:
        """Return the drives from every point to every other, in the order given.

        With `sources` or `targets`, indices into the points, only those rows or columns.
        """
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """The drives that are asked for, and those measured so far: None where none is known.

    `cells[row][column]` is the drive from `points[sources[row]]` to `points[targets[column]]`.
    """

    points: Sequence[Point]
    sources: Sequence[int]
    targets: Sequence[int]
    cells: list[list[Drive | None]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", [[None] * len(self.targets) for _ in self.sources])

    @classmethod
    def of(
        cls,
        points: Sequence[Point],
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> "Table":
        every = range(len(points))
        return cls(
            points, every if sources is None else sources, every if targets is None else targets
        )

    @property
    def has_any(self) -> bool:
        """Whether any drive is known; from a point to itself nothing needs measuring."""
        return any(
            cell is not None and a != b
            for a, row in zip(self.sources, self.cells, strict=True)
            for b, cell in zip(self.targets, row, strict=True)
        )

    def measured(self) -> dict[tuple[Point, Point], Drive]:
        """Return every measured drive by its two ends."""
        return {
            (self.points[a], self.points[b]): cell
            for a, row in zip(self.sources, self.cells, strict=True)
            for b, cell in zip(self.targets, row, strict=True)
            if cell is not None
        }


class RoadsFailed(Exception):
    """A router answered, but nothing that can be used."""


class RoadsUnreachable(RoadsFailed):
    """Nobody answers at all, or not in time."""


class Measuring(Protocol):
    """A router: something that measures along real roads, as far as it can."""

    async def fill(self, table: Table) -> None:
        """Measure what can be measured into the cells; what is filled at a failure stays.

        Raises RoadsFailed or RoadsUnreachable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Prefetched:
    """Drives that were measured earlier, and an estimate for all others. Waits for nothing."""

    drives: Mapping[tuple[Point, Point], Drive]
    estimate: DistanceProvider
    source: str = "router"

    async def matrix(
        self,
        points: Sequence[Point],
        *,
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> Matrix:
        guessed = await self.estimate.matrix(points, sources=sources, targets=targets)
        table = Table.of(points, sources, targets)
        for row, a in enumerate(table.sources):
            table.cells[row][:] = [self.drives.get((points[a], points[b])) for b in table.targets]
        return laid_over(guessed, table, self.source)


def laid_over(guessed: Matrix, table: Table, source: str) -> Matrix:
    """Return the estimate with every measured cell put in its place."""
    if not table.has_any:
        return guessed
    for row, cells in enumerate(table.cells):
        for column, drive in enumerate(cells):
            if drive is not None:
                guessed.metres[row][column], guessed.seconds[row][column] = drive
                guessed.estimated[row][column] = False
    return guessed._replace(source=source)
