"""Closing a day: nothing is left in doubt, every drawer is counted, then the page is turned.

A day that nobody closes closes without any of this: see sealing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.drawer import DrawerCount
from models.payout import Payout, PayoutStatus
from service import drawers, payouts, sealing
from service.errors import Conflict

UNKNOWN_FOR = payouts.DOUBT_FOR
"""How long a payout of which nobody knows how it went keeps a day from being closed."""


class PayoutsUnknown(Conflict):
    english = (
        "Of {payouts} payouts nobody knows yet whether they were paid. Look them up, or say why"
        " the day is closed all the same."
    )
    indonesian = (
        "Ada {payouts} pencairan yang belum pasti terkirim. Periksa dahulu, atau tuliskan"
        " alasan menutup hari."
    )


class DrawersNotCounted(Conflict):
    english = (
        "Money moved in these drawers since they were last counted: {drawers}. Count them, and send"
        " what is in each along as `counts`."
    )
    indonesian = (
        "Ada uang masuk atau keluar sejak laci ini terakhir dihitung: {drawers}. Hitung isinya, dan"
        " kirim bersama sebagai `counts`."
    )


class InDrawer(NamedTuple):
    """What was counted in an officer's drawer, in rupiah."""

    drawer: str
    counted_idr: int


@dataclass(frozen=True, slots=True)
class Close:
    """How a treasurer closes a day; `counted_cash_idr` is what lies in the safe."""

    by: UUID
    counted_cash_idr: int
    counts: Sequence[InDrawer] = ()
    despite_unknown: str = ""


class Closed(NamedTuple):
    """A day that was just closed, with what was counted in drawers."""

    safe: sealing.Closed
    counts: Sequence[DrawerCount]


async def close(session: AsyncSession, bank: Bank, day: date, how: Close) -> Closed:
    """Close the open day with what was counted in the safe and in each officer's drawer.

    A drawer that was counted since it was last moved needn't be counted again. Raises
    PayoutsUnknown, DrawersNotCounted, DrawerClosed, NoSuchThing, DayBeforeBook, DayClosed,
    DayNotBegun, EarlierDayOpen or BookBusy.
    """
    version = await sealing.closable(session, bank, day)
    reason = await _reason_despite_unknown(session, bank.id, how)
    counts = [await _count(session, bank.id, how.by, found, (day, version)) for found in how.counts]
    if missing := await drawers.not_counted(session, bank.id):
        raise DrawersNotCounted(drawers=", ".join(missing))
    in_safe = sealing.Close(how.by, how.counted_cash_idr, reason)
    closed = await sealing.close(session, bank, day, in_safe)
    await drawers.note_safe(session, closed.day)
    return Closed(closed, sorted(counts, key=lambda count: count.drawer))


async def _reason_despite_unknown(session: AsyncSession, bank_id: UUID, how: Close) -> str:
    """Why the day may be closed; nothing if it needs no reason. Raises PayoutsUnknown."""
    now = utc_now()
    unknown = and_(
        col(Payout.status) == PayoutStatus.UNKNOWN,
        or_(col(Payout.unknown_at).is_(None), col(Payout.unknown_at) > now - UNKNOWN_FOR),
    )
    # Its worker died in the middle of the call, and nobody has asked yet.
    abandoned = and_(
        col(Payout.status) == PayoutStatus.SENDING,
        col(Payout.asked_at).is_not(None),
        col(Payout.due_at) <= now,
    )
    query = select(func.count()).where(col(Payout.bank_id) == bank_id, or_(unknown, abandoned))
    in_doubt = (await session.exec(query)).one()
    if in_doubt and not how.despite_unknown.strip():
        raise PayoutsUnknown(payouts=in_doubt)
    return how.despite_unknown if in_doubt else ""


async def _count(
    session: AsyncSession, bank_id: UUID, by: UUID, found: InDrawer, close_: tuple[date, int]
) -> DrawerCount:
    await drawers.keeper_of(session, bank_id, found.drawer)
    count = drawers.Count(found.drawer, found.counted_idr, by, close=close_)
    return await drawers.count(session, bank_id, count)
