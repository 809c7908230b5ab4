"""Reading a book's pages fast: driver cursors, text as it comes, memory that stays flat."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from service.database import Database, schema
from service.sealing.canonical import microseconds

_CHUNK = 2_000
_OF_PAGE = "j.bank_id = {mark} AND j.page = {mark}"
_SQLITE_ID = "{0}"
_POSTGRESQL_ID = "encode(uuid_send({0}), 'hex')"
_SQLITE_INSTANT = "{0}"
_POSTGRESQL_INSTANT = "({0} AT TIME ZONE 'UTC')::text"


def _statements(of_id: str, instant: str, mark: str, hints: tuple[str, str]) -> tuple[str, str]:
    """The two statements that read a page: its journals, and its transfers by journal.

    SQLite, which has no statistics of ours, would go through all of the bank's transfers for
    every journal; it is told which index to use.
    """
    always = ("j.id", "t.id", "t.debit_account_id", "t.credit_account_id")
    ids = {name: of_id.format(name) for name in always}
    for name in ("j.about_id", "j.actor_id", "j.reverses_id", "t.pending_id"):
        ids[name] = f"coalesce({of_id.format(name)}, '')"
    where = _OF_PAGE.format(mark=mark)
    journals = (
        f"SELECT {ids['j.id']}, j.kind, {ids['j.about_id']}, {ids['j.actor_id']}, j.memo,"
        f" {ids['j.reverses_id']}, {instant.format('j.created_at')}"
        f" FROM ledger_journal j {hints[0]} WHERE {where} ORDER BY j.id"
    )
    transfers = (
        f"SELECT {ids['j.id']}, {ids['t.id']}, t.key, t.kind, {ids['t.pending_id']},"
        f" {ids['t.debit_account_id']}, CAST(t.debit_shard AS TEXT), {ids['t.credit_account_id']},"
        f" CAST(t.credit_shard AS TEXT), CAST(t.amount AS TEXT), t.unit,"
        f" {instant.format('t.event_at')}, {instant.format('t.created_at')}"
        f" FROM ledger_journal j {hints[0]} CROSS JOIN ledger_transfer t {hints[1]}"
        f" WHERE t.bank_id = j.bank_id AND t.journal_id = j.id AND {where} ORDER BY j.id"
    )
    return journals, transfers


_READ_PAGE = {
    "sqlite": _statements(
        _SQLITE_ID,
        _SQLITE_INSTANT,
        "?",
        ("INDEXED BY ix_ledger_journal_page", "INDEXED BY ix_ledger_transfer_journal"),
    ),
    "postgresql": _statements(_POSTGRESQL_ID, _POSTGRESQL_INSTANT, "%s", ("", "")),
}


def _entries(of_id: str, instant: str, mark: str) -> str:
    """The statement that reads the audit entries of a page."""
    maybe = ("actor_id", "on_behalf_of", "card_id", "person_id", "device_id")
    ids = {name: f"coalesce({of_id.format(f'e.{name}')}, '')" for name in maybe}
    return (
        f"SELECT {of_id.format('e.id')}, {instant.format('e.at')}, e.act,"
        f" CAST(e.status AS TEXT), {ids['actor_id']}, {ids['on_behalf_of']}, {ids['card_id']},"
        f" e.about_kind, e.about, {ids['person_id']}, e.address, {ids['device_id']}"
        f" FROM audit_entry e WHERE e.bank_id = {mark} AND e.page = {mark} ORDER BY e.id"
    )


_READ_ENTRIES = {
    "sqlite": _entries(_SQLITE_ID, _SQLITE_INSTANT, "?"),
    "postgresql": _entries(_POSTGRESQL_ID, _POSTGRESQL_INSTANT, "%s"),
}
_ONE_MOMENT = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}

Journal = list[str]
"""Values in the order of JOURNAL_FIELDS."""
Transfer = tuple[str, ...]
"""Values in the order of TRANSFER_FIELDS."""
AuditEntry = tuple[str, ...]
"""Values in the order of AUDIT_FIELDS, from the id on."""
_NOTHING: tuple[str, list[Transfer]] = ("", [])


def url_of(database: Database) -> str:
    """Where a thread finds this database by itself."""
    return database.reader.url.render_as_string(hide_password=False)


@contextmanager
def one_moment(url: str) -> Iterator[Connection]:
    """A connection that sees one moment of the database and can't write; for any thread."""
    engine = schema.sync_engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            else:
                # An old pgbouncer can't keep prepared statements, and few are asked twice.
                driver: Any = connection.connection.driver_connection
                driver.prepare_threshold = None
            connection.exec_driver_sql(_ONE_MOMENT[connection.dialect.name])
            yield connection
    finally:
        engine.dispose()


def acts_on(
    connection: Connection, bank_id: UUID, page: int
) -> Iterator[tuple[Journal, list[Transfer]]]:
    """The acts of a page with their transfers, ordered by journal id and transfer id.

    Two cursors walk side by side, so that a journal isn't read once for each transfer.
    """
    bound = (_plain(connection, bank_id), page)
    journals, transfers = _READ_PAGE[connection.dialect.name]
    shared = [bank_id.hex, str(page)]
    acts = _by_journal(_rows(connection, transfers, bound))
    current, lines = next(acts, _NOTHING)
    for journal in _rows(connection, journals, bound):
        if journal[0] != current:
            continue
        yield [*shared, *journal[:6], microseconds(journal[6])], lines
        current, lines = next(acts, _NOTHING)


def entries_on(connection: Connection, bank_id: UUID, page: int) -> Iterator[AuditEntry]:
    """The audit entries of a page, by id."""
    bound = (_plain(connection, bank_id), page)
    for row in _rows(connection, _READ_ENTRIES[connection.dialect.name], bound):
        yield (row[0], microseconds(row[1]), *row[2:])


def day_of(value: date | str) -> date:
    """A day as a statement in plain text gives it: SQLite holds text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def rows(
    connection: Connection, statement: str, bank_id: UUID, **bound: Any
) -> list[dict[str, Any]]:
    """What a statement with :bank_id finds, ids as the database gives them."""
    found = connection.execute(text(statement), {"bank_id": _plain(connection, bank_id), **bound})
    return [row._asdict() for row in found]


def _by_journal(found: Iterator[Any]) -> Iterator[tuple[str, list[Transfer]]]:
    """Transfers gathered by their journal, each with its values as text."""
    current, lines = _NOTHING
    at = happened = written_at = written = ""
    for row in found:
        if row[0] != current:
            if lines:
                yield current, sorted(lines)
            current, lines = row[0], []
        # One instant serves a whole act, mostly.
        if row[11] != at:
            at, happened = row[11], microseconds(row[11])
        if row[12] != written_at:
            written_at, written = row[12], microseconds(row[12])
        lines.append((*row[1:11], happened, written))
    if lines:
        yield current, sorted(lines)


def _rows(connection: Connection, statement: str, bound: tuple[Any, ...]) -> Iterator[Any]:
    driver: Any = connection.connection.driver_connection
    name = f"page_{id(statement)}"
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(name)
    try:
        cursor.execute(statement, bound)
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk
    finally:
        cursor.close()


def _plain(connection: Connection, bank_id: UUID) -> UUID | str:
    return bank_id.hex if connection.dialect.name == "sqlite" else bank_id
