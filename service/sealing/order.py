"""Whether pages and days follow each other as they do when nobody touches them."""

from collections.abc import Iterator
from datetime import timedelta
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
 WHERE p.bank_id = :bank_id AND n.day < p.day ORDER BY n.number"""
_ENDS = """
SELECT d.day, d.last_page, coalesce(p.last, 0) AS last
  FROM ledger_day d LEFT JOIN (
       SELECT day, max(number) AS last FROM ledger_page WHERE bank_id = :bank_id GROUP BY day) p
    ON p.day = d.day
 WHERE d.bank_id = :bank_id ORDER BY d.day"""


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
            yield f"day {row['day']}", f"ends on page {row['last_page']}, not on its last"
