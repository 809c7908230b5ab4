"""Which money that came in is a top-up that somebody entered already; without a database.

A line doesn't name a top-up, and two of one amount are worth the same: each explains one line,
the nearest in time.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

TOPPED_UP = "topped_up"
"""What the matcher saw of a line that a top-up explains."""
NEAR = timedelta(days=3)
"""How far apart the two may be."""


class TopUp(NamedTuple):
    """Money of the bank's own that was sent to a gateway, as our book has it."""

    amount_idr: int
    at: datetime


class Came(NamedTuple):
    """Money that came in by a statement."""

    amount_idr: int
    booked_at: datetime
    booked_until: datetime


def pairs(came: Sequence[Came], top_ups: Sequence[TopUp]) -> dict[int, int]:
    """Places of what came in, each with the place of its top-up; the nearest pairs first."""
    by_amount: dict[int, list[int]] = defaultdict(list)
    for at, top_up in enumerate(top_ups):
        by_amount[top_up.amount_idr].append(at)
    near = sorted(
        (apart, place, at)
        for place, one in enumerate(came)
        for at in by_amount[one.amount_idr]
        if (apart := _apart(one, top_ups[at])) <= NEAR
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, place, at in near:
        if place not in found and at not in taken:
            found[place] = at
            taken.add(at)
    return found


def _apart(came: Came, top_up: TopUp) -> timedelta:
    return max(top_up.at - came.booked_until, came.booked_at - top_up.at, timedelta())
