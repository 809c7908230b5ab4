"""The board by road: the best few by the straight line, ranked again by how one drives."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from routing.geo import Point
from routing.roads import Drive, Router
from service import banks
from service.claims.board import Job, ageing_of, boards
from service.claims.routes import Wish, shortlist

SHORTLIST = 20
"""The nearest by road was among so many by the straight line wherever it was measured."""


@dataclass(frozen=True, slots=True)
class JobByRoad:
    """A job with the drive to it; an estimate where no router knows the way."""

    job: Job
    drive: Drive
    is_estimate: bool

    @property
    def score(self) -> float:
        """By the straight line, as the board has it, unless the road is known."""
        return self.job.score if self.is_estimate else self.ranks_by

    @property
    def ranks_by(self) -> float:
        """The score by the drive, estimated or not, so that all are compared by one measure."""
        return ageing_of(self.job.policy).score(self.drive.metres, self.job.waiting_s)

    @property
    def counts_as_m(self) -> float:
        """How far away a job listed just now would be that ranks like this one."""
        return max(0.0, self.score - self.job.policy.age_floor_m)


async def by_road(jobs: Sequence[Job], here: Point, router: Router | None) -> list[JobByRoad]:
    """The first few jobs in the order of the road, then the others as they were.

    Waits for the router, so no transaction may be open.
    """
    first = jobs[:SHORTLIST]
    points = [here, *(job.place for job in first)]
    known: dict[tuple[Point, Point], Drive] = {}
    if router is not None and first:
        table = await router.table(points, sources=[0], targets=range(1, len(points)))
        known = table.measured()
    driven = [_driven(job, here, known) for job in jobs]
    if not known:
        return driven
    ranked = sorted(driven[: len(first)], key=lambda one: (one.ranks_by, one.job.pickup.id))
    return [*ranked, *driven[len(first) :]]


async def known_drives(
    session: AsyncSession,
    bank_ids: Sequence[UUID],
    collector_id: UUID,
    wish: Wish,
    router: Router,
) -> dict[tuple[Point, Point], Drive]:
    """Drives between what a claim may take, measured before its transaction begins.

    Ends the session before it waits for the router.
    """
    points = [wish.position]
    for board in await boards(session, bank_ids, collector_id):
        ranked = await shortlist(board, wish, max(SHORTLIST, wish.max_jobs))
        points += [job.point for job in ranked]
        points.append(Point(board.bank.lat, board.bank.lon))
    await session.close()
    return (await router.table(list(dict.fromkeys(points)))).measured()


def _driven(job: Job, here: Point, known: dict[tuple[Point, Point], Drive]) -> JobByRoad:
    drive = known.get((here, job.place))
    guessed = banks.estimate_of(job.policy).drive_between(here, job.place)
    return JobByRoad(job, drive or guessed, is_estimate=drive is None)
