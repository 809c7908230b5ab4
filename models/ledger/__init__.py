"""The ledger: accounts, their counters, transfers, entries, and the triggers that keep them."""

from models.ledger.tables import Account, Balance, Entry, Floor, Journal, Transfer, TransferKind

__all__ = ["Account", "Balance", "Entry", "Floor", "Journal", "Transfer", "TransferKind"]
