"""The only writer of transfers: post(), and what can be read back."""

from service.ledger.book import BookBusy, open_book, open_page, turn_page
from service.ledger.chart import Place, chart
from service.ledger.posting import (
    AlreadyPosted,
    BalanceTooLow,
    Draft,
    HoldAlreadyResolved,
    Movement,
    open_accounts,
    post,
)
from service.ledger.reading import (
    AccountTotals,
    PassbookLine,
    Standing,
    passbook_lines,
    standing,
    trial_balance,
)
from service.ledger.verify import Finding, Verified, verify

__all__ = [
    "AccountTotals",
    "AlreadyPosted",
    "BalanceTooLow",
    "BookBusy",
    "Draft",
    "Finding",
    "HoldAlreadyResolved",
    "Movement",
    "PassbookLine",
    "Place",
    "Standing",
    "Verified",
    "chart",
    "open_accounts",
    "open_book",
    "open_page",
    "passbook_lines",
    "post",
    "standing",
    "trial_balance",
    "turn_page",
    "verify",
]
