"""Balances that were brought over from the book before this one."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of
from models.ledger import Journal, Transfer

OPENING = "opening"
"""The kind of an act that brings a balance over."""
_AT_ONCE = 5_000
_transfer, _journal = table_of(Transfer), table_of(Journal)


class Opened(NamedTuple):
    """What was brought over for a resident and stands, and how often it was, taken back or not."""

    amount_idr: int = 0
    times: int = 0


def key_of(person_id: UUID, nth: int) -> str:
    """The key in the ledger of the nth time that a balance was brought over, from 0 on."""
    return f"{OPENING}:{person_id}:{nth}"


async def opened_of(
    session: AsyncSession, bank_id: UUID, people: Collection[UUID]
) -> dict[UUID, Opened]:
    """What was brought over at a bank for each of these people.

    Asked for by key, time after time: only whose balance was taken back can have another one.
    """
    opened = dict.fromkeys(people, Opened())
    nth, asked = 0, list(people)
    while asked:
        found = await _nth(session, bank_id, asked, nth)
        opened |= {person: Opened(amount, nth + 1) for person, amount in found.items()}
        asked = [person for person, amount in found.items() if not amount]
        nth += 1
    return opened


async def _nth(
    session: AsyncSession, bank_id: UUID, people: Sequence[UUID], nth: int
) -> dict[UUID, int]:
    """The balances that were brought over as the nth of these people; 0 if taken back."""
    connection = await session.connection()
    by_key = {key_of(person, nth): person for person in people}
    keys = list(by_key)
    found: dict[UUID, int] = {}
    for first in range(0, len(keys), _AT_ONCE):
        rows = await connection.execute(_query(bank_id, keys[first : first + _AT_ONCE]))
        found |= {by_key[row.key]: 0 if row.is_back else int(row.amount) for row in rows}
    return found


def _query(bank_id: UUID, keys: Sequence[str]) -> Select[tuple[str, int, bool]]:
    back = _journal.alias()
    reversal = and_(
        back.c.bank_id == _transfer.c.bank_id, back.c.reverses_id == _transfer.c.journal_id
    )
    return (
        select(_transfer.c.key, _transfer.c.amount, back.c.id.is_not(None).label("is_back"))
        .join_from(_transfer, back, reversal, isouter=True)
        .where(_transfer.c.bank_id == bank_id, _transfer.c.key.in_(keys))
    )
