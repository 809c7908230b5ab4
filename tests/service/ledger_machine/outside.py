"""What goes round the service: raw SQL that the database must refuse by itself."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of
from models.ledger import Day, Journal, Page, Reopening, Transfer
from service import ledger
from service.database import Database
from tests import factories
from tests.factories import Town
from tests.service.ledger_machine.play import Disagreement
from tests.service.posting import credit, standing
from tests.service.test_ledger_guard import FROM_OUTSIDE, REPLACING

_journal, _page, _transfer = table_of(Journal), table_of(Page), table_of(Transfer)


async def guards_hold(database: Database) -> None:
    """Try every way round, on a bank of its own. Raises Disagreement for one that is open."""
    town = await factories.make_town(database)
    await credit(town, 1_000)
    statements = [*FROM_OUTSIDE, *(REPLACING if database.is_sqlite else [])]
    for statement in statements:
        await _is_refused(town, _runs(statement))
    async with database.transaction() as session:
        first = await ledger.open_page(session, town.bank_id)
        await ledger.turn_page(session, town.bank_id, first.day)
    for late in (_a_late_transfer, _a_late_journal, _a_page_too_far, _an_earlier_day):
        await _is_refused(town, late)
    await _closed_days_stay_closed(database)
    await _is_left_out(town)
    if await standing(town) != (1_000, 0):
        raise Disagreement("raw", "something went round the service")


def _runs(statement: str) -> Any:
    async def run(session: AsyncSession, town: Town) -> None:
        bank_id = town.bank_id.hex if town.database.is_sqlite else town.bank_id
        await (await session.connection()).execute(text(statement), {"bank_id": bank_id})

    run.__name__ = statement
    return run


async def _is_refused(town: Town, act: Any) -> None:
    try:
        async with town.database.transaction() as session:
            await act(session, town)
    except DBAPIError:
        return
    raise Disagreement("raw", f"was not refused: {act.__name__}")


async def _a_late_transfer(session: AsyncSession, town: Town) -> None:
    """A transfer into a journal whose page is closed."""
    row = await _first(session, town, _transfer)
    late = row | {"id": new_id(), "key": f"late:{uuid4()}"}
    await (await session.connection()).execute(insert(_transfer), [late])


async def _a_late_journal(session: AsyncSession, town: Town) -> None:
    """A journal on a closed page: refused, or put on the open one."""
    connection = await session.connection()
    journal_id = new_id()
    row = await _first(session, town, _journal) | {"id": journal_id}
    await connection.execute(insert(_journal), [row])
    where = (_journal.c.bank_id == town.bank_id) & (_journal.c.id == journal_id)
    page = (await connection.execute(select(_journal.c.page).where(where))).scalar_one()
    if page == (await ledger.open_page(session, town.bank_id)).number:
        raise DBAPIError("put on the open page", None, Exception())


async def _a_page_too_far(session: AsyncSession, town: Town) -> None:
    row = await _first(session, town, _page)
    await (await session.connection()).execute(insert(_page), [row | {"number": 9}])


async def _an_earlier_day(session: AsyncSession, town: Town) -> None:
    """A page of a day before that of the last one."""
    last = await ledger.open_page(session, town.bank_id)
    await ledger.turn_page(session, town.bank_id, last.day - timedelta(days=1))


async def _closed_days_stay_closed(database: Database) -> None:
    """Of two closed days, only the last version of the second can be opened again."""
    town = await factories.make_town(database)
    async with database.transaction() as session:
        first = (await ledger.open_page(session, town.bank_id)).day
        second = first + timedelta(days=1)
        session.add(Day(bank_id=town.bank_id, day=first, last_page=1))
        await ledger.turn_page(session, town.bank_id, second)
        session.add(Day(bank_id=town.bank_id, day=second, last_page=2))
        await ledger.turn_page(session, town.bank_id, second + timedelta(days=1))
    await _is_refused(town, _opens_again(first, 1))
    async with database.transaction() as session:
        await _opens_again(second, 1)(session, town)
        await ledger.turn_page(session, town.bank_id, second + timedelta(days=1))
        session.add(Day(bank_id=town.bank_id, day=second, version=2, last_page=4))
    await _is_refused(town, _opens_again(second, 1))


def _opens_again(day: date, version: int) -> Any:
    async def opens_again(session: AsyncSession, town: Town) -> None:
        last = await ledger.open_page(session, town.bank_id)
        session.add(
            Reopening(
                bank_id=town.bank_id,
                day=day,
                version=version,
                first_page=last.number + 1,
                reason="x",
                reopened_by=town.treasurer.id,
            )
        )
        await session.flush()
        await ledger.turn_page(session, town.bank_id, day)

    return opens_again


async def _is_left_out(town: Town) -> None:
    """A row that ON CONFLICT leaves out moves no balance."""
    into = sqlite_insert if town.database.is_sqlite else postgresql_insert
    try:
        async with town.database.transaction() as session:
            row = await _first(session, town, _transfer)
            again = row | {"id": new_id()}
            statement = into(_transfer).on_conflict_do_nothing()
            await (await session.connection()).execute(statement, [again])
    except DBAPIError:
        return


async def _first(session: AsyncSession, town: Town, table: Any) -> dict[str, Any]:
    query = select(table).where(table.c.bank_id == bindparam("of_bank")).limit(1)
    found = await (await session.connection()).execute(query, {"of_bank": town.bank_id})
    return dict(found.mappings().one())
