"""Cash drawers: whose they are, what moves between them, and what was counted in them."""

from service.drawers.counting import Count, all_counted, count, not_counted, note_safe
from service.drawers.keeping import (
    DrawerClosed,
    DrawerNameTaken,
    DrawerNeverOpened,
    DrawerNotEmpty,
    NoOwnDrawer,
    OfficerHasDrawer,
    at,
    close,
    keeper_of,
    open_drawer,
    paying_from,
)
from service.drawers.moving import (
    DrawerTooLow,
    Move,
    Outside,
    float_in,
    float_out,
    paid_out_of,
    put_in,
    take_out,
)
from service.drawers.reading import DrawerLine, Held, drawers_of, held_in, lines_of

__all__ = [
    "Count",
    "DrawerClosed",
    "DrawerLine",
    "DrawerNameTaken",
    "DrawerNeverOpened",
    "DrawerNotEmpty",
    "DrawerTooLow",
    "Held",
    "Move",
    "NoOwnDrawer",
    "OfficerHasDrawer",
    "Outside",
    "all_counted",
    "at",
    "close",
    "count",
    "drawers_of",
    "float_in",
    "float_out",
    "held_in",
    "keeper_of",
    "lines_of",
    "not_counted",
    "note_safe",
    "open_drawer",
    "paid_out_of",
    "paying_from",
    "put_in",
    "take_out",
]
