"""A pack as a file: CSV as spreadsheets expect it, or XLSX with a sheet for each table.

Several tables are for people, in their language; a table alone is for another program, which
goes by the names of columns and codes.
"""

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO

from service.bookkeeping.shapes import Cell, Pack
from service.bookkeeping.words import in_language, title_of
from service.statements import SEPARATORS, harmless

_WIDTH = 16
_LONGEST_CELL = 32_767
"""Characters that a cell of a spreadsheet can hold."""


def as_csv(pack: Pack, language: str) -> bytes:
    """One table as it is; several one below the other, each under its name.

    UTF-8 with a byte order mark; several are divided by semicolons in Indonesian, all else by commas.
    """
    language = _language_of(pack, language)
    text = StringIO()
    writer = csv.writer(text, delimiter=SEPARATORS[language])
    writer.writerows([harmless(cell) for cell in row] for row in _rows(pack, language))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(pack: Pack, language: str) -> bytes:
    """A workbook; text is text in it, never a formula or a link."""
    import xlsxwriter  # noqa: PLC0415  Slow to import, and a start does without.

    language = _language_of(pack, language)
    content = BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(content, options) as book:
        bold = book.add_format({"bold": True})
        for table in in_language(pack, language).tables:
            sheet = book.add_worksheet(title_of(table.part, language))
            sheet.set_column(0, len(table.columns) - 1, _WIDTH)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, table.columns, bold)
            for number, row in enumerate(table.rows, start=1):
                sheet.write_row(number, 0, [_short(harmless(cell)) for cell in row])
    return content.getvalue()


def _rows(pack: Pack, language: str) -> Iterator[Sequence[Cell]]:
    alone = _is_alone(pack)
    if not alone:
        yield pack.bank_name, pack.first.isoformat(), pack.last.isoformat()
    for table in in_language(pack, language).tables:
        if not alone:
            yield ()
            yield (title_of(table.part, language),)
        yield table.columns
        yield from table.rows


def _language_of(pack: Pack, language: str) -> str:
    """A table alone is the same file for everybody; English readers see its codes as they are."""
    return "en" if _is_alone(pack) else language


def _is_alone(pack: Pack) -> bool:
    return len(pack.tables) == 1


def _short(cell: Cell) -> Cell:
    return cell[:_LONGEST_CELL] if isinstance(cell, str) else cell
