"""The triggers that keep the ledger, with the same meaning on both engines.

AFTER INSERT of a transfer moves two rows of counters and writes two entries. Guards
refuse every other way to change a number. AFTER and not BEFORE: a BEFORE trigger would
also run for a row that ON CONFLICT DO NOTHING then leaves out.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from models.ledger import postgresql, sqlite

_DDL = {"sqlite": sqlite.TRIGGERS, "postgresql": postgresql.TRIGGERS}


def install(connection: Connection) -> None:
    """Make the triggers that are missing or differ. Run it after every migration."""
    if connection.dialect.name == "postgresql":
        _drop_functions(connection, postgresql.RETIRED)
        for definition in postgresql.FUNCTIONS.values():
            connection.exec_driver_sql(definition)
    for name, definition in _DDL[connection.dialect.name].items():
        connection.exec_driver_sql(_drop(connection, name))
        connection.exec_driver_sql(definition)


def remove(connection: Connection) -> None:
    """Take triggers and functions away, as only a downgrade below the ledger needs."""
    for name in _DDL[connection.dialect.name]:
        connection.exec_driver_sql(_drop(connection, name))
    if connection.dialect.name == "postgresql":
        _drop_functions(connection, (*postgresql.FUNCTIONS, *postgresql.RETIRED))


def missing(connection: Connection) -> list[str]:
    """The names of triggers that the database lacks or holds in another form."""
    held = _held_sqlite if connection.dialect.name == "sqlite" else _held_postgresql
    found = held(connection)
    wanted = _DDL[connection.dialect.name]
    return sorted(name for name, definition in wanted.items() if found.get(name) != definition)


def _drop_functions(connection: Connection, names: Iterable[str]) -> None:
    for name in names:
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}")


def _drop(connection: Connection, name: str) -> str:
    if connection.dialect.name == "sqlite":
        return f"DROP TRIGGER IF EXISTS {name}"
    return f"DROP TRIGGER IF EXISTS {name} ON {postgresql.table_of(name)}"


def _held_sqlite(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {row.name: row.sql for row in rows}


def _held_postgresql(connection: Connection) -> dict[str, str]:
    """PostgreSQL rewrites what it stores, so definitions are compared by their parts."""
    functions = connection.execute(text("SELECT proname, prosrc FROM pg_proc"))
    bodies = {row.proname: row.prosrc.strip() for row in functions}
    if any(bodies.get(name) != body for name, body in postgresql.bodies().items()):
        return {}
    rows = connection.execute(
        text(
            "SELECT tgname, tgenabled, pg_get_triggerdef(oid) AS definition FROM pg_trigger"
            " WHERE NOT tgisinternal"
        )
    )
    return {
        row.tgname: postgresql.TRIGGERS[row.tgname]
        for row in rows
        if row.tgname in postgresql.TRIGGERS
        and _letter(row.tgenabled) == "O"
        and postgresql.is_as_wanted(row.tgname, row.definition)
    }


def _letter(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
