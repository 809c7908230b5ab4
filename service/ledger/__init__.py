"""The only writer of transfers: post(), and what can be read back."""

from service.ledger.accounts import open_accounts
from service.ledger.book import BookBusy, hold_book, open_book, open_page, turn_page
from service.ledger.chart import Place, chart
from service.ledger.days import newest_day
from service.ledger.givers import givers
from service.ledger.mass import MassOfDay, mass_balance
from service.ledger.monthly import Moved, months_moved
from service.ledger.passbook import (
    Excerpt,
    PassbookLine,
    lines_of,
    passbook_lines,
    passbook_of_days,
)
from service.ledger.posting import (
    AlreadyPosted,
    AlreadyReversed,
    BalanceTooLow,
    Draft,
    HoldAlreadyResolved,
    Movement,
    post,
    post_all,
)
from service.ledger.reading import (
    AccountTotals,
    Earned,
    Standing,
    balances,
    earned,
    owners,
    standing,
    trial_balance,
)
from service.ledger.reversing import (
    Act,
    NotReversible,
    Step,
    act_about,
    act_of,
    reversal_of,
    reverse,
)
from service.ledger.shortfall import say_how_much
from service.ledger.verify import Finding, Verified, verify

__all__ = [
    "AccountTotals",
    "Act",
    "AlreadyPosted",
    "AlreadyReversed",
    "BalanceTooLow",
    "BookBusy",
    "Draft",
    "Earned",
    "Excerpt",
    "Finding",
    "HoldAlreadyResolved",
    "MassOfDay",
    "Moved",
    "Movement",
    "NotReversible",
    "PassbookLine",
    "Place",
    "Standing",
    "Step",
    "Verified",
    "act_about",
    "act_of",
    "balances",
    "chart",
    "earned",
    "givers",
    "hold_book",
    "lines_of",
    "mass_balance",
    "months_moved",
    "newest_day",
    "open_accounts",
    "open_book",
    "open_page",
    "owners",
    "passbook_lines",
    "passbook_of_days",
    "post",
    "post_all",
    "reversal_of",
    "reverse",
    "say_how_much",
    "standing",
    "trial_balance",
    "turn_page",
    "verify",
]
