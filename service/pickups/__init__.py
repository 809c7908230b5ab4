"""Pickups: listed by a resident, found by who may see them, ended without being fetched."""

from service.pickups.ending import PickupAlreadyEnded, cancel, expire
from service.pickups.finding import (
    Shown,
    Wanted,
    find,
    find_own,
    may_see,
    past,
    read,
    shown,
    visible,
)
from service.pickups.listing import (
    BelowMinimumWeight,
    Listed,
    Listing,
    OutsideServiceArea,
    WindowNotPossible,
    list_waste,
)

__all__ = [
    "BelowMinimumWeight",
    "Listed",
    "Listing",
    "OutsideServiceArea",
    "PickupAlreadyEnded",
    "Shown",
    "Wanted",
    "WindowNotPossible",
    "cancel",
    "expire",
    "find",
    "find_own",
    "list_waste",
    "may_see",
    "past",
    "read",
    "shown",
    "visible",
]
