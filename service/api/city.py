"""What a city sees of a bank: months that are over, and no figure that few people stand behind.

Figures of any span could be subtracted from those of a span one day longer, and the rest would
be what one household brought. So there are whole months only, and never the one that runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from service import banks, months, sales
from service.ledger import AccountTotals, MassOfDay, Moved
from service.ledger.chart import IDR, KINDS
from service.members import OFFICERS, Caller
from service.months import FEWEST, next_month
from service.sales import Brought

_SALE = (KINDS["receivable"].name, KINDS["sales"].name)
"""Between which lines a sale moves what it brings."""
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
    return banks.midnight_of(bank, banks.day_at(bank, instant).replace(day=1))


def whole_months(first: date, last: date, today: date) -> list[tuple[date, date]]:
    """First and last day of every month that lies between two days and is over."""
    found, begins = [], first if first.day == 1 else next_month(first)
    while (following := next_month(begins)) - timedelta(days=1) <= last and following <= today:
        found.append((begins, following - timedelta(days=1)))
        begins = following
    return found


def month_together(days: Sequence[MassOfDay], last: date) -> list[MassOfDay]:
    """The days of one month as one line a material, under its last day."""
    by_material: dict[str, list[MassOfDay]] = defaultdict(list)
    for day in days:
        by_material[day.material].append(day)
    return [_together(of, last) for _, of in sorted(by_material.items())]


async def balances_of_many(session: AsyncSession, bank: Bank, at: datetime) -> list[AccountTotals]:
    """The trial balance in rupiah as the city may see it when a month began."""
    ends = [*months.beginnings(bank, at)]
    moved = await months.moved_in(session, bank, ends)
    brought = await sales.brought_by_months(session, bank.id, ends, fewest=FEWEST)
    return balances_in([*without_sales(moved), *from_sales(brought)])


def without_sales(moved: Iterable[Moved]) -> Iterator[Moved]:
    """All but what sales brought, of which those that are listed are told already."""
    return (one for one in moved if (one.debit, one.credit) != _SALE)


def from_sales(brought: Iterable[Brought]) -> Iterator[Moved]:
    """What sales brought: of those that are listed, and apart from them of those that aren't.

    So nothing is left when what is listed is taken from a sum, unless it is of enough people.
    """
    return (Moved(one.month, *_SALE, one.amount_idr, one.residents) for one in brought)


def balances_in(moved: Iterable[Moved]) -> list[AccountTotals]:
    """Balances as sums of what moved between two lines, with enough people behind each sum.

    What too few moved counts in the first month in which, together, there are enough; what
    nobody did, at once. So whatever is added up or subtracted of one answer or several is made
    of such sums as well.
    """
    balances: Counter[str] = Counter()
    waiting: dict[tuple[str, str], _Cell] = {}
    for one in sorted(moved, key=_of_month):
        cell = waiting.pop((one.debit, one.credit), _Cell()) if one.people else _Cell()
        cell.amount += one.amount
        cell.people |= one.people
        if 0 < len(cell.people) < FEWEST:
            waiting[one.debit, one.credit] = cell
        else:
            balances[one.debit] += cell.amount
            balances[one.credit] -= cell.amount
    return [_net(line, amount) for line, amount in sorted(balances.items()) if amount]


def _together(days: Sequence[MassOfDay], last: date) -> MassOfDay:
    sums = {name: sum(getattr(day, name) for day in days) for name in _FLOWS}
    return days[-1]._replace(day=last, **sums)


@dataclass(slots=True)
class _Cell:
    """What moved between two lines and wasn't told yet, and some of the people behind it."""

    amount: int = 0
    people: set[UUID] = field(default_factory=set)


def _of_month(moved: Moved) -> int:
    return moved.month


def _net(line: str, balance: int) -> AccountTotals:
    """On one side only: what went in and what went out would tell of fewer people each."""
    return AccountTotals(line, IDR, max(balance, 0), max(-balance, 0))
