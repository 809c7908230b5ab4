"""Whether the balances beside lines follow from what moved, whichever way the file runs."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise

from service.reconciliation.readers.shapes import Row, adds_up


def first_break(rows: Sequence[Row]) -> int | None:
    """The place of the first row whose balance doesn't follow from the others; None if all do.

    Lines of one instant or day may stand in any order, since not every bank keeps one. A line
    without a balance says nothing about the others.
    """
    if all(row.balance_idr is None for row in rows):
        return None
    backwards = rows[0].booked_at > rows[-1].booked_at
    places = range(len(rows))[::-1] if backwards else range(len(rows))
    if adds_up([rows[place] for place in places]):
        return None
    broken = _broken(rows, sorted(places, key=lambda place: rows[place].booked_at))
    return _first_wrong(rows, broken) if broken else None


def _broken(rows: Sequence[Row], places: Sequence[int]) -> list[int]:
    """The rows of the first instant that can't be put in an order, and the row before them."""
    before: int | None = None
    last: list[int] = []
    for _, group in groupby(places, key=lambda place: rows[place].booked_at):
        of_instant = list(group)
        fits, before = _follow([rows[place] for place in of_instant], before)
        if not fits:
            return last + of_instant
        last = of_instant[-1:]
    return []


def _follow(rows: Sequence[Row], before: int | None) -> tuple[bool, int | None]:
    """Whether these rows lead from that balance to another in some order, and to which.

    Each balance that a row ends at is the one that another begins at, but for the first and the
    last.
    """
    known = [row.balance_idr for row in rows if row.balance_idr is not None]
    if len(known) < len(rows):
        return True, None
    begin = [balance - row.amount_idr for balance, row in zip(known, rows, strict=True)]
    first, last = Counter(begin) - Counter(known), Counter(known) - Counter(begin)
    if not first:
        # They come back to where they began.
        return before is None or before in begin, before
    alone = first.total() == 1 and last.total() == 1
    return alone and before in (None, *first), next(iter(last))


def _first_wrong(rows: Sequence[Row], places: Sequence[int]) -> int:
    """Of rows that don't fit, the first that doesn't follow, read the way that fits better."""
    breaks = [
        [later for earlier, later in pairwise(way) if not adds_up([rows[earlier], rows[later]])]
        for way in (places, places[::-1])
    ]
    fewest = min(breaks, key=len)
    return fewest[0] if fewest else places[-1]
