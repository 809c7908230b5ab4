"""A statement put together: whose passbook, which days, opening, lines, closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.people import Membership, Person, Role
from service import banks, ledger
from service.errors import Conflict, FieldProblem, Malformed
from service.ledger import PassbookLine
from service.statements import words

MOST_DAYS = 400
MOST_LINES = 1_000


class DaysBackwards(Malformed):
    english = "The last day comes before the first."
    indonesian = "Tanggal akhir mendahului tanggal awal."


class TooManyDays(Malformed):
    english = "A statement covers at most {days} days."
    indonesian = "Satu laporan paling banyak {days} hari."


class StatementTooLong(Conflict):
    english = "There are more than {lines} lines in these days. Please ask for fewer days."
    indonesian = "Lebih dari {lines} baris dalam periode ini. Pilih periode yang lebih pendek."


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is printed: `day` is the book's, `at` the instant when it happened."""

    number: int
    day: date
    at: datetime
    in_idr: int
    out_idr: int
    balance_idr: int
    entered_by: str
    note: str
    written: PassbookLine


@dataclass(frozen=True, slots=True)
class Statement:
    """A resident's passbook from the first to the last day, both included.

    It is `provisional` while its last day is not over in the book, and may get more lines.
    """

    language: str
    bank: Bank
    resident: Person
    passbook_number: str
    first_day: date
    last_day: date
    opening_idr: int
    lines: Sequence[Line]
    provisional: bool = False

    @property
    def in_idr(self) -> int:
        return sum(line.in_idr for line in self.lines)

    @property
    def out_idr(self) -> int:
        return sum(line.out_idr for line in self.lines)

    @property
    def closing_idr(self) -> int:
        return self.lines[-1].balance_idr if self.lines else self.opening_idr


async def read(
    session: AsyncSession,
    bank_id: UUID,
    resident_id: UUID,
    days: tuple[date | None, date | None],
    *,
    language: str | None,
) -> Statement:
    """The statement of these days of business; of this month, where none are given.

    The language is the resident's own unless one is given. Raises DaysBackwards, TooManyDays
    or StatementTooLong.
    """
    bank = await banks.get(session, bank_id)
    resident = (await session.exec(select(Person).where(Person.id == resident_id))).one()
    language = language or resident.language
    first, last = await _days(session, bank, days)
    found = await ledger.passbook_of_days(
        session, bank_id, resident_id, (first, last), limit=MOST_LINES + 1
    )
    if len(found.lines) > MOST_LINES:
        raise StatementTooLong(lines=MOST_LINES)
    return Statement(
        language=language,
        bank=bank,
        resident=resident,
        passbook_number=await _passbook_number(session, bank_id, resident_id),
        first_day=first,
        last_day=last,
        opening_idr=found.opening_idr,
        lines=await _lines(session, bank, found.lines, language),
        provisional=last >= (await ledger.open_page(session, bank_id)).day,
    )


def initials(name: str) -> str:
    """How somebody signs a line: SA for Siti Aminah."""
    return "".join(word[0].upper() for word in name.split() if word[0].isalnum())[:4]


async def _days(
    session: AsyncSession, bank: Bank, days: tuple[date | None, date | None]
) -> tuple[date, date]:
    today = banks.day_at(bank, utc_now())
    # After an early close the book is a day ahead of the calendar.
    last = days[1] or max(today, await ledger.newest_day(session, bank.id))
    first = days[0] or (last if days[1] else today).replace(day=1)
    _check_days(first, last)
    return first, last


def _check_days(first: date, last: date) -> None:
    if first > last:
        raise DaysBackwards(FieldProblem("/to", DaysBackwards.english, DaysBackwards.indonesian))
    if (last - first).days >= MOST_DAYS:
        problem = TooManyDays(days=MOST_DAYS)
        at = FieldProblem("/from", problem.detail("en"), problem.detail("id"))
        raise TooManyDays(at, days=MOST_DAYS)


async def _passbook_number(session: AsyncSession, bank_id: UUID, resident_id: UUID) -> str:
    """As given on joining; else what would be given now."""
    query = select(Membership.passbook_number).where(
        Membership.bank_id == bank_id,
        Membership.person_id == resident_id,
        Membership.role == Role.RESIDENT,
    )
    return (await session.exec(query)).first() or resident_id.hex[-10:].upper()


async def _lines(
    session: AsyncSession, bank: Bank, written: Sequence[PassbookLine], language: str
) -> list[Line]:
    signers = {line.actor_id for line in written}
    query = select(Person.id, Person.name).where(col(Person.id).in_(signers))
    names = {person_id: initials(name) for person_id, name in await session.exec(query)}
    zone = ZoneInfo(bank.time_zone)
    return [
        Line(
            number=number,
            day=line.day,
            at=line.at,
            in_idr=max(line.amount_idr, 0),
            out_idr=max(-line.amount_idr, 0),
            balance_idr=line.balance_idr,
            entered_by=names.get(line.actor_id, "") if line.actor_id else "",
            note=_note(line, line.at.astimezone(zone).date(), language),
            written=line,
        )
        for number, line in enumerate(written, start=1)
    ]


def _note(line: PassbookLine, happened: date, language: str) -> str:
    what = words.described(line, language)
    return what if happened == line.day else f"{what}, {words.happened_on(happened, language)}"
