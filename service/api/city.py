"""What a city sees of a bank: months that are over, and no figure that few people stand behind.

Figures of any span could be subtracted from those of a span one day longer, and the rest would
be what one household brought. So there are whole months only, and never the one that runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from service import ledger
from service.ledger import AccountTotals, MassOfDay, Moved
from service.ledger.chart import IDR
from service.members import OFFICERS, Caller

FEWEST = 5
"""People behind a figure; with fewer, each of them would know much of the others."""
TOGETHER = "people"
"""The account under which those stand together that had too few people in a month."""
_NAMED = ("resident", "collector", "buyer", "drawer")
_FLOWS = (
    "collected",
    "on_loads",
    "received",
    "weighing_difference",
    "sold",
    "residue",
    "balance",
)


def is_for_city(caller: Caller, bank_id: UUID) -> bool:
    """Whether somebody sees a bank as the city does, and not as one of its officers."""
    return not caller.has(bank_id, *OFFICERS)


def month_of(bank: Bank, instant: datetime) -> datetime:
    """The instant at which the month began at the bank."""
    zone = ZoneInfo(bank.time_zone)
    first = instant.astimezone(zone).date().replace(day=1)
    return datetime.combine(first, time(), zone).astimezone(UTC)


def whole_months(first: date, last: date, today: date) -> list[tuple[date, date]]:
    """First and last day of every month that lies between two days and is over."""
    months, begins = [], first if first.day == 1 else _next(first)
    while (following := _next(begins)) - timedelta(days=1) <= last and following <= today:
        months.append((begins, following - timedelta(days=1)))
        begins = following
    return months


def month_together(days: Sequence[MassOfDay], last: date) -> list[MassOfDay]:
    """The days of one month as one line a material, under its last day."""
    by_material: dict[str, list[MassOfDay]] = defaultdict(list)
    for day in days:
        by_material[day.material].append(day)
    return [_together(of, last) for _, of in sorted(by_material.items())]


async def balances_of_many(session: AsyncSession, bank: Bank, at: datetime) -> list[AccountTotals]:
    """The trial balance in rupiah as the city may see it when a month began."""
    ends = [*_beginnings(bank, bank.created_at, at)]
    moved = await ledger.months_moved(session, bank.id, ends, together=_NAMED, most_people=FEWEST)
    return balances_in(moved)


def balances_in(moved: Iterable[Moved]) -> list[AccountTotals]:
    """Balances as sums of what moved, month by month, with enough people behind each figure.

    So the difference of two balances is made of such figures as well. A month in which there
    were too few counts with the next one. Lines that had too few stand together, as `people`.
    """
    balances: Counter[str] = Counter()
    waiting: dict[str, _Cell] = {}
    for _, month in groupby(sorted(moved, key=_of_month), key=_of_month):
        for one in month:
            cell = waiting.setdefault(one.line, _Cell())
            cell.amount += one.amount
            cell.people |= one.people
        told = _told(waiting)
        if told is not None:
            balances.update(told)
            waiting = {}
    return [_net(line, amount) for line, amount in sorted(balances.items()) if amount]


def _next(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _together(days: Sequence[MassOfDay], last: date) -> MassOfDay:
    sums = {name: sum(getattr(day, name) for day in days) for name in _FLOWS}
    return days[-1]._replace(day=last, **sums)


@dataclass(slots=True)
class _Cell:
    """What a line moved by, and some of the people behind it."""

    amount: int = 0
    people: set[UUID] = field(default_factory=set)


def _told(cells: Mapping[str, _Cell]) -> dict[str, int] | None:
    """What each line moved by, or several together; None if all of those are too few."""
    joined = _too_few({line: cell.people for line, cell in cells.items() if cell.people})
    if joined is None:
        return None
    told = {line: cell.amount for line, cell in cells.items() if line not in joined}
    return told | {TOGETHER: sum(cells[line].amount for line in joined)}


def _too_few(people: Mapping[str, set[UUID]]) -> list[str] | None:
    """The lines that have to stand together; None if all of them are too few."""
    joined: list[str] = []
    behind: set[UUID] = set()
    for line, whose in sorted(people.items(), key=lambda entry: (len(entry[1]), entry[0])):
        if len(whose) >= FEWEST and (not joined or len(behind) >= FEWEST):
            break
        joined.append(line)
        behind |= whose
    return None if joined and len(behind) < FEWEST else joined


def _of_month(moved: Moved) -> int:
    return moved.month


def _net(line: str, balance: int) -> AccountTotals:
    """On one side only: what went in and what went out would tell of fewer people each."""
    return AccountTotals(line, IDR, max(balance, 0), max(-balance, 0))


def _beginnings(bank: Bank, first: datetime, last: datetime) -> Iterator[datetime]:
    """When the months after the first instant began, up to the last one."""
    zone = ZoneInfo(bank.time_zone)
    month = _next(first.astimezone(zone).date().replace(day=1))
    while (begins := datetime.combine(month, time(), zone).astimezone(UTC)) <= last:
        yield begins
        month = _next(month)
