"""Price lists out of CSV files, as spreadsheets write them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from models.material import Condition
from models.price import Channel
from service.errors import FieldProblem, Malformed
from service.sheets import Bad, Sheet, again, in_order, read_cells, rupiah_of

HIGHEST_PRICE_IDR = 1_000_000_000


class PriceFileNotReadable(Malformed):
    """Every problem points to its place: `/3/price_idr` is that column of line 3."""

    english = "The price list can't be read."
    indonesian = "Daftar harga tidak dapat dibaca."


_SHEET = Sheet(
    required=("material", "channel", "price_idr"),
    optional=("condition", "valid_from"),
    refusal=PriceFileNotReadable,
)


@dataclass(frozen=True, slots=True)
class NewPriceRow:
    """One line of the file; without an instant it begins when the whole list does."""

    line: int
    material: str
    condition: Condition
    channel: Channel
    price_idr: int | None
    valid_from: datetime | None


def read_prices(
    text: str, known_materials: Collection[str], *, zone: tzinfo = UTC
) -> list[NewPriceRow]:
    """The rows of a price list; dates and times without a zone are of `zone`.

    Raises PriceFileNotReadable, which names every cell at fault.
    """
    problems: list[FieldProblem] = []
    rows = [
        row
        for line, cells in _SHEET.lines(text)
        if (row := _row(line, cells, known_materials, zone, problems)) is not None
    ]
    problems += _twice(rows)
    if problems:
        raise PriceFileNotReadable(*in_order(problems))
    if not rows:
        raise _SHEET.whole(1, "There are no prices in it.", "Tidak ada harga di dalamnya.")
    return rows


def instant_of(text: str, zone: tzinfo) -> datetime:
    """An instant, a local time, or a date, which begins at midnight. Raises ValueError."""
    try:
        found = datetime.combine(date.fromisoformat(text), datetime.min.time())
    except ValueError:
        found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


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
    found = read_cells(line, cells, readers, problems)
    return NewPriceRow(line, **found) if found else None


def _material(text: str, known: Collection[str]) -> str:
    code = text.upper()
    if code not in known:
        raise Bad(
            f"There is no material {text or 'without a code'}.",
            f"Jenis sampah {text or 'tanpa kode'} tidak dikenal.",
        )
    return code


def _condition(text: str) -> Condition:
    """As people mean it, and as over HTTP: clean, unless they say otherwise."""
    try:
        return Condition(text.lower() or Condition.CLEAN)
    except ValueError:
        raise Bad("It must be clean or dirty.", "Harus clean atau dirty.") from None


def _channel(text: str) -> Channel:
    try:
        return Channel(text.lower())
    except ValueError:
        raise Bad("It must be pickup or dropoff.", "Harus pickup atau dropoff.") from None


def _price(text: str) -> int | None:
    """Whole rupiah; an empty cell ends the buying."""
    if not text:
        return None
    price = rupiah_of(text)
    if price is None:
        raise Bad(
            f"{text} is not a price; write 1500, 1.500 or Rp1.500.",
            f"{text} bukan harga; tulislah 1500, 1.500 atau Rp1.500.",
        )
    if price > HIGHEST_PRICE_IDR:
        raise Bad("This price is too high.", "Harga ini terlalu tinggi.")
    return price


def _valid_from(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        return instant_of(text, zone)
    except ValueError:
        raise Bad(
            f"{text} is not a date or a time; write 2026-12-01 or 2026-12-01T08:00.",
            f"{text} bukan waktu; tulislah 2026-12-01 atau 2026-12-01T08:00.",
        ) from None


def _twice(rows: Sequence[NewPriceRow]) -> list[FieldProblem]:
    return [
        FieldProblem(
            f"/{row.line}/material",
            f"The same price is in line {first} already.",
            f"Harga yang sama sudah ada di baris {first}.",
        )
        for row, first in again(
            rows, lambda row: (row.material, row.condition, row.channel, row.valid_from)
        )
    ]
