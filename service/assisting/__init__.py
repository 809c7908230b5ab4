"""Assisted: an officer or collector acts for a resident who has no phone at hand."""

from service.assisting.cards import CardNotValid, Issued, cards_of, issue, present, revoke
from service.assisting.marks import Helped, helped

__all__ = [
    "CardNotValid",
    "Helped",
    "Issued",
    "cards_of",
    "helped",
    "issue",
    "present",
    "revoke",
]
