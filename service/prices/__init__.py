"""What a kilogram is worth, where, since when."""

from service.prices.book import (
    MaterialNotBought,
    NewPrice,
    PastPrice,
    PriceExists,
    Quote,
    UnknownMaterial,
    add,
    amount_idr,
    in_force,
    quotes,
)

__all__ = [
    "MaterialNotBought",
    "NewPrice",
    "PastPrice",
    "PriceExists",
    "Quote",
    "UnknownMaterial",
    "add",
    "amount_idr",
    "in_force",
    "quotes",
]
