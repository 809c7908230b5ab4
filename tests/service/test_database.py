"""Transactions: on disk when left, alone in their failures, together in their commits."""

import asyncio
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import select

from models.base import new_id
from models.people import Person
from service.database import Database, open_database
from service.errors import Conflict
from tests import migrated
from tests.factories import new_phone


class Refused(Conflict):
    english = indonesian = "Refused."


class RefusedAndKept(Refused):
    keeps_changes = True


async def add(database: Database, *, fail: Exception | None = None) -> UUID:
    person = Person(id=new_id(), phone=new_phone())
    async with database.transaction() as session:
        session.add(person)
        await session.flush()
        if fail is not None:
            raise fail
    return person.id


async def exists(database: Database, phone_of: UUID) -> bool:
    async with database.reading() as session:
        return (await session.exec(select(Person).where(Person.id == phone_of))).first() is not None


async def test_a_transaction_is_there_when_its_block_is_left(database: Database) -> None:
    assert await exists(database, await add(database))


async def test_an_error_takes_everything_back(database: Database) -> None:
    person = Person(id=new_id(), phone=new_phone())
    with pytest.raises(Refused):
        async with database.transaction() as session:
            session.add(person)
            await session.flush()
            raise Refused
    assert not await exists(database, person.id)


async def test_a_refusal_can_keep_what_was_written(database: Database) -> None:
    person = Person(id=new_id(), phone=new_phone())
    with pytest.raises(RefusedAndKept):
        async with database.transaction() as session:
            session.add(person)
            await session.flush()
            raise RefusedAndKept
    assert await exists(database, person.id)


async def test_one_of_many_at_once_fails_alone(database: Database) -> None:
    acts = [add(database, fail=Refused() if number % 3 == 0 else None) for number in range(30)]
    results = await asyncio.gather(*acts, return_exceptions=True)
    added = [result for result in results if isinstance(result, UUID)]
    assert len(added) == 20
    assert all([await exists(database, person_id) for person_id in added])


async def test_one_who_gives_up_waiting_leaves_nobody_hanging(database: Database) -> None:
    holding = asyncio.Event()

    async def hold() -> UUID:
        person = Person(id=new_id(), phone=new_phone())
        async with database.transaction() as session:
            session.add(person)
            await session.flush()
            await holding.wait()
        return person.id

    first = asyncio.create_task(hold())
    await asyncio.sleep(0.02)
    second = asyncio.create_task(add(database))
    await asyncio.sleep(0.02)
    holding.set()
    await asyncio.sleep(0)
    second.cancel()
    assert await exists(database, await asyncio.wait_for(first, 5))
    await asyncio.gather(second, return_exceptions=True)
    assert await exists(database, await asyncio.wait_for(add(database), 5))


async def test_a_cancelled_act_takes_its_changes_back(database: Database) -> None:
    person = Person(id=new_id(), phone=new_phone())
    written = asyncio.Event()

    async def act() -> None:
        async with database.transaction() as session:
            session.add(person)
            await session.flush()
            written.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(act())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await exists(database, person.id)


async def test_readers_can_not_write_on_sqlite(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has no connection of its own for readers")
    with pytest.raises(Exception, match="readonly"):
        async with database.reading() as session:
            session.add(Person(phone=new_phone()))
            await session.flush()


async def test_a_group_that_sqlite_gave_up_is_nowhere_and_said_so(tmp_path: Path) -> None:
    """A full disk makes SQLite roll everything back in the middle, as ROLLBACK does here."""
    url = migrated.file_at(tmp_path / "lost.db")
    database = open_database(url)
    started = asyncio.Event()

    async def first() -> UUID:
        person = Person(id=new_id(), phone=new_phone())
        async with database.transaction() as session:
            session.add(person)
            await session.flush()
            started.set()
            await asyncio.sleep(0.02)
        return person.id

    async def second() -> None:
        async with database.transaction() as session:
            connection = await session.connection()
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            driver.rollback()
            raise Refused

    one = asyncio.create_task(first())
    await started.wait()
    results = await asyncio.gather(one, second(), add(database), return_exceptions=True)
    assert isinstance(results[0], OperationalError)
    assert isinstance(results[1], Exception)
    assert isinstance(results[2], UUID)
    assert await exists(database, results[2])
    await database.close()


async def test_a_command_that_writes_does_not_stop_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    database = open_database(migrated.file_at(path))
    await add(database)
    command = sqlite3.connect(path, isolation_level=None)
    command.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(add(database))
    for _ in range(5):
        await asyncio.wait_for(asyncio.sleep(0.01), 1)
    assert not waiting.done()
    command.execute("COMMIT")
    command.close()
    assert await exists(database, await asyncio.wait_for(waiting, 5))
    await database.close()


async def test_a_commit_that_fails_is_told_to_everybody_in_it(tmp_path: Path) -> None:
    url = migrated.file_at(tmp_path / "full.db")
    database = open_database(url)
    try:
        async with database.transaction() as session:
            connection = await session.connection()
            # Checked at the commit only, and by then it is too late for a savepoint.
            await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            await connection.exec_driver_sql(
                "INSERT INTO membership (person_id, bank_id, role, created_at)"
                f" VALUES ('{new_id().hex}', '{new_id().hex}', 'resident', '2026-01-01')"
            )
        pytest.fail("The commit should have failed.")
    except Exception as error:
        assert "FOREIGN KEY" in str(error)
    assert await exists(database, await add(database))
    await database.close()


async def test_a_session_finds_a_new_connection_after_a_rollback(database: Database) -> None:
    async with database.reading() as session:
        first = await session.connection()
        assert await session.connection() is first
        await session.rollback()
        assert (await session.exec(select(1))).one() == 1
        assert await session.connection() is not first


async def test_a_session_goes_on_after_a_failed_savepoint(database: Database) -> None:
    person = Person(phone=new_phone(), name="Kept")
    async with database.transaction() as session:
        session.add(person)
        await session.flush()
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                connection = await session.connection()
                await connection.execute(insert(Person), [person.model_dump()])
        found = await session.exec(select(Person.name).where(Person.id == person.id))
        assert found.one() == "Kept"
    async with database.reading() as session:
        found = await session.exec(select(Person.name).where(Person.id == person.id))
        assert found.one() == "Kept"


async def test_a_long_look_lets_everybody_else_go_on(database: Database) -> None:
    looking = asyncio.Event()
    went_on = 0

    async def others() -> None:
        nonlocal went_on
        while not looking.is_set():
            went_on += 1
            await asyncio.sleep(0.001)

    async def look() -> int:
        async with database.reading_long() as session:
            connection = await session.connection()
            before = went_on
            await connection.execute(text(_LONG))
            looking.set()
            return went_on - before

    ticks, _ = await asyncio.gather(look(), others())
    assert ticks > 3


async def test_a_long_look_changes_nothing(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("on PostgreSQL it is the reader")
    async with database.reading_long() as session:
        connection = await session.connection()
        with pytest.raises(OperationalError, match="readonly"):
            await connection.execute(text("DELETE FROM person"))


_LONG = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT count(*) FROM n"""
