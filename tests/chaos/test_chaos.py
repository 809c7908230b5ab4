"""Everything goes wrong at once, and afterwards every rupiah is found, once."""

import random

import pytest

from tests.chaos.day import Outcome, Plan
from tests.chaos.trouble import chaos
from tests.crash.crashing import own_database

PAYOUTS, KILLS = 50, 4
"""On each engine; `bench/payouts.py` has ten thousand."""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_books_agree_to_the_rupiah_and_nothing_is_paid_twice(engine: str) -> None:
    seed = random.randrange(10**6)
    with own_database(engine) as (url, folder):
        outcome = await chaos(Plan(url, folder, seed, PAYOUTS, KILLS))
    _was_a_bad_day(outcome, seed)


def _was_a_bad_day(outcome: Outcome, seed: int) -> None:
    """A day without trouble would prove nothing; which trouble so small a day meets is chance."""
    assert outcome.statuses["paid"] > 0, seed
    assert outcome.forged > 0, seed
    met = [fate for fate, times in outcome.met.items() if times]
    assert len(met) >= 3, f"only {met}, seed {seed}"
    others = outcome.statuses["failed"] + outcome.statuses["reversed"] + outcome.retries
    assert others > 0, seed
