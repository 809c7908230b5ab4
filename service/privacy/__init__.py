"""What the law on personal data asks for: a person's data shown, moved, forgotten, deleted."""

from service.privacy.deleted import deleted_phones
from service.privacy.deleting import (
    DeletesThemselves,
    check_may_delete,
    delete,
    hold_deletions,
)
from service.privacy.export import export
from service.privacy.files import MESSAGES
from service.privacy.page import as_page, bank_names, zone_of
from service.privacy.places import forget_old
from service.privacy.refusing import (
    DrawerStillKept,
    JobsStillHeld,
    LastTreasurer,
    LoadNotSettled,
    MoneyNotPaidOut,
    PickupNotEnded,
    check_part,
)
from service.privacy.scanning import Left, scan

__all__ = [
    "MESSAGES",
    "DeletesThemselves",
    "DrawerStillKept",
    "JobsStillHeld",
    "LastTreasurer",
    "Left",
    "LoadNotSettled",
    "MoneyNotPaidOut",
    "PickupNotEnded",
    "as_page",
    "bank_names",
    "check_may_delete",
    "check_part",
    "delete",
    "deleted_phones",
    "export",
    "forget_old",
    "hold_deletions",
    "scan",
    "zone_of",
]
