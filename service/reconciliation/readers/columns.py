"""CSV by a declared map of its columns."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from models.reconciliation import Holding, LineType
from service.reconciliation.readers.balances import first_break
from service.reconciliation.readers.shapes import (
    MOST_LINES,
    NO_LIMIT,
    Bad,
    Problems,
    Read,
    Row,
    instant,
    kind_of,
    not_after,
    refuse,
    rupiah,
    whole,
)
from service.reconciliation.readers.tables import has_header, table_in

_SEPARATORS = (",", ";", "\t", "|")
Value = TypeVar("Value")
_ID_LENGTH, _REFERENCE_LENGTH, _ACCOUNT_LENGTH = 120, 300, 40


@dataclass(frozen=True, slots=True)
class Columns:
    """How a source writes its CSV. A column is named as in its header, or #5 if it has no name;
    a|b is whichever of the two there is.

    Money is in one column with a sign, in one with a `marker` beside it, or in two.
    """

    booked_at: str
    booked_time: str = ""
    amount: str = ""
    debit: str = ""
    credit: str = ""
    marker: str = ""
    out_markers: Sequence[str] = ("DEBIT", "DB", "DR", "D")
    positive_is_out: bool = False
    balance: str = ""
    external_id: str = ""
    gateway_id: str = ""
    reference: str = ""
    account_number: str = ""
    line_type: str = ""
    line_types: Mapping[str, str] = field(default_factory=dict)
    """What the source calls a fee, a VAT, a return; anything else goes by its sign."""
    currency: str = ""
    separator: str = ""
    decimal: str = "."
    thousands: str = ","
    date_format: str = ""
    """As strptime has it; ISO 8601 if empty."""
    zone: str = "Asia/Jakarta"
    ends_with: Sequence[str] = ()
    """How the first cell begins below the table."""
    holding: str = Holding.FLOAT

    def needed(self) -> list[str]:
        """Every column that the map names."""
        named = (
            *(self.booked_at, self.booked_time, self.amount, self.debit, self.credit),
            *(self.marker, self.balance, self.external_id, self.gateway_id, self.reference),
            *(self.account_number, self.line_type, self.currency),
        )
        return [name for name in named if name]

    def separators(self) -> Sequence[str]:
        """What may stand between cells."""
        return (self.separator,) if self.separator else _SEPARATORS


def fits(text: str, columns: Columns) -> bool:
    """Whether the file has all the columns of a map."""
    return has_header(text, columns.separators(), columns.needed())


def read_csv(text: str, profile: str, columns: Columns, *, until: datetime = NO_LIMIT) -> Read:
    """Every row of the table. Raises StatementNotReadable, which names each cell at fault."""
    table = table_in(text, columns.separators(), columns.needed())
    problems = Problems()
    reader = _RowReader(columns, table.cells, until)
    rows: list[Row] = []
    lines: list[int] = []
    known: dict[tuple[str, LineType], tuple[int, Row]] = {}
    for line, cells in table.rows:
        if columns.ends_with and cells[0].strip().startswith(tuple(columns.ends_with)):
            break
        row = reader.read(line, cells, problems)
        if row and row.amount_idr and not _is_known(row, line, known, columns, problems):
            rows.append(row)
            lines.append(line)
        if len(rows) > MOST_LINES:
            raise refuse(
                line, f"It has more than {MOST_LINES} lines.", f"Lebih dari {MOST_LINES} baris."
            )
    problems.check()
    if not rows:
        raise refuse(
            1,
            "There is a header and no line with money below it.",
            "Ada judul kolom, tetapi tidak ada baris dengan uang di bawahnya.",
        )
    _check_balances(rows, lines, columns.balance)
    return whole(profile, Holding(columns.holding), rows)


def _check_balances(rows: Sequence[Row], lines: Sequence[int], column: str) -> None:
    """Raises StatementNotReadable for the first balance that amounts don't lead to."""
    place, problems = first_break(rows), Problems()
    if place is not None:
        bad = Bad(
            f"The balance {rows[place].balance_idr} doesn't follow from the lines beside it. Lines"
            " are missing, or something was changed: export all lines of these days.",
            f"Saldo {rows[place].balance_idr} tidak sesuai dengan baris di dekatnya. Ada baris yang"
            " hilang atau diubah: ekspor semua baris hari-hari ini.",
        )
        problems.note(lines[place], column, bad)
    problems.check()


def _is_known(
    row: Row,
    line: int,
    known: dict[tuple[str, LineType], tuple[int, Row]],
    columns: Columns,
    problems: Problems,
) -> bool:
    """Whether the file has this line a second time; then it has to say the same."""
    if not row.external_id:
        return False
    first, same = known.setdefault((row.external_id, row.kind), (line, row))
    if first != line and same._replace(raw="") != row._replace(raw=""):
        problems.note(
            line,
            columns.external_id,
            Bad(
                f"Line {first} has the same id and says something else.",
                f"Baris {first} memakai nomor yang sama dengan isi lain.",
            ),
        )
    return first != line


class _RowReader:
    """Reads the cells of one row after another."""

    def __init__(self, columns: Columns, cells: Mapping[str, int], until: datetime) -> None:
        self._columns = columns
        self._cells = cells
        self._zone = ZoneInfo(columns.zone)
        self._until = until
        self._out = {marker.upper() for marker in columns.out_markers}
        self._types = {said.upper(): LineType(kind) for said, kind in columns.line_types.items()}
        self._row: Sequence[str] = ()

    def read(self, line: int, row: Sequence[str], problems: Problems) -> Row | None:
        """The row, or None after noting what is wrong with it."""
        self._row = row
        columns = self._columns
        before = len(problems.found)
        booked = self._try(line, columns.booked_at, self._booked, problems)
        amount = self._try(line, columns.amount or columns.debit, self._amount, problems)
        balance = self._try(line, columns.balance, self._balance, problems)
        self._try(line, columns.currency, self._check_currency, problems)
        texts = self._try(line, columns.reference, self._texts, problems)
        if len(problems.found) > before or booked is None or amount is None or texts is None:
            return None
        said = self._types.get(self._cell(columns.line_type).upper())
        external_id, gateway_id, reference, account = texts
        return Row(
            kind=kind_of(said, amount),
            external_id=external_id,
            occurrence=1,
            gateway_id=gateway_id,
            reference=reference,
            account_number=account,
            amount_idr=amount,
            balance_idr=balance,
            booked_at=booked[0],
            booked_until=booked[1],
            raw=json.dumps(row, ensure_ascii=False, separators=(",", ":")),
        )

    def _try(
        self, line: int, column: str, read: Callable[[], Value], problems: Problems
    ) -> Value | None:
        try:
            return read()
        except Bad as bad:
            problems.note(line, column, bad)
            return None

    def _cell(self, column: str) -> str:
        if not column:
            return ""
        place = self._cells[column]
        return self._row[place].strip() if place < len(self._row) else ""

    def _booked(self) -> tuple[datetime, datetime]:
        columns = self._columns
        text = f"{self._cell(columns.booked_at)} {self._cell(columns.booked_time)}".strip()
        # Some put an apostrophe before a date, so that a spreadsheet leaves it alone.
        return not_after(instant(text.lstrip("'"), columns.date_format, self._zone), self._until)

    def _amount(self) -> int:
        """What came in; negative what left."""
        columns = self._columns
        if not columns.amount:
            return self._rupiah(columns.credit, empty=0) - self._rupiah(columns.debit, empty=0)
        amount = self._rupiah(columns.amount)
        if columns.marker:
            out = self._cell(columns.marker).upper() in self._out
            return -abs(amount) if out else abs(amount)
        return -amount if columns.positive_is_out else amount

    def _balance(self) -> int | None:
        column = self._columns.balance
        return self._rupiah(column) if column and self._cell(column) else None

    def _rupiah(self, column: str, *, empty: int | None = None) -> int:
        text = self._cell(column)
        if not text and empty is not None:
            return empty
        return rupiah(text, decimal=self._columns.decimal, thousands=self._columns.thousands)

    def _check_currency(self) -> None:
        said = self._cell(self._columns.currency)
        if said and said.upper() not in ("IDR", "RP"):
            raise Bad(f"Only rupiah are kept here, not {said:.20}.", "Hanya rupiah.")

    def _texts(self) -> tuple[str, str, str, str]:
        """Ids, what was said, and the account, as long as they can be kept."""
        columns = self._columns
        external_id, gateway_id = (
            self._cell(columns.external_id),
            self._cell(columns.gateway_id),
        )
        if max(len(external_id), len(gateway_id)) > _ID_LENGTH:
            raise Bad("An id is too long.", "Nomor terlalu panjang.")
        if columns.external_id and not external_id:
            raise Bad("The id of the line is missing.", "Nomor baris tidak ada.")
        account = self._cell(columns.account_number)[:_ACCOUNT_LENGTH]
        reference = " ".join(self._cell(columns.reference).split())[:_REFERENCE_LENGTH]
        return external_id, gateway_id, reference, account
