"""Balances that were brought over from the book before this one."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, case, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of
from models.ledger import Account, Entry, Journal, Transfer
from service.ledger import chart

_entry, _transfer = table_of(Entry), table_of(Transfer)
_journal, _account = table_of(Journal), table_of(Account)
OPENING = "opening"
"""The kind of an act that brings a balance over."""


class Opened(NamedTuple):
    """What was brought over for a resident and stands, and how often it was, taken back or not."""

    amount_idr: int
    times: int


async def opened_of(session: AsyncSession, bank_id: UUID) -> dict[UUID, Opened]:
    """What was brought over at a bank, by resident."""
    back = _journal.alias()
    stands = case((back.c.id.is_(None), _transfer.c.amount), else_=0)
    query = (
        select(_account.c.owner_id, func.sum(stands), func.count())
        .join_from(_entry, _transfer, _of_bank(_transfer, _entry.c.transfer_id))
        .join(_journal, _of_bank(_journal, _transfer.c.journal_id))
        .join(_account, _of_bank(_account, _transfer.c.credit_account_id))
        .outerjoin(back, _of_bank(back, _journal.c.id, by="reverses_id"))
        .where(
            _entry.c.bank_id == bank_id,
            _entry.c.account_id == chart.OPENING.id_in(bank_id),
            _journal.c.kind == OPENING,
        )
        .group_by(_account.c.owner_id)
    )
    rows = await (await session.connection()).execute(query)
    return {owner: Opened(int(amount), times) for owner, amount, times in rows}


def _of_bank(table: FromClause, key: ColumnElement[Any], *, by: str = "id") -> ColumnElement[bool]:
    return and_(table.c.bank_id == _entry.c.bank_id, table.c[by] == key)
