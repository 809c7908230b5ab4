"""Seals: what is written stays written, and anybody can check it."""

from service.sealing.checking import Checked, check
from service.sealing.days import (
    Closed,
    DayClosed,
    DayNotBegun,
    EarlierDayOpen,
    close,
    close_overdue,
    closed_days,
)
from service.sealing.dayseals import seal_days
from service.sealing.heads import Count
from service.sealing.outcome import Outcome, State
from service.sealing.pages import behind_of, seal, turn_due
from service.sealing.proving import NoReceipt, Proof, prove
from service.sealing.receipts import Proven, Receipt, receipt

__all__ = [
    "Checked",
    "Closed",
    "Count",
    "DayClosed",
    "DayNotBegun",
    "EarlierDayOpen",
    "NoReceipt",
    "Outcome",
    "Proof",
    "Proven",
    "Receipt",
    "State",
    "behind_of",
    "check",
    "close",
    "close_overdue",
    "closed_days",
    "prove",
    "receipt",
    "seal",
    "seal_days",
    "turn_due",
]
