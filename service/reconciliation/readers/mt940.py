"""MT940, by the library that knows what banks make of it."""

import json
import logging
import re
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from io import StringIO
from typing import Any

import mt940

from models.reconciliation import Holding
from service.reconciliation.readers.shapes import (
    MOST_LINES,
    Bad,
    Problems,
    Read,
    Row,
    checked,
    instant,
    kind_of,
    refuse,
    whole,
)

_BEGIN = re.compile(r"\s*(\{1:|:20:)")
_MOVE = re.compile(r":61:[0-9]{6}(?:[0-9]{4}|\s{4})?R?[DC][A-Z]?[0-9]{1,15}(?:,[0-9]{0,2})?[A-Z]")
_NO_REFERENCE = ("NONREF", "NOTPROVIDED")

# What it can't read it logs, names and accounts of people included.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)


def is_mt940(text: str) -> bool:
    return _BEGIN.match(text) is not None


def read_mt940(text: str, profile: str, zone: tzinfo) -> Read:
    """All statements of the file. Raises StatementNotReadable."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(":61:")]
    _check_lines(text)
    if len(lines) > MOST_LINES:
        raise refuse(1, f"It has more than {MOST_LINES} lines.", f"Lebih dari {MOST_LINES} baris.")
    try:
        # Text as such could be the name of a file, which would be opened.
        found = mt940.parse(StringIO(text), options=mt940.Options.all())
        moves = [move.data for move in found]
    except (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
        raise refuse(1, "This is not MT940.", "Ini bukan MT940.") from None
    if not moves or len(moves) != len(lines):
        raise refuse(1, "Not every line of it can be read.", "Tidak semua baris terbaca.")
    problems = Problems()
    rows = [
        row
        for line, move in zip(lines, moves, strict=True)
        if (row := _row(line, move, zone, problems)) is not None
    ]
    problems.check()
    opening, closing = (
        _said_idr(found.data, name) for name in ("final_opening_balance", "final_closing_balance")
    )
    return checked(whole(profile, Holding.BANK_ACCOUNT, rows), opening, closing)


def _check_lines(text: str) -> None:
    problems = Problems()
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(":61:") and not _MOVE.match(line):
            problems.note(number, ":61:", Bad("It can't be read.", "Tidak terbaca."))
    problems.check()


def _row(line: int, move: dict[str, Any], zone: tzinfo, problems: Problems) -> Row | None:
    try:
        if (move.get("currency") or "IDR") != "IDR":
            raise Bad("Only rupiah are kept here.", "Hanya rupiah.")
        amount = _rupiah(move["amount"].amount)
        booked, until = _day(move.get("entry_date") or move["date"], zone)
    except Bad as bad:
        problems.note(line, ":61:", bad)
        return None
    said = (move.get("customer_reference"), move.get("transaction_details"))
    texts = [text for text in said if text and text not in _NO_REFERENCE]
    return Row(
        kind=kind_of(None, amount),
        external_id="",
        occurrence=1,
        gateway_id=(move.get("bank_reference") or "")[:120],
        reference=" ".join(" ".join(texts).split())[:300],
        account_number="",
        amount_idr=amount,
        balance_idr=None,
        booked_at=booked,
        booked_until=until,
        raw=json.dumps({key: str(value) for key, value in move.items() if value is not None}),
    )


def _rupiah(amount: Decimal) -> int:
    if amount != amount.to_integral_value():
        raise Bad(f"{amount} is not whole rupiah.", f"{amount} bukan rupiah bulat.")
    return int(amount)


def _day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    begins, _ = instant(datetime.combine(day, time(), zone).isoformat(), "", zone)
    return begins, begins + timedelta(days=1) - timedelta(microseconds=1)


def _said_idr(said: dict[str, Any], name: str) -> int | None:
    balance = said.get(name)
    try:
        return None if balance is None else _rupiah(balance.amount.amount)
    except Bad:
        return None
