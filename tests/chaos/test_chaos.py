"""Everything goes wrong at once, and afterwards every rupiah is found, once."""

import random

import pytest

from tests.chaos.day import Outcome, Plan
from tests.chaos.trouble import chaos
from tests.crash.crashing import own_database

PAYOUTS, KILLS = 60, 4
"""On each engine; `bench/payouts.py` has ten thousand."""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_books_agree_to_the_rupiah_and_nothing_is_paid_twice(engine: str) -> None:
    seed = random.randrange(10**6)
    with own_database(engine) as (url, folder):
        outcome = await chaos(Plan(url, folder, seed, PAYOUTS, KILLS))
    _was_a_bad_day(outcome, seed)


def _was_a_bad_day(outcome: Outcome, seed: int) -> None:
    """A day without trouble would prove nothing."""
    for status in ("paid", "failed", "reversed"):
        assert outcome.statuses[status] > 0, f"{status}, seed {seed}"
    assert outcome.retries > 0, seed
    assert outcome.top_ups > 0, seed
    assert outcome.forged > 0, seed
    for fate in ("cut_before", "cut_after", "late", "lost", "doubled", "held_back"):
        assert outcome.met[fate] > 0, f"{fate}, seed {seed}"
