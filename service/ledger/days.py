"""Which pages of the book are of which days, for who reads it day by day.

Days follow one another in the book, but for those that were opened again: such a day has
pages further on, between those of the day after it.
"""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, bindparam
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Day, Page, Reopening

BEHIND_ALL = 2**31 - 1
"""A page number that no book reaches."""


_page, _of_bank = aliased(Page), col(Page.bank_id) == bindparam("of_bank")


def _first_page(since: ColumnElement[bool]) -> ScalarSelect[int | None]:
    """The first page of the first of some days; what is opened again has a page before."""
    day = select_columns(func.min(col(_page.day))).where(
        col(_page.bank_id) == bindparam("of_bank"), since
    )
    found = select_columns(func.min(col(Page.number)))
    return found.where(_of_bank, col(Page.day) == day.scalar_subquery()).scalar_subquery()


# Made once: putting a statement together costs more than running it.
_BOUNDS = select_columns(
    _first_page(col(_page.day) >= bindparam("first")),
    _first_page(col(_page.day) > bindparam("last")),
)
_AGAIN = (
    select_columns(col(Reopening.day), col(Reopening.first_page), col(Day.last_page))
    .join(
        Day,
        (col(Day.bank_id) == Reopening.bank_id)
        & (col(Day.day) == Reopening.day)
        & (col(Day.version) == Reopening.version + 1),
        isouter=True,
    )
    .where(col(Reopening.bank_id) == bindparam("of_bank"), col(Reopening.day) <= bindparam("last"))
    .order_by(col(Reopening.first_page))
)


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
    asked = {"of_bank": bank_id, "first": first, "last": last}
    connection = await session.connection()
    begins, behind = (await connection.execute(_BOUNDS, asked)).one()
    begins, behind = begins or BEHIND_ALL, behind or BEHIND_ALL
    again = [
        (row.day, Run(row.first_page, row.last_page + 1 if row.last_page else BEHIND_ALL))
        for row in await connection.execute(_AGAIN, asked)
        if row.first_page >= begins
    ]
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
