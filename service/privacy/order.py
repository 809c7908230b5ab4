"""In which order a person reads a row: what they know first, what the machine counts by last."""

from collections.abc import Iterable, Mapping, Sequence

from service.privacy.export import Row

_FIRST = (
    *("name", "phone", "role", "at", "created_at", "booked_at", "weighed_at"),
    *("kind", "act", "purpose", "title", "status", "to_status", "material", "condition", "grams"),
    *("amount_idr", "credited_idr", "value_idr", "paid_idr", "estimate_idr", "amount", "unit"),
    *("balance_after", "estimated_grams", "sold_grams", "rejected_grams", "price_idr", "fee_idr"),
    *("collected_at", "method", "channel_code", "account_number", "account_holder_name"),
    *("text", "reason", "address", "area", "note", "memo", "body"),
)
_RANK = {column: rank for rank, column in enumerate(_FIRST)}
_BANK = "bank_id"
_COUNTED = frozenset(
    {
        *("cell", "claim_number", "credit_shard", "debit_shard", "fence", "floor", "moves"),
        *("page", "shard", "shards", "tries", "version"),
    }
)


def arranged(rows: Sequence[Row], banks: Mapping[str, str]) -> list[Row]:
    """The rows as a person reads them: a bank by its name, no column in which nothing stands."""
    filled = {column for row in rows for column, value in row.items() if value not in (None, "")}
    columns = in_order(column for column in rows[0] if column in filled)
    return [{column: _named(column, row[column], banks) for column in columns} for row in rows]


def in_order(columns: Iterable[str]) -> list[str]:
    """Names, dates and amounts, the rest, counters, the bank, ids."""
    return sorted(columns, key=_place)


def _place(column: str) -> int:
    if column == _BANK:
        return len(_FIRST) + 2
    if column in ("id", "key") or column.endswith("_id"):
        return len(_FIRST) + 3
    return _RANK.get(column, len(_FIRST) + (column in _COUNTED))


def _named(column: str, value: object, banks: Mapping[str, str]) -> object:
    return banks.get(str(value), value) if column == _BANK else value
