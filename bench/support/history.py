"""Years of history in seconds: rows as the triggers would have written them, in bulk.

`verify` is run over them afterwards, so that a row that is not as it would be is noticed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from models.base import new_id
from models.ledger import triggers
from service.database import schema
from service.ledger.chart import chart

_TABLES = ("ledger_journal", "ledger_transfer", "ledger_entry", "ledger_balance")
_COLUMNS = {
    "ledger_journal": "bank_id, id, kind, about_id, actor_id, memo, reverses_id, page, created_at",
    "ledger_transfer": "bank_id, id, key, kind, pending_id, journal_id, debit_account_id,"
    " debit_shard, credit_account_id, credit_shard, amount, unit, event_at, created_at",
    "ledger_entry": "bank_id, account_id, shard, version, transfer_id, amount, balance_after,"
    " pending_after",
}
_AMOUNT = 100
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Passbook:
    """A resident, and how many transfers go into their new passbook."""

    bank_id: UUID
    resident_id: UUID
    transfers: int


def load(url: str, books: list[Passbook]) -> None:
    """Credit these passbooks; their accounts are there, and nothing was posted in the bank."""
    if url.startswith("sqlite"):
        _load_sqlite(url, books)
    else:
        _load_postgresql(url, books)


def _load_sqlite(url: str, books: list[Passbook]) -> None:
    engine = schema.sync_engine(url)
    with engine.begin() as connection:
        triggers.remove(connection)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute("BEGIN")
        for table, rows in _chunks(books):
            marks = ", ".join("?" for _ in rows[0])
            plain.executemany(
                f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES ({marks})",
                [tuple(map(_text, row)) for row in rows],
            )
        _count(plain, "?", books, _text)
        plain.execute("COMMIT")
        plain.execute("ANALYZE")
    with engine.begin() as connection:
        triggers.install(connection)
    engine.dispose()


def _load_postgresql(url: str, books: list[Passbook]) -> None:
    engine = schema.sync_engine(url)
    with engine.begin() as connection:
        _switch(connection, "DISABLE")
    with psycopg.connect(url) as plain:
        for table, rows in _chunks(books):
            with plain.cursor().copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        _count(plain, "%s", books, lambda value: value)
    with engine.begin() as connection:
        _switch(connection, "ENABLE")
    with psycopg.connect(url, autocommit=True) as plain:
        plain.execute("VACUUM ANALYZE")
    engine.dispose()


def _switch(connection: Connection, how: str) -> None:
    for table in _TABLES:
        connection.exec_driver_sql(f"ALTER TABLE {table} {how} TRIGGER ALL")


def _chunks(books: list[Passbook]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The rows of all passbooks, a table's chunk at a time, parents first."""
    purchases = 0
    for book in books:
        for first in range(0, book.transfers, _CHUNK):
            count = min(_CHUNK, book.transfers - first)
            journals, transfers, entries = _rows(book, first, count, purchases)
            purchases += count
            yield "ledger_journal", journals
            yield "ledger_transfer", transfers
            yield "ledger_entry", entries


def _rows(
    book: Passbook, first: int, count: int, before: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    bank, debit = book.bank_id, chart.PURCHASES.id_in(book.bank_id)
    credit = chart.available(book.resident_id).id_in(bank)
    began = datetime.now(UTC) - timedelta(days=1)
    journals, transfers, entries = [], [], []
    for number in range(count):
        journal, transfer = new_id(), new_id()
        at = began + timedelta(milliseconds=first + number)
        mine, theirs = first + number + 1, before + number + 1
        journals.append((bank, journal, "pickup", None, None, "", None, 1, at))
        transfers.append(
            (
                *(bank, transfer, f"history:{journal}", "post", None, journal),
                *(debit, 0, credit, 0, _AMOUNT, "IDR", at, at),
            )
        )
        entries.append((bank, debit, 0, theirs, transfer, -_AMOUNT, -_AMOUNT * theirs, 0))
        entries.append((bank, credit, 0, mine, transfer, _AMOUNT, _AMOUNT * mine, 0))
    return journals, transfers, entries


def _count(connection: Any, mark: str, books: list[Passbook], native: Any) -> None:
    """What the counters are after all of it."""
    for book in books:
        sides = {
            chart.PURCHASES.id_in(book.bank_id): "debits_posted",
            chart.available(book.resident_id).id_in(book.bank_id): "credits_posted",
        }
        for account, counter in sides.items():
            connection.execute(
                f"UPDATE ledger_balance SET {counter} = {counter} + {mark},"
                f" version = version + {mark}"
                f" WHERE bank_id = {mark} AND account_id = {mark} AND shard = 0",
                (book.transfers * _AMOUNT, book.transfers, native(book.bank_id), native(account)),
            )


def _text(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
