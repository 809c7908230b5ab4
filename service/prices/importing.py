"""Price lists out of CSV files, as spreadsheets write them."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from io import StringIO
from typing import Any

from models.material import Condition
from models.price import Channel
from service.errors import FieldProblem, Malformed

MOST_ROWS = 5_000
MOST_BYTES = 1_000_000
HIGHEST_PRICE_IDR = 1_000_000_000

_REQUIRED = ("material", "condition", "channel", "price_idr")
_COLUMNS = (*_REQUIRED, "valid_from")
# 1500, 1.500, Rp1.500, Rp 1.500,- and 1.500,00; not 1,500, which elsewhere is a thousandth.
_PRICE = re.compile(r"(?:Rp\.?\s*)?([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,(?:-|00))?", re.IGNORECASE)


class PriceFileNotReadable(Malformed):
    """Every problem points to its place: `/3/price_idr` is that column of line 3."""

    english = "The price list can't be read."
    indonesian = "Daftar harga tidak dapat dibaca."


@dataclass(frozen=True, slots=True)
class NewPriceRow:
    """One line of the file; without an instant it begins when the whole list does."""

    line: int
    material: str
    condition: Condition
    channel: Channel
    price_idr: int | None
    valid_from: datetime | None


class _Bad(ValueError):
    """A cell that can't be read, in both languages."""

    def __init__(self, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.indonesian = indonesian


def read_prices(
    text: str, known_materials: Collection[str], *, zone: tzinfo = UTC
) -> list[NewPriceRow]:
    """The rows of a price list; dates and times without a zone are of `zone`.

    Raises PriceFileNotReadable, which names every cell at fault.
    """
    text = text.removeprefix("\ufeff")
    _check_size(text)
    problems: list[FieldProblem] = []
    rows = [
        row
        for line, cells in _lines(text)
        if (row := _row(line, cells, known_materials, zone, problems)) is not None
    ]
    problems += _twice(rows)
    if problems:
        raise PriceFileNotReadable(*sorted(problems, key=_line_of))
    if not rows:
        raise _whole(1, "There are no prices in it.", "Tidak ada harga di dalamnya.")
    return rows


def instant_of(text: str, zone: tzinfo) -> datetime:
    """An instant, a local time, or a date, which begins at midnight. Raises ValueError."""
    try:
        found = datetime.combine(date.fromisoformat(text), datetime.min.time())
    except ValueError:
        found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _check_size(text: str) -> None:
    if len(text.encode()) > MOST_BYTES:
        raise _whole(1, "It is larger than 1 MB.", "Berkas lebih besar dari 1 MB.")


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each line by column, with the line's number in the file."""
    first = text.split("\n", 1)[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
    try:
        columns = _columns(next(reader, []))
        for count, cells in enumerate(filter(any, reader), start=1):
            if count > MOST_ROWS:
                raise _whole(
                    reader.line_num,
                    f"It has more than {MOST_ROWS} prices.",
                    f"Ada lebih dari {MOST_ROWS} harga.",
                )
            yield reader.line_num, _by_column(reader.line_num, columns, cells)
    except csv.Error:
        raise _whole(reader.line_num, "This is not CSV.", "Ini bukan CSV.") from None


def _columns(header: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    problems = [
        FieldProblem(f"/1/{name}", "This column is missing.", "Kolom ini tidak ada.")
        for name in _REQUIRED
        if name not in columns
    ]
    problems += [
        FieldProblem(f"/1/{name}", "There is no such column.", "Kolom ini tidak dikenal.")
        for name in columns
        if name not in _COLUMNS
    ]
    problems += [
        FieldProblem(f"/1/{name}", "This column is there twice.", "Kolom ini ada dua kali.")
        for name, count in Counter(columns).items()
        if count > 1 and name in _COLUMNS
    ]
    if problems:
        raise PriceFileNotReadable(*problems)
    return columns


def _by_column(line: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        raise _whole(
            line,
            "It has more cells than there are columns; a price with a comma needs quotes.",
            "Isinya lebih banyak dari kolomnya; harga dengan koma perlu tanda kutip.",
        )
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    return {column: cell.strip() for column, cell in zip(columns, padded, strict=False)}


def _row(
    line: int,
    cells: dict[str, str],
    known_materials: Collection[str],
    zone: tzinfo,
    problems: list[FieldProblem],
) -> NewPriceRow | None:
    """The row, or None after noting what is wrong with it."""
    readers: dict[str, Callable[[str], object]] = {
        "material": lambda text: _material(text, known_materials),
        "condition": _condition,
        "channel": _channel,
        "price_idr": _price,
        "valid_from": lambda text: _valid_from(text, zone),
    }
    found: dict[str, Any] = {}
    for column, read in readers.items():
        try:
            found[column] = read(cells.get(column, ""))
        except _Bad as bad:
            problems.append(FieldProblem(f"/{line}/{column}", str(bad), bad.indonesian))
    return NewPriceRow(line, **found) if len(found) == len(readers) else None


def _material(text: str, known: Collection[str]) -> str:
    code = text.upper()
    if code not in known:
        raise _Bad(
            f"There is no material {text or 'without a code'}.",
            f"Jenis sampah {text or 'tanpa kode'} tidak dikenal.",
        )
    return code


def _condition(text: str) -> Condition:
    """As people mean it, and as over HTTP: clean, unless they say otherwise."""
    try:
        return Condition(text.lower() or Condition.CLEAN)
    except ValueError:
        raise _Bad("It must be clean or dirty.", "Harus clean atau dirty.") from None


def _channel(text: str) -> Channel:
    try:
        return Channel(text.lower())
    except ValueError:
        raise _Bad("It must be pickup or dropoff.", "Harus pickup atau dropoff.") from None


def _price(text: str) -> int | None:
    """Whole rupiah; an empty cell ends the buying."""
    if not text:
        return None
    found = _PRICE.fullmatch(text)
    if found is None:
        raise _Bad(
            f"{text} is not a price; write 1500, 1.500 or Rp1.500.",
            f"{text} bukan harga; tulislah 1500, 1.500 atau Rp1.500.",
        )
    price = int(found.group(1).replace(".", "")) if len(found.group(1)) <= 20 else None
    if price is None or price > HIGHEST_PRICE_IDR:
        raise _Bad("This price is too high.", "Harga ini terlalu tinggi.")
    return price


def _valid_from(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        return instant_of(text, zone)
    except ValueError:
        raise _Bad(
            f"{text} is not a date or a time; write 2026-12-01 or 2026-12-01T08:00.",
            f"{text} bukan waktu; tulislah 2026-12-01 atau 2026-12-01T08:00.",
        ) from None


def _twice(rows: Sequence[NewPriceRow]) -> list[FieldProblem]:
    first_lines: dict[tuple[object, ...], int] = {}
    problems = []
    for row in rows:
        what = (row.material, row.condition, row.channel, row.valid_from)
        first = first_lines.setdefault(what, row.line)
        if first != row.line:
            problems.append(
                FieldProblem(
                    f"/{row.line}/material",
                    f"The same price is in line {first} already.",
                    f"Harga yang sama sudah ada di baris {first}.",
                )
            )
    return problems


def _line_of(problem: FieldProblem) -> int:
    return int(problem.pointer.split("/")[1])


def _whole(line: int, english: str, indonesian: str) -> PriceFileNotReadable:
    return PriceFileNotReadable(FieldProblem(f"/{line}", english, indonesian))
