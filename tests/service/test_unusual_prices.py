"""Prices far from the ones before them are asked about, and nothing else."""

from datetime import UTC, datetime

import pytest

from models.material import Condition
from models.price import Channel
from service.prices import NewPrice, UnusualPrice
from service.prices.unusual import Book, changes_of, check_usual

SUNDAY, MONDAY, TUESDAY, THURSDAY, FRIDAY, SATURDAY = (
    datetime(2026, 11, day, tzinfo=UTC) for day in (22, 23, 24, 26, 27, 28)
)
PET = ("PET", "clean", "pickup")
BOOK: Book = {PET: [(FRIDAY, 25_000), (MONDAY, 2_500)]}


def new(price_idr: int | None, at: datetime = TUESDAY, material: str = "PET") -> NewPrice:
    return NewPrice(material, Condition.CLEAN, Channel.PICKUP, price_idr, at)


def check(*prices: NewPrice, book: Book = BOOK) -> None:
    check_usual(changes_of(prices, book), confirmed=False)


@pytest.mark.parametrize(
    "prices",
    [
        [new(12_499), new(501, material="HVS")],
        [new(None)],
        [new(30_000, SATURDAY), new(None, FRIDAY)],
        [new(12_000), new(59_999, THURSDAY)],
        [new(30_000, SATURDAY)],
        [new(25_000, SUNDAY)],
    ],
    ids=["not far", "ends", "begins anew", "after another", "as will be then", "the first"],
)
def test_what_is_usual_is_not_asked_about(prices: list[NewPrice]) -> None:
    check(*prices)


def test_of_what_was_taken_for_nothing_no_price_is_far() -> None:
    check(new(25_000), book={PET: [(MONDAY, 0)]})


@pytest.mark.parametrize("price_idr", [12_500, 500, 25, 0])
def test_what_is_unusual_is_asked_about_once(price_idr: int) -> None:
    prices = [new(2_500, material="HVS"), new(price_idr)]
    with pytest.raises(UnusualPrice) as asked:
        check(*prices)
    assert [field.pointer for field in asked.value.fields] == ["/items/1/price_idr"]
    check_usual(changes_of(prices, BOOK), confirmed=True)


def test_both_prices_are_told() -> None:
    with pytest.raises(UnusualPrice) as asked:
        check(new(12_500))
    (field,) = asked.value.fields
    assert field.english == "Rp12,500, where until then Rp2,500 is paid."
    assert field.indonesian == "Rp12.500, padahal sebelumnya Rp2.500."
