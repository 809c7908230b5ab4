"""What the ledger says: a resident's standing, balances, the trial balance."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select, union
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Account, Balance, Entry, Transfer, TransferKind
from models.people import Person
from models.sale import Buyer
from service.ledger.chart import IDR, KINDS, Place, chart

_OWNERS = ("resident", "collector", "buyer")


class Standing(NamedTuple):
    """How a resident stands with a bank; rupiah and grams."""

    available_idr: int
    pending_idr: int
    held_idr: int
    grams_total: int
    unsold_grams: int
    """Of these, what waits for its buyer under bagi hasil."""


class Earned(NamedTuple):
    """What a collector has earned and not yet been paid, and how much of it is on its way."""

    available_idr: int
    held_idr: int


class AccountTotals(NamedTuple):
    """What went through an account, posted amounts only."""

    code: str
    unit: str
    debit: int
    credit: int

    @property
    def owner_id(self) -> UUID | None:
        """The resident, collector or buyer whose account it is, if it is somebody's."""
        kind, _, whose = self.code.partition(":")
        return UUID(whose) if kind in KINDS and KINDS[kind].per in _OWNERS else None

    @property
    def balance(self) -> int:
        """Debits less credits, so that a unit's accounts sum to zero."""
        return self.debit - self.credit


async def standing(session: AsyncSession, bank_id: UUID, resident_id: UUID) -> Standing:
    """A resident's figures; zeros before the first weighing."""
    # By itself, or SQLite would go through the balances of everybody at the bank.
    theirs = select(col(Account.id)).where(
        col(Account.bank_id) == bank_id, col(Account.owner_id) == resident_id
    )
    query = (
        select(
            col(Account.code),
            col(Account.unit),
            col(Balance.credits_posted),
            col(Balance.debits_posted),
            col(Balance.debits_pending),
        )
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(col(Balance.bank_id) == bank_id, col(Balance.account_id).in_(theirs))
    )
    available = pending = held = grams = unsold = 0
    goods = KINDS["goods"].place(resident_id).code
    connection = await session.connection()
    for code, unit, credits, debits, on_hold in await connection.execute(query):  # noqa: A001
        if code == chart.available(resident_id).code:
            available, held = credits - debits - on_hold, on_hold
        elif code == chart.pending(resident_id).code:
            pending = credits - debits
        elif code.startswith("source:") and unit != IDR:
            grams += credits - debits
        elif code == goods:
            unsold += credits - debits
    return Standing(available, pending, held, grams, unsold)


async def earned(session: AsyncSession, bank_id: UUID, collector_id: UUID) -> Earned:
    """A collector's figures; zeros before the first pickup."""
    query = select(
        col(Balance.credits_posted) - col(Balance.debits_posted) - col(Balance.debits_pending),
        col(Balance.debits_pending),
    ).where(
        col(Balance.bank_id) == bank_id,
        col(Balance.account_id) == chart.earnings(collector_id).id_in(bank_id),
    )
    connection = await session.connection()
    found = (await connection.execute(query)).first()
    return Earned(*found) if found else Earned(0, 0)


async def balances(
    session: AsyncSession, bank_id: UUID, places: Iterable[Place]
) -> dict[Place, int]:
    """Debits less credits, posted, of each account that was opened by now."""
    wanted = {place.id_in(bank_id): place for place in places}
    query = (
        select(col(Balance.account_id), func.sum(Balance.debits_posted - Balance.credits_posted))
        .where(col(Balance.bank_id) == bank_id, col(Balance.account_id).in_(wanted))
        .group_by(col(Balance.account_id))
    )
    connection = await session.connection()
    return {wanted[key]: int(total) for key, total in await connection.execute(query)}


async def trial_balance(
    session: AsyncSession, bank_id: UUID, *, at: datetime | None = None
) -> list[AccountTotals]:
    """Every account of a bank with what was posted to it, now or up to an instant."""
    rows = await (_totals_now(session, bank_id) if at is None else _totals_at(session, bank_id, at))
    return sorted(rows, key=lambda row: (row.unit != IDR, row.unit, row.code))


async def owners(session: AsyncSession, bank_id: UUID) -> dict[UUID, str]:
    """The names of the people and buyers who have accounts at a bank."""
    people = (
        select(col(Person.id), col(Person.name))
        .join(Account, col(Account.owner_id) == Person.id)
        .where(col(Account.bank_id) == bank_id)
    )
    buyers = select(col(Buyer.id), col(Buyer.name)).where(col(Buyer.bank_id) == bank_id)
    connection = await session.connection()
    rows = await connection.execute(union(people, buyers))
    return {row.id: row.name for row in rows}


async def _totals_now(session: AsyncSession, bank_id: UUID) -> list[AccountTotals]:
    query = (
        select(
            col(Account.code),
            col(Account.unit),
            func.sum(Balance.debits_posted),
            func.sum(Balance.credits_posted),
        )
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(col(Account.bank_id) == bank_id)
        .group_by(col(Account.code), col(Account.unit))
    )
    connection = await session.connection()
    rows = await connection.execute(query)
    return [AccountTotals(code, unit, int(d), int(c)) for code, unit, d, c in rows]


async def _totals_at(session: AsyncSession, bank_id: UUID, at: datetime) -> list[AccountTotals]:
    debited = case((col(Entry.amount) < 0, -col(Entry.amount)), else_=0)
    credited = case((col(Entry.amount) > 0, col(Entry.amount)), else_=0)
    query = (
        select(col(Account.code), col(Account.unit), func.sum(debited), func.sum(credited))
        .select_from(Account)
        .join(
            Entry,
            (col(Entry.bank_id) == Account.bank_id) & (col(Entry.account_id) == Account.id),
        )
        .join(
            Transfer,
            (col(Transfer.bank_id) == Entry.bank_id) & (col(Transfer.id) == Entry.transfer_id),
        )
        .where(
            col(Account.bank_id) == bank_id,
            col(Transfer.created_at) <= at,
            col(Transfer.kind).in_((TransferKind.POST, TransferKind.SETTLE)),
        )
        .group_by(col(Account.code), col(Account.unit))
    )
    connection = await session.connection()
    rows = await connection.execute(query)
    return [AccountTotals(code, unit, int(d), int(c)) for code, unit, d, c in rows]
