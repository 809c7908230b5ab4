"""A statement on paper, as PDF.

Only the template is source to the typesetter. What people wrote reaches it as data, and is
shown as it stands: it can become neither a formula nor the name of a file.
"""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from models.base import utc_now
from service.errors import Conflict, in_words
from service.statements.reading import Line, Statement
from service.statements.words import in_digits, labels

_FOLDER = Path(__file__).parent
_TEMPLATE = _FOLDER / "statement.typ"
_LONG_WORD = re.compile(r"(\S{24})(?=\S)")
_press = ThreadPoolExecutor(1, "statements")
"""One at a time, beside the event loop: a long statement keeps nobody else waiting."""


class PdfNotInstalled(Conflict):
    english = "This server can't make PDFs. Ask for JSON or CSV, or install the extra `pdf`."
    indonesian = "Server ini tidak dapat membuat PDF. Minta JSON atau CSV, atau pasang `pdf`."


async def as_pdf(statement: Statement) -> bytes:
    """The statement as pages of A4; of days that are over, always the same bytes.

    Call it outside of any transaction. Raises PdfNotInstalled.
    """
    return await asyncio.get_running_loop().run_in_executor(_press, _print, statement)


def _print(statement: Statement) -> bytes:
    # Of days to come it is no paper of the future.
    day = min(statement.last_day, utc_now().date())
    pages = _compiler().compile(
        format="pdf",
        sys_inputs={"statement": json.dumps(_data(statement), ensure_ascii=False)},
        timestamp=datetime.combine(day, time(), UTC),
    )
    return bytes(pages)


@cache
def _compiler() -> Any:
    # Only now: it is an extra, and no start needs to wait for it.
    try:
        import typst  # noqa: PLC0415
    except ImportError:
        raise PdfNotInstalled from None
    # The fonts it brings along, so that every server prints the same.
    return typst.Compiler(_TEMPLATE, root=_FOLDER, ignore_system_fonts=True)


def _data(statement: Statement) -> dict[str, Any]:
    bank, resident = statement.bank, statement.resident
    return {
        "language": statement.language,
        "say": labels(statement.language, provisional=statement.provisional)._asdict(),
        "bank": _breakable(bank.name),
        "address": _breakable(bank.address),
        "name": _breakable(resident.name),
        "number": statement.passbook_number,
        "phone": resident.phone or "-",
        "first_day": in_digits(statement.first_day),
        "last_day": in_digits(statement.last_day),
        "opening": in_words(statement.opening_idr, statement.language),
        "in": in_words(statement.in_idr, statement.language),
        "out": in_words(statement.out_idr, statement.language),
        "closing": in_words(statement.closing_idr, statement.language),
        "lines": [_row(line, statement.language) for line in statement.lines],
    }


def _row(line: Line, language: str) -> list[str]:
    """The cells of a line; a side on which nothing moved stays empty."""
    return [
        str(line.number),
        in_digits(line.day),
        in_words(line.in_idr, language) if line.in_idr else "",
        in_words(line.out_idr, language) if line.out_idr else "",
        in_words(line.balance_idr, language),
        line.entered_by,
        _breakable(line.note),
    ]


def _breakable(text: str) -> str:
    """A word that is longer than a column may go on in the next line."""
    return _LONG_WORD.sub("\\1\u200b", text)
