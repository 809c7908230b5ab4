"""How the money of a sale is divided: arithmetic only, to the rupiah, nothing left over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple
from uuid import UUID

from service.apportioning import apportion
from service.lots import Sold, Taken
from service.prices import amount_idr

WHOLE = 1_000
"""Parts are in thousandths."""


class Portion(NamedTuple):
    """So many grams of one lot, and what its resident is due for them at their price."""

    lot_id: UUID
    resident_id: UUID
    collector_id: UUID | None
    grams: int
    due_idr: int


class Before(NamedTuple):
    """Grams of a lot that were sold before, and what was due for them."""

    grams: int
    due_idr: int


class Parts(NamedTuple):
    """Who gets how much of what a sale brings beyond the residents' prices; 1000 is all of it."""

    residents_permille: int
    collectors_permille: int


class Paid(NamedTuple):
    """What a portion brings its resident: at their price, and of what the sale brought beyond."""

    portion: Portion
    amount_idr: int
    share_idr: int


@dataclass(frozen=True, slots=True)
class Division:
    """Who gets what of a sale; with what the bank keeps it sums to what the sale brought."""

    paid: Sequence[Paid]
    collectors: Mapping[UUID, int]
    kept_idr: int

    @property
    def lot_grams(self) -> int:
        return sum(paid.portion.grams for paid in self.paid)

    @property
    def lots_idr(self) -> int:
        return sum(paid.amount_idr for paid in self.paid)

    @property
    def residents_idr(self) -> int:
        return sum(paid.share_idr for paid in self.paid)

    @property
    def collectors_idr(self) -> int:
        return sum(self.collectors.values())


def due_idr(price_idr: int, grams_per_unit: int, grams: int, before: Before) -> int:
    """What is due for more grams of a lot of which some were sold before.

    Rounded over all that is sold, so that selling in parts pays what selling at once would. Where
    parts that were due less were taken back, the next one is due less until that is even again.
    """
    in_all = amount_idr(price_idr, before.grams + grams, grams_per_unit)
    return max(0, in_all - before.due_idr)


def before_of(lot: Taken) -> Before:
    """What stands of a lot's sales, and what was due for it, paid or not.

    Each part was due what it was when it was sold, with what stood then; nobody sells or takes
    back of a material while another does.
    """
    if not lot.parts:
        due = amount_idr(lot.price_idr, lot.sold_before, lot.grams_per_unit)
        return Before(lot.sold_before, due)
    dues: list[int] = []
    for part in lot.parts:
        stood = [each.stood_at(part.sold_at) for each in lot.parts[: len(dues)]]
        before = _sum(lot.parts, dues, stood)
        dues.append(due_idr(lot.price_idr, lot.grams_per_unit, part.grams, before))
    return _sum(lot.parts, dues, [part.taken_back_at is None for part in lot.parts])


def _sum(parts: Sequence[Sold], dues: Sequence[int], counts: Sequence[bool]) -> Before:
    grams = (part.grams for part in parts)
    return Before(sum(compress(grams, counts)), sum(compress(dues, counts)))


def divide(brought_idr: int, grams: int, portions: Sequence[Portion], parts: Parts) -> Division:
    """Divide what so many grams brought, those that a buyer didn't find among them.

    What the portions don't cover was the bank's own.
    Residents get what they are due, or parts of it if the lots' money doesn't reach. What is
    beyond is shared by grams among residents and collectors; the bank keeps the rest.
    """
    lot_grams = sum(portion.grams for portion in portions)
    dues = [portion.due_idr for portion in portions]
    lots_idr = _half_up(brought_idr * lot_grams, grams)
    beyond_idr = lots_idr - sum(dues)
    if beyond_idr < 0:
        dues = apportion(lots_idr, dues)
        beyond_idr = 0
    residents_idr, collectors_idr, _ = apportion(beyond_idr, _weights(parts))
    shares = apportion(residents_idr, [portion.grams for portion in portions])
    collectors = _by_collector(collectors_idr, portions)
    paid = [Paid(*each) for each in zip(portions, dues, shares, strict=True)]
    given_idr = sum(dues) + sum(shares) + sum(collectors.values())
    return Division(paid, collectors, kept_idr=brought_idr - given_idr)


def _weights(parts: Parts) -> list[int]:
    return [*parts, WHOLE - sum(parts)]


def _by_collector(amount_idr: int, portions: Sequence[Portion]) -> dict[UUID, int]:
    """Each collector's part; that of grams which nobody fetched stays with the bank."""
    fetched: dict[UUID | None, int] = {}
    for portion in portions:
        fetched[portion.collector_id] = fetched.get(portion.collector_id, 0) + portion.grams
    shares = apportion(amount_idr, list(fetched.values()))
    return {
        collector: share
        for collector, share in zip(fetched, shares, strict=True)
        if collector is not None and share
    }


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
