"""kill -9 at random moments of a running day: nothing answered is lost, nothing is doubled."""

import random
from pathlib import Path

import pytest

from tests.crash.crashing import Outcome, Plan, crash, own_database

KILLS = 25
"""On each engine; `bench/crash.py` kills a thousand times."""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_kills_lose_nothing_and_double_nothing(engine: str) -> None:
    seed = random.randrange(10**6)
    with own_database(engine) as (url, folder):
        outcome = await crash(_plan(engine, url, folder, seed))
    assert sum(outcome.kills.values()) >= KILLS
    _was_a_running_day(outcome, seed)


def _plan(engine: str, url: str, folder: Path, seed: int) -> Plan:
    if engine == "sqlite":
        return Plan(url, folder, seed, kills=KILLS)
    return Plan(url, folder, seed, kills=KILLS - 3, backend_kills=3)


def _was_a_running_day(outcome: Outcome, seed: int) -> None:
    """Kills of an idle server would prove nothing."""
    told = outcome.told
    assert len(told.calls) > 100, seed
    assert told.unanswered > 20, seed
    for kind in ("list", "claim", "collect", "dropoff", "correct", "payout", "approve", "pay-cash"):
        assert told.count(kind) > 0, f"{kind}, seed {seed}"
