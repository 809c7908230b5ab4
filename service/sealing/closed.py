"""Days that were closed, with all their versions."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import MAIN, DrawerCount
from models.ledger import Day, DaySeal, Reopening
from service.sealing.heads import Count, InDrawer, Reopened

_opened = aliased(Reopening)
_closed = aliased(Day)
_IS_OPEN_AGAIN: ColumnElement[bool] = and_(
    exists().where(
        col(_opened.bank_id) == Day.bank_id,
        col(_opened.day) == Day.day,
        col(_opened.version) == Day.version,
    ),
    ~exists().where(
        col(_closed.bank_id) == Day.bank_id,
        col(_closed.day) == Day.day,
        col(_closed.version) == Day.version + 1,
    ),
)


class ClosedDay(NamedTuple):
    """A version of a closed day, with its seal once it has one, and how it came about."""

    day: Day
    seal: DaySeal | None
    reopening: Reopening | None
    """Why the version before was opened again."""
    counts: Sequence[DrawerCount]
    is_open_again: bool
    """Whether this is the newest version, and the day was opened again since."""

    @property
    def counted(self) -> Count:
        """What was counted, as its seal speaks of it."""
        drawers = tuple(
            InDrawer(one.drawer, one.counted_idr, one.difference_idr) for one in self.counts
        )
        day = self.day
        figures = (day.counted_cash_idr, day.cash_difference_idr)
        return Count(*figures, day.closed_by, day.despite_unknown, drawers)

    @property
    def reopened(self) -> Reopened:
        """How this version came about, as its seal speaks of it."""
        again = self.reopening
        return Reopened(again.first_page, again.reopened_by, again.reason) if again else Reopened()


async def closed_days(
    session: AsyncSession,
    bank_id: UUID,
    *,
    before: tuple[date, int] | None,
    limit: int,
    only_sealed: bool = False,
) -> list[ClosedDay]:
    """Closed days, newest first, each with all its versions; `before` is the last one seen."""
    query = (
        select(Day, DaySeal, Reopening, _IS_OPEN_AGAIN)
        .join(
            DaySeal,
            (col(DaySeal.bank_id) == Day.bank_id)
            & (col(DaySeal.day) == Day.day)
            & (col(DaySeal.version) == Day.version),
            isouter=not only_sealed,
        )
        .join(
            Reopening,
            (col(Reopening.bank_id) == Day.bank_id)
            & (col(Reopening.day) == Day.day)
            & (col(Reopening.version) == Day.version - 1),
            isouter=True,
        )
        .where(Day.bank_id == bank_id)
        .order_by(col(Day.day).desc(), col(Day.version).desc())
        .limit(limit)
    )
    if before is not None:
        day, version = before
        earlier = (col(Day.day) == day) & (col(Day.version) < version)
        query = query.where((col(Day.day) < day) | earlier)
    found = list(await session.exec(query))
    counts = await _counts_of(session, bank_id, {day.day for day, *_ in found})
    return [
        ClosedDay(day, seal, after, counts.get((day.day, day.version), ()), is_open)
        for day, seal, after, is_open in found
    ]


async def reopening_of(session: AsyncSession, day: Day) -> Reopening | None:
    """How a version of a day came about, if it isn't the first."""
    query = select(Reopening).where(
        Reopening.bank_id == day.bank_id,
        Reopening.day == day.day,
        Reopening.version == day.version - 1,
    )
    return (await session.exec(query)).first()


async def newest_version(
    session: AsyncSession, bank_id: UUID, day: date | None = None
) -> Day | None:
    """The last version of a closed day; of the newest day that was closed, if none is given."""
    query = (
        select(Day)
        .where(Day.bank_id == bank_id)
        .order_by(col(Day.day).desc(), col(Day.version).desc())
        .limit(1)
    )
    if day is not None:
        query = query.where(Day.day == day)
    return (await session.exec(query)).first()


async def _counts_of(
    session: AsyncSession, bank_id: UUID, days: Iterable[date]
) -> dict[tuple[date, int], tuple[DrawerCount, ...]]:
    """What was counted in drawers as these days were closed, by day and version."""
    query = (
        select(DrawerCount)
        .where(
            DrawerCount.bank_id == bank_id,
            col(DrawerCount.day).in_(days),
            DrawerCount.drawer != MAIN,  # Its count stands in the day itself.
        )
        .order_by(col(DrawerCount.drawer))
    )
    found: dict[tuple[date, int], tuple[DrawerCount, ...]] = {}
    for one in await session.exec(query):
        if one.day is not None and one.day_version is not None:
            key = (one.day, one.day_version)
            found[key] = (*found.get(key, ()), one)
    return found
