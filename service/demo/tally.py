"""What a day came to, as the answers of the server said it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from service.demo.phones import Failure

Account = tuple[str, str]
"""Whose passbook at which bank: a phone and the bank's id."""


@dataclass
class Tally:
    """Grows while the day goes on; what a passbook must show is kept by passbook."""

    pickups: int = 0
    dropoffs: int = 0
    grams: Counter[str] = field(default_factory=Counter)
    rejected_grams: int = 0
    fees_idr: int = 0
    driven_m: int = 0
    released: int = 0
    wrong_codes: int = 0
    payouts: Counter[str] = field(default_factory=Counter)
    credited: defaultdict[Account, dict[str, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    paid: defaultdict[Account, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def note_pickup(self, account: Account, answer: dict[str, Any]) -> None:
        self.pickups += 1
        self.fees_idr += answer["collector_fee_idr"]
        self._note_weighings(account, answer)

    def note_dropoff(self, account: Account, answer: dict[str, Any]) -> None:
        self.dropoffs += 1
        self._note_weighings(account, answer)

    def note_payout(self, account: Account, answer: dict[str, Any]) -> None:
        self.payouts[answer["status"]] += 1
        if answer["status"] == "paid":
            self.paid[account][answer["id"]] = answer["amount_idr"]

    def _note_weighings(self, account: Account, answer: dict[str, Any]) -> None:
        for line in answer["weighings"]:
            self.grams[line["material"]] += line["grams"]
            self.rejected_grams += line["rejected_grams"]
        # The ledger has no line for a credit of nothing.
        if answer["credited_idr"]:
            self.credited[account][answer["id"]] = answer["credited_idr"]


@dataclass(frozen=True, slots=True)
class BankBooks:
    """The trial balance of a bank in short: its sums by unit, and what it owes residents."""

    name: str
    accounts: int
    sums: dict[str, int]
    owed_idr: int

    @property
    def is_balanced(self) -> bool:
        return not any(self.sums.values())


@dataclass(frozen=True, slots=True)
class CallTimes:
    call: str
    count: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Summary:
    """The day in figures; it went well if nothing failed and everything adds up."""

    pickups: int
    dropoffs: int
    kilograms: list[tuple[str, str, float]]
    """Code, name and kilograms of each material, most first."""
    rejected_kg: float
    credited_idr: int
    fees_idr: int
    paid_idr: int
    payouts: dict[str, int]
    driven_km: float
    released: int
    wrong_codes: int
    books: list[BankBooks]
    calls: list[CallTimes]
    failures: list[Failure]
    seconds: float

    @property
    def total_kg(self) -> float:
        return sum(kilograms for _, _, kilograms in self.kilograms)

    @property
    def owed_idr(self) -> int:
        return sum(books.owed_idr for books in self.books)

    @property
    def is_clean(self) -> bool:
        return not self.failures and all(books.is_balanced for books in self.books)


def call_times(times_ms: dict[str, list[float]]) -> list[CallTimes]:
    """Middle and worst hundredth of each kind of call, by name."""
    return [
        CallTimes(call, len(times), _quantile(times, 0.5), _quantile(times, 0.99))
        for call, times in sorted(times_ms.items())
    ]


def _quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]
