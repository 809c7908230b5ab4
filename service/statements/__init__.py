"""Statements: the passbook of some days, for reading, for a spreadsheet, for paper."""

from service.statements.paper import PdfNotInstalled, as_pdf
from service.statements.reading import (
    MOST_DAYS,
    MOST_LINES,
    DaysBackwards,
    Line,
    Statement,
    StatementTooLong,
    TooManyDays,
    read,
)
from service.statements.spreadsheet import SEPARATORS, as_csv, harmless
from service.statements.words import described, earned

__all__ = [
    "MOST_DAYS",
    "MOST_LINES",
    "SEPARATORS",
    "DaysBackwards",
    "Line",
    "PdfNotInstalled",
    "Statement",
    "StatementTooLong",
    "TooManyDays",
    "as_csv",
    "as_pdf",
    "described",
    "earned",
    "harmless",
    "read",
]
