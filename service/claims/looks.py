"""Where a search for the nearest begins, by what others about there had to look at."""

import math
from uuid import UUID

from routing.geo import Point, rounded

_FIRST_M = 60.0
_LEAST_OFF, _MOST_OFF = 0.02, 0.3
_NEWS = 0.3
_MOST_PLACES = 10_000


class Looks:
    """How far the last searches about a place had to look: where the next one begins.

    Only saves questions, and rows that nobody needs; any radius leads to the same answer.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, int, Point | None], tuple[float, float]] = {}

    def first_m(self, bank_id: UUID, k: int, here: Point) -> float:
        """As far as often does about here, or else at the bank; at first 60 metres.

        Not as far as nearly always: a wide look costs more than to look twice.
        """
        known = self._known.get((bank_id, k, rounded(here)))
        known = known or self._known.get((bank_id, k, None))
        if known is None:
            return _FIRST_M
        mean, off = known
        return math.exp(mean + min(max(off, _LEAST_OFF), _MOST_OFF))

    def learn(self, bank_id: UUID, k: int, here: Point, next_m: float) -> None:
        """Take in what would have done, into a moving mean and how far off that mostly is.

        Of its logarithm, or one wide look would outweigh many.
        """
        if not next_m:
            return
        if len(self._known) >= _MOST_PLACES:
            self._known.clear()
        now = math.log(next_m)
        for where in (rounded(here), None):
            mean, off = self._known.get((bank_id, k, where), (now, _MOST_OFF))
            off += _NEWS * (abs(now - mean) - off)
            self._known[bank_id, k, where] = mean + _NEWS * (now - mean), off
