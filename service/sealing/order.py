"""Whether pages and days follow each other as they do when nobody touches them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from models.base import table_of, utc_now
from models.ledger import Page
from service.sealing import book

SEALED_WITHIN = timedelta(minutes=10)
"""A final page gets its seal within seconds; this much later it is missed."""
_page, _next = table_of(Page), table_of(Page).alias()
_FALLING = """
SELECT n.number FROM ledger_page p
  JOIN ledger_page n ON n.bank_id = p.bank_id AND n.number = p.number + 1
 WHERE p.bank_id = :bank_id AND n.day < p.day AND NOT EXISTS (
       SELECT 1 FROM ledger_reopening r
        WHERE r.bank_id = n.bank_id AND r.day = n.day AND r.first_page = n.number)
 ORDER BY n.number"""
# A version ends where its day did until it was opened again.
_ENDS = """
SELECT d.day, d.version, d.last_page,
       coalesce((SELECT max(p.number) FROM ledger_page p
                  WHERE p.bank_id = d.bank_id AND p.day = d.day
                    AND (r.first_page IS NULL OR p.number < r.first_page)), 0) AS last
  FROM ledger_day d
  LEFT JOIN ledger_reopening r
    ON r.bank_id = d.bank_id AND r.day = d.day AND r.version = d.version
 WHERE d.bank_id = :bank_id ORDER BY d.last_page"""
# Each version but the first has its reason, and each reason its page behind the version before.
_UNREASONED = """
SELECT d.day, d.version FROM ledger_day d
 WHERE d.bank_id = :bank_id AND d.version > 1 AND NOT EXISTS (
       SELECT 1 FROM ledger_reopening r
        WHERE r.bank_id = d.bank_id AND r.day = d.day AND r.version = d.version - 1)
 ORDER BY d.last_page"""
_NOWHERE = """
SELECT r.day, r.version FROM ledger_reopening r
  LEFT JOIN ledger_day d ON d.bank_id = r.bank_id AND d.day = r.day AND d.version = r.version
  LEFT JOIN ledger_page n ON n.bank_id = r.bank_id AND n.number = r.first_page
  LEFT JOIN ledger_page p ON p.bank_id = r.bank_id AND p.number = r.first_page - 1
 WHERE r.bank_id = :bank_id
   AND (d.last_page IS NULL OR n.day IS NULL OR n.day <> r.day OR p.day <= r.day)
 ORDER BY r.first_page"""


def named(row: Mapping[str, Any]) -> str:
    """A version of a day, as findings name it."""
    version = f", version {row['version']}" if row["version"] > 1 else ""
    return f"day {row['day']}{version}"


def sealed_by_now(connection: Connection, bank_id: UUID) -> int:
    """The last page that has been final for so long that it must be sealed; 0 if none has."""
    query = (
        select(func.coalesce(func.max(_page.c.number), 0))
        .join(_next, (_next.c.bank_id == _page.c.bank_id) & (_next.c.number == _page.c.number + 1))
        .where(_page.c.bank_id == bank_id, _next.c.opened_at < utc_now() - SEALED_WITHIN)
    )
    return int(connection.execute(query).scalar_one())


def odd_pages(connection: Connection, bank_id: UUID) -> Iterator[tuple[str, str]]:
    """Pages of an earlier day than those before, and days that end on another page than theirs."""
    for row in book.rows(connection, _FALLING, bank_id):
        yield f"page {row['number']}", "is of an earlier day than the page before"
    for row in book.rows(connection, _ENDS, bank_id):
        if row["last_page"] != row["last"]:
            yield named(row), f"ends on page {row['last_page']}, not on its last"
    for row in book.rows(connection, _UNREASONED, bank_id):
        yield named(row), "nobody opened the version before it again"
    for row in book.rows(connection, _NOWHERE, bank_id):
        yield named(row), "was opened again where it has no page"
