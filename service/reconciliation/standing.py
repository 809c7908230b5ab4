"""Three ways of saying what moved: the ledger, the payouts, the statements.

The ledger goes by its days of business, payouts by when they were paid, statements by when
lines were booked. What these differ by in time is in transit; what else is, has a case.
"""

from datetime import date, datetime
from typing import NamedTuple


class Days(NamedTuple):
    """A stretch of days, and the instants at which it begins and is over."""

    first: date
    last: date
    begins: datetime
    over: datetime


class OfLedger(NamedTuple):
    """One account of ours in the ledger; rupiah."""

    opening_idr: int = 0
    in_idr: int = 0
    out_idr: int = 0

    @property
    def net_idr(self) -> int:
        return self.in_idr - self.out_idr

    @property
    def closing_idr(self) -> int:
        return self.opening_idr + self.net_idr


class OfPayouts(NamedTuple):
    """What was paid through it, and what is on its way now; rupiah with fees."""

    paid_count: int = 0
    paid_idr: int = 0
    fees_idr: int = 0
    reversed_idr: int = 0
    in_transit_count: int = 0
    in_transit_idr: int = 0


class OfStatement(NamedTuple):
    """What its statements say; balances are None where the source tells none."""

    line_count: int = 0
    matched_count: int = 0
    in_idr: int = 0
    out_idr: int = 0
    opening_idr: int | None = None
    closing_idr: int | None = None

    @property
    def net_idr(self) -> int:
        return self.in_idr - self.out_idr

    @property
    def adds_up(self) -> bool | None:
        """Opening balance, what came in and what left make the closing one."""
        if self.opening_idr is None or self.closing_idr is None:
            return None
        return self.opening_idr + self.net_idr == self.closing_idr


class Standing(NamedTuple):
    """One source in three ways, and what explains the difference of the first and the last."""

    source: str
    ledger: OfLedger
    payouts: OfPayouts
    statement: OfStatement
    open_count: int
    open_idr: int
    """What left by the statement and not by our book, in cases that wait."""
    early_idr: int
    """What left of payouts that our book hasn't settled: their gateway hasn't told us."""

    @property
    def difference_idr(self) -> int:
        """How much more came in by the statement than by the ledger."""
        return self.statement.net_idr - self.ledger.net_idr

    @property
    def unexplained_idr(self) -> int:
        """What neither a case nor a payout on its way accounts for; negative is what left."""
        return self.difference_idr + self.open_idr + self.early_idr
