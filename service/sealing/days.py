"""Days of business: closed by a treasurer who counted the cash, or when they are over."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.ledger import Day, Page, Reopening
from service import banks, ledger
from service.database import Database
from service.errors import Conflict
from service.ledger import AccountTotals, Draft, Movement, chart
from service.observing.masking import without_numbers
from service.sealing.closed import newest_version

log = logging.getLogger(__name__)

GRACE = timedelta(hours=2)
"""How long after midnight a treasurer may still close the day before nobody did."""
OPEN_AGAIN_FOR = timedelta(hours=2)
"""How long a day that was opened again stays open if nobody closes it anew."""
_page = aliased(Page)


class DayClosed(Conflict):
    english = "This day is closed; the book is at {day} now."
    indonesian = "Tanggal itu sudah ditutup; buku sekarang berada di tanggal {day}."


class DayBeforeBook(Conflict):
    english = "The book of this waste bank only begins at {day}."
    indonesian = "Buku bank sampah ini baru dimulai pada tanggal {day}."


class DayNotBegun(Conflict):
    english = "This day has not begun at the waste bank."
    indonesian = "Tanggal itu belum dimulai di bank sampah."


class EarlierDayOpen(Conflict):
    english = "An earlier day is still open; close {day} first."
    indonesian = "Hari sebelumnya masih terbuka; tutup {day} terlebih dahulu."


@dataclass(frozen=True, slots=True)
class Close:
    """How a day is closed: by whom, and with how much cash in the safe.

    `despite_unknown` says why, if nobody knows how some payouts went.
    """

    by: UUID
    counted_cash_idr: int
    despite_unknown: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that was just closed, and its books at that moment."""

    day: Day
    ledger_cash_idr: int
    balances: Sequence[AccountTotals]


async def closable(session: AsyncSession, bank: Bank, day: date) -> int:
    """Hold the book, and see that the day can be closed; which version of it this will be.

    Raises DayBeforeBook, DayClosed, DayNotBegun, EarlierDayOpen, or BookBusy if the book is
    being written in for too long.
    """
    await ledger.hold_book(session, bank.id)
    open_page = await ledger.open_page(session, bank.id)
    if day < open_page.day:
        await _check_begun(session, bank.id, day)
    _check_closable(bank, open_page, day)
    newest = await newest_version(session, bank.id, day)
    return newest.version + 1 if newest else 1


async def close(session: AsyncSession, bank: Bank, day: date, how: Close) -> Closed:
    """Close the open day with what was counted; what is posted later belongs to the next.

    What the count differs by is posted on the day itself. Raises as closable() does.
    """
    version = await closable(session, bank, day)
    ledger_cash = (await ledger.balances(session, bank.id, [chart.CASH])).get(chart.CASH, 0)
    counted = Day(
        bank_id=bank.id,
        day=day,
        version=version,
        last_page=(await ledger.open_page(session, bank.id)).number,
        closed_by=how.by,
        counted_cash_idr=how.counted_cash_idr,
        cash_difference_idr=how.counted_cash_idr - ledger_cash,
        despite_unknown=without_numbers(how.despite_unknown),
    )
    await _post_difference(session, counted)
    await _close(session, bank, counted)
    # No more than counters while everybody waits; the day's grams can be asked for afterwards.
    return Closed(counted, ledger_cash, await ledger.trial_balance(session, bank.id))


async def close_overdue(database: Database, bank_ids: Sequence[UUID]) -> int:
    """Close the days that nobody closed and that are over by GRACE; how many."""
    async with database.reading() as session:
        overdue = await _overdue(session, bank_ids)
    closed = 0
    for bank in overdue:
        try:
            async with database.transaction() as session:
                closed += await _close_overdue(session, bank)
        except ledger.BookBusy:
            continue
        except Exception:
            # One bank's trouble must not keep the others' days open.
            log.exception("day_close_failed %s", bank.id)
    return closed


async def _check_begun(session: AsyncSession, bank_id: UUID, day: date) -> None:
    query = select(func.min(col(Page.day))).where(Page.bank_id == bank_id)
    first = (await session.exec(query)).one()
    if first is not None and day < first:
        raise DayBeforeBook(day=first)


def _check_closable(bank: Bank, open_page: Page, day: date) -> None:
    if day < open_page.day:
        raise DayClosed(day=open_page.day)
    if day > banks.day_at(bank, utc_now()):
        raise DayNotBegun
    if day > open_page.day:
        raise EarlierDayOpen(day=open_page.day)


async def _post_difference(session: AsyncSession, day: Day) -> None:
    difference = day.cash_difference_idr
    if not difference:
        return
    cash, other = chart.CASH, chart.CASH_DIFFERENCE
    debit, credit = (cash, other) if difference > 0 else (other, cash)
    again = f":{day.version}" if day.version > 1 else ""
    move = Movement(f"day:{day.day}{again}:cash", debit, credit, abs(difference))
    draft = Draft(
        "cash_count",
        [move],
        event_at=utc_now(),
        actor_id=day.closed_by,
        memo=day.day.isoformat(),
    )
    await ledger.post(session, day.bank_id, draft)


async def _close(session: AsyncSession, bank: Bank, day: Day) -> None:
    """Turn onto the next day: tomorrow, or today if the book was left open for days.

    After a day that was opened again the book goes on where it was.
    """
    newest = await ledger.newest_day(session, bank.id)
    follows = max(day.day + timedelta(days=1), banks.day_at(bank, utc_now()))
    await ledger.turn_page(session, bank.id, newest if newest > day.day else follows)
    session.add(day)
    await session.flush()


async def _overdue(session: AsyncSession, bank_ids: Sequence[UUID]) -> list[Bank]:
    newest = select(func.max(_page.number)).where(col(_page.bank_id) == Bank.id).correlate(Bank)
    again = (
        select(func.max(Reopening.reopened_at))
        .where(col(Reopening.bank_id) == Page.bank_id, col(Reopening.day) == Page.day)
        .correlate(Page)
        .scalar_subquery()
    )
    query = (
        select(Bank, col(Page.day), again)
        .join(Page, col(Page.bank_id) == Bank.id)
        .where(col(Bank.id).in_(bank_ids), col(Page.number) == newest.scalar_subquery())
    )
    return [bank for bank, day, since in await session.exec(query) if _is_over(bank, day, since)]


def _is_over(bank: Bank, day: date, reopened_at: datetime | None) -> bool:
    now = utc_now()
    is_used = reopened_at is not None and reopened_at > now - OPEN_AGAIN_FOR
    return banks.day_at(bank, now - GRACE) > day and not is_used


async def _close_overdue(session: AsyncSession, bank: Bank) -> bool:
    await ledger.hold_book(session, bank.id)
    if not await _overdue(session, [bank.id]):
        return False
    page = await ledger.open_page(session, bank.id)
    newest = await newest_version(session, bank.id, page.day)
    version = newest.version + 1 if newest else 1
    closed = Day(bank_id=bank.id, day=page.day, version=version, last_page=page.number)
    await _close(session, bank, closed)
    return True
