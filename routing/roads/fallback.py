"""A router that may be slow, wrong or dead, and the estimate that stands in cell by cell."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from routing.geo import Point
from routing.roads.estimate import Estimate
from routing.roads.matrix import (
    Matrix,
    Measuring,
    RoadsFailed,
    RoadsUnreachable,
    Table,
    laid_over,
)


@dataclass(slots=True)
class Breaker:
    """Keeps a router that fails from being asked: open means nobody asks.

    It opens after `failures` bad answers in a row, and at once when nobody answers, for
    such a question costs each caller the whole time-out. After `pause_s` seconds one
    question goes through: its answer closes the breaker, its failure opens it again.
    """

    failures: int = 3
    pause_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _in_a_row: int = 0
    _open_until: float | None = None
    _is_probing: bool = False

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def lets_through(self) -> bool:
        """Whether a question may be asked now."""
        if self._open_until is None:
            return True
        return not self._is_probing and self.clock() >= self._open_until

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count how the block ends; a question that is given up counts as neither."""
        is_probe = self.is_open
        self._is_probing = self._is_probing or is_probe
        try:
            yield
        except RoadsFailed as error:
            self._failed(for_sure=is_probe or isinstance(error, RoadsUnreachable))
            raise
        else:
            self._in_a_row, self._open_until = 0, None
        finally:
            if is_probe:
                self._is_probing = False

    def _failed(self, *, for_sure: bool) -> None:
        self._in_a_row += 1
        if for_sure or self._in_a_row >= self.failures:
            self._open_until = self.clock() + self.pause_s


@dataclass(frozen=True, slots=True)
class Router:
    """What is measured by road, as far as it is known within `timeout_s` seconds in all."""

    roads: Measuring
    timeout_s: float = 1.0
    breaker: Breaker = field(default_factory=Breaker)

    async def table(
        self,
        points: Sequence[Point],
        *,
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> Table:
        """Return the drives, None where no road is known. Never raises for a bad router."""
        table = Table.of(points, sources, targets)
        if table.sources and table.targets and self.breaker.lets_through():
            await self._fill(table)
        return table

    async def _fill(self, table: Table) -> None:
        try:
            with self.breaker.watching():
                await self._in_time(table)
        except RoadsFailed:
            return

    async def _in_time(self, table: Table) -> None:
        try:
            async with asyncio.timeout(self.timeout_s):
                await self.roads.fill(table)
        except TimeoutError:
            # Part of a large table is no sign of a dead router.
            if not table.has_any:
                raise RoadsUnreachable("No answer in time.") from None


@dataclass(frozen=True, slots=True)
class WithFallback:
    """Measured drives where the router knows them, estimates in all other cells."""

    router: Router
    estimate: Estimate

    async def matrix(
        self,
        points: Sequence[Point],
        *,
        sources: Sequence[int] | None = None,
        targets: Sequence[int] | None = None,
    ) -> Matrix:
        if not self.router.breaker.lets_through():
            return await self.estimate.matrix(points, sources=sources, targets=targets)
        table = await self.router.table(points, sources=sources, targets=targets)
        guessed = await self.estimate.matrix(points, sources=sources, targets=targets)
        return laid_over(guessed, table, "router")
