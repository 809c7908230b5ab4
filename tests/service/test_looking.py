"""How the search for the nearest looks into the table: with few questions, and by the right index."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import event

from routing.geo import Point, cell_ranges
from routing.nearest import Worth
from service.claims.board import boards
from service.claims.looks import Looks
from service.database import Database
from tests.factories import LUBUK_PAKAM, Town

BANK = uuid4()


@contextmanager
def explained(database: Database) -> Iterator[None]:
    """Every statement answers with how the database would go about it."""

    def explain(_c: object, _cursor: object, statement: str, asked: Any, *_rest: object) -> Any:
        how = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        return f"{how} {statement}", asked

    engine = database.reader.sync_engine
    event.listen(engine, "before_cursor_execute", explain, retval=True)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", explain)


async def test_near_pickups_are_found_in_the_index_of_cells(town: Town) -> None:
    """On PostgreSQL before a first ANALYZE too; on SQLite without a look into the table."""
    async with town.database.reading() as session:
        (board,) = await boards(session, [town.bank_id], town.collector.id)
        with explained(town.database):
            worth = Worth(*LUBUK_PAKAM, 0.005, 0.005, 1e-6)
            plan: Any = await board.within(cell_ranges(LUBUK_PAKAM, 500), worth)
    steps = "\n".join(str(line[-1]) for line in plan)
    assert ("COVERING INDEX " if town.database.is_sqlite else "") + "ix_pickup_open_cell" in steps
    assert "ix_pickup_open_created_at" not in steps


def test_a_search_begins_where_those_about_here_would_have_done() -> None:
    looks, here, there = Looks(), LUBUK_PAKAM, Point(3.6, 98.7)
    first_m = looks.first_m(BANK, 8, here)
    looks.learn(BANK, 8, there, 4_000.0)
    looks.learn(BANK, 8, here, 100.0)
    assert 100 < looks.first_m(BANK, 8, here) < 150
    assert 4_000 < looks.first_m(BANK, 8, there) < 6_000
    assert looks.first_m(BANK, 1, here) == looks.first_m(uuid4(), 8, here) == first_m


def test_where_nobody_looked_the_mean_of_the_bank_is_taken() -> None:
    looks = Looks()
    for _ in range(9):
        looks.learn(BANK, 8, LUBUK_PAKAM, 100.0)
    looks.learn(BANK, 8, LUBUK_PAKAM, 10_000.0)
    assert 100 < looks.first_m(BANK, 8, Point(3.6, 98.7)) < 1_000


def test_where_there_was_no_telling_nothing_is_learnt() -> None:
    looks = Looks()
    before = looks.first_m(BANK, 8, LUBUK_PAKAM)
    looks.learn(BANK, 8, LUBUK_PAKAM, 0.0)
    assert looks.first_m(BANK, 8, LUBUK_PAKAM) == before
