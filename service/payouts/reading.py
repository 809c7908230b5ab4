"""Payouts as who gets them and the bank's officers see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Destination, Payout, PayoutMove, PayoutStatus
from models.people import Role
from service.errors import NoSuchThing
from service.gateways import failures
from service.gateways.failures import Words
from service.members import OFFICERS, Caller

_PAYEES = (Role.RESIDENT, Role.COLLECTOR)


async def find_own(session: AsyncSession, caller: Caller, payout_id: UUID) -> Payout:
    """A payout that the caller may see. Raises NoSuchThing."""
    query = select(Payout).where(
        Payout.id == payout_id, col(Payout.bank_id).in_(caller.banks()), _visible_to(caller)
    )
    payout = (await session.exec(query)).first()
    if payout is None:
        raise NoSuchThing(thing="payout")
    return payout


async def visible(
    session: AsyncSession,
    caller: Caller,
    *,
    bank_id: UUID | None,
    status: PayoutStatus | None,
    before: UUID | None,
    limit: int,
) -> list[Payout]:
    """Payouts the caller may see, newest first; of one bank, if it is named."""
    banks = [bank for bank in caller.banks() if bank_id in (None, bank)]
    query = (
        select(Payout)
        .where(col(Payout.bank_id).in_(banks), _visible_to(caller))
        .order_by(col(Payout.id).desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(Payout.status == status)
    if before is not None:
        query = query.where(col(Payout.id) < before)
    return list(await session.exec(query))


async def moves_of(session: AsyncSession, payout: Payout) -> list[PayoutMove]:
    """Every move of a payout, oldest first."""
    query = (
        select(PayoutMove)
        .where(PayoutMove.bank_id == payout.bank_id, PayoutMove.payout_id == payout.id)
        .order_by(col(PayoutMove.number))
    )
    return list(await session.exec(query))


def why_failed(payout: Payout) -> Words | None:
    """Why its gateway didn't pay, or sent it back; None if neither is so."""
    if payout.status == PayoutStatus.REVERSED:
        return failures.came_back(payout.failure)
    is_failed = payout.status == PayoutStatus.FAILED or bool(payout.failure)
    return failures.in_words(payout.failure) if is_failed else None


async def destinations_of(
    session: AsyncSession, payouts: Sequence[Payout]
) -> dict[UUID, Destination]:
    """The destinations of these payouts, by their id."""
    ids = {payout.destination_id for payout in payouts if payout.destination_id}
    if not ids:
        return {}
    query = select(Destination).where(
        col(Destination.bank_id).in_({payout.bank_id for payout in payouts}),
        col(Destination.id).in_(ids),
    )
    return {found.id: found for found in await session.exec(query)}


def _visible_to(caller: Caller) -> ColumnElement[bool]:
    officer_of = caller.banks(*OFFICERS)
    own = col(Payout.resident_id) == caller.person_id
    return or_(
        own if caller.banks(*_PAYEES) else false(),
        col(Payout.bank_id).in_(officer_of) if officer_of else false(),
    )
