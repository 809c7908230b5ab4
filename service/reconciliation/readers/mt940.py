"""MT940, by the library that knows what banks make of it."""

import json
import logging
import re
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from io import StringIO
from typing import Any

from models.reconciliation import Holding
from service.reconciliation.readers.shapes import (
    MOST_LINES,
    NO_LIMIT,
    Bad,
    Problems,
    Read,
    Row,
    checked,
    instant,
    kind_of,
    not_after,
    refuse,
    whole,
)

_BEGIN = re.compile(r"\s*(\{1:|:20:)")
_MOVE = re.compile(
    r":61:(?P<value>[0-9]{6})(?:(?P<entry>[0-9]{4})|\s{4})?"
    r"R?[DC][A-Z]?[0-9]{1,15}(?:,[0-9]{0,2})?[A-Z]"
)
_BALANCE = re.compile(r":(?P<which>6[02])[FM]:[DC](?P<day>[0-9]{6})")
_BESIDE = timedelta(days=7)
"""How far from its statement's days a line may be booked: holidays, and dates of value."""
_NO_REFERENCE = ("NONREF", "NOTPROVIDED")

# What it can't read it logs, names and accounts of people included.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)


def is_mt940(text: str) -> bool:
    return _BEGIN.match(text) is not None


def read_mt940(text: str, profile: str, zone: tzinfo, *, until: datetime = NO_LIMIT) -> Read:
    """All statements of the file. Raises StatementNotReadable."""
    import mt940  # noqa: PLC0415  Slow to import, and a start does without.

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
        if (row := _row(line, move, (zone, until), problems)) is not None
    ]
    problems.check()
    opening, closing = (
        _said_idr(found.data, name) for name in ("final_opening_balance", "final_closing_balance")
    )
    return checked(whole(profile, Holding.BANK_ACCOUNT, rows), opening, closing)


def _check_lines(text: str) -> None:
    """See that every line can be read, and lies within the days of its statement."""
    problems = Problems()
    opened: date | None = None
    moves: list[tuple[int, date]] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.startswith(":61:"):
                moves.append((number, _booked(line)))
            elif balance := _BALANCE.match(line):
                day = _date(balance["day"])
                if balance["which"] == "60":
                    opened, moves = day, []
                elif opened:
                    _check_within(moves, opened, day, problems)
        except Bad as bad:
            problems.note(number, line[: line.index(":", 1) + 1], bad)
    problems.check()


def _booked(line: str) -> date:
    """The day of a line: of its entry where it says one, else of its value."""
    found = _MOVE.match(line)
    if found is None:
        raise Bad("It can't be read.", "Tidak terbaca.")
    value = _date(found["value"])
    if found["entry"] is None:
        return value
    # It says no year, and the turn of one may lie between the two.
    years = (value.year - 1, value.year, value.year + 1)
    days = [day for year in years if (day := _day_of(f"{year % 100:02}{found['entry']}"))]
    if not days:
        raise Bad(f"{found['entry']} is not a day.", f"{found['entry']} bukan tanggal.")
    return min(days, key=lambda day: abs(day - value))


def _date(digits: str) -> date:
    day = _day_of(digits)
    if day is None:
        raise Bad(f"{digits} is not a day.", f"{digits} bukan tanggal.")
    return day


def _day_of(digits: str) -> date | None:
    try:
        return datetime.strptime(digits, "%y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


def _check_within(
    moves: list[tuple[int, date]], opened: date, closed: date, problems: Problems
) -> None:
    if closed < opened:
        raise Bad(f"{closed} is before {opened}.", f"{closed} sebelum {opened}.")
    for number, day in moves:
        if not opened - _BESIDE <= day <= closed + _BESIDE:
            bad = Bad(
                f"{day} is not in this statement of {opened} to {closed}.",
                f"{day} di luar mutasi {opened} sampai {closed} ini.",
            )
            problems.note(number, ":61:", bad)


def _row(
    line: int, move: dict[str, Any], when: tuple[tzinfo, datetime], problems: Problems
) -> Row | None:
    zone, latest = when
    try:
        if (move.get("currency") or "IDR") != "IDR":
            raise Bad("Only rupiah are kept here.", "Hanya rupiah.")
        amount = _rupiah(move["amount"].amount)
        booked, until = not_after(_day(move.get("entry_date") or move["date"], zone), latest)
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
