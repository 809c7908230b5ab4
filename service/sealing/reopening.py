"""A closed day is opened again: what is posted then is of that day, until it is closed anew.

Nothing that was closed changes. The day gets another run of pages, behind those of the day
after it, and another version with a seal of its own; the seal of the one before stays good.
"""

from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.ledger import Day, Reopening
from service import ledger
from service.errors import Conflict, Forbidden
from service.observing.masking import without_numbers
from service.sealing.closed import newest_version


class DayNotClosed(Conflict):
    english = "This day is not closed, so it can't be opened again."
    indonesian = "Hari ini belum ditutup, jadi tidak dapat dibuka kembali."


class NotTheNewestDay(Conflict):
    english = "Only the day that was closed last can be opened again: {day}."
    indonesian = "Hanya hari yang terakhir ditutup yang dapat dibuka kembali: {day}."


class OwnClose(Forbidden):
    english = "Whoever closed a day does not open it again; ask another treasurer."
    indonesian = "Yang menutup hari tidak boleh membukanya kembali; minta bendahara lain."


async def reopen(
    session: AsyncSession, bank: Bank, day: date, *, by: UUID, reason: str
) -> Reopening:
    """Open the day that was closed last again; what is posted from now on belongs to it.

    Raises DayNotClosed, NotTheNewestDay, OwnClose, or BookBusy.
    """
    await ledger.hold_book(session, bank.id)
    page = await ledger.open_page(session, bank.id)
    closed = _checked(await newest_version(session, bank.id), day, page.day, by)
    opened = Reopening(
        bank_id=bank.id,
        day=day,
        version=closed.version,
        first_page=page.number + 1,
        reason=without_numbers(reason),
        reopened_by=by,
    )
    session.add(opened)
    await session.flush()
    await ledger.turn_page(session, bank.id, day)
    return opened


def _checked(newest: Day | None, day: date, open_day: date, by: UUID) -> Day:
    """The version to open again."""
    if newest is None or day > newest.day or open_day == day:
        raise DayNotClosed
    if day < newest.day or open_day == newest.day:
        raise NotTheNewestDay(day=newest.day)
    if newest.closed_by == by:
        raise OwnClose
    return newest
