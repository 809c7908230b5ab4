"""Which pages of the book are of which days, for who reads it day by day.

Days follow one another in the book, but for those that were opened again: such a day has
pages further on, between those of the day after it.
"""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Day, Page, Reopening

BEHIND_ALL = 2**31 - 1
"""A page number that no book reaches."""


class Run(NamedTuple):
    """Pages from the first one to before `behind`."""

    first: int
    behind: int


class PagesOfDays(NamedTuple):
    """The pages of some days, and those of earlier days that stand among or behind them."""

    begins: int
    """The first page that is of these days or of a later one."""
    runs: list[Run]
    earlier: list[Run]


async def newest_day(session: AsyncSession, bank_id: UUID) -> date:
    """The day that the book has come to, though an earlier one may be open again."""
    query = select(func.max(Page.day)).where(Page.bank_id == bank_id)
    newest: date = (await session.exec(query)).one()
    return newest


async def pages_of_days(
    session: AsyncSession, bank_id: UUID, first: date, last: date
) -> PagesOfDays:
    """The pages of the days from the first to the last, both included, in the book's order."""
    begins = await _begins(session, bank_id, first)
    behind = BEHIND_ALL
    if last < date.max:
        behind = await _begins(session, bank_id, last + timedelta(days=1))
    again = await _again(session, bank_id, last, begins)
    earlier = [run for day, run in again if day < first]
    late = [run for day, run in again if day >= first and run.first >= behind]
    among = [run for run in earlier if run.first < behind]
    return PagesOfDays(begins, _without(Run(begins, behind), among) + late, earlier)


def _without(whole: Run, others: list[Run]) -> list[Run]:
    """What is left of a run without some that lie in it, which are in order."""
    parts, first = [], whole.first
    for other in others:
        parts.append(Run(first, other.first))
        first = min(other.behind, whole.behind)
    return [part for part in [*parts, Run(first, whole.behind)] if part.first < part.behind]


async def _begins(session: AsyncSession, bank_id: UUID, day: date) -> int:
    """The first page of this day or a later one; what is opened again has a page before."""
    follows = (
        select(func.min(Page.day)).where(Page.bank_id == bank_id, Page.day >= day).scalar_subquery()
    )
    query = select(func.min(Page.number)).where(Page.bank_id == bank_id, Page.day == follows)
    return (await session.exec(query)).one() or BEHIND_ALL


async def _again(
    session: AsyncSession, bank_id: UUID, last: date, begins: int
) -> list[tuple[date, Run]]:
    """The runs from a page on of days up to one that were opened again, in the book's order."""
    query = (
        select(Reopening, Day)
        .join(
            Day,
            (col(Day.bank_id) == Reopening.bank_id)
            & (col(Day.day) == Reopening.day)
            & (col(Day.version) == Reopening.version + 1),
            isouter=True,
        )
        .where(Reopening.bank_id == bank_id, Reopening.day <= last, Reopening.first_page >= begins)
        .order_by(col(Reopening.first_page))
    )
    return [
        (again.day, Run(again.first_page, closed.last_page + 1 if closed else BEHIND_ALL))
        for again, closed in await session.exec(query)
    ]
