"""What moved in a bank's months, and who stands behind it: kept once a month is over.

All transfers there ever were would have to be gone through for each look otherwise.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import table_of, utc_now
from models.city import CityMonth
from models.ledger import Page
from service import banks, ledger
from service.database import Database, one_at_a_time
from service.ledger import Moved

FEWEST = 5
"""People behind a figure; with fewer, each of them would know much of the others."""
SETTLED = timedelta(hours=1)
"""So long after a month whatever began in it has been committed or given up."""
_TOGETHER = ("resident", "collector", "buyer", "drawer")


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def beginnings(bank: Bank, until: datetime) -> Iterator[datetime]:
    """When months began at the bank, from its second one on, up to an instant."""
    month = next_month(banks.day_at(bank, bank.created_at).replace(day=1))
    while (begins := banks.midnight_of(bank, month)) <= until:
        yield begins
        month = next_month(month)


async def moved_in(session: AsyncSession, bank: Bank, ends: list[datetime]) -> list[Moved]:
    """What moved until the first of these beginnings of months (month 0), and so on."""
    kept = await _kept(session, bank.id, ends)
    known = 0
    while known < len(ends) and ends[known] in kept:
        known += 1
    found = [
        Moved(n, row.debit, row.credit, row.amount, frozenset(map(UUID, row.people.split())))
        for n, end in enumerate(ends[:known])
        for row in kept[end]
        if row.debit
    ]
    rest = await _moved(session, bank.id, ends, known)
    return found + [one._replace(month=one.month + known) for one in rest]


async def keep_due(
    database: Database, bank_ids: Iterable[UUID], *, now: datetime | None = None
) -> None:
    """Keep one month more of each bank, of those that are over and settled."""
    over = (now or utc_now()) - SETTLED
    for bank_id in bank_ids:
        async with database.reading_long() as session:
            kept = await _months_kept(session, bank_id)
            due = await _first_due(session, bank_id, over, kept)
        if any(end > over for end in kept):
            await _drop_after(database, bank_id, over)
        if due is not None:
            await _keep(database, bank_id, *due)


async def _first_due(
    session: AsyncSession, bank_id: UUID, over: datetime, kept: set[datetime]
) -> tuple[datetime, list[Moved]] | None:
    """The first month that is over and isn't kept: its end, and what moved in it."""
    ends = [*beginnings(await banks.get(session, bank_id), over)]
    nth = next((n for n, end in enumerate(ends) if end not in kept), None)
    if nth is None or not await _is_closed(session, bank_id, ends[nth]):
        return None
    return ends[nth], await _moved(session, bank_id, ends[: nth + 1], nth)


async def _moved(
    session: AsyncSession, bank_id: UUID, ends: list[datetime], first: int
) -> list[Moved]:
    """What the ledger says of the months from the nth on, which is month 0 then."""
    since = ends[first - 1] if first else None
    return await ledger.months_moved(
        session, bank_id, ends[first:], since=since, together=_TOGETHER, most_people=FEWEST
    )


async def _kept(
    session: AsyncSession, bank_id: UUID, ends: list[datetime]
) -> dict[datetime, list[CityMonth]]:
    query = select(CityMonth).where(
        CityMonth.bank_id == bank_id, col(CityMonth.ends_at) <= max(ends, default=utc_now())
    )
    kept: dict[datetime, list[CityMonth]] = {}
    for row in await session.exec(query):
        kept.setdefault(row.ends_at, []).append(row)
    return kept


async def _months_kept(session: AsyncSession, bank_id: UUID) -> set[datetime]:
    """The ends of months that are kept."""
    query = select(CityMonth.ends_at).where(CityMonth.bank_id == bank_id, CityMonth.debit == "")
    return set(await session.exec(query))


async def _is_closed(session: AsyncSession, bank_id: UUID, end: datetime) -> bool:
    """Whether a page was opened since the month's end: whoever wrote then was waited for."""
    opened = exists().where(col(Page.bank_id) == bank_id, col(Page.opened_at) >= end)
    return (await session.exec(select(opened))).one()


async def _drop_after(database: Database, bank_id: UUID, over: datetime) -> None:
    """Months that aren't over: a clock was ahead, and what is posted in them counts as well."""
    later = (col(CityMonth.bank_id) == bank_id, col(CityMonth.ends_at) > over)
    async with database.transaction() as session:
        await session.exec(delete(CityMonth).where(*later))


async def _keep(database: Database, bank_id: UUID, ends_at: datetime, moved: list[Moved]) -> None:
    rows = [
        {"debit": one.debit, "credit": one.credit, "amount": one.amount}
        | {"people": " ".join(sorted(person.hex for person in one.people))}
        for one in (*moved, Moved(0, "", "", 0, frozenset()))
    ]
    of_month = {"bank_id": bank_id, "ends_at": ends_at}
    async with database.transaction() as session:
        await one_at_a_time(session, f"months of {bank_id}")
        if ends_at in await _months_kept(session, bank_id):
            return  # Another worker has kept it meanwhile.
        connection = await session.connection()
        await connection.execute(insert(table_of(CityMonth)), [of_month | row for row in rows])
