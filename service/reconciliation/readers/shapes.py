"""What every reader makes of a file: rows in whole rupiah, oldest first; all of them or none."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from models.reconciliation import Holding, LineType
from service.errors import FieldProblem, Malformed

MOST_LINES = 200_000
MOST_PROBLEMS = 500
_LARGEST_IDR = 10**15
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
NO_LIMIT = datetime.max.replace(tzinfo=UTC)
_ALMOST_A_DAY = timedelta(days=1) - timedelta(microseconds=1)
_BACK = {
    LineType.OUT: LineType.IN,
    LineType.FEE: LineType.FEE_BACK,
    LineType.VAT: LineType.VAT_BACK,
}


class StatementNotReadable(Malformed):
    """Every problem points to its place: `/3/Amount` is that column of line 3."""

    english = "The statement can't be read, so that nothing of it was imported."
    indonesian = "Mutasi tidak dapat dibaca; tidak ada yang diimpor."


class Bad(ValueError):
    """A cell or field that can't be read, in both languages."""

    def __init__(self, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.indonesian = indonesian


class Row(NamedTuple):
    """One line of a statement. `amount_idr` is negative where money left."""

    kind: LineType
    external_id: str
    occurrence: int
    gateway_id: str
    reference: str
    account_number: str
    amount_idr: int
    balance_idr: int | None
    booked_at: datetime
    booked_until: datetime
    raw: str


@dataclass(frozen=True, slots=True)
class Read:
    """A whole file: by which profile, about which account, oldest line first."""

    profile: str
    holding: Holding
    rows: Sequence[Row]
    opening_idr: int | None
    closing_idr: int | None


class Problems:
    """What is wrong, gathered up to a number that can be read."""

    def __init__(self) -> None:
        self.found: list[FieldProblem] = []
        self._more = 0

    def note(self, line: int, column: str, bad: Bad) -> None:
        if len(self.found) < MOST_PROBLEMS:
            pointer = f"/{line}/{_escaped(column)}" if column else f"/{line}"
            self.found.append(FieldProblem(pointer, str(bad), bad.indonesian))
        else:
            self._more += 1

    def check(self) -> None:
        """Raise StatementNotReadable if anything was noted."""
        if self._more:
            self.found.append(
                FieldProblem("", f"And {self._more} more.", f"Dan {self._more} lagi.")
            )
        if self.found:
            raise StatementNotReadable(*self.found)


def refuse(line: int, english: str, indonesian: str) -> StatementNotReadable:
    """The refusal of a file as a whole."""
    return StatementNotReadable(FieldProblem(f"/{line}", english, indonesian))


def rupiah(text: str, *, decimal: str = ".", thousands: str = ",") -> int:
    """Whole rupiah, exactly: 1,500.00, Rp 1.500,00, -1500, (1.500), 1500-. Raises Bad."""
    cleaned = text.strip()
    found = _amount(decimal, thousands).fullmatch(cleaned)
    if found is None:
        settings = f"decimal {decimal!r}, thousands {thousands!r}"
        raise Bad(
            f"{text!r:.60} is not whole rupiah, read with {settings}.",
            f"{text!r:.60} bukan rupiah bulat, dibaca dengan {settings}.",
        )
    digits = re.sub(r"\D", "", found["whole"])
    before, after = found["before"], found["after"]
    if len(digits) > 16 or int(digits) > _LARGEST_IDR:
        raise Bad("This amount is too large.", "Jumlah ini terlalu besar.")
    signs = cleaned.startswith("(") + before.count("-") + after.count("-")
    if signs > 1:
        raise Bad(f"{text!r:.60} has two signs.", f"{text!r:.60} bertanda dua kali.")
    return -int(digits) if signs else int(digits)


def instant(text: str, date_format: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """When it was booked, from and until: an instant, or a whole day of the zone. Raises Bad."""
    try:
        read = (
            datetime.strptime(text, date_format) if date_format else datetime.fromisoformat(text)  # noqa: DTZ007
        )
        aware = read if read.tzinfo else read.replace(tzinfo=zone)
        begins = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        form = repr(date_format) if date_format else "ISO 8601 (2026-11-29)"
        raise Bad(
            f"{text!r:.60} is not a time, read with date_format {form}.",
            f"{text!r:.60} bukan waktu, dibaca dengan date_format {form}.",
        ) from None
    if not _FIRST_YEAR <= begins.year < _LAST_YEAR:
        raise Bad("This year can't be.", "Tahun ini tidak mungkin.")
    whole_day = "%H" not in date_format if date_format else len(text) <= len("2026-11-01")
    return begins, begins + _ALMOST_A_DAY if whole_day else begins


def not_after(booked: tuple[datetime, datetime], until: datetime) -> tuple[datetime, datetime]:
    """The same, unless it begins after that instant: nothing is booked before it happens.

    Raises Bad.
    """
    if booked[0] > until:
        day = booked[0].date()
        raise Bad(f"{day} is yet to come.", f"{day} belum tiba.")
    return booked


def kind_of(said: LineType | None, amount_idr: int) -> LineType:
    """The kind of a line, as far as the file says it; else by where the money went."""
    kind = said or LineType.OUT
    return _BACK.get(kind, kind) if amount_idr > 0 else kind


def numbered(rows: Iterable[Row]) -> list[Row]:
    """Rows that bear no id of the source's own get one from what they say.

    Two that say the same are told apart by their number, which is the same in any file that
    holds the whole of their day.
    """
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for row in rows:
        if row.external_id:
            found.append(row)
            continue
        texts = (row.gateway_id, row.reference, row.account_number)
        said = (row.booked_at, row.amount_idr, row.balance_idr, *texts)
        made = sha256(repr(said).encode()).hexdigest()[:32]
        seen[made, row.kind] += 1
        found.append(row._replace(external_id=made, occurrence=seen[made, row.kind]))
    return found


def whole(profile: str, holding: Holding, rows: Sequence[Row]) -> Read:
    """The file with its oldest line first, and what it says was there before and after."""
    ordered = _oldest_first(rows)
    first, last = ordered[0], ordered[-1]
    opening = None if first.balance_idr is None else first.balance_idr - first.amount_idr
    return Read(profile, holding, numbered(ordered), opening, last.balance_idr)


def checked(read: Read, opening_idr: int | None, closing_idr: int | None) -> Read:
    """With the balances that the file says, between which its lines must lie.

    Raises StatementNotReadable.
    """
    total = sum(row.amount_idr for row in read.rows) + (opening_idr or 0)
    if None not in (opening_idr, closing_idr) and total != closing_idr:
        raise refuse(
            1,
            f"Opening balance and lines make {total}, and it says {closing_idr}.",
            f"Saldo awal dan mutasi berjumlah {total}, tertulis {closing_idr}.",
        )
    return replace(read, opening_idr=opening_idr, closing_idr=closing_idr)


def adds_up(rows: Sequence[Row]) -> bool:
    """Whether each balance is the one before and what moved."""
    return all(
        earlier.balance_idr is not None
        and later.balance_idr == earlier.balance_idr + later.amount_idr
        for earlier, later in pairwise(rows)
    )


def _oldest_first(rows: Sequence[Row]) -> Sequence[Row]:
    """As the balances run, whichever way the file does; else by time."""
    if rows[0].balance_idr is not None:
        for way in (list(rows), list(reversed(rows))):
            if way[0].booked_at <= way[-1].booked_at and adds_up(way):
                return way
    return sorted(rows, key=lambda row: row.booked_at)


@lru_cache(maxsize=64)
def _amount(decimal: str, thousands: str) -> re.Pattern[str]:
    # Never three zeros: 500.000 is five hundred thousand of a file that its map doesn't fit.
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
    return re.compile(
        rf"\(?(?P<before>[-+]?\s*(?:(?:Rp|IDR)\.?\s*)?[-+]?)"
        rf"(?P<whole>{grouped}[0-9]+)(?:{re.escape(decimal)}(?:00?|0000))?\s*(?P<after>[-+]?)\)?",
        re.IGNORECASE,
    )


def _escaped(column: str) -> str:
    return column.replace("~", "~0").replace("/", "~1")
