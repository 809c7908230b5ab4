"""What moved between kinds of accounts from month to month, and how many people stand behind it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
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
)
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import id_at
from models.ledger import Account, Transfer, TransferKind
from service.ledger.chart import IDR, KINDS

_APART = timedelta(hours=1)
"""How far the clocks of an id and of its row may ever be apart."""
_POSTED = (TransferKind.POST, TransferKind.SETTLE)


class Moved(NamedTuple):
    """What moved between two lines in one month, in rupiah.

    A line is a kind of account of `together`, or an account by its code. `people` are some of
    those behind it: whose accounts were at either end or, if nobody's were, were moved by the
    same act.
    """

    month: int
    debit: str
    credit: str
    amount: int
    people: frozenset[UUID]


async def months_moved(
    session: AsyncSession,
    bank_id: UUID,
    ends: Sequence[datetime],
    *,
    since: datetime | None = None,
    together: Sequence[str],
    most_people: int,
) -> list[Moved]:
    """What moved until the first of these instants (month 0), from there to the next, and so on.

    Of the people behind it no more than `most_people` are told. What was written before `since`
    is left out, and not gone through.
    """
    if not ends:
        return []
    transfers = _transfers(ends, since, together)
    asked = {"of_bank": bank_id, "behind": ends[-1]}
    connection = await session.connection()
    people: dict[tuple[int, str, str], set[UUID]] = defaultdict(set)
    behind = await connection.execute(_people(transfers, most_people), asked)
    for month, debit, credit, person in behind:
        people[month, debit, credit].add(person)
    sums = await connection.execute(_sums(transfers), asked)
    return [
        Moved(month, debit, credit, int(amount), frozenset(people[month, debit, credit]))
        for month, debit, credit, amount in sums
    ]


def _transfers(ends: Sequence[datetime], since: datetime | None, together: Sequence[str]) -> CTE:
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
            *_from(since),
        )
        .cte("transfers")
    )


def _from(since: datetime | None) -> list[ColumnElement[bool]]:
    """Ids are made when they are written, so that their order leads to the first one."""
    if since is None:
        return []
    return [col(Transfer.id) >= id_at(since - _APART), col(Transfer.created_at) >= since]


def _is(account: type[Account], account_id: Mapped[UUID]) -> ColumnElement[bool]:
    return and_(col(account.bank_id) == Transfer.bank_id, col(account.id) == account_id)


def _line(code: Mapped[str], together: Sequence[str]) -> ColumnElement[str]:
    kinds = [name for name, kind in KINDS.items() if kind.unit == IDR and kind.per in together]
    named = ((code.startswith(f"{kind}:", autoescape=True), kind) for kind in kinds)
    return case(*named, else_=code)


def _sums(transfers: CTE) -> Select[int, str, str, int]:
    at = transfers.c
    where = (at.month, at.debit, at.credit)
    return select(*where, func.sum(at.amount)).group_by(*where)


def _people(transfers: CTE, most: int) -> Select[int, str, str, UUID]:
    behind = _behind(transfers).subquery()
    where = (behind.c.month, behind.c.debit, behind.c.credit)
    place = func.row_number().over(partition_by=where, order_by=behind.c.person)
    ranked = select(*where, behind.c.person, place.label("place")).subquery()
    told = (ranked.c.month, ranked.c.debit, ranked.c.credit, ranked.c.person)
    return select(*told).where(ranked.c.place <= most)


def _behind(transfers: CTE) -> CompoundSelect[int, str, str, UUID]:
    """Whose accounts a transfer moved; if nobody's, whose its act did."""
    at = transfers.c
    where = (at.month, at.debit, at.credit)
    of_act = union(
        select(at.journal_id, at.debited.label("person")).where(at.debited.is_not(None)),
        select(at.journal_id, at.credited).where(at.credited.is_not(None)),
    ).subquery()
    nobodys = and_(at.debited.is_(None), at.credited.is_(None))
    return union(
        select(*where, at.debited.label("person")).where(at.debited.is_not(None)),
        select(*where, at.credited).where(at.credited.is_not(None)),
        select(*where, of_act.c.person)
        .join_from(transfers, of_act, at.journal_id == of_act.c.journal_id)
        .where(nobodys),
    )
