"""How much people bring and of what, after a real book of deposits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from models.material import Condition

# Quantiles of the deposits of a government waste bank in Tanah Datar, June 2025 to June
# 2026 (185 deposits, 2.9 lines each); the two ends are ours.
_TOTAL_GRAMS = (
    (0.0, 1_000),
    (0.25, 3_000),
    (0.5, 7_850),
    (0.75, 22_500),
    (0.9, 70_000),
    (1.0, 180_000),
)
_LINES = (1, 2, 3, 4, 5, 6)
_LINES_ODDS = (19, 26, 23, 16, 10, 6)
LEAST_LINE_GRAMS = 100
_STEP_GRAMS = 10
"""What a luggage scale shows."""

_C, _D = Condition.CLEAN, Condition.DIRTY


@dataclass(frozen=True, slots=True)
class Sort:
    """Something people keep: how often it turns up, and how much of the weight it is."""

    material: str
    condition: Condition
    odds: float
    bulk: float


SORTS = (
    Sort("PET-BNG-B", _C, 18, 0.8),
    Sort("PET-BNG-B", _D, 6, 0.8),
    Sort("KRD-BGS", _C, 18, 1.6),
    Sort("KRD-BGS", _D, 4, 1.2),
    Sort("PP-GLS-B", _C, 8, 0.5),
    Sort("PP-GLS-K", _D, 3, 0.5),
    Sort("PLS-CMP", _C, 9, 1.4),
    Sort("KRESEK", _C, 5, 0.5),
    Sort("EMBER", _C, 6, 0.9),
    Sort("HDPE", _C, 4, 0.4),
    Sort("TUTUP", _C, 2, 0.2),
    Sort("KRT-CMP", _C, 9, 1.6),
    Sort("DUPLEK", _C, 6, 1.1),
    Sort("HVS", _C, 7, 1.3),
    Sort("KORAN", _C, 5, 1.0),
    Sort("KLG", _C, 6, 0.6),
    Sort("AL-KLG", _C, 4, 0.1),
    Sort("BESI-CMP", _C, 5, 1.5),
    Sort("BESI-PDT", _C, 2, 1.5),
    Sort("SENG", _C, 2, 1.2),
    Sort("KACA-BTL", _C, 6, 1.3),
    Sort("JLT", _C, 4, 0.4),
    Sort("SACHET", _C, 2, 0.3),
    Sort("KARET", _C, 1, 1.0),
    Sort("EWASTE", _C, 1, 0.4),
)


@dataclass(frozen=True, slots=True)
class Line:
    material: str
    condition: Condition
    grams: int


Deposit = tuple[Line, ...]


def deposits(seed: int, count: int) -> list[Deposit]:
    """So many deposits; the same ones for the same seed."""
    random = Random(seed)  # noqa: S311  A play, not a secret.
    return [_deposit(random) for _ in range(count)]


def total_grams(share: float) -> int:
    """The weight that this share of all deposits stays below (0 to 1)."""
    for (low, light), (high, heavy) in pairwise(_TOTAL_GRAMS):
        if share <= high:
            part = (share - low) / (high - low)
            return round(math.exp(math.log(light) + part * math.log(heavy / light)))
    return _TOTAL_GRAMS[-1][1]


def _deposit(random: Random) -> Deposit:
    total = total_grams(random.random()) // _STEP_GRAMS * _STEP_GRAMS
    (count,) = random.choices(_LINES, _LINES_ODDS)
    sorts = _pick(random, count)
    grams = _split(random, total, [sort.bulk for sort in sorts])
    return tuple(
        Line(sort.material, sort.condition, part) for sort, part in zip(sorts, grams, strict=True)
    )


def _pick(random: Random, count: int) -> list[Sort]:
    """Different sorts, common ones likelier."""
    # The smallest of these waiting times belong to the likeliest (Efraimidis and Spirakis).
    waits = {sort: random.expovariate(sort.odds) for sort in SORTS}
    return sorted(waits, key=waits.__getitem__)[:count]


def _split(random: Random, total: int, bulks: Sequence[float]) -> list[int]:
    """Parts of the total, none below the least, in proportion to bulk and luck."""
    weights = [bulk * random.uniform(0.3, 1.7) for bulk in bulks]
    to_share = total - LEAST_LINE_GRAMS * len(bulks)
    steps = [
        int(to_share * weight / sum(weights)) // _STEP_GRAMS * _STEP_GRAMS for weight in weights
    ]
    steps[0] += to_share - sum(steps)
    return [LEAST_LINE_GRAMS + step for step in steps]
