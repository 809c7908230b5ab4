"""What a kilogram is worth, where, since when."""

from service.prices.book import (
    MaterialNotBought,
    NewPrice,
    Quote,
    UnknownMaterial,
    amount_idr,
    in_force,
    quotes,
)
from service.prices.entering import PastPrice, PriceExists, add
from service.prices.unusual import UnusualPrice

__all__ = [
    "MaterialNotBought",
    "NewPrice",
    "PastPrice",
    "PriceExists",
    "Quote",
    "UnknownMaterial",
    "UnusualPrice",
    "add",
    "amount_idr",
    "in_force",
    "quotes",
]
