"""Asking for money: it is held from now on, so it can't be asked for twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.base import new_id, utc_now
from models.payout import Destination, Payout, PayoutMethod, PayoutSource
from service import banks, ledger
from service.errors import Conflict
from service.payouts import moving
from service.payouts.assisted import check_account, check_limit
from service.payouts.channels import CASH, FeeChanged, Offer, PayoutTooSmall, chosen, offers
from service.payouts.destinations import (
    DestinationNotValid,
    account_number,
    check_saved,
    destination_of,
    settle_on,
)


class MethodNotOffered(Conflict):
    english = "This waste bank pays in cash only, for now."
    indonesian = "Untuk saat ini bank sampah ini hanya membayar tunai."


@dataclass(frozen=True, slots=True)
class Request:
    """A payout that is asked for. Without a destination: the one that was used last.

    Of earnings, `resident_id` is the collector.
    """

    bank_id: UUID
    resident_id: UUID
    entered_by: UUID
    amount_idr: int
    method: PayoutMethod
    channel_code: str = ""
    account_number: str = ""
    account_holder_name: str = ""
    expected_fee_idr: int | None = None
    source: PayoutSource = PayoutSource.PASSBOOK

    @property
    def is_assisted(self) -> bool:
        """Whether somebody else asks."""
        return self.entered_by != self.resident_id


async def request(session: AsyncSession, wanted: Request) -> Payout:
    """Hold the amount and write the payout down.

    Raises MethodNotOffered, ChannelNotOffered, PayoutTooSmall, PayoutTooLarge, FeeTooHigh,
    FeeChanged, DestinationNotValid or BalanceTooLow; of somebody else who asks also
    AssistedLimitReached or HelpersAccount.
    """
    policy = await banks.policy_of(session, wanted.bank_id)
    ways = await offers(session, wanted.bank_id, policy, wanted.amount_idr)
    if wanted.method not in {way.method for way in ways}:
        raise MethodNotOffered
    destination = await _destination(session, wanted)
    code = CASH if destination is None else destination.channel_code
    way = await _way(session, wanted, ways, code)
    if wanted.expected_fee_idr not in (None, way.fee_idr):
        raise FeeChanged(fee_idr=way.fee_idr, expected_idr=wanted.expected_fee_idr)
    if wanted.is_assisted:
        await _check_assisted(session, wanted, policy, destination)
    if destination is not None:
        destination = await settle_on(session, destination, policy)
    payout_id = new_id()
    hold_id = await moving.hold(
        session,
        wanted.bank_id,
        payout_id,
        book=moving.book_at(wanted.source, wanted.resident_id),
        amount_idr=wanted.amount_idr,
        by=wanted.entered_by,
    )
    payout = _payout(wanted, way, destination, (payout_id, hold_id))
    payout.expires_at = payout.created_at + timedelta(hours=policy.payout_expires_h)
    session.add(payout)
    await session.flush()
    await moving.tell(session, payout, "payout_requested")
    return payout


async def _way(session: AsyncSession, wanted: Request, ways: Sequence[Offer], code: str) -> Offer:
    """How it goes. In cash the last of a balance may be less than others: whoever leaves a bank
    takes everything along. Raises as chosen()."""
    try:
        return chosen(ways, wanted.method, code)
    except PayoutTooSmall:
        book = moving.book_at(wanted.source, wanted.resident_id)
        left = await ledger.balances(session, wanted.bank_id, [book])
        if wanted.method != PayoutMethod.CASH or wanted.amount_idr != -left.get(book, 0):
            raise
        return next(way for way in ways if way.method == PayoutMethod.CASH)


async def _check_assisted(
    session: AsyncSession, wanted: Request, policy: Policy, destination: Destination | None
) -> None:
    if destination is not None:
        await check_account(session, destination, wanted.entered_by)
    await check_limit(session, policy, wanted.resident_id, wanted.amount_idr)


async def _destination(session: AsyncSession, wanted: Request) -> Destination | None:
    """Where it is to go, as it was said or as it was last; None for cash."""
    if wanted.method == PayoutMethod.CASH:
        return None
    if wanted.channel_code:
        return Destination(
            bank_id=wanted.bank_id,
            resident_id=wanted.resident_id,
            channel_code=wanted.channel_code,
            account_number=account_number(wanted.method, wanted.account_number),
            account_holder_name=" ".join(wanted.account_holder_name.split()),
            usable_from=utc_now(),
            entered_by=wanted.entered_by,
        )
    current = await destination_of(session, wanted.bank_id, wanted.resident_id)
    if current is None:
        raise DestinationNotValid
    check_saved(current, wanted.method)
    return current


def _payout(
    wanted: Request, way: Offer, destination: Destination | None, ids: tuple[UUID, UUID]
) -> Payout:
    payout_id, hold_id = ids
    now = utc_now()
    return Payout(
        bank_id=wanted.bank_id,
        id=payout_id,
        resident_id=wanted.resident_id,
        source=wanted.source,
        entered_by=wanted.entered_by,
        amount_idr=wanted.amount_idr,
        method=wanted.method,
        channel_code=destination.channel_code if destination else "",
        account_number=destination.account_number if destination else "",
        account_holder_name=destination.account_holder_name if destination else "",
        destination_id=destination.id if destination else None,
        gateway=way.gateway,
        fee_idr=way.fee_idr,
        fee_by=way.fee_by,
        key=f"payout-{payout_id}" if destination else "",
        moved_by=wanted.entered_by,
        moved_at=now,
        hold_id=hold_id,
        created_at=now,
    )
