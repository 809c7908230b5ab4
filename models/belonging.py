"""Whose a row is: by a column of its own, or by the row of theirs that it belongs to."""

from collections.abc import Mapping

OWNERS: dict[str, str] = {
    "audit_entry": "person_id",
    "audit_own": "person_id",
    "breach_person": "person_id",
    "card": "resident_id",
    "consent": "person_id",
    "destination": "resident_id",
    "device": "person_id",
    "drawer": "officer_id",
    "dropoff": "resident_id",
    "event": "person_id",
    "handover_attempt": "collector_id",
    "idempotency": "person_id",
    "ledger_account": "owner_id",
    "lot": "resident_id",
    "membership": "person_id",
    "outside_identity": "person_id",
    "payout": "resident_id",
    "person": "id",
    "pickup": "resident_id",
    "receiving": "collector_id",
    "recovery_code": "person_id",
    "refusal": "collector_id",
    "route": "collector_id",
    "second_factor": "person_id",
}
"""Which column says whose a row is."""

Link = tuple[str, Mapping[str, str]]
THROUGH: dict[str, tuple[Link, ...]] = {
    "breach": (("breach_person", {"bank_id": "bank_id", "id": "breach_id"}),),
    "breach_notice": (("breach_person", {"bank_id": "bank_id", "breach_id": "breach_id"}),),
    "correction": (("ledger_journal", {"bank_id": "bank_id", "journal_id": "id"}),),
    "ledger_balance": (("ledger_account", {"bank_id": "bank_id", "account_id": "id"}),),
    "ledger_entry": (("ledger_account", {"bank_id": "bank_id", "account_id": "id"}),),
    "ledger_journal": (("ledger_transfer", {"bank_id": "bank_id", "id": "journal_id"}),),
    "ledger_transfer": (
        ("ledger_account", {"bank_id": "bank_id", "debit_account_id": "id"}),
        ("ledger_account", {"bank_id": "bank_id", "credit_account_id": "id"}),
    ),
    "lot_sale": (("lot", {"bank_id": "bank_id", "lot_id": "id"}),),
    "payout_move": (("payout", {"bank_id": "bank_id", "payout_id": "id"}),),
    "pickup_item": (("pickup", {"bank_id": "bank_id", "pickup_id": "id"}),),
    "reconciliation_case": (("payout", {"bank_id": "bank_id", "payout_id": "id"}),),
    "statement_line": (("statement_match", {"bank_id": "bank_id", "id": "line_id"}),),
    "statement_match": (("payout", {"bank_id": "bank_id", "payout_id": "id"}),),
    "weighing": (
        ("pickup", {"bank_id": "bank_id", "pickup_id": "id"}),
        ("dropoff", {"bank_id": "bank_id", "dropoff_id": "id"}),
    ),
}
"""Rows that are somebody's because they belong to another row of theirs."""

NOBODYS = frozenset(
    {
        # The bank's own words, for all or about a third.
        *("buyer", "drawer_count", "ledger_day", "ledger_reopening", "sale", "statement_import"),
        "stock_count",
        # Of many at once: what is somebody's in it stands in their own rows too.
        *("gateway_callback", "plan"),
        # Keyed hashes only.
        *("deletion_trace", "refresh_token", "sign_in_code"),
    }
)
"""Tables with personal columns whose rows are exported to nobody."""
