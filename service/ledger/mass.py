"""The mass balance: where each material's grams were, day by day, by the ledger alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    CompoundSelect,
    Date,
    Row,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    null,
    select,
    union_all,
)
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Account, Balance, Journal, Page, Transfer, TransferKind
from service.ledger.chart import grams_of

_CUSTODY = ("source", "load", "stock", "sold", "residue", "weighing_difference")
"""Where grams can be; whose they are is another matter and not counted here."""
_PREFIX = grams_of("")
_POSTED = (TransferKind.POST, TransferKind.SETTLE)


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
    """Into the store, less what was taken out otherwise than to buyers or as residue."""
    weighing_difference: int
    """Lost between two scales; negative if the second one found more."""
    sold: int
    residue: int
    stock: int
    load: int
    balance: int


async def mass_balance(
    session: AsyncSession, bank_id: UUID, first: date, last: date
) -> list[MassOfDay]:
    """Each day and material that moved, from the first day to the last one, in order.

    What was there at the end of a day is what is there now, less what has moved since.
    """
    connection = await session.connection()
    rows = await connection.execute(_QUERY, {"of_bank": bank_id, "first": first})
    moved, there = _gathered(rows)
    days = []
    for (day, material), grams in sorted(moved.items(), reverse=True):
        now = there[material]
        days.append(_of_day(day, material, grams, now))
        there[material] = {place: now[place] - grams[place] for place in _CUSTODY}
    return [found for found in reversed(days) if found.day <= last]


_Grams = dict[str, int]


def _gathered(
    rows: Iterable[Row[*tuple[Any, ...]]],
) -> tuple[dict[tuple[date, str], _Grams], dict[str, _Grams]]:
    """What moved by day and material, and what is there now by material; by place."""
    moved: dict[tuple[date, str], _Grams] = defaultdict(_nothing)
    there: dict[str, _Grams] = defaultdict(_nothing)
    for row in rows:
        material = row.unit.removeprefix(_PREFIX)
        of = there[material] if row.day is None else moved[row.day, material]
        of[row.place] += int(row.grams)
    return moved, there


def _nothing() -> _Grams:
    return dict.fromkeys(_CUSTODY, 0)


def _of_day(
    day: date, material: str, moved: Mapping[str, int], now: Mapping[str, int]
) -> MassOfDay:
    return MassOfDay(
        day=day,
        material=material,
        collected=-moved["source"],
        on_loads=moved["load"],
        received=moved["stock"] + moved["sold"] + moved["residue"],
        weighing_difference=moved["weighing_difference"],
        sold=moved["sold"],
        residue=moved["residue"],
        stock=now["stock"],
        load=now["load"],
        balance=-sum(moved.values()),
    )


def _places() -> Subquery:
    """A bank's accounts in grams, with the kind of place that each is, if it is one."""
    code = col(Account.code)
    place = case(
        *((code == kind, kind) for kind in _CUSTODY),
        *((code.startswith(f"{kind}:", autoescape=True), kind) for kind in _CUSTODY),
    )
    return (
        select(col(Account.bank_id), col(Account.id), col(Account.unit), place.label("place"))
        .where(col(Account.bank_id) == bindparam("of_bank"), col(Account.unit).startswith(_PREFIX))
        .subquery()
    )


def _journals() -> CTE:
    """The acts since a day of business, each with its day.

    Materialised, or SQLite would rather begin with all transfers there ever were.
    """
    first_page = (
        select(func.min(col(Page.number)))
        .where(col(Page.bank_id) == bindparam("of_bank"), col(Page.day) >= bindparam("first"))
        .scalar_subquery()
    )
    of_page = and_(col(Page.bank_id) == Journal.bank_id, col(Page.number) == Journal.page)
    return (
        select(col(Journal.bank_id), col(Journal.id), col(Page.day))
        .join(Page, of_page)
        .where(
            col(Journal.bank_id) == bindparam("of_bank"),
            col(Journal.page) >= first_page,
        )
        .cte("journals")
        .prefix_with("MATERIALIZED")
    )


def _sums() -> CTE:
    """Grams moved from one account to another on each day."""
    journals = _journals()
    of_journal = and_(
        col(Transfer.bank_id) == journals.c.bank_id, col(Transfer.journal_id) == journals.c.id
    )
    between = (journals.c.day, col(Transfer.debit_account_id), col(Transfer.credit_account_id))
    return (
        select(*between, func.sum(col(Transfer.amount)).label("grams"))
        .join_from(journals, Transfer, of_journal)
        .where(
            col(Transfer.kind).in_(_POSTED),
            col(Transfer.unit).startswith(_PREFIX),
            # An earlier day that was opened again has pages further on.
            journals.c.day >= bindparam("first"),
        )
        .group_by(*between)
        .cte("sums")
        .prefix_with("MATERIALIZED")
    )


def _legs() -> CTE:
    """Both sides of what moved; what an account gets is positive."""
    sums = _sums()
    debits = select(sums.c.day, sums.c.debit_account_id.label("account_id"), sums.c.grams)
    credits_ = select(sums.c.day, sums.c.credit_account_id, -sums.c.grams)
    return union_all(debits, credits_).cte("legs")


def _query() -> CompoundSelect[date, str, str, int]:
    """What moved on each day since one, and, with no day, what there is now."""
    legs, mover, holder = _legs(), _places(), _places()
    moved = (
        select(legs.c.day, mover.c.unit, mover.c.place, func.sum(legs.c.grams).label("grams"))
        .join_from(legs, mover, mover.c.id == legs.c.account_id)
        .where(mover.c.place.is_not(None))
        .group_by(legs.c.day, mover.c.unit, mover.c.place)
    )
    of_holder = and_(
        col(Balance.bank_id) == holder.c.bank_id, col(Balance.account_id) == holder.c.id
    )
    there = func.sum(col(Balance.debits_posted) - col(Balance.credits_posted))
    now = (
        select(null().cast(Date), holder.c.unit, holder.c.place, there)
        .join_from(holder, Balance, of_holder)
        .where(holder.c.place.in_(("stock", "load")))
        .group_by(holder.c.unit, holder.c.place)
    )
    return union_all(moved, now)


# Made once: putting a statement together costs more than running it.
_QUERY = _query()
