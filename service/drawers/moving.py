"""Cash moves: from the safe into a drawer and back, and between the safe and outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.drawer import MAIN
from models.ledger import Floor
from service import ledger
from service.drawers.keeping import at
from service.errors import Conflict, said_of
from service.ledger import Draft, Movement, Place, chart


class DrawerTooLow(Conflict):
    english = "There is not enough money in the drawer {drawer}."
    indonesian = "Uang di laci kas {drawer} tidak cukup."


class SafeIntoItself(Conflict):
    english = (
        "Drawers are emptied into the safe, and this is the safe itself. What leaves it for a bank"
        " account or the owner is taken out of it by safe/take-out."
    )
    indonesian = (
        "Laci disetor ke kas utama, dan ini kas utama itu sendiri. Uang yang keluar dari kas utama"
        " ke rekening bank atau pemilik dicatat lewat safe/take-out."
    )


class Outside(StrEnum):
    """Where the safe's money comes from and goes to."""

    BANK_ACCOUNT = "bank_account"
    CAPITAL = "capital"


@dataclass(frozen=True, slots=True)
class Move:
    """Rupiah that somebody carries, more than 0."""

    bank_id: UUID
    amount_idr: int
    memo: str
    by: UUID


async def float_in(session: AsyncSession, move: Move, drawer: str) -> UUID:
    """Out of the safe into a drawer; the id of the move. Raises DrawerClosed."""
    return await _carry(
        session, move, "float_in", debit=await at(session, move.bank_id, drawer), credit=chart.CASH
    )


async def float_out(session: AsyncSession, move: Move, drawer: str) -> UUID:
    """Out of a drawer into the safe; the id of the move.

    Raises SafeIntoItself, DrawerClosed or DrawerTooLow.
    """
    if drawer == MAIN:
        raise SafeIntoItself
    place = await at(session, move.bank_id, drawer)
    return await _carry(session, move, "float_out", debit=chart.CASH, credit=place)


async def put_in(session: AsyncSession, move: Move, source: Outside, account: str) -> UUID:
    """Into the safe: drawn from a bank account, or brought by the owner; the id of the move."""
    return await _carry(
        session, move, "cash_put_in", debit=chart.CASH, credit=_outside(source, account)
    )


async def take_out(session: AsyncSession, move: Move, to: Outside, account: str) -> UUID:
    """Out of the safe: to a bank account, or back to the owner; the id of the move."""
    return await _carry(
        session, move, "cash_taken_out", debit=_outside(to, account), credit=chart.CASH
    )


@contextmanager
def paid_out_of(place: Place) -> Iterator[None]:
    """Say of a drawer that hasn't enough that it is the drawer. Raises DrawerTooLow.

    For postings in which nothing but the drawer can fall below its floor.
    """
    try:
        yield
    except ledger.BalanceTooLow as error:
        if place.floor != Floor.DEBIT:
            raise
        raise DrawerTooLow(drawer=place.whose) from error


def _outside(what: Outside, account: str) -> Place:
    return chart.CAPITAL if what == Outside.CAPITAL else chart.bank_account(account)


async def _carry(
    session: AsyncSession, move: Move, kind: str, *, debit: Place, credit: Place
) -> UUID:
    move_id = new_id()
    carried = Movement(f"{kind}:{move_id}", debit, credit, move.amount_idr)
    draft = Draft(
        kind, [carried], event_at=utc_now(), about_id=move_id, actor_id=move.by, memo=move.memo
    )
    with said_of("/amount_idr", DrawerTooLow), paid_out_of(credit):
        await ledger.post(session, move.bank_id, draft)
    return move_id
