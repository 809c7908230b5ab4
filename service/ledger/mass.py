"""The mass balance: where each material's grams were, day by day, by the ledger alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Balance, Entry, Journal, Page, Transfer
from service.ledger.grams import CUSTODY, OF_PAGE, PREFIX, legs, places

_ONCE_RECEIVED = ("stock", "sold", "missing", "residue", "stock_difference")
"""Where they are that came into the store."""


class MassOfDay(NamedTuple):
    """One material on one day of business, in grams; what moved, and what was there at its end.

    `balance` is what came out of households and went nowhere: 0, or something is wrong.
    """

    day: date
    material: str
    collected: int
    """Out of households, less what was given back to them."""
    on_loads: int
    """How much more lay on vehicles than the day before."""
    received: int
    """Into the store, less what was taken out otherwise than to buyers, as residue or by a count."""
    weighing_difference: int
    """Lost between two scales; negative if the second one found more."""
    sold: int
    """To buyers, less what was taken back; negative if that was more."""
    missing: int
    """Left the store with what was sold, and not found by the buyers' scales."""
    residue: int
    stock_difference: int
    """Missing when the store was counted; negative if more was there."""
    stock: int
    load: int
    balance: int


async def mass_balance(
    session: AsyncSession, bank_id: UUID, first: date, last: date
) -> list[MassOfDay]:
    """Each day and material that moved, from the first day to the last one, in order.

    What was there at the end of a day is what was there at the end of the last one, less what
    moved in between.
    """
    connection = await session.connection()
    asked = {"of_bank": bank_id, "first": first, "last": last}
    moved, there = _gathered(await connection.execute(_QUERY, asked))
    days = []
    for (day, material), grams in sorted(moved.items(), reverse=True):
        then = there[material]
        days.append(_of_day(day, material, grams, then))
        there[material] = {place: then[place] - grams[place] for place in CUSTODY}
    return days[::-1]


_Grams = dict[str, int]


def _gathered(
    rows: Iterable[Row[*tuple[Any, ...]]],
) -> tuple[dict[tuple[date, str], _Grams], dict[str, _Grams]]:
    """What moved by day and material, and what was there in the end by material; by place."""
    moved: dict[tuple[date, str], _Grams] = defaultdict(_nothing)
    there: dict[str, _Grams] = defaultdict(_nothing)
    for row in rows:
        material = row.unit.removeprefix(PREFIX)
        of = there[material] if row.day is None else moved[row.day, material]
        of[row.place] += int(row.grams)
    return moved, there


def _nothing() -> _Grams:
    return dict.fromkeys(CUSTODY, 0)


def _of_day(
    day: date, material: str, moved: Mapping[str, int], then: Mapping[str, int]
) -> MassOfDay:
    return MassOfDay(
        day=day,
        material=material,
        collected=-moved["source"],
        on_loads=moved["load"],
        received=sum(moved[place] for place in _ONCE_RECEIVED),
        weighing_difference=moved["weighing_difference"],
        sold=moved["sold"],
        missing=moved["missing"],
        residue=moved["residue"],
        stock_difference=moved["stock_difference"],
        stock=then["stock"],
        load=then["load"],
        balance=-sum(moved.values()),
    )


def _moved() -> Select[date, str, str, int]:
    moves, mover = legs(), places()
    return (
        select(moves.c.day, mover.c.unit, mover.c.place, func.sum(moves.c.grams).label("grams"))
        .join_from(moves, mover, mover.c.id == moves.c.account_id)
        .where(mover.c.place.is_not(None))
        .group_by(moves.c.day, mover.c.unit, mover.c.place)
    )


def _halving() -> CTE:
    """Where the last day ends among the entries of each account that holds grams.

    Days never go back in the order of the book, so halving finds it; neither what came
    before nor what came after the days that are asked for is looked through.
    """
    holder = places()
    counters = and_(
        col(Balance.bank_id) == holder.c.bank_id,
        col(Balance.account_id) == holder.c.id,
        # These have a floor, so their counters are in one row.
        col(Balance.shard) == 0,
    )
    behind_newest = cast(col(Balance.version) + 1, Integer)
    began = (
        select(holder, literal(1).label("low"), behind_newest.label("high"))
        .join_from(holder, Balance, counters)
        .where(holder.c.place.in_(("stock", "load")))
        .cte("halving", recursive=True)
    )
    middle = (began.c.low + began.c.high) // 2
    is_within = col(Page.day) <= bindparam("last")
    halved = (
        select(
            *(began.c[name] for name in ("bank_id", "id", "unit", "place")),
            case((is_within, middle + 1), else_=began.c.low),
            case((is_within, began.c.high), else_=middle),
        )
        .join_from(began, Entry, _entry_of(began, middle))
        .join(
            Transfer,
            and_(col(Transfer.bank_id) == Entry.bank_id, col(Transfer.id) == Entry.transfer_id),
        )
        .join(
            Journal,
            and_(col(Journal.bank_id) == Transfer.bank_id, col(Journal.id) == Transfer.journal_id),
        )
        .join(Page, OF_PAGE)
        .where(began.c.low < began.c.high)
    )
    return began.union_all(halved)


def _entry_of(account: CTE, version: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(
        col(Entry.bank_id) == account.c.bank_id,
        col(Entry.account_id) == account.c.id,
        col(Entry.shard) == 0,
        col(Entry.version) == version,
    )


def _query() -> CompoundSelect[date, str, str, int]:
    """What moved on each day, and, with no day, what was there when the last one ended."""
    ends = _halving()
    then = (
        select(null().cast(Date), ends.c.unit, ends.c.place, func.sum(-col(Entry.balance_after)))
        .join_from(ends, Entry, _entry_of(ends, ends.c.low - 1))
        .where(ends.c.low == ends.c.high)
        .group_by(ends.c.unit, ends.c.place)
    )
    return union_all(_moved(), then)


# Made once: putting a statement together costs more than running it.
_QUERY = _query()
