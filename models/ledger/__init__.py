"""The ledger: accounts, their counters, transfers, entries, pages, and the triggers that keep them."""

from models.ledger.book import Day, DaySeal, Page, Reopening, Seal
from models.ledger.tables import Account, Balance, Entry, Floor, Journal, Transfer, TransferKind

__all__ = [
    "Account",
    "Balance",
    "Day",
    "DaySeal",
    "Entry",
    "Floor",
    "Journal",
    "Page",
    "Reopening",
    "Seal",
    "Transfer",
    "TransferKind",
]
