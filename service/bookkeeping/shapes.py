"""The shapes of a pack: its days, its tables, and what a cell holds."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from service.errors import Conflict

Cell = str | int | None


class PackTooLong(Conflict):
    english = "There are more than {rows} rows in these days. Please ask for fewer days."
    indonesian = "Lebih dari {rows} baris dalam periode ini. Pilih periode yang lebih pendek."


class Part(StrEnum):
    """The tables of a pack."""

    JOURNAL = "journal"
    TRIAL_BALANCE = "trial_balance"
    PAYOUTS = "payouts"
    EXCEPTIONS = "exceptions"
    CASH_COUNTS = "cash_counts"
    DRAWER_COUNTS = "drawer_counts"
    STOCK_COUNTS = "stock_counts"


class Span(NamedTuple):
    """Days of business, and the instants at which the first begins and the last is over."""

    first: date
    last: date
    begins: datetime
    over: datetime


class Table(NamedTuple):
    """One table: its name, what its columns are called, its rows."""

    part: Part
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Pack(NamedTuple):
    """The books of a bank from the first to the last day, both included."""

    bank_name: str
    first: date
    last: date
    tables: Sequence[Table]
