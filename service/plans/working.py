"""Working plans out: off the event loop, outside of any transaction, under a lease."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from models.bank import Bank
from models.base import among, utc_now
from models.plan import Plan, PlanStatus
from routing.plan import Cancelled
from routing.roads import Estimate, Matrix, Router, WithFallback
from service.database import Database
from service.pausing import pause
from service.plans import records
from service.plans.solving import PLANNERS, points_of, problem_of, result_of

log = logging.getLogger(__name__)

PAUSE_S = 1.0
ROADS_WITHIN_S = 60.0


class Desk:
    """Takes plans that wait, one at a time, and works them out; any number may run."""

    def __init__(self, database: Database, router: Router | None = None) -> None:
        """`router` knows the roads; without, and where it doesn't, each bank's estimate does."""
        self._database = database
        # A plan can wait longer for its roads than a collector at the kerb.
        self._router = router and replace(router, timeout_s=ROADS_WITHIN_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; a plan that is under way then is left for the next worker."""
        while not stop.is_set():
            try:
                worked = await self.work_one(stop=stop)
            except Exception:
                log.exception("planning_failed")
                worked = False
            if not worked:
                await pause(stop, PAUSE_S)

    async def work_one(
        self, banks: Sequence[UUID] | None = None, stop: asyncio.Event | None = None
    ) -> bool:
        """Take a plan and work it out; False if none waits."""
        plan = await self._take(banks)
        if plan is None:
            return False
        if plan.cancel_asked:
            await self._end(plan, PlanStatus.CANCELLED)
        elif plan.fence > records.MOST_TAKINGS:
            await self._end(plan, PlanStatus.FAILED, failure="It never came to an end.")
        else:
            await self._work(plan, stop or asyncio.Event())
        return True

    async def _take(self, banks: Sequence[UUID] | None) -> Plan | None:
        async with self._database.reading() as session:
            found = list(await session.exec(select(Bank.id))) if banks is None else list(banks)
            waits = select(Plan.id).where(
                col(Plan.bank_id).in_(found),
                among(col(Plan.status), records.WAITING),
                Plan.due_at <= utc_now(),
            )
            if (await session.exec(waits.limit(1))).first() is None:
                return None
        async with self._database.transaction() as session:
            return await records.take(session, found)

    async def _work(self, plan: Plan, stop: asyncio.Event) -> None:
        wanted, share = threading.Event(), _Share()
        wanted.set()
        watch = asyncio.create_task(self._watch(plan, share, wanted, stop))
        try:
            matrix = await self._matrix(plan)
            result = await asyncio.to_thread(_solve, plan, matrix, utc_now(), share, wanted)
        except Cancelled:
            if not stop.is_set():
                await self._end(plan, PlanStatus.CANCELLED)
        except Exception as error:
            log.exception("plan_failed %s", plan.id)
            await self._end(plan, PlanStatus.FAILED, failure=str(error) or type(error).__name__)
        else:
            await self._end(plan, PlanStatus.DONE, result=result)
        finally:
            watch.cancel()

    async def _matrix(self, plan: Plan) -> Matrix:
        estimate = Estimate(*plan.asked["road"])
        roads = WithFallback(self._router, estimate) if self._router else estimate
        return await roads.matrix(points_of(plan.asked))

    async def _watch(
        self, plan: Plan, share: "_Share", wanted: threading.Event, stop: asyncio.Event
    ) -> None:
        """Once a second: write how far it is, and hear whether it is still wanted."""
        while not stop.is_set():
            await pause(stop, PAUSE_S)
            try:
                async with self._database.transaction() as session:
                    if not await records.go_on(session, plan, share.permille):
                        break
            except Exception:
                log.exception("plan_progress_failed %s", plan.id)
        wanted.clear()

    async def _end(self, plan: Plan, status: PlanStatus, **outcome: Any) -> None:
        async with self._database.transaction() as session:
            await records.end(session, plan, status, **outcome)


class _Share:
    """How much of a plan is done, written by one thread and read by another."""

    permille: int = 0


def _solve(
    plan: Plan, matrix: Matrix, now: datetime, share: _Share, wanted: threading.Event
) -> dict[str, Any]:
    def progress(done: float) -> bool:
        share.permille = round(1000 * min(max(done, 0.0), 1.0))
        return wanted.is_set()

    problem = problem_of(plan.asked, matrix, now)
    planner = PLANNERS[plan.planner]()
    found = planner.plan(problem, budget_s=plan.budget_s, seed=plan.seed, progress=progress)
    return result_of(plan.asked, problem, found, matrix.source)
