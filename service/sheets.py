"""Lists out of CSV files, as spreadsheets write them: every cell at fault is named.

A problem points to its place: `/3/price_idr` is that column of line 3.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Protocol, TypeVar

from service.errors import FieldProblem, Malformed

MOST_BYTES = 1_000_000
MOST_ROWS = 5_000

# 1500, 1.500, Rp1.500, Rp 1.500,- and 1.500,00; not 1,500, which elsewhere is a thousandth.
_RUPIAH = re.compile(
    r"(?:Rp\.?\s*)?([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,(?:-|00))?", re.IGNORECASE
)
_MOST_DIGITS = 20


class _Line(Protocol):
    @property
    def line(self) -> int: ...


Row = TypeVar("Row", bound=_Line)


class Bad(ValueError):
    """A cell that can't be read, in both languages."""

    def __init__(self, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.indonesian = indonesian


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file has to look like, and what it is refused with."""

    required: Sequence[str]
    optional: Sequence[str]
    refusal: type[Malformed]

    def lines(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        """The cells of each line by column, with the line's number in the file.

        Raises `refusal`.
        """
        text = text.removeprefix("\ufeff")
        if len(text.encode()) > MOST_BYTES:
            raise self.whole(1, "It is larger than 1 MB.", "Berkas lebih besar dari 1 MB.")
        first = text.split("\n", 1)[0]
        reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
        try:
            columns = self._columns(next(reader, []))
            for count, cells in enumerate(filter(_has_text, reader), start=1):
                self._check_count(reader.line_num, count)
                yield reader.line_num, self._by_column(reader.line_num, columns, cells)
        except csv.Error:
            raise self.whole(reader.line_num, "This is not CSV.", "Ini bukan CSV.") from None

    def whole(self, line: int, english: str, indonesian: str) -> Malformed:
        """What is wrong with a line as a whole."""
        return self.refusal(FieldProblem(f"/{line}", english, indonesian))

    def _columns(self, header: Sequence[str]) -> list[str]:
        columns = [name.strip().lower() for name in header]
        while columns and not columns[-1]:
            columns.pop()
        known = (*self.required, *self.optional)
        problems = [
            FieldProblem(f"/1/{name}", "This column is missing.", "Kolom ini tidak ada.")
            for name in self.required
            if name not in columns
        ]
        names = ", ".join(known)
        problems += [
            FieldProblem(
                f"/1/{name or '?'}",
                f"There is no such column, but: {names}.",
                f"Kolom ini tidak dikenal. Kolom yang ada: {names}.",
            )
            for name in columns
            if name not in known
        ]
        problems += [
            FieldProblem(f"/1/{name}", "This column is there twice.", "Kolom ini ada dua kali.")
            for name, count in Counter(columns).items()
            if count > 1 and name in known
        ]
        if problems:
            raise self.refusal(*problems)
        return columns

    def _check_count(self, line: int, count: int) -> None:
        if count > MOST_ROWS:
            raise self.whole(
                line,
                f"It has more than {MOST_ROWS} rows.",
                f"Isinya lebih dari {MOST_ROWS} baris.",
            )

    def _by_column(self, line: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            raise self.whole(
                line,
                "It has more cells than there are columns; a cell with a comma needs quotes.",
                "Isinya lebih banyak dari kolomnya; isi dengan koma perlu tanda kutip.",
            )
        padded = [*cells, *[""] * (len(columns) - len(cells))]
        return {column: _stripped(cell) for column, cell in zip(columns, padded, strict=False)}


def _has_text(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _stripped(cell: str) -> str:
    """Without spaces around it; a space that a spreadsheet doesn't break is a space."""
    return cell.replace("\u00a0", " ").strip()


def read_cells(
    line: int,
    cells: Mapping[str, str],
    readers: Mapping[str, Callable[[str], object]],
    problems: list[FieldProblem],
) -> dict[str, Any] | None:
    """What the readers make of a line's cells, or None after noting what is wrong with them."""
    found: dict[str, Any] = {}
    for column, read in readers.items():
        try:
            found[column] = read(cells.get(column, ""))
        except Bad as bad:
            problems.append(FieldProblem(f"/{line}/{column}", str(bad), bad.indonesian))
    return found if len(found) == len(readers) else None


def rupiah_of(text: str) -> int | None:
    """Whole rupiah as people here write them; None if they are none."""
    found = _RUPIAH.fullmatch(text)
    # What is cut off is too much anyway, and too long for Python to count.
    digits = found.group(1).replace(".", "").lstrip("0") if found else ""
    return int(digits[:_MOST_DIGITS] or "0") if found else None


def again(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> Iterator[tuple[Row, int]]:
    """Each row whose key an earlier one has too, and that one's line; None is no key."""
    first_lines: dict[Hashable, int] = {}
    for row in rows:
        found = key(row)
        if found is None:
            continue
        first = first_lines.setdefault(found, row.line)
        if first != row.line:
            yield row, first


def in_order(problems: Sequence[FieldProblem]) -> list[FieldProblem]:
    """The same problems as the lines of the file follow one another."""
    return sorted(problems, key=lambda problem: int(problem.pointer.split("/")[1]))
