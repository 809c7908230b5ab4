"""The gateway's own account of its float, as CSV."""

import csv
import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

XENDIT_COLUMNS = (
    "Product ID",
    "Transaction ID",
    "Transaction Type",
    "Line Type",
    "Payment Channel",
    "Reference",
    "Currency",
    "Amount",
    "Debit or Credit",
    "Balance",
    "Created Date (UTC ISO)",
)
IRIS_COLUMNS = (
    "reference_no",
    "beneficiary_name",
    "beneficiary_account",
    "account",
    "type",
    "amount",
    "status",
    "created_at",
)


def span(begin: str, end: str) -> tuple[int, int]:
    """From the first day or instant to the end of the last, UTC, in ms. Raises ValueError."""
    return _ms(begin, timedelta()) if begin else 0, _ms(end, timedelta(days=1)) if end else 2**62


def xendit_csv(lines: Iterable[sqlite3.Row]) -> str:
    """The balance report of Xendit."""
    return _csv(XENDIT_COLUMNS, [xendit_line(one) for one in lines])


def iris_csv(lines: Iterable[sqlite3.Row]) -> str:
    """The statement of Iris."""
    return _csv(IRIS_COLUMNS, [iris_line(one) for one in lines])


def xendit_line(line: sqlite3.Row) -> dict[str, Any]:
    """One line of the balance report."""
    values = (
        line["payout_id"] or "",
        f"txn-{line['number']:08}",
        line["type"],
        line["line_type"],
        line["channel"] or "",
        line["reference"] or "",
        "IDR",
        abs(line["amount_idr"]),
        "CREDIT" if line["amount_idr"] > 0 else "DEBIT",
        line["balance_idr"],
        _written(line["at_ms"], "milliseconds"),
    )
    return dict(zip(XENDIT_COLUMNS, values, strict=True))


def iris_line(line: sqlite3.Row) -> dict[str, Any]:
    """One line of the statement; top-ups name no beneficiary."""
    asked = json.loads(line["request"] or "{}")
    values = (
        line["payout_id"] or "",
        asked.get("beneficiary_name", ""),
        line["account"] or "",
        line["channel"] or "bank transfer",
        _IRIS_TYPES.get(line["line_type"], line["line_type"]) if line["payout_id"] else "Topup",
        f"{abs(line['amount_idr'])}.00",
        "credit" if line["amount_idr"] > 0 else "debit",
        _written(line["at_ms"], "seconds"),
    )
    return dict(zip(IRIS_COLUMNS, values, strict=True))


_IRIS_TYPES = {
    "TRANSACTION": "Payout",
    "FEE": "Payout Fee",
    "VAT": "Payout Fee VAT",
    "TRANSACTION_REVERSAL": "Payout Refund",
    "FEE_REVERSAL": "Payout Fee Refund",
    "VAT_REVERSAL": "Payout Fee VAT Refund",
}


def _csv(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _ms(text: str, more: timedelta) -> int:
    if len(text) == len("2026-01-31"):
        day = date.fromisoformat(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + more
    else:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)


def _written(at_ms: int, precision: str) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec=precision)
    return at.replace("+00:00", "Z")
