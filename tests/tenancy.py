"""Fails any statement that touches a bank's table without naming a bank."""

import re

from sqlalchemy import event

from models.registry import BANK_TABLES
from service.database import Database

_TABLE = re.compile(r"\b(?:from|join|into|update)\s+\"?(\w+)", re.IGNORECASE)


class BankNotNamed(AssertionError):
    """A statement could have read or changed rows of any bank."""


def offending_tables(statement: str) -> set[str]:
    """The banks' tables in a statement that doesn't mention bank_id."""
    if "bank_id" in statement:
        return set()
    return {table.lower() for table in _TABLE.findall(statement)} & BANK_TABLES


def watch(database: Database) -> None:
    """Look at every statement of this database from now on."""
    engines = {database.engine, database.reader, database.beside}
    for engine in engines:
        event.listen(engine.sync_engine, "before_cursor_execute", _check)


def _check(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
    tables = offending_tables(statement)
    if tables:
        raise BankNotNamed(f"{', '.join(sorted(tables))} without bank_id: {statement}")
