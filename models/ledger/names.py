"""What both engines' triggers call things."""

APPEND_ONLY = (
    "ledger_journal",
    "ledger_account",
    "ledger_transfer",
    "ledger_entry",
    "ledger_page",
    "ledger_seal",
    "ledger_day",
    "ledger_day_seal",
    "ledger_reopening",
    "drawer_count",
    "stock_count",
)
"""Tables of the ledger, and of what was counted, in which nothing is ever changed or removed."""


def opens_again(page: str) -> str:
    """Whether a page begins a day that was opened again, the newest there is, just now."""
    return f"""EXISTS (
      SELECT 1 FROM ledger_reopening r
       WHERE r.bank_id = {page}.bank_id AND r.day = {page}.day AND r.first_page = {page}.number
         AND NOT EXISTS (SELECT 1 FROM ledger_day d
                          WHERE d.bank_id = r.bank_id
                            AND (d.day > r.day OR (d.day = r.day AND d.version > r.version))))"""
