"""What a city sees of a bank: months that are over, and no figure that few people stand behind.

Figures of any span could be subtracted from those of a span one day longer, and the rest would
be what one household brought. So there are whole months only, and never the one that runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from service import banks, months
from service.ledger import AccountTotals, MassOfDay, Moved
from service.ledger.chart import IDR, KINDS
from service.members import OFFICERS, Caller
from service.months import FEWEST, next_month

MONEY = "money"
"""One line of all that is money, wherever it lies. To pay what is owed names nobody, and yet a
buyer's payment is what one sale brought, and a deposit what one buyer paid."""
_MONEY = {KINDS[name].name for name in ("cash", "bank_account", "float", "receivable")}
_FLOWS = (
    "collected",
    "on_loads",
    "received",
    "weighing_difference",
    "sold",
    "missing",
    "residue",
    "stock_difference",
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
    return balances_in(as_money(moved))


def as_money(moved: Iterable[Moved]) -> list[Moved]:
    """The same with all money on one line, without what only moved within it.

    What people stand behind is one sum a month and pair of lines, for of several sums the order
    would decide which are told first.
    """
    cells: dict[tuple[int, str, str, bool], _Cell] = defaultdict(_Cell)
    for one in moved:
        debit, credit = _money_or(one.debit), _money_or(one.credit)
        if debit != credit:
            cells[one.month, debit, credit, not one.people].add(one)
    return [
        Moved(month, debit, credit, cell.amount, frozenset(cell.people))
        for (month, debit, credit, _), cell in cells.items()
    ]


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
        cell.add(one)
        if 0 < len(cell.people) < FEWEST:
            waiting[one.debit, one.credit] = cell
        else:
            balances[one.debit] += cell.amount
            balances[one.credit] -= cell.amount
    return [_net(line, amount) for line, amount in sorted(balances.items()) if amount]


def _together(days: Sequence[MassOfDay], last: date) -> MassOfDay:
    sums = {name: sum(getattr(day, name) for day in days) for name in _FLOWS}
    return days[-1]._replace(day=last, **sums)


def _money_or(line: str) -> str:
    return MONEY if line.partition(":")[0] in _MONEY else line


@dataclass(slots=True)
class _Cell:
    """What moved between two lines and wasn't told yet, and some of the people behind it."""

    amount: int = 0
    people: set[UUID] = field(default_factory=set)

    def add(self, one: Moved) -> None:
        """Put in what moved between these lines."""
        self.amount += one.amount
        self.people |= one.people


def _of_month(moved: Moved) -> int:
    return moved.month


def _net(line: str, balance: int) -> AccountTotals:
    """On one side only: what went in and what went out would tell of fewer people each."""
    return AccountTotals(line, IDR, max(balance, 0), max(-balance, 0))
