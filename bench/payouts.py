"""Payouts: a day on which everything goes wrong, the worker's rate, and callbacks to the ledger.

python3 run.py bench payouts [--payouts 10000] [--engine sqlite|postgresql|both]
                             [--only chaos|rates] [--sent 2000] [--seed N]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.support import bare, processes
from bench.support.calling import Caller, percentile
from bench.support.figures import figure
from bench.support.paying import Payer, open_payer
from models.payout import PayoutStatus
from service.database import schema
from service.payouts import Sender
from tests.chaos.day import Outcome, Plan
from tests.chaos.trouble import chaos
from tests.crash.crashing import own_database

KILLS_PER_THOUSAND = 10
WARMING_UP = 100
CALLBACKS_PER_S = 100


def main() -> None:
    options = _options()
    engines = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    for engine in engines:
        if options.only in ("", "chaos"):
            _chaos(engine, options)
        if options.only != "chaos":
            with _database(engine) as (url, folder):
                asyncio.run(_rates(engine, url, folder, options.sent))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench payouts", description=__doc__)
    parser.add_argument("--payouts", type=int, default=10_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--sent", type=int, default=2_000, help="for the rates")
    parser.add_argument("--only", choices=["", "chaos", "rates"], default="")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


def _chaos(engine: str, options: argparse.Namespace) -> None:
    """What differs, is doubled or left open ends the run with an error that names the seed."""
    kills = max(1, options.payouts * KILLS_PER_THOUSAND // 1_000)
    with own_database(engine, fsync=True) as (url, folder):
        plan = Plan(
            url,
            folder,
            options.seed,
            options.payouts,
            kills,
            residents=max(40, options.payouts // 6),
        )
        began = time.perf_counter()
        outcome = asyncio.run(chaos(plan))
        _say_chaos(f"payouts_{engine}_chaos", outcome, time.perf_counter() - began)


def _say_chaos(name: str, outcome: Outcome, seconds: float) -> None:
    figure(f"{name}_payouts", outcome.statuses.total())
    for status, count in sorted(outcome.statuses.items()):
        figure(f"{name}_{status}", count)
    figure(f"{name}_of_these_retries", outcome.retries)
    for what, count in sorted(outcome.met.items()):
        figure(f"{name}_met_{what.replace(' ', '_')}", count)
    figure(f"{name}_forged_callbacks_refused", outcome.forged)
    figure(f"{name}_top_ups_of_a_dry_float", outcome.top_ups)
    for what in ("left_open", "paid_twice", "difference_idr", "left_held", "verify_findings"):
        figure(f"{name}_{what}", 0, "=0")
    figure(f"{name}_seconds", seconds)


@contextmanager
def _database(engine: str) -> Iterator[tuple[str, Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="jumpa-bench-") as name,
        processes.database(engine, Path(name)) as url,
    ):
        schema.upgrade(url)
        yield url, Path(name)


async def _rates(engine: str, url: str, folder: Path, count: int) -> None:
    """The same payouts are sent by a worker in this process, and then told to be paid."""
    name = f"payouts_{engine}"
    async with open_payer(url, folder) as payer:
        await payer.approved(WARMING_UP)
        await _send(payer, WARMING_UP)
        await payer.approved(count)
        _say_rate(name, *await _send(payer, count))
        with processes.as_deployed(url, folder, payer.settings) as (address, pids):
            served = [*pids, *processes.postmaster(url)]
            caller = Caller(payer, address, await payer.sent())
            await caller.tell(WARMING_UP, CALLBACKS_PER_S)
            before = processes.cpu_seconds(*served)
            waits = await caller.tell(count, CALLBACKS_PER_S)
            spent = processes.cpu_seconds(*served) - before
            await caller.expect_paid()
    _say_callbacks(name, waits, spent)
    _say_commits(name, bare.commits(url, count, CALLBACKS_PER_S))


async def _send(payer: Payer, count: int) -> tuple[int, float, float]:
    """How many, seconds of this process, and seconds by the clock, until all are sent."""
    stop = asyncio.Event()
    began, cpu = time.perf_counter(), time.process_time()
    worker = asyncio.create_task(Sender(payer.database, payer.gateways).run(stop))
    await _until_sent(payer)
    spent, seconds = time.process_time() - cpu, time.perf_counter() - began
    stop.set()
    await worker
    return count, spent, seconds


async def _until_sent(payer: Payer) -> None:
    for _ in range(5_000):
        waiting = await payer.count(
            PayoutStatus.APPROVED, PayoutStatus.SENDING, PayoutStatus.UNKNOWN
        )
        if not waiting:
            return
        # Asking costs this process as well.
        await asyncio.sleep(0.25)
    raise SystemExit("The worker does not get through.")


def _say_rate(name: str, count: int, cpu_s: float, seconds: float) -> None:
    figure(f"{name}_sent_per_s", count / seconds, ">=50")
    figure(f"{name}_sent_per_cpu_s", count / cpu_s)
    figure(f"{name}_cpu_ms_per_payout", 1_000 * cpu_s / count, "<=20")


def _say_callbacks(name: str, waits_s: list[float], cpu_s: float) -> None:
    figure(f"{name}_callbacks", len(waits_s))
    figure(f"{name}_callback_to_settled_p50_ms", 1_000 * percentile(waits_s, 50))
    figure(f"{name}_callback_to_settled_p99_ms", 1_000 * percentile(waits_s, 99), "<=50")
    figure(f"{name}_cpu_ms_per_callback", 1_000 * cpu_s / len(waits_s))


def _say_commits(name: str, waits_s: list[float]) -> None:
    """What the disk alone keeps: nothing that is durable can be told sooner."""
    figure(f"{name}_bare_commit_p50_ms", 1_000 * percentile(waits_s, 50))
    figure(f"{name}_bare_commit_p99_ms", 1_000 * percentile(waits_s, 99))
    figure(f"{name}_bare_commit_longest_ms", 1_000 * max(waits_s))


if __name__ == "__main__":
    main()
