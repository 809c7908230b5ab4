"""How the search for the nearest looks into the table: with few questions, and by the right index."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from routing.geo import cell_ranges
from routing.nearest import Worth
from service.claims.board import Looks, boards
from service.database import Database
from tests.factories import LUBUK_PAKAM, Town

BANK = uuid4()


@contextmanager
def explained(database: Database) -> Iterator[None]:
    """Every statement answers with how the database would go about it."""

    def explain(_c: object, _cursor: object, statement: str, asked: Any, *_rest: object) -> Any:
        return f"EXPLAIN {statement}", asked

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", explain, retval=True)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", explain)


async def test_before_a_first_analyze_the_index_of_cells_is_taken(town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("SQLite is told the order of its loops")
    async with town.database.reading() as session:
        (board,) = await boards(session, [town.bank_id], town.collector.id)
        with explained(town.database):
            worth = Worth(*LUBUK_PAKAM, 0.005, 0.005, 1e-6)
            plan: Any = await board.within(cell_ranges(LUBUK_PAKAM, 500), worth)
    steps = "\n".join(line for (line,) in plan)
    assert "ix_pickup_open_cell" in steps
    assert "ix_pickup_open_created_at" not in steps


def test_a_search_begins_where_the_last_one_would_have_done() -> None:
    looks = Looks()
    first_m = looks.first_m(BANK, 8)
    looks.learn(BANK, 8, first_m / 3)
    assert looks.first_m(BANK, 8) == first_m / 3
    assert looks.first_m(BANK, 1) == looks.first_m(uuid4(), 8) == first_m


def test_a_wide_look_is_learnt_by_and_by() -> None:
    looks = Looks()
    first_m = looks.first_m(BANK, 8)
    widths = []
    for _ in range(3):
        looks.learn(BANK, 8, 5 * first_m)
        widths.append(looks.first_m(BANK, 8) / first_m)
    assert widths == [2, 4, 5]


def test_where_there_was_no_telling_nothing_is_learnt() -> None:
    looks = Looks()
    before = looks.first_m(BANK, 8)
    looks.learn(BANK, 8, 0.0)
    assert looks.first_m(BANK, 8) == before
