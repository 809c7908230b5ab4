"""Reconciliation: ledger, payouts and statements agree to the rupiah, or somebody knows why not."""

from service.reconciliation.cases import (
    CaseNotOpen,
    OwnerNotTreasurer,
    Shown,
    Wanted,
    age_days,
    assign,
    cases_of,
    find,
    lines_about,
)
from service.reconciliation.comparing import matched_by_rule, standings
from service.reconciliation.effects import allowed
from service.reconciliation.foreseeing import (
    MANY,
    File,
    Plan,
    StatementAlreadyImported,
    StatementContradicts,
    plan_of,
)
from service.reconciliation.importing import Imported, bring_in, foresee, imports_of
from service.reconciliation.lines import Booked, LineShown, MatchState, lines_of
from service.reconciliation.maps import declare, declared_maps, maps_of
from service.reconciliation.readers import (
    PROFILES,
    Columns,
    StatementNotReadable,
    UnknownProfile,
    read_statement,
)
from service.reconciliation.resolving import (
    ActionDoesNotFit,
    AlreadyMatched,
    Decision,
    OwnReconciliation,
    PayoutNotPaid,
    resolve,
)
from service.reconciliation.sources import UnknownSource, check_known
from service.reconciliation.standing import Days, Standing
from service.reconciliation.undoing import MatchAlreadyUndone, MatchNotUndoable, undo
from service.reconciliation.withdrawing import StatementDecided, StatementWithdrawn, withdraw

__all__ = [
    "MANY",
    "PROFILES",
    "ActionDoesNotFit",
    "AlreadyMatched",
    "Booked",
    "CaseNotOpen",
    "Columns",
    "Days",
    "Decision",
    "File",
    "Imported",
    "LineShown",
    "MatchAlreadyUndone",
    "MatchNotUndoable",
    "MatchState",
    "OwnReconciliation",
    "OwnerNotTreasurer",
    "PayoutNotPaid",
    "Plan",
    "Shown",
    "Standing",
    "StatementAlreadyImported",
    "StatementContradicts",
    "StatementDecided",
    "StatementNotReadable",
    "StatementWithdrawn",
    "UnknownProfile",
    "UnknownSource",
    "Wanted",
    "age_days",
    "allowed",
    "assign",
    "bring_in",
    "cases_of",
    "check_known",
    "declare",
    "declared_maps",
    "find",
    "foresee",
    "imports_of",
    "lines_about",
    "lines_of",
    "maps_of",
    "matched_by_rule",
    "plan_of",
    "read_statement",
    "resolve",
    "standings",
    "undo",
    "withdraw",
]
