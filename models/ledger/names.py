"""What both engines' triggers call things."""

APPEND_ONLY = ("journal", "account", "transfer", "entry", "page", "seal", "day", "day_seal")
"""Tables of the ledger in which nothing is ever changed or removed."""
