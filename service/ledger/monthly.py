"""How each kind of account moved from month to month, and how many people stand behind it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Account, Transfer, TransferKind
from service.ledger.chart import IDR, KINDS

_POSTED = (TransferKind.POST, TransferKind.SETTLE)


class Moved(NamedTuple):
    """What one line moved by in one month, in rupiah: debits less credits.

    A line is a kind of account of `together`, or an account by its code. `people` are some of
    those behind it: whose accounts were at the other end of a transfer or, if nobody's were,
    were moved by the same act.
    """

    month: int
    line: str
    amount: int
    people: frozenset[UUID]


async def months_moved(
    session: AsyncSession,
    bank_id: UUID,
    ends: Sequence[datetime],
    *,
    together: Sequence[str],
    most_people: int,
) -> list[Moved]:
    """What moved until the first of these instants (month 0), from there to the next, and so on.

    Of the people behind a line no more than `most_people` are told.
    """
    if not ends:
        return []
    legs = _legs(_transfers(ends, together))
    asked = {"of_bank": bank_id, "behind": ends[-1]}
    connection = await session.connection()
    people: dict[tuple[int, str], set[UUID]] = defaultdict(set)
    for month, line, person in await connection.execute(_people(legs, most_people), asked):
        people[month, line].add(person)
    sums = await connection.execute(_sums(legs), asked)
    return [
        Moved(month, line, int(amount), frozenset(people[month, line]))
        for month, line, amount in sums
    ]


def _transfers(ends: Sequence[datetime], together: Sequence[str]) -> CTE:
    """Every transfer of rupiah with its month, and the line and whose it is at both ends."""
    debit, credit = aliased(Account), aliased(Account)
    written = col(Transfer.created_at)
    return (
        select(
            col(Transfer.journal_id),
            case(*((written < end, n) for n, end in enumerate(ends))).label("month"),
            col(Transfer.amount),
            _line(col(debit.code), together).label("debit"),
            col(debit.owner_id).label("debited"),
            _line(col(credit.code), together).label("credit"),
            col(credit.owner_id).label("credited"),
        )
        .join(debit, _is(debit, col(Transfer.debit_account_id)))
        .join(credit, _is(credit, col(Transfer.credit_account_id)))
        .where(
            col(Transfer.bank_id) == bindparam("of_bank"),
            col(Transfer.unit) == IDR,
            col(Transfer.kind).in_(_POSTED),
            written < bindparam("behind"),
        )
        .cte("transfers")
    )


def _is(account: type[Account], account_id: Mapped[UUID]) -> ColumnElement[bool]:
    return and_(col(account.bank_id) == Transfer.bank_id, col(account.id) == account_id)


def _line(code: Mapped[str], together: Sequence[str]) -> ColumnElement[str]:
    kinds = [name for name, kind in KINDS.items() if kind.unit == IDR and kind.per in together]
    named = ((code.startswith(f"{kind}:", autoescape=True), kind) for kind in kinds)
    return case(*named, else_=code)


def _legs(transfers: CTE) -> CTE:
    at = transfers.c
    debits = select(
        at.journal_id, at.month, at.debit.label("line"), at.amount, at.debited, at.credited
    )
    credits_ = select(at.journal_id, at.month, at.credit, -at.amount, at.debited, at.credited)
    return union_all(debits, credits_).cte("legs")


def _sums(legs: CTE) -> Select[int, str, int]:
    by = (legs.c.month, legs.c.line)
    return select(*by, func.sum(legs.c.amount)).group_by(*by)


def _people(legs: CTE, most: int) -> Select[int, str, UUID]:
    behind = _behind(legs).subquery()
    by = (behind.c.month, behind.c.line)
    place = func.row_number().over(partition_by=by, order_by=behind.c.person)
    ranked = select(*by, behind.c.person, place.label("place")).subquery()
    return select(ranked.c.month, ranked.c.line, ranked.c.person).where(ranked.c.place <= most)


def _behind(legs: CTE) -> CompoundSelect[int, str, UUID]:
    """Whose accounts a transfer moved; if nobody's, whose its act did."""
    at = legs.c
    of_act = union(
        select(at.journal_id, at.debited.label("person")).where(at.debited.is_not(None)),
        select(at.journal_id, at.credited).where(at.credited.is_not(None)),
    ).subquery()
    nobodys = and_(at.debited.is_(None), at.credited.is_(None))
    return union(
        select(at.month, at.line, at.debited.label("person")).where(at.debited.is_not(None)),
        select(at.month, at.line, at.credited).where(at.credited.is_not(None)),
        select(at.month, at.line, of_act.c.person)
        .join_from(legs, of_act, at.journal_id == of_act.c.journal_id)
        .where(nobodys),
    )
