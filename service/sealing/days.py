"""Days of business: closed by a treasurer who counted the cash, or when they are over."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.ledger import Day, DaySeal, Page
from service import banks, ledger
from service.database import Database
from service.errors import Conflict
from service.ledger import AccountTotals, Draft, Movement, chart

log = logging.getLogger(__name__)

GRACE = timedelta(hours=2)
"""How long after midnight a treasurer may still close the day before nobody did."""


class DayClosed(Conflict):
    english = "This day is closed; the book is at {day} now."
    indonesian = "Tanggal itu sudah ditutup; buku sekarang berada di tanggal {day}."


class DayNotBegun(Conflict):
    english = "This day has not begun at the waste bank."
    indonesian = "Tanggal itu belum dimulai di bank sampah."


class EarlierDayOpen(Conflict):
    english = "An earlier day is still open; close {day} first."
    indonesian = "Hari sebelumnya masih terbuka; tutup {day} terlebih dahulu."


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that was just closed, and its books at that moment."""

    day: Day
    ledger_cash_idr: int
    balances: Sequence[AccountTotals]


async def close(
    session: AsyncSession, bank: Bank, day: date, *, by: UUID, counted_cash_idr: int
) -> Closed:
    """Close the open day with what was counted; what is posted later belongs to the next.

    What the count differs by is posted on the day itself. Raises DayClosed, DayNotBegun,
    EarlierDayOpen, or BookBusy if the book is being written in for too long.
    """
    await ledger.hold_book(session, bank.id)
    open_page = await ledger.open_page(session, bank.id)
    _check_closable(bank, open_page, day)
    ledger_cash = (await ledger.balances(session, bank.id, [chart.CASH])).get(chart.CASH, 0)
    difference = counted_cash_idr - ledger_cash
    if difference:
        await _post_difference(session, bank.id, day, difference, by)
    counted = Day(
        bank_id=bank.id,
        day=day,
        last_page=open_page.number,
        closed_by=by,
        counted_cash_idr=counted_cash_idr,
        cash_difference_idr=difference,
    )
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


async def closed_days(
    session: AsyncSession, bank_id: UUID, *, before: date | None, limit: int
) -> list[tuple[Day, DaySeal | None]]:
    """Closed days with their seals, newest first; `before` is the last one seen."""
    query = (
        select(Day, DaySeal)
        .join(
            DaySeal,
            (col(DaySeal.bank_id) == Day.bank_id) & (col(DaySeal.day) == Day.day),
            isouter=True,
        )
        .where(Day.bank_id == bank_id)
        .order_by(col(Day.day).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Day.day) < before)
    return [(day, seal) for day, seal in await session.exec(query)]


def _check_closable(bank: Bank, open_page: Page, day: date) -> None:
    if day < open_page.day:
        raise DayClosed(day=open_page.day)
    if day > banks.day_at(bank, utc_now()):
        raise DayNotBegun
    if day > open_page.day:
        raise EarlierDayOpen(day=open_page.day)


async def _post_difference(
    session: AsyncSession, bank_id: UUID, day: date, difference: int, by: UUID
) -> None:
    cash, other = chart.CASH, chart.CASH_DIFFERENCE
    debit, credit = (cash, other) if difference > 0 else (other, cash)
    move = Movement(f"day:{day}:cash", debit, credit, abs(difference))
    draft = Draft("cash_count", [move], event_at=utc_now(), actor_id=by, memo=day.isoformat())
    await ledger.post(session, bank_id, draft)


async def _close(session: AsyncSession, bank: Bank, day: Day) -> None:
    """Turn onto the next day: tomorrow, or today if the book was left open for days."""
    follows = max(day.day + timedelta(days=1), banks.day_at(bank, utc_now()))
    await ledger.turn_page(session, bank.id, follows)
    session.add(day)
    await session.flush()


async def _overdue(session: AsyncSession, bank_ids: Sequence[UUID]) -> list[Bank]:
    newest = select(func.max(Page.day)).where(col(Page.bank_id) == Bank.id).scalar_subquery()
    query = select(Bank, newest).where(col(Bank.id).in_(bank_ids))
    return [bank for bank, day in await session.exec(query) if day and _is_over(bank, day)]


def _is_over(bank: Bank, day: date) -> bool:
    return banks.day_at(bank, utc_now() - GRACE) > day


async def _close_overdue(session: AsyncSession, bank: Bank) -> bool:
    await ledger.hold_book(session, bank.id)
    open_page = await ledger.open_page(session, bank.id)
    if not _is_over(bank, open_page.day):
        return False
    await _close(session, bank, Day(bank_id=bank.id, day=open_page.day, last_page=open_page.number))
    return True
