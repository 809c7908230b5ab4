"""A table in a file of text: where it begins, and which of its columns is in which cell."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from service.reconciliation.readers.shapes import StatementNotReadable, refuse

_HEADER_WITHIN = 40
"""Banks put their name and the account above the table."""
_SHOWN = 200
"""How much of a line is told, in characters."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_BY_NUMBER = re.compile(r"#[1-9][0-9]?")


class Table(NamedTuple):
    """In which cell each column is, and the rows below the header with their lines."""

    cells: dict[str, int]
    rows: Iterator[tuple[int, list[str]]]


def has_header(text: str, separators: Sequence[str], needed: Sequence[str]) -> bool:
    """Whether a line has all these columns."""
    return any(
        _places(cells, needed) is not None
        for separator in separators
        for _, cells in _first_rows(text, separator)
    )


def table_in(text: str, separators: Sequence[str], needed: Sequence[str]) -> Table:
    """The table that holds all columns, wherever it begins. Raises StatementNotReadable."""
    for separator in separators:
        for header_line, header in _first_rows(text, separator):
            places = _places(header, needed)
            if places is not None:
                return Table(places, _rows_below(text, separator, header_line))
    raise _no_header(text, separators, needed)


def first_line(text: str) -> str:
    """The first line that says something, in quotes, no longer than can be read."""
    return _quoted(next(line for line in text.splitlines() if line.strip()).strip())


def _no_header(text: str, separators: Sequence[str], needed: Sequence[str]) -> StatementNotReadable:
    """The refusal of a file without the columns, with the line that has most of them."""
    rows = [row for separator in separators for row in _first_rows(text, separator)]
    line, cells = min(rows, key=lambda row: len(_missing(row[1], needed)), default=(1, []))
    missing = ", ".join(_missing(cells, needed))
    if missing == ", ".join(needed):
        said = first_line(text)
        return refuse(
            1,
            f"No line is a header with the columns {missing}; the file begins with {said}.",
            f"Tidak ada baris judul dengan kolom {missing}; berkas diawali dengan {said}.",
        )
    said = _quoted(", ".join(cell.strip() for cell in cells if cell.strip()))
    return refuse(
        line,
        f"As a header this line lacks {missing}; it has {said}.",
        f"Sebagai judul kolom, baris ini tidak memuat {missing}; isinya {said}.",
    )


def _quoted(said: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in said)
    return f"“{plain[: _SHOWN - 1]}…”" if len(plain) > _SHOWN else f"“{plain}”"


def _rows_below(text: str, separator: str, header_line: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(text), delimiter=separator)
    try:
        for cells in reader:
            if reader.line_num > header_line and any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error:
        raise refuse(reader.line_num, "This is not CSV.", "Ini bukan CSV.") from None


def _lines(text: str) -> Iterator[str]:
    """One at a time: a whole file in a StringIO takes four bytes a character."""
    return (line.group() for line in _LINE.finditer(text))


def _first_rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(text), delimiter=separator)
    try:
        for cells in islice(reader, _HEADER_WITHIN):
            yield reader.line_num, cells
    except csv.Error:
        return


def _places(header: Sequence[str], needed: Sequence[str]) -> dict[str, int] | None:
    """In which cell each column of the map is, if this row is its header."""
    names = _names(header)
    places: dict[str, int] = {}
    for column in needed:
        place = _place_of(column, names)
        if place is None:
            return None
        places[column] = place - 1
    return places


def _missing(header: Sequence[str], needed: Sequence[str]) -> list[str]:
    """The columns of the map that this row hasn't."""
    names = _names(header)
    return [column for column in needed if _place_of(column, names) is None]


def _names(header: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in header]


def _place_of(column: str, names: Sequence[str]) -> int | None:
    return next(filter(None, (_place(one, names) for one in column.split("|"))), None)


def _place(column: str, names: Sequence[str]) -> int | None:
    """Which cell of the row, from 1 on."""
    if _BY_NUMBER.fullmatch(column):
        return int(column[1:]) if int(column[1:]) <= len(names) else None
    name = column.strip().lower()
    return names.index(name) + 1 if name in names else None
