"""Corrections: a wrong act is taken back, by two people above what the bank allows one."""

from service.corrections.deciding import (
    CorrectionAlreadyAsked,
    CorrectionNotOpen,
    OwnCorrection,
    agree,
    ask,
    find,
    find_act,
    of_bank,
    refuse,
)
from service.corrections.owners import OwnerDeleted
from service.corrections.undoing import NotCorrectable

__all__ = [
    "CorrectionAlreadyAsked",
    "CorrectionNotOpen",
    "NotCorrectable",
    "OwnCorrection",
    "OwnerDeleted",
    "agree",
    "ask",
    "find",
    "find_act",
    "of_bank",
    "refuse",
]
