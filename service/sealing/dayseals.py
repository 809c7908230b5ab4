"""What is published of a closed day: the head of its last page and its figures, signed."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from models.base import utc_now
from models.ledger import Day, DaySeal, Seal
from service.database import Database
from service.keys import Keys, key_id_of
from service.sealing import book
from service.sealing.balances import totals_after
from service.sealing.heads import DayFacts, balances_hash
from service.sealing.versions import closes_of

log = logging.getLogger(__name__)

_DUE = """
SELECT d.day, d.version, d.last_page, d.counted_cash_idr, d.cash_difference_idr, d.closed_by,
       d.despite_unknown, s.head,
       (SELECT coalesce(sum(o.transfers), 0) FROM ledger_seal o
         WHERE o.bank_id = d.bank_id AND o.page <= d.last_page AND o.page > coalesce(
               (SELECT max(x.page) FROM ledger_day_seal x
                 WHERE x.bank_id = d.bank_id AND x.page < d.last_page), 0)) AS added,
       coalesce((SELECT x.transfers FROM ledger_day_seal x
                  WHERE x.bank_id = d.bank_id AND x.page < d.last_page
                  ORDER BY x.page DESC LIMIT 1), 0) AS before
  FROM ledger_day d
  JOIN ledger_seal s ON s.bank_id = d.bank_id AND s.page = d.last_page
 WHERE d.bank_id = :bank_id AND NOT EXISTS (
       SELECT 1 FROM ledger_day_seal x
        WHERE x.bank_id = d.bank_id AND x.day = d.day AND x.version = d.version)
 ORDER BY d.last_page LIMIT 1"""


async def seal_days(database: Database, keys: Keys, banks: Sequence[UUID]) -> int:
    """Seal the closed days whose pages are all sealed, in order; how many this call sealed."""
    query = (
        select(Day.bank_id)
        .join(Seal, (col(Seal.bank_id) == Day.bank_id) & (col(Seal.page) == Day.last_page))
        .join(
            DaySeal,
            (col(DaySeal.bank_id) == Day.bank_id)
            & (col(DaySeal.day) == Day.day)
            & (col(DaySeal.version) == Day.version),
            isouter=True,
        )
        .where(col(Day.bank_id).in_(banks), col(DaySeal.day).is_(None))
        .distinct()
    )
    async with database.reading() as session:
        due = list(await session.exec(query))
    sealed = 0
    for bank_id in due:
        try:
            sealed += await _seal_days(database, keys, bank_id)
        except Exception:
            log.exception("day_sealing_failed %s", bank_id)
    return sealed


async def _seal_days(database: Database, keys: Keys, bank_id: UUID) -> int:
    sealed = 0
    # On a thread and a connection of its own: a trial balance takes its time.
    while facts := await asyncio.to_thread(_next_day, book.url_of(database), bank_id):
        try:
            async with database.transaction() as session:
                await (await session.connection()).execute(insert(DaySeal), [_signed(keys, facts)])
        except IntegrityError:  # Another worker was first.
            return sealed
        sealed += 1
    return sealed


def _next_day(url: str, bank_id: UUID) -> DayFacts | None:
    with book.one_moment(url) as connection:
        due = book.rows(connection, _DUE, bank_id)
        return _facts(connection, bank_id, due[0]) if due else None


def _facts(connection: Connection, bank_id: UUID, row: Any) -> DayFacts:
    closes = closes_of(connection, bank_id)
    return DayFacts(
        bank_id,
        book.day_of(row["day"]),
        row["last_page"],
        int(row["before"]) + int(row["added"]),
        row["head"],
        balances_hash(totals_after(connection, bank_id, row["last_page"])),
        closes.count_in(row),
        row["version"],
        closes.reopened(row),
    )


def _signed(keys: Keys, facts: DayFacts) -> dict[str, object]:
    figures = facts._asdict()
    for name in ("counted", "reopened"):  # They stand in rows of their own.
        figures.pop(name)
    return {
        **figures,
        "key_id": key_id_of(keys.sealing.public_key()),
        "signature": keys.sealing.sign(facts.message()),
        "sealed_at": utc_now(),
    }
