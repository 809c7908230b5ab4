"""What is compared: a statement's lines and our payouts; and what comes of it.

Nothing here, in `judging` or in `matching` knows a database or a clock: the same facts
have the same outcome, in whatever order they stand.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from models.payout import PayoutStatus
from models.reconciliation import Action, CaseKind

GONE = frozenset(
    {
        PayoutStatus.SENDING,
        PayoutStatus.SENT,
        PayoutStatus.UNKNOWN,
        PayoutStatus.PAID,
        PayoutStatus.REVERSED,
    }
)
"""States in which money left, as far as we know."""
_KEY = re.compile(
    r"payout[- ]?([0-9a-f]{8})[- ]?([0-9a-f]{4})[- ]?([0-9a-f]{4})[- ]?([0-9a-f]{4})[- ]?([0-9a-f]{12})",
    re.IGNORECASE,
)
_NOT_SHOWN = re.compile(r"[*xX•]")
_NOT_A_DIGIT = re.compile(r"\D")
_TAIL = 4


class Rule(StrEnum):
    """Why a line was taken to be a payout's."""

    REFERENCE = "reference"
    """Our own reference, and the amount."""
    GATEWAY_ID = "gateway_id"
    """The gateway's id, and the amount."""
    BATCH = "batch"
    """The line names several payouts, and is their sum."""
    FEE = "fee"
    """Fee and VAT of a payout, together what was quoted."""
    REVERSAL = "reversal"
    """A payout that our book knows to have come back."""
    RETURNED = "returned"
    """Left and came back, of a payout that failed."""
    PERSON = "person"
    """Somebody said so."""


class Line(NamedTuple):
    """A statement's line, by its place in the file, from 1. Where money left it is negative."""

    number: int
    kind: str
    external_id: str
    occurrence: int
    gateway_id: str
    reference: str
    account_number: str
    amount_idr: int
    booked_at: datetime
    booked_until: datetime

    @property
    def left_idr(self) -> int:
        return -self.amount_idr

    @property
    def place(self) -> tuple[datetime, str, str, int]:
        """Where it stands among others, whatever the file says."""
        return self.booked_at, self.external_id, self.kind, self.occurrence


class Sent(NamedTuple):
    """A payout as our book has it; `legs` are its sides that were matched before."""

    id: UUID
    key: str
    gateway_id: str
    gateway: str
    send_idr: int
    fee_idr: int
    account_number: str
    sent_at: datetime | None
    status: str
    legs: frozenset[str] = frozenset()
    has_case: bool = False

    @property
    def is_gone(self) -> bool:
        return self.sent_at is not None and self.status in GONE


class Match(NamedTuple):
    """A line, by its number, that is a payout's."""

    line: int
    payout_id: UUID
    leg: str
    rule: Rule
    part: int = 1


class Case(NamedTuple):
    """Something for a person, about the line of a number. Rupiah are what left, negative what came in."""

    kind: CaseKind
    why: str
    line: int | None
    payout_id: UUID | None
    expected_idr: int
    found_idr: int
    proposed: Action
    since: datetime


class Outcome(NamedTuple):
    matches: list[Match]
    cases: list[Case]


@dataclass(frozen=True, slots=True)
class Limits:
    """How far apart things may be in time."""

    late_after: timedelta = timedelta(days=1)
    early_by: timedelta = timedelta(minutes=15)
    """A gateway's clock may be ahead of ours by so much."""
    missing_after: timedelta = timedelta(days=1)
    window: timedelta = timedelta(days=3)
    """For lines that name nothing."""


def keys_in(reference: str) -> Sequence[str]:
    """Our own references in what a bank made of them: without hyphens, in capitals, in a sentence."""
    return [f"payout-{'-'.join(parts)}".lower() for parts in _KEY.findall(reference)]


def same_account(one: str, other: str) -> bool:
    """Whether two account numbers can be the same; of a masked one only what is shown counts.

    An empty one can be any.
    """
    if not one or not other or one == other:
        return True
    masked = _NOT_SHOWN.search(one + other) is not None
    shown, wanted = (_national(_NOT_A_DIGIT.sub("", number)) for number in (one, other))
    return tail_of(one) == tail_of(other) if masked else shown == wanted


def tail_of(account_number: str) -> str:
    """The last digits, which every mask shows."""
    return _NOT_A_DIGIT.sub("", account_number)[-_TAIL:]


def _national(digits: str) -> str:
    """A wallet's phone number as it is dialled at home, whether 62812… or 0812…"""
    return f"0{digits[2:]}" if digits.startswith("628") else digits
