"""What drawers hold, and how it came there."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import MAIN, Drawer, DrawerCount
from models.ledger import Account, Balance, Entry, Journal, Page, Transfer
from service import ledger
from service.drawers.counting import all_counted
from service.ledger import Place, chart
from service.ledger.chart import IDR

_CASH = chart.cash("").code


class Held(NamedTuple):
    """A drawer, or the safe, with what the ledger says is in it, in rupiah."""

    name: str
    ledger_idr: int
    drawer: Drawer | None
    """Nobody's: the safe, or a name that cash was kept under without opening it."""
    counted: DrawerCount | None


class DrawerLine(NamedTuple):
    """What one transfer did to a drawer; `amount_idr` is below 0 for what went out."""

    id: UUID
    at: datetime
    day: date
    kind: str
    memo: str
    amount_idr: int
    about_id: UUID | None
    actor_id: UUID | None
    journal_id: UUID


async def drawers_of(session: AsyncSession, bank_id: UUID) -> list[Held]:
    """The safe first, then every name that cash is or was kept under."""
    query = (
        select(Account.code, func.sum(Balance.debits_posted - Balance.credits_posted))
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(
            Account.bank_id == bank_id,
            Account.unit == IDR,
            col(Account.code).startswith(_CASH, autoescape=True),
        )
        .group_by(col(Account.code))
    )
    balances = {code.removeprefix(_CASH): int(held) for code, held in await session.exec(query)}
    kept = {
        drawer.name: drawer
        for drawer in await session.exec(
            select(Drawer).where(Drawer.bank_id == bank_id).order_by(col(Drawer.id))
        )
    }
    counted = await all_counted(session, bank_id)
    names = sorted(balances, key=lambda name: (name != MAIN, name))
    return [Held(name, balances[name], kept.get(name), counted.get(name)) for name in names]


async def held_in(session: AsyncSession, bank_id: UUID, name: str) -> int:
    """What the ledger says is in a drawer, in rupiah."""
    place = chart.cash(name)
    return (await ledger.balances(session, bank_id, [place])).get(place, 0)


async def lines_of(
    session: AsyncSession, bank_id: UUID, place: Place, *, before: UUID | None, limit: int
) -> list[DrawerLine]:
    """What moved in a drawer, newest first; `before` is the last line seen."""
    query = (
        select_columns(
            col(Transfer.id),
            col(Transfer.event_at),
            col(Page.day),
            col(Journal.kind),
            col(Journal.memo),
            -col(Entry.amount),
            col(Journal.about_id),
            col(Journal.actor_id),
            col(Journal.id),
        )
        .select_from(Entry)
        .join(
            Transfer,
            (col(Transfer.bank_id) == Entry.bank_id) & (col(Transfer.id) == Entry.transfer_id),
        )
        .join(
            Journal,
            (col(Journal.bank_id) == Transfer.bank_id) & (col(Journal.id) == Transfer.journal_id),
        )
        .join(Page, (col(Page.bank_id) == Journal.bank_id) & (col(Page.number) == Journal.page))
        .where(
            col(Entry.bank_id) == bank_id,
            col(Entry.account_id) == place.id_in(bank_id),
            col(Entry.amount) != 0,
        )
        .order_by(col(Entry.transfer_id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Entry.transfer_id) < before)
    connection = await session.connection()
    return [DrawerLine(*row) for row in await connection.execute(query)]
