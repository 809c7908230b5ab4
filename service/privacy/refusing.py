"""Why somebody can't go yet: money, waste or duties that would be nobody's.

To be deleted takes all of it, to leave a part in a bank only what that part brought.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import Drawer
from models.ledger import Account, Balance
from models.payout import BEFORE_SENDING, UNDER_WAY, Payout, PayoutSource, PayoutStatus
from models.people import Membership, Person, Role
from models.pickup import HELD, Pickup, PickupStatus
from models.station import Receiving, ReceivingStatus
from service.errors import Conflict
from service.members import OFFICERS

_CARRIED = ("load",)


class _Share(NamedTuple):
    """What of a pickup, of payouts and of the book is somebody's."""

    pickup_of: Sequence[Any]
    sources: Sequence[PayoutSource]
    owed: Sequence[str]


_ALL = _Share(
    (Pickup.resident_id, Pickup.collector_id),
    tuple(PayoutSource),
    ("available", "pending", "earnings", "goods"),
)
_COLLECTORS = _Share((Pickup.collector_id,), (PayoutSource.EARNINGS,), ("earnings",))


class MoneyNotPaidOut(Conflict):
    english = "There is money or unsold waste in this account. Have it paid out first."
    indonesian = "Masih ada uang atau sampah yang belum terjual. Cairkan dahulu."


class PickupNotEnded(Conflict):
    english = "A pickup is still open. Cancel it, or wait until it is fetched."
    indonesian = "Masih ada penjemputan terbuka. Batalkan, atau tunggu sampai dijemput."


class JobsStillHeld(Conflict):
    english = (
        "Jobs are still held. Have them finished, decided on or given back, or wait until the"
        " claim lapses."
    )
    indonesian = (
        "Masih ada tugas yang dipegang. Selesaikan, putuskan atau lepas dahulu, atau tunggu sampai"
        " batas waktunya lewat."
    )


class LoadNotSettled(Conflict):
    english = "Waste that was fetched has not been weighed at the waste bank, or is disputed."
    indonesian = "Sampah yang dijemput belum ditimbang di bank sampah, atau masih disengketakan."


class LastTreasurer(Conflict):
    english = "The only treasurer of a waste bank can't go. Another has to be appointed first."
    indonesian = (
        "Bendahara satu-satunya di bank sampah tidak dapat keluar. Bendahara lain harus diangkat"
        " dahulu."
    )


class DrawerStillKept(Conflict):
    english = "An open cash drawer is still in keeping. Have it counted and closed first."
    indonesian = "Masih ada laci kas terbuka yang dipegang. Hitung dan tutup dahulu."


async def check(session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID]) -> None:
    """Refuse as long as something is open.

    Raises PickupNotEnded, LoadNotSettled, MoneyNotPaidOut, LastTreasurer or DrawerStillKept.
    """
    if await _has_open_pickup(session, person_id, bank_ids, _ALL):
        raise PickupNotEnded
    await _check_settled(session, person_id, bank_ids, _ALL)
    if await _is_last_treasurer(session, person_id, bank_ids):
        raise LastTreasurer
    await _check_drawers(session, person_id, bank_ids)


async def check_part(session: AsyncSession, bank_id: UUID, person_id: UUID, role: Role) -> None:
    """Refuse as long as this very part has something open.

    Raises JobsStillHeld, LoadNotSettled or MoneyNotPaidOut of a collector, LastTreasurer, or
    DrawerStillKept of an officer.
    """
    if role == Role.COLLECTOR:
        # In the order in which waste becomes money: what moves on meanwhile is met further on.
        if await _has_open_pickup(session, person_id, [bank_id], _COLLECTORS):
            raise JobsStillHeld
        await _check_settled(session, person_id, [bank_id], _COLLECTORS)
    if role == Role.TREASURER and await _is_last_treasurer(session, person_id, [bank_id]):
        raise LastTreasurer
    if role in OFFICERS:
        await _check_drawers(session, person_id, [bank_id])


async def _check_settled(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID], share: _Share
) -> None:
    if await _has_load(session, person_id, bank_ids, share):
        raise LoadNotSettled
    if await _is_owed(session, person_id, bank_ids, share):
        raise MoneyNotPaidOut


async def _check_drawers(session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID]) -> None:
    kept = select(Drawer.id).where(
        col(Drawer.bank_id).in_(bank_ids),
        Drawer.officer_id == person_id,
        col(Drawer.closed_at).is_(None),
    )
    if (await session.exec(kept)).first():
        raise DrawerStillKept


async def _has_open_pickup(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID], share: _Share
) -> bool:
    query = select(Pickup.id).where(
        col(Pickup.bank_id).in_(bank_ids),
        _is_theirs(person_id, share),
        col(Pickup.status).in_((PickupStatus.OPEN, *HELD)),
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _has_load(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID], share: _Share
) -> bool:
    disputed = (
        select(Pickup.id)
        .join(
            Receiving,
            (col(Receiving.bank_id) == Pickup.bank_id) & (col(Receiving.id) == Pickup.receiving_id),
        )
        .where(
            col(Pickup.bank_id).in_(bank_ids),
            _is_theirs(person_id, share),
            Receiving.status == ReceivingStatus.DISPUTED,
        )
    )
    # A load that is disputed in between is met by the second look.
    if await _holds(session, person_id, bank_ids, _CARRIED):
        return True
    return (await session.exec(disputed.limit(1))).first() is not None


async def _is_owed(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID], share: _Share
) -> bool:
    query = select(Payout.id).where(
        col(Payout.bank_id).in_(bank_ids),
        Payout.resident_id == person_id,
        col(Payout.source).in_(share.sources),
        or_(
            col(Payout.status).in_((*BEFORE_SENDING, *UNDER_WAY)),
            # It may still come back, and then somebody has to be there to have it.
            and_(col(Payout.status) == PayoutStatus.PAID, col(Payout.due_at).is_not(None)),
        ),
    )
    if (await session.exec(query.limit(1))).first():
        return True
    return await _holds(session, person_id, bank_ids, share.owed)


def _is_theirs(person_id: UUID, share: _Share) -> ColumnElement[bool]:
    return or_(*(col(whose) == person_id for whose in share.pickup_of))


async def _holds(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID], kinds: Sequence[str]
) -> bool:
    """Whether an account of these kinds has anything in it, posted or held."""
    query = (
        select(literal(1))
        .select_from(Account)
        .join(
            Balance,
            (col(Balance.bank_id) == Account.bank_id) & (col(Balance.account_id) == Account.id),
        )
        .where(
            col(Account.bank_id).in_(bank_ids),
            Account.owner_id == person_id,
            or_(*(col(Account.code).startswith(f"{kind}:") for kind in kinds)),
            or_(
                col(Balance.debits_posted) != Balance.credits_posted,
                col(Balance.debits_pending) != 0,
                col(Balance.credits_pending) != 0,
            ),
        )
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _is_last_treasurer(
    session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID]
) -> bool:
    others = (
        select(Membership.bank_id, func.count())
        .join(Person, col(Person.id) == Membership.person_id)
        .where(
            col(Membership.bank_id).in_(bank_ids),
            Membership.role == Role.TREASURER,
            Membership.person_id != person_id,
            col(Person.deleted_at).is_(None),
        )
        .group_by(col(Membership.bank_id))
    )
    mine = select(Membership.bank_id).where(
        Membership.person_id == person_id, Membership.role == Role.TREASURER
    )
    left = {bank_id for bank_id, _ in await session.exec(others)}
    return bool(set(await session.exec(mine)) - left)
