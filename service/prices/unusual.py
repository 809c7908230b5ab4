"""A price that somebody may have mistyped: it is asked about before anybody is paid by it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select as select_columns
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.price import Price
from service.errors import FieldProblem, Malformed, in_words
from service.prices.book import NewPrice

MANY_TIMES = 5
"""Prices move two- to threefold within a year; one digit too many is ten times as much."""

What = tuple[str, str, str]
"""What a price is for: material, condition and channel."""
Book = Mapping[What, Sequence[tuple[datetime, int | None]]]
"""When each price began or begins, and what it is."""


class Change(NamedTuple):
    """A price to be, and the one that is in force until it begins; None: not bought."""

    price: NewPrice
    before: int | None

    @property
    def is_unusual(self) -> bool:
        """Of what was not bought, or for nothing, no price is far from the one before."""
        new, old = self.price.price_idr, self.before
        if new is None or not old:
            return False
        return new >= MANY_TIMES * old or MANY_TIMES * new <= old


class UnusualPrice(Malformed):
    english = (
        "This is unusually far from the price before, and no price was entered yet. Waste is paid"
        " at these prices, and who weighs it can't change them. If it is right, send the same once"
        ' more with "unusual_confirmed": true.'
    )
    indonesian = (
        "Ini tidak biasa jauhnya dari harga sebelumnya, dan belum ada harga yang dicatat. Sampah"
        " dibayar menurut harga ini, dan penimbang tidak dapat mengubahnya. Bila benar, kirim"
        ' ulang yang sama dengan "unusual_confirmed": true.'
    )


def check_usual(changes: Sequence[Change], *, confirmed: bool) -> None:
    """Ask once whether such prices were meant. Raises UnusualPrice, unless that is confirmed."""
    asked = [_asked_about(line, one) for line, one in enumerate(changes) if one.is_unusual]
    if asked and not confirmed:
        raise UnusualPrice(*asked)


def changes_of(new: Sequence[NewPrice], book: Book) -> list[Change]:
    """Each price with the one before it, in their order; one may follow on another of them."""
    known = {what: list(prices) for what, prices in book.items()}
    before: dict[int, int | None] = {}
    for line, price in sorted(enumerate(new), key=lambda one: one[1].valid_from):
        begun = known.setdefault((price.material, price.condition, price.channel), [])
        before[line] = _in_force(begun, price.valid_from)
        begun.append((price.valid_from, price.price_idr))
    return [Change(price, before[line]) for line, price in enumerate(new)]


async def book_of(session: AsyncSession, bank_id: UUID, materials: Collection[str]) -> Book:
    """All that a bank ever paid, or is going to pay, for these materials."""
    query = select_columns(
        col(Price.material),
        col(Price.condition),
        col(Price.channel),
        col(Price.valid_from),
        col(Price.price_idr),
    ).where(col(Price.bank_id) == bank_id, col(Price.material).in_(materials))
    book: dict[What, list[tuple[datetime, int | None]]] = {}
    for *what, begins, price_idr in await (await session.connection()).execute(query):
        material, condition, channel = what
        book.setdefault((material, condition, channel), []).append((begins, price_idr))
    return book


def _in_force(known: Sequence[tuple[datetime, int | None]], at: datetime) -> int | None:
    begun = [one for one in known if one[0] <= at]
    return max(begun, key=itemgetter(0))[1] if begun else None


def _asked_about(line: int, change: Change) -> FieldProblem:
    new, old = change.price.price_idr or 0, change.before or 0
    return FieldProblem(
        f"/items/{line}/price_idr",
        f"Rp{in_words(new)}, where until then Rp{in_words(old)} is paid.",
        f"Rp{in_words(new, 'id')}, padahal sebelumnya Rp{in_words(old, 'id')}.",
    )
