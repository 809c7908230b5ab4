"""At the door: the collector weighs with the resident's code, or an operator decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from secrets import compare_digest
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, update
from sqlalchemy import select as select_columns
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import among, table_of, utc_now
from models.material import Material
from models.pickup import HELD, HELD_BY_NOBODY, Pickup, PickupItem, PickupStatus
from models.price import Channel
from routing.geo import Point, metres_between
from service import banks, ledger, prices
from service.errors import Conflict, FieldProblem, Malformed
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.weighing.attempts import HandoverCodeLocked, evidence, refuse_code, weighed_in
from service.weighing.crediting import Credit, credit_at_door, movements_of
from service.weighing.lines import (
    Credited,
    OwnWeighing,
    Weighed,
    Worth,
    credited,
    lines_of,
    save_lines,
    tell,
    total_of,
)
from service.weighing.unusual import check_pickup

CLOCK_AHEAD = timedelta(minutes=10)


class PickupAlreadyCollected(Conflict):
    english = "This pickup was already collected."
    indonesian = "Penjemputan ini sudah ditimbang dan dicatat."


class ClaimNotHeld(Conflict):
    english = (
        "You do not hold this pickup: the claim ran out or is another collector's. Claim it again"
        " if it is still open, and send the weighing with a new Idempotency-Key. If it is not, bring"
        " the goods to the waste bank: an operator enters them there as the resident's drop-off, and"
        " cancels the pickup."
    )
    indonesian = (
        "Anda tidak memegang penjemputan ini: waktunya habis atau milik petugas lain. Ambil lagi"
        " jika masih terbuka, lalu kirim hasil timbang dengan Idempotency-Key baru. Jika tidak, bawa"
        " barangnya ke bank sampah: petugas mencatatnya di sana sebagai setoran langsung warga, dan"
        " membatalkan penjemputan ini."
    )


class CollectedAtNotPossible(Malformed):
    english = "The time of collection must lie between the listing and now."
    indonesian = "Waktu penjemputan harus antara saat didaftarkan dan sekarang."


class NothingToDecide(Conflict):
    english = "There is no weighing of this pickup that waits for a decision."
    indonesian = "Tidak ada hasil timbang yang menunggu keputusan untuk penjemputan ini."


# Made once: putting a statement together costs more than running it.
_pickup = table_of(Pickup)
_item = table_of(PickupItem)
_material = table_of(Material)
_LOCKED_PRICES = (
    select_columns(
        _item.c.material, _item.c.condition, _item.c.price_idr, _material.c.grams_per_unit
    )
    .join(_material, _material.c.code == _item.c.material)
    .where(_item.c.bank_id == bindparam("of_bank"), _item.c.pickup_id == bindparam("of_pickup"))
)
_MARK_COLLECTED = (
    update(_pickup)
    .where(
        _pickup.c.bank_id == bindparam("of_bank"),
        _pickup.c.id == bindparam("of_pickup"),
        among(_pickup.c.status, HELD),
        _pickup.c.claim_number == bindparam("of_claim"),
    )
    .values(
        status=PickupStatus.COLLECTED,
        collected_at=bindparam("at"),
        claimed_until=None,
        credited_idr=bindparam("total"),
        arrived_off_m=func.coalesce(_pickup.c.arrived_off_m, bindparam("off_m", type_=Integer)),
    )
    .returning(_pickup.c.id)
)
_MARK_WITH_CODE = _MARK_COLLECTED.where(_pickup.c.code_tries < Pickup.MAX_CODE_TRIES)


@dataclass(frozen=True, slots=True)
class Handover:
    """What a collector sends from the door; where that was, unless it isn't known.

    `unusual_confirmed` says that what is unusually heavy was looked at again.
    """

    code: str
    weighings: Sequence[Weighed]
    collected_at: datetime | None
    position: Point | None = None
    unusual_confirmed: bool = False


class _Act(NamedTuple):
    """Who weighed, who makes it count, when it was, why, and how far from the pickup's place."""

    collector_id: UUID
    by: UUID
    at: datetime
    reason: str = ""
    off_m: int | None = None


async def collect(
    session: AsyncSession, keys: Keys, pickup: Pickup, collector_id: UUID, handover: Handover
) -> Credited:
    """Finish a pickup: weighings, credit and fee in one transaction.

    Raises ClaimNotHeld, PickupAlreadyCollected, HandoverCodeLocked, CollectedAtNotPossible,
    UnusualWeighing or a pricing problem; WrongHandoverCode keeps the weighing as evidence.
    """
    now = utc_now()
    _check_held(pickup, collector_id, now)
    at = _instant(pickup, handover.collected_at, now)
    if pickup.resident_id == collector_id:
        raise OwnWeighing
    if pickup.code_is_locked:
        raise HandoverCodeLocked
    # Before the code is looked at, so that no mistyped weight is kept for an operator.
    await check_pickup(
        session, pickup, handover.weighings, now, confirmed=handover.unusual_confirmed
    )
    worths = await _locked_worths(session, pickup, handover.weighings)
    if not compare_digest(keys.handover_code(pickup.id).encode(), handover.code.encode()):
        await refuse_code(session, pickup, collector_id, handover.weighings, at)
    act = _Act(collector_id, collector_id, at, off_m=_off_m(pickup, handover.position))
    return await _finish(session, pickup, act, handover.weighings, worths)


async def decide(
    session: AsyncSession, pickup: Pickup, *, by: UUID, accept: bool, reason: str
) -> Credited:
    """An operator decides on a weighing whose code was wrong too often.

    Accepted, it is credited as the collector sent it; refused, nothing is, and the pickup is
    open again with new tries. Raises NothingToDecide.
    """
    sent = [a for a in await evidence(session, pickup) if a.claim_number == pickup.claim_number]
    if not pickup.waits_for_decision or not sent:
        raise NothingToDecide
    if not accept:
        await _reopen(session, pickup, reason)
        policy = await banks.policy_by_id(session, pickup.bank_id, pickup.policy_id)
        return credited([], policy, credit_at_door(policy))
    attempt = sent[0]
    weighed = weighed_in(attempt)
    worths = await _locked_worths(session, pickup, weighed)
    act = _Act(attempt.collector_id, by, attempt.collected_at, reason)
    return await _finish(session, pickup, act, weighed, worths)


def _check_held(pickup: Pickup, collector_id: UUID, now: datetime) -> None:
    if pickup.status == PickupStatus.COLLECTED and pickup.collector_id == collector_id:
        raise PickupAlreadyCollected
    if not pickup.is_held_by(collector_id, now):
        raise ClaimNotHeld


def _instant(pickup: Pickup, said: datetime | None, now: datetime) -> datetime:
    """When it was collected: the phone may have been without a network for hours."""
    at = said or now
    if not pickup.created_at <= at <= now + CLOCK_AHEAD:
        raise CollectedAtNotPossible(
            FieldProblem(
                "/collected_at", CollectedAtNotPossible.english, CollectedAtNotPossible.indonesian
            )
        )
    return min(at, now)


def _off_m(pickup: Pickup, here: Point | None) -> int | None:
    return round(metres_between(Point(pickup.lat, pickup.lon), here)) if here else None


async def _locked_worths(
    session: AsyncSession, pickup: Pickup, weighed: Sequence[Weighed]
) -> list[Worth]:
    """The price of each line: as locked in the listing, else as it was in force then."""
    connection = await session.connection()
    asked = {"of_bank": pickup.bank_id, "of_pickup": pickup.id}
    rows = await connection.execute(_LOCKED_PRICES, asked)
    locked = {(row[0], row[1]): Worth(row[2], row[3]) for row in rows}
    wanted = [(line.material, line.condition) for line in weighed]
    if not set(wanted) <= set(locked):
        for quote in await prices.quotes(
            session,
            pickup.bank_id,
            Channel.PICKUP,
            pickup.created_at,
            wanted,
            pointer="/weighings",
        ):
            worth = Worth(quote.price_idr, quote.grams_per_unit)
            locked.setdefault((quote.material, quote.condition), worth)
    return [locked[want] for want in wanted]


async def _finish(
    session: AsyncSession,
    pickup: Pickup,
    act: _Act,
    weighed: Sequence[Weighed],
    worths: Sequence[Worth],
) -> Credited:
    lines = lines_of(pickup.bank_id, weighed, worths)
    policy = await banks.policy_by_id(session, pickup.bank_id, pickup.policy_id)
    credit = credit_at_door(policy)
    fee = policy.collector_fee_idr(total_of(lines, "grams"), pickup.leg_m or 0)
    got = credited(lines, policy, credit, fee_idr=fee)
    await _mark_collected(session, pickup, got.credited_idr, act)
    await save_lines(session, lines, pickup_id=pickup.id)
    moves = _movements(pickup, act.collector_id, got, credit)
    draft = Draft("pickup", moves, act.at, about_id=pickup.id, actor_id=act.by, memo=act.reason)
    await ledger.post(session, pickup.bank_id, draft)
    await tell(session, "pickup_collected", pickup.resident_id, pickup.id, lines, credit=credit)
    return got


def _movements(pickup: Pickup, collector_id: UUID, got: Credited, credit: Credit) -> list[Movement]:
    """What the weighing moves, and the collector's fee."""
    key = f"pickup:{pickup.id}"
    load = partial(chart.load, collector_id)
    moves = movements_of(key, pickup.resident_id, got.lines, onto=load, credit=credit)
    if got.fee_idr:
        earnings = chart.earnings(collector_id)
        moves.append(Movement(f"{key}:fee", chart.COLLECTOR_FEES, earnings, got.fee_idr))
    return moves


async def _mark_collected(session: AsyncSession, pickup: Pickup, total: int, act: _Act) -> None:
    """The one who moves it from held to collected is the one whose weighing counts."""
    connection = await session.connection()
    marked = await connection.execute(
        _MARK_WITH_CODE if act.by == act.collector_id else _MARK_COLLECTED,
        {
            "of_bank": pickup.bank_id,
            "of_pickup": pickup.id,
            "of_claim": pickup.claim_number,
            "at": act.at,
            "total": total,
            "off_m": act.off_m,
        },
    )
    if marked.first() is None:
        raise ClaimNotHeld


async def _reopen(session: AsyncSession, pickup: Pickup, reason: str) -> None:
    reopened = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            among(col(Pickup.status), HELD),
            col(Pickup.claim_number) == pickup.claim_number,
        )
        .values(**HELD_BY_NOBODY, status=PickupStatus.OPEN, code_tries=0, ended_reason=reason)
        .returning(col(Pickup.id))
    )
    if reopened.first() is None:
        raise NothingToDecide
