"""A statement for a spreadsheet, as CSV.

UTF-8 with a byte order mark, without which Excel takes it for another encoding. Fields are
divided as the language's Excel expects it: by semicolons in Indonesian, where the comma is
for decimals, by commas in English. Amounts are plain integers.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from service.statements.reading import Statement
from service.statements.words import labels

SEPARATORS = {"id": ";", "en": ","}
"""What divides fields where the spreadsheet speaks this language."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | None


def as_csv(statement: Statement) -> bytes:
    """Header, opening balance, lines, totals and closing balance, one a row."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATORS[statement.language])
    writer.writerows([harmless(cell) for cell in row] for row in _rows(statement))
    return text.getvalue().encode("utf-8-sig")


def _rows(statement: Statement) -> Iterator[Sequence[Cell]]:
    say = labels(statement.language, provisional=statement.provisional)
    first, last = statement.first_day.isoformat(), statement.last_day.isoformat()
    yield say.title, statement.bank.name
    yield say.name, statement.resident.name
    yield say.number, statement.passbook_number
    yield say.phone, statement.resident.phone or ""
    yield say.period, first, last
    yield ()
    yield (
        say.no,
        say.date,
        say.money_in,
        say.money_out,
        say.balance,
        say.entered_by,
        say.note,
    )
    yield "", first, "", "", statement.opening_idr, "", say.opening
    for line in statement.lines:
        yield (
            line.number,
            line.day.isoformat(),
            line.in_idr,
            line.out_idr,
            line.balance_idr,
            line.entered_by,
            line.note,
        )
    closing = statement.closing_idr
    yield "", last, statement.in_idr, statement.out_idr, closing, "", say.closing


def harmless(cell: Cell) -> Cell:
    """Text that a spreadsheet would take for a formula is marked as text by an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
