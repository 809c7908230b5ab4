"""What a city sees of a bank: months that are over, and no figure that few people stand behind.

Figures of any span could be subtracted from those of a span one day longer, and the rest would
be what one household brought. So there are whole months only, and never the one that runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from models.bank import Bank
from service.ledger import AccountTotals, MassOfDay
from service.ledger.chart import KINDS
from service.members import OFFICERS, Caller

FEWEST = 5
"""People behind a figure; with fewer, each of them would know much of the others."""
TOGETHER = "people"
"""The account under which kinds stand together that have too few people each."""
_PEOPLE = ("resident", "collector")
_NAMED = (*_PEOPLE, "buyer", "drawer")
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


def by_kind(rows: Iterable[AccountTotals]) -> list[AccountTotals]:
    """A trial balance without people: one line a kind of account, which still sums to zero.

    Kinds with too few people stand together. Where all of them together are too few, the whole
    unit is left out, since the rest would tell what they have.
    """
    units: dict[str, list[AccountTotals]] = defaultdict(list)
    for row in rows:
        if row.debit or row.credit:
            units[row.unit].append(row)
    return [line for unit in units.values() for line in _unit_by_kind(unit)]


def _next(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _together(days: Sequence[MassOfDay], last: date) -> MassOfDay:
    sums = {name: sum(getattr(day, name) for day in days) for name in _FLOWS}
    return days[-1]._replace(day=last, **sums)


def _unit_by_kind(rows: Sequence[AccountTotals]) -> list[AccountTotals]:
    kinds: dict[str, list[AccountTotals]] = defaultdict(list)
    for row in rows:
        kinds[_kind(row)].append(row)
    people = {
        kind: {row.code.partition(":")[2] for row in of}
        for kind, of in kinds.items()
        if KINDS[kind.partition(":")[0]].per in _PEOPLE
    }
    joined = _too_few(people)
    if joined is None:
        return []
    apart = [_sum(kind, of) for kind, of in kinds.items() if kind not in joined]
    return [
        *apart,
        *([_sum(TOGETHER, [row for kind in joined for row in kinds[kind]])] if joined else []),
    ]


def _too_few(people: Mapping[str, set[str]]) -> list[str] | None:
    """The kinds that have to stand together; None if all of them are too few."""
    joined: list[str] = []
    behind: set[str] = set()
    for kind, whose in sorted(people.items(), key=lambda entry: (len(entry[1]), entry[0])):
        if len(whose) >= FEWEST and (not joined or len(behind) >= FEWEST):
            break
        joined.append(kind)
        behind |= whose
    return None if joined and len(behind) < FEWEST else joined


def _kind(row: AccountTotals) -> str:
    """Under which line an account stands: its own, unless it is somebody's."""
    kind = row.code.partition(":")[0]
    return kind if KINDS[kind].per in _NAMED else row.code


def _sum(code: str, rows: Sequence[AccountTotals]) -> AccountTotals:
    debit, credit = sum(row.debit for row in rows), sum(row.credit for row in rows)
    return AccountTotals(code, rows[0].unit, debit, credit)
