"""Counts statements, so that a test can say that they don't grow."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from service.database import Database


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """The statements that are sent to a database within the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
