"""Seals: what is written stays written, and anybody can check it."""

from service.sealing.checking import Checked, check
from service.sealing.closed import ClosedDay, closed_days, reopening_of
from service.sealing.days import (
    Close,
    Closed,
    DayBeforeBook,
    DayClosed,
    DayNotBegun,
    EarlierDayOpen,
    closable,
    close,
    close_overdue,
)
from service.sealing.dayseals import seal_days
from service.sealing.heads import Count, InDrawer, Reopened
from service.sealing.outcome import Outcome, State
from service.sealing.pages import behind_of, seal, turn_due
from service.sealing.proving import NoReceipt, Proof, prove
from service.sealing.receipts import Proven, Receipt, receipt
from service.sealing.reopening import DayNotClosed, NotTheNewestDay, OwnClose, reopen

__all__ = [
    "Checked",
    "Close",
    "Closed",
    "ClosedDay",
    "Count",
    "DayBeforeBook",
    "DayClosed",
    "DayNotBegun",
    "DayNotClosed",
    "EarlierDayOpen",
    "InDrawer",
    "NoReceipt",
    "NotTheNewestDay",
    "Outcome",
    "OwnClose",
    "Proof",
    "Proven",
    "Receipt",
    "Reopened",
    "State",
    "behind_of",
    "check",
    "closable",
    "close",
    "close_overdue",
    "closed_days",
    "prove",
    "receipt",
    "reopen",
    "reopening_of",
    "seal",
    "seal_days",
    "turn_due",
]
