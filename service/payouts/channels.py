"""Ways to be paid: what each costs and allows, the cheapest for an amount first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.payout import FeeBy, PayoutChannel, PayoutMethod
from service.errors import Conflict

CASH = "CASH"


class ChannelNotOffered(Conflict):
    english = "This waste bank can't pay to {channel}; GET …/payout-channels lists where it can."
    indonesian = "Bank sampah ini tidak dapat membayar ke {channel}; lihat …/payout-channels."


class PayoutTooSmall(Conflict):
    english = "A payout is at least Rp{minimum_idr}; in cash all that is left may be less."
    indonesian = (
        "Pencairan minimal Rp{minimum_idr}; tunai boleh kurang bila itu seluruh sisa saldo."
    )


class PayoutTooLarge(Conflict):
    english = "A payout to {channel} is at most Rp{maximum_idr}."
    indonesian = "Pencairan ke {channel} maksimal Rp{maximum_idr}."


class FeeTooHigh(Conflict):
    english = (
        "The fee of Rp{fee_idr} is too much for this amount. Ask for at least Rp{minimum_idr},"
        " or for cash."
    )
    indonesian = (
        "Biaya Rp{fee_idr} terlalu besar untuk jumlah ini. Cairkan minimal Rp{minimum_idr},"
        " atau pilih tunai."
    )


class FeeChanged(Conflict):
    english = "The fee is Rp{fee_idr} now; it was shown as Rp{expected_idr}. Look at it again."
    indonesian = "Biaya sekarang Rp{fee_idr}; tadi Rp{expected_idr}. Periksa kembali."


class Hurdle(StrEnum):
    """What keeps an amount from going this way."""

    NONE = ""
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    FEE_TOO_HIGH = "fee_too_high"


@dataclass(frozen=True, slots=True)
class Offer:
    """One way for one amount."""

    method: PayoutMethod
    channel_code: str
    name: str
    gateway: str
    fee_idr: int
    fee_by: FeeBy
    receives_idr: int
    minimum_idr: int
    maximum_idr: int
    hurdle: Hurdle


async def offers(
    session: AsyncSession, bank_id: UUID, policy: Policy, amount_idr: int
) -> list[Offer]:
    """Every way for an amount: those that are open first, the cheapest of them first."""
    query = select(PayoutChannel).where(PayoutChannel.bank_id == bank_id)
    ways = [_cash(policy, amount_idr)]
    ways += [offer_of(way, policy, amount_idr) for way in await session.exec(query)]
    return ranked(ways)


def ranked(ways: Iterable[Offer]) -> list[Offer]:
    """Open ones first, then by what they cost; cash before a transfer that costs as little."""
    return sorted(
        ways,
        key=lambda way: (
            way.hurdle != Hurdle.NONE,
            way.fee_idr,
            way.method != PayoutMethod.CASH,
            way.name,
            way.gateway,
        ),
    )


def offer_of(way: PayoutChannel, policy: Policy, amount_idr: int) -> Offer:
    """What a channel means for an amount under a bank's rules."""
    fee_by = FeeBy(policy.payout_fee_by)
    share = way.fee_idr if fee_by == FeeBy.RESIDENT else 0
    smallest = max(way.minimum_idr + share, policy.min_payout_idr)
    worth_it = max(smallest, _least_for(way.fee_idr, policy.payout_fee_permille))
    largest = way.maximum_idr + share
    hurdle = Hurdle.NONE
    if amount_idr < smallest:
        hurdle = Hurdle.TOO_SMALL
    elif amount_idr < worth_it:
        hurdle = Hurdle.FEE_TOO_HIGH
    elif amount_idr > largest:
        hurdle = Hurdle.TOO_LARGE
    method = PayoutMethod.EWALLET if way.is_wallet else PayoutMethod.BANK
    return Offer(
        method,
        way.code,
        way.name,
        way.gateway,
        way.fee_idr,
        fee_by,
        max(amount_idr - share, 0),
        worth_it,
        largest,
        hurdle,
    )


def chosen(ways: Sequence[Offer], method: PayoutMethod, channel_code: str) -> Offer:
    """The cheapest open way to a channel.

    Raises ChannelNotOffered, PayoutTooSmall, PayoutTooLarge or FeeTooHigh.
    """
    of_channel = [w for w in ways if (w.method, w.channel_code) == (method, channel_code)]
    if not of_channel:
        raise ChannelNotOffered(channel=channel_code)
    best = of_channel[0]
    if best.hurdle == Hurdle.TOO_SMALL:
        raise PayoutTooSmall(minimum_idr=best.minimum_idr).at("/amount_idr")
    if best.hurdle == Hurdle.TOO_LARGE:
        large = PayoutTooLarge(maximum_idr=best.maximum_idr, channel=best.name)
        raise large.at("/amount_idr")
    if best.hurdle == Hurdle.FEE_TOO_HIGH:
        raise FeeTooHigh(fee_idr=best.fee_idr, minimum_idr=best.minimum_idr)
    return best


def _least_for(fee_idr: int, most_permille: int) -> int:
    """The smallest amount of which a fee is at most so many thousandths; 1000 allows any."""
    if most_permille >= 1_000:
        return 0
    if most_permille == 0:
        return 0 if fee_idr == 0 else 10**15
    return -(-fee_idr * 1_000 // most_permille)


def _cash(policy: Policy, amount_idr: int) -> Offer:
    hurdle = Hurdle.TOO_SMALL if amount_idr < policy.min_payout_idr else Hurdle.NONE
    return Offer(
        PayoutMethod.CASH,
        CASH,
        "Tunai",
        "",
        0,
        FeeBy.BANK,
        amount_idr,
        policy.min_payout_idr,
        10**12,
        hurdle,
    )
