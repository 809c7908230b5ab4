"""Buyers: whom a bank sells to, what they owe, and that they pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.sale import Buyer
from service import drawers, ledger
from service.errors import Conflict, NoSuchThing, said_of
from service.ledger import Draft, Movement, chart


class BuyerExists(Conflict):
    english = "There is a buyer of this name already."
    indonesian = "Sudah ada pembeli dengan nama ini."


class Owing(NamedTuple):
    """A buyer, and what they still owe; below 0 they have paid ahead."""

    buyer: Buyer
    owes_idr: int

    @property
    def paid_ahead_idr(self) -> int:
        """What they paid beyond all that was sold to them."""
        return max(0, -self.owes_idr)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money from a buyer, into a cash drawer."""

    amount_idr: int
    drawer: str
    note: str
    entered_by: UUID


async def add_buyer(session: AsyncSession, buyer: Buyer) -> Buyer:
    """Enter a buyer. Raises BuyerExists."""
    session.add(buyer)
    try:
        await session.flush()
    except IntegrityError as error:
        raise BuyerExists from error
    return buyer


async def find_buyer(session: AsyncSession, bank_id: UUID, buyer_id: UUID) -> Buyer:
    """A buyer of this bank. Raises NoSuchThing."""
    query = select(Buyer).where(Buyer.bank_id == bank_id, Buyer.id == buyer_id)
    buyer = (await session.exec(query)).first()
    if buyer is None:
        raise NoSuchThing(thing="buyer")
    return buyer


async def buyers_of(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[Owing]:
    """The buyers of a bank with what each owes, newest first."""
    query = (
        select(Buyer).where(Buyer.bank_id == bank_id).order_by(col(Buyer.id).desc()).limit(limit)
    )
    if before is not None:
        query = query.where(col(Buyer.id) < before)
    return await _owing(session, bank_id, list(await session.exec(query)))


async def pay(session: AsyncSession, buyer: Buyer, payment: Payment) -> tuple[UUID, Owing]:
    """A buyer pays what they owe, or ahead; the payment's id, and what is still owed.

    Raises NoSuchThing for a drawer that nobody opened, or DrawerClosed.
    """
    with said_of("/drawer", NoSuchThing):
        await drawers.keeper_of(session, buyer.bank_id, payment.drawer)
    payment_id = new_id()
    paid = Movement(
        f"buyer_payment:{payment_id}",
        debit=await drawers.at(session, buyer.bank_id, payment.drawer),
        credit=chart.receivable(buyer.id),
        amount=payment.amount_idr,
    )
    draft = Draft(
        "buyer_payment",
        [paid],
        event_at=utc_now(),
        about_id=payment_id,
        actor_id=payment.entered_by,
        memo=payment.note,
    )
    await ledger.post(session, buyer.bank_id, draft)
    (owing,) = await _owing(session, buyer.bank_id, [buyer])
    return payment_id, owing


async def _owing(session: AsyncSession, bank_id: UUID, found: Sequence[Buyer]) -> list[Owing]:
    places = [chart.receivable(buyer.id) for buyer in found]
    balances = await ledger.balances(session, bank_id, places)
    return [
        Owing(buyer, balances.get(place, 0)) for buyer, place in zip(found, places, strict=True)
    ]
