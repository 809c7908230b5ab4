"""The bookkeeper's pack: the books of some days, for a spreadsheet or another program."""

from service.bookkeeping.files import as_csv, as_xlsx
from service.bookkeeping.pack import MOST_ROWS, read
from service.bookkeeping.shapes import Pack, PackTooLong, Part, Span, Table

__all__ = [
    "MOST_ROWS",
    "Pack",
    "PackTooLong",
    "Part",
    "Span",
    "Table",
    "as_csv",
    "as_xlsx",
    "read",
]
