"""The tests of the ledger bite: every fault that is planted is caught, and by what it says."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from models.ledger import postgresql, sqlite
from service.database import Database, open_database, schema
from tests import factories
from tests.factories import Town
from tests.faults import guarding, moving
from tests.faults.fault import Fault
from tests.service.ledger_machine import outside
from tests.service.ledger_machine.machine import not_durable
from tests.service.ledger_machine.play import Disagreement, Play

STEPS, LOOKS_EVERY = 75, 25
FAULTS = (*moving.FAULTS, *guarding.FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "_"))
async def test_a_planted_fault_is_caught(
    fault: Fault, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = "sqlite" if own_url.startswith("sqlite") else "postgresql"
    if engine not in fault.engines:
        pytest.skip("can't be planted on this engine")
    plant(fault, engine, own_url)
    if fault.patch is not None:
        fault.patch(monkeypatch)
    with pytest.raises(Disagreement) as caught:
        await hunt(own_url, steps=0 if fault.caught_by == "raw" else STEPS)
    assert caught.value.by == fault.caught_by, caught.value


async def test_without_a_fault_nothing_is_found(own_url: str) -> None:
    play = await hunt(own_url)
    acts = play.model.accepted + play.model.refused
    assert play.model.accepted / acts >= 0.5
    assert play.model.refused >= 5


def test_there_are_enough_faults() -> None:
    assert len({fault.name for fault in FAULTS}) >= 20


def plant(fault: Fault, engine: str, url: str) -> None:
    """Change the triggers of a database. Raises LookupError for a text that isn't there."""
    made = schema.sync_engine(url)
    try:
        with made.begin() as connection:
            for statement in (*_statements(fault, engine), *fault.drops.get(engine, ())):
                connection.exec_driver_sql(statement)
    finally:
        made.dispose()


def _statements(fault: Fault, engine: str) -> Iterator[str]:
    if engine == "sqlite":
        for name, ddl in fault.planted(engine, sqlite.TRIGGERS).items():
            yield f"DROP TRIGGER {name}"
            yield ddl
        return
    for name, ddl in fault.planted(engine, postgresql.FUNCTIONS | postgresql.TRIGGERS).items():
        if name in postgresql.TRIGGERS:
            yield f"DROP TRIGGER {name} ON {postgresql.table_of(name)}"
        yield ddl


async def hunt(url: str, steps: int = STEPS) -> Play:
    """A seeded run of acts, the replay, and the raw statements. Raises Disagreement."""
    database: Database = open_database(url, pool_size=2)
    not_durable(database)
    chance = random.Random(4711)
    try:
        async with database.transaction() as session:
            await factories.load_materials(session)
        play = Play(await _opened(database))
        for step in range(1, steps + 1):
            name = chance.choice(Play.ACTS)
            await play.act(
                name, chance.randrange(2), chance.randint(1, 115), chance.randint(1, 9_999)
            )
            if step % LOOKS_EVERY == 0:
                await play.replay()
        await outside.guards_hold(database)
    finally:
        await database.close()
    return play


async def _opened(database: Database) -> Town:
    """A new bank, whose accounts must open."""
    try:
        return await factories.make_town(database)
    except DBAPIError as error:
        raise Disagreement("model", "no bank can be opened") from error
