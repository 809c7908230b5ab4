"""A book to seal: acts on pages, turned and sealed, and edited behind the ledger's back."""

import asyncio
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text
from sqlmodel import col, select

from models.base import utc_now
from models.ledger import Day, DaySeal, Journal, Seal, Transfer, triggers
from service import banks, ledger, sealing
from service.database import Database, schema
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.sealing import book
from tests.factories import Town


async def act(town: Town, *amounts: int, memo: str = "") -> list[UUID]:
    """Post one act with a transfer for each amount, committed; their ids."""
    available = chart.available(town.resident.id)
    moves = [Movement(f"test:{uuid4()}", chart.PURCHASES, available, one) for one in amounts]
    draft = Draft("test", moves, event_at=utc_now(), actor_id=town.operator.id, memo=memo)
    async with town.database.transaction() as session:
        return await ledger.post(session, town.bank_id, draft)


async def turn(town: Town, day: date | None = None) -> int:
    """Turn the page; the number of the one that is final now."""
    async with town.database.transaction() as session:
        open_page = await ledger.open_page(session, town.bank_id)
        return await ledger.turn_page(session, town.bank_id, day or open_page.day)


async def today(town: Town) -> date:
    return banks.day_at(town.bank, utc_now())


async def close(town: Town, counted_cash_idr: int = 0, day: date | None = None) -> sealing.Closed:
    """Close the day of the open page with a count."""
    async with town.database.transaction() as session:
        open_page = await ledger.open_page(session, town.bank_id)
        how = sealing.Close(town.treasurer.id, counted_cash_idr)
        return await sealing.close(session, town.bank, day or open_page.day, how)


async def seal(town: Town, keys: Keys) -> None:
    """Seal whatever can be sealed."""
    await sealing.seal(town.database, keys, [town.bank_id])
    await sealing.seal_days(town.database, keys, [town.bank_id])


async def findings(town: Town, keys: Keys) -> list[tuple[str, str]]:
    """What a check of the seals finds: subjects and problems."""
    checked = await asyncio.to_thread(
        sealing.check,
        book.url_of(town.database),
        [town.bank_id],
        keys.of_seals,
        keys.heads_file,
    )
    return [(found.subject, found.problem) for found in checked.findings]


async def seals(town: Town) -> list[Seal]:
    async with town.database.reading() as session:
        query = select(Seal).where(Seal.bank_id == town.bank_id).order_by(col(Seal.page))
        return list(await session.exec(query))


async def day_seals(town: Town) -> list[DaySeal]:
    async with town.database.reading() as session:
        query = select(DaySeal).where(DaySeal.bank_id == town.bank_id).order_by(col(DaySeal.page))
        return list(await session.exec(query))


async def closed_days(town: Town) -> list[Day]:
    async with town.database.reading() as session:
        query = select(Day).where(Day.bank_id == town.bank_id).order_by(col(Day.last_page))
        return list(await session.exec(query))


async def journals(town: Town) -> list[Journal]:
    async with town.database.reading() as session:
        query = select(Journal).where(Journal.bank_id == town.bank_id).order_by(col(Journal.id))
        return list(await session.exec(query))


async def transfers(town: Town) -> list[Transfer]:
    async with town.database.reading() as session:
        query = select(Transfer).where(Transfer.bank_id == town.bank_id).order_by(col(Transfer.id))
        return list(await session.exec(query))


def in_database(database: Database, value: UUID) -> Any:
    """An id as statements in plain text need it."""
    return value.hex if database.is_sqlite else value


async def behind_the_ledger(town: Town, statement: str, **bound: Any) -> None:
    """Run a statement as somebody would who may do anything to the database.

    Triggers and references are off only inside this transaction: other tests go on beside it.
    """
    values = {"bank_id": town.bank_id, **bound}
    plain = {
        name: in_database(town.database, value) if isinstance(value, UUID) else value
        for name, value in values.items()
    }
    await asyncio.to_thread(_edit, book.url_of(town.database), statement, plain)


def _edit(url: str, statement: str, bound: Mapping[str, Any]) -> None:
    engine = schema.sync_engine(url)
    try:
        with engine.connect() as connection, _unguarded(connection):
            done = connection.execute(text(statement), dict(bound))
            assert done.rowcount > 0, "Nothing was edited."
    finally:
        engine.dispose()


@contextmanager
def _unguarded(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = replica")
        yield
        connection.commit()
        return
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.commit()
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    triggers.remove(connection)
    yield
    triggers.install(connection)
    connection.commit()


TOMORROW = timedelta(days=1)
