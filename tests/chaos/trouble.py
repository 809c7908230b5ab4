"""Such a day as a whole: begun, lived through, put right as an operator would, and proved."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from models.base import utc_now
from models.payout import GatewayCallback, Payout, PayoutStatus
from service.database import open_database
from service.gateways.coverage import Kind
from service.gateways.opening import open_gateways
from service.payouts import queue, upkeep
from service.standin.options import Options
from tests import factories
from tests.chaos import proof
from tests.chaos.branch import make_branch
from tests.chaos.day import FIRST_FLOAT_IDR, OPEN, Day, Outcome, Plan, count, let_time_go_by
from tests.crash.processes import Processes, processes

KINDS: Sequence[Kind] = ("xendit", "iris")
SETTLES_S = 0.6
DAY_S = 25 * 3_600.0
_TIMEOUT_S = 0.5
_PATIENCE = 60
_DECIDES_AFTER = 4


async def put_right(day: Day) -> None:
    """What docs/gateways.md tells an operator to do after such a day, and the day after it."""
    await _until_none(day, lambda: col(Payout.status).in_(OPEN))
    for branch in day.branches:
        # A bank sends back within a day what it can't book.
        await branch.house.advance(DAY_S)
    await let_time_go_by(day, PayoutStatus.PAID)
    await _until_none(day, _is_due)


async def _until_none(day: Day, which: Callable[[], ColumnElement[bool]]) -> None:
    """Let time go by as long as there are fewer and fewer of them. Raises TimeoutError."""
    fewest, rounds = 10**9, 0
    while left := await count(day, which()):
        rounds = 0 if left < fewest else rounds + 1
        if rounds > _PATIENCE:
            raise TimeoutError(f"{left} payouts never end.")
        if rounds and rounds % _DECIDES_AFTER == 0:
            # Nothing comes any more: as after a day of waiting, somebody looks.
            for branch in day.branches:
                await branch.decide()
        fewest = min(left, fewest)
        await day.fill_floats()
        await let_time_go_by(day)
        for branch in day.branches:
            await branch.house.advance(60)
        await asyncio.sleep(0.4)


def _is_due() -> ColumnElement[bool]:
    """What a worker has just taken is due again when its lease ends."""
    return col(Payout.due_at) <= utc_now() + 2 * queue.LEASE


async def chaos(plan: Plan) -> Outcome:
    """One such day, put right and proved. Raises AssertionError with the seed if it can't be."""
    try:
        return await _chaos(plan)
    except Exception as error:
        log = plan.folder / "children.log"
        children = log.read_text()[-6_000:] if log.exists() else ""
        raise AssertionError(f"seed {plan.seed}: {error!r}\n{children}") from error


async def _chaos(plan: Plan) -> Outcome:
    database = open_database(plan.url, pool_size=4)
    chance = random.Random(plan.seed)
    async with database.transaction() as session:
        await factories.load_materials(session)
    try:
        branches = [
            await make_branch(
                database, _options(kind, plan), residents=plan.residents, chance=chance
            )
            for kind in KINDS
        ]
        day = Day(plan, database, branches)
        async with _everything_runs(day) as running:
            await day.live(running)
            await put_right(day)
            await proof.everybody_agrees(day.branches)
            await _note(day)
        await asyncio.to_thread(proof.seals_fit, plan.url, plan.folder, branches)
        return day.outcome
    finally:
        await database.close()


async def _note(day: Day) -> None:
    """What became of everything."""
    for branch in day.branches:
        found = await branch.payouts()
        day.outcome.statuses.update(str(one.status) for one in found)
        day.outcome.retries += sum(one.retry_of is not None for one in found)
    async with day.database.reading() as session:
        day.outcome.outcomes.update(await session.exec(select(GatewayCallback.outcome)))


@asynccontextmanager
async def _everything_runs(day: Day) -> AsyncIterator[Processes]:
    """Stand-ins, lines, server and worker; all of them end with the block."""
    file = day.plan.folder / "gateways.toml"
    async with AsyncExitStack() as stack:
        for branch in day.branches:
            stack.push_async_callback(branch.house.close)
            for line in (branch.calls, branch.callbacks):
                stack.push_async_callback(line.abandon)
                line.open()
            branch.calls.to_port = branch.house.port
            branch.house.tell(
                f"http://127.0.0.1:{branch.callbacks.port}/v1/gateways/{branch.name}/callbacks"
            )
            await branch.house.start()
        await _know_channels(day, file)
        _write(file, [one.table(one.calls.port, _TIMEOUT_S) for one in day.branches])
        more = {"JUMPA_GATEWAYS": str(file)}
        running = await stack.enter_async_context(processes(day.plan.url, day.plan.folder, more))
        for branch in day.branches:
            branch.callbacks.to_port = running.port
        for role in running.roles:
            await running.start(role)
        await running.ready()
        yield running


async def _know_channels(day: Day, file: Path) -> None:
    """As after a worker's first round, with the network still whole."""
    _write(file, [one.table(one.house.port, 30) for one in day.branches])
    gateways = open_gateways(file)
    await upkeep.refresh_channels(day.database, gateways)
    await gateways.close()


def _write(file: Path, tables: Sequence[str]) -> None:
    file.write_text("\n".join(tables))


def _options(kind: Kind, plan: Plan) -> Options:
    return Options(
        gateway=kind,
        data_dir=plan.folder / kind,
        callback_secret=f"callbacks-of-{kind}",
        settle_after_s=SETTLES_S,
        float_idr=FIRST_FLOAT_IDR,
        hold_s=5.0,
        callback_tries=5,
    )
