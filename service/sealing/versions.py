"""What was said as days were closed, and why they were opened again, as seals speak of it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from service.sealing import book
from service.sealing.heads import NOT_REOPENED, Count, InDrawer, Reopened

_COUNTS = """
SELECT c.day, c.day_version AS version, c.drawer, c.counted_idr, c.difference_idr
  FROM drawer_count c WHERE c.bank_id = :bank_id AND c.day IS NOT NULL AND c.drawer <> 'main'"""
_REOPENINGS = """
SELECT r.day, r.version + 1 AS version, r.first_page, r.reopened_by, r.reason
  FROM ledger_reopening r WHERE r.bank_id = :bank_id"""

Version = tuple[date, int]
"""A day, and how often it had been closed by then."""


class Closes(NamedTuple):
    """What belongs to the versions of a bank's days besides their rows."""

    drawers: Mapping[Version, list[InDrawer]]
    reopenings: Mapping[Version, Reopened]

    def count_in(self, row: Mapping[str, Any]) -> Count:
        """What was counted, from a day's row that a statement in plain text gave."""
        drawers = tuple(self.drawers.get(version_of(row), ()))
        by = _id(row["closed_by"])
        figures = (row["counted_cash_idr"], row["cash_difference_idr"])
        return Count(*figures, by, row["despite_unknown"], drawers)

    def reopened(self, row: Mapping[str, Any]) -> Reopened:
        """How this version of a day came about, if it isn't the first."""
        return self.reopenings.get(version_of(row), NOT_REOPENED)


def closes_of(connection: Connection, bank_id: UUID) -> Closes:
    """What was counted and why days were opened again, of all days of a bank."""
    drawers: dict[Version, list[InDrawer]] = defaultdict(list)
    for row in book.rows(connection, _COUNTS, bank_id):
        found = InDrawer(row["drawer"], row["counted_idr"], row["difference_idr"])
        drawers[version_of(row)].append(found)
    reopenings = {
        version_of(row): Reopened(row["first_page"], _id(row["reopened_by"]), row["reason"])
        for row in book.rows(connection, _REOPENINGS, bank_id)
    }
    return Closes(drawers, reopenings)


def version_of(row: Mapping[str, Any]) -> Version:
    """The day and version that a row is of."""
    return book.day_of(row["day"]), row["version"]


def _id(value: Any) -> UUID | None:
    return None if value is None else UUID(str(value))
