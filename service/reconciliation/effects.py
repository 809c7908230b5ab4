"""What an action on a case does to the books, as a table; nothing is done here."""

from collections.abc import Mapping

from models.reconciliation import Action, CaseKind, Holding, ReconciliationCase
from service.ledger import Place, chart

_MONEY = (Action.SUSPENSE, Action.WRITE_OFF)
ALLOWED: Mapping[CaseKind, tuple[Action, ...]] = {
    CaseKind.AMOUNT_DIFFERS: (Action.MATCH, Action.FEE, *_MONEY, Action.WAIT),
    CaseKind.FEE_DIFFERS: (Action.FEE, *_MONEY, Action.WAIT),
    CaseKind.MISSING_AT_GATEWAY: (Action.REVERSE, Action.SUSPENSE, Action.WAIT),
    CaseKind.MISSING_HERE: (
        *(Action.MATCH, Action.ACCEPT, Action.FEE, Action.TOP_UP),
        *_MONEY,
        Action.WAIT,
    ),
    CaseKind.DUPLICATE: (*_MONEY, Action.WAIT),
    CaseKind.LATE: (Action.ACCEPT, Action.WAIT),
    CaseKind.REVERSED: (Action.REVERSE, Action.SUSPENSE, Action.WAIT),
    CaseKind.UNKNOWN: (Action.MATCH, *_MONEY, Action.WAIT),
}
"""What can be done about each kind."""
_CAN_BE_IT = frozenset({"parts", "looks_like", "names_two", "other_account", "undone"})
"""What a matcher saw of lines that a person can say to be the payout all the same."""


def allowed(case: ReconciliationCase) -> tuple[Action, ...]:
    """What can be done about this case, the proposal first."""
    fitting = [action for action in ALLOWED[CaseKind(case.kind)] if _fits(case, action)]
    return tuple(sorted(fitting, key=lambda action: action != case.proposed_action))


def counter_place(action: Action, account: str) -> Place | None:
    """Where what differs goes to, or comes from; None if no money moves."""
    return {
        Action.FEE: chart.FEES,
        Action.SUSPENSE: chart.SUSPENSE,
        Action.WRITE_OFF: chart.WRITTEN_OFF,
        Action.TOP_UP: chart.bank_account(account),
    }.get(action)


def place_of(case: ReconciliationCase) -> Place:
    """The account that the case's statement is about."""
    of = chart.float if case.holding == Holding.FLOAT else chart.bank_account
    return of(case.source)


def at_stake_idr(case: ReconciliationCase, action: Action) -> int:
    """What the decision moves or vouches for; nothing, if it only takes note."""
    if action == Action.WAIT:
        return 0
    if action in (Action.MATCH, Action.ACCEPT, Action.REVERSE):
        return max(abs(case.found_idr), abs(case.expected_idr))
    return abs(case.unexplained_idr)


def _fits(case: ReconciliationCase, action: Action) -> bool:
    if action == Action.MATCH:
        return case.line_id is not None and case.payout_id is not None and case.why in _CAN_BE_IT
    if action == Action.TOP_UP:
        return case.holding == Holding.FLOAT and case.unexplained_idr != 0
    return counter_place(action, "") is None or case.unexplained_idr != 0
