"""What is weighed is credited: at the door by the collector, at the bank by an operator."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from secrets import compare_digest
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, table_of, utc_now
from models.material import Material
from models.pickup import HELD, Pickup, PickupItem, PickupStatus
from models.price import Channel
from models.weighing import Dropoff, HandoverAttempt, Weighing
from service import banks, events, ledger, prices
from service.errors import Conflict, FieldProblem, Forbidden, Malformed
from service.keys import Keys
from service.ledger import Draft, Movement, chart

CLOCK_AHEAD = timedelta(minutes=10)


class WrongHandoverCode(Conflict):
    english = "This is not the code of this pickup. {tries_left} tries are left."
    indonesian = "Kode serah terima salah. Sisa percobaan: {tries_left}."
    keeps_changes = True


class HandoverCodeLocked(Conflict):
    english = "The code was wrong too often. The weighing is kept; an operator decides."
    indonesian = "Kode terlalu sering salah. Hasil timbang disimpan; operator yang memutuskan."


class PickupAlreadyCollected(Conflict):
    english = "This pickup was already collected."
    indonesian = "Penjemputan ini sudah ditimbang dan dicatat."


class ClaimNotHeld(Conflict):
    english = "You do not hold this pickup: the claim ran out or is another collector's."
    indonesian = "Anda tidak memegang penjemputan ini: waktunya habis atau milik petugas lain."


class OwnWeighing(Forbidden):
    english = "Nobody weighs for themselves."
    indonesian = "Tidak boleh menimbang untuk diri sendiri."


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
_INSERT_LINES = insert(Weighing)
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
        _pickup.c.status.in_(HELD),
        _pickup.c.claim_number == bindparam("of_claim"),
    )
    .values(
        status=PickupStatus.COLLECTED,
        collected_at=bindparam("at"),
        claimed_until=None,
        credited_idr=bindparam("total"),
    )
    .returning(_pickup.c.id)
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One line on the scale: grams taken, grams refused, and why."""

    material: str
    condition: str
    grams: int
    rejected_grams: int
    reason: str


@dataclass(frozen=True, slots=True)
class Handover:
    """What a collector sends from the door."""

    code: str
    weighings: Sequence[Weighed]
    collected_at: datetime | None


class _Worth(NamedTuple):
    price_idr: int
    grams_per_unit: int


@dataclass(frozen=True, slots=True)
class Credited:
    """What was weighed, line by line, and what the resident got for it."""

    lines: Sequence[dict[str, Any]]
    credited_idr: int
    fee_idr: int


async def collect(
    session: AsyncSession, keys: Keys, pickup: Pickup, collector_id: UUID, handover: Handover
) -> Credited:
    """Finish a pickup: weighings, credit and fee in one transaction.

    Raises ClaimNotHeld, PickupAlreadyCollected, HandoverCodeLocked, CollectedAtNotPossible
    or a pricing problem; WrongHandoverCode keeps the weighing as evidence.
    """
    now = utc_now()
    _check_held(pickup, collector_id, now)
    at = _instant(pickup, handover.collected_at, now)
    if pickup.resident_id == collector_id:
        raise OwnWeighing
    if pickup.code_is_locked:
        raise HandoverCodeLocked
    worths = await _locked_worths(session, pickup, handover.weighings)
    if not compare_digest(keys.handover_code(pickup.id).encode(), handover.code.encode()):
        await _wrong_code(session, pickup, collector_id, handover, at)
    return await _finish(session, pickup, collector_id, handover.weighings, worths, at)


async def dropoff(
    session: AsyncSession,
    bank_id: UUID,
    resident_id: UUID,
    weighed: Sequence[Weighed],
    *,
    operator_id: UUID,
) -> tuple[Dropoff, Credited]:
    """Credit what a resident brought to the bank, at today's drop-off prices."""
    if resident_id == operator_id:
        raise OwnWeighing
    now = utc_now()
    wanted = [(line.material, line.condition) for line in weighed]
    quotes = await prices.quotes(
        session, bank_id, Channel.DROPOFF, now, wanted, pointer="/weighings"
    )
    worths = [_Worth(quote.price_idr, quote.grams_per_unit) for quote in quotes]
    lines = [_line(bank_id, n, *pair) for n, pair in enumerate(zip(weighed, worths, strict=True))]
    total = sum(line["amount_idr"] for line in lines)
    brought = Dropoff(
        bank_id=bank_id,
        id=new_id(),
        resident_id=resident_id,
        entered_by=operator_id,
        credited_idr=total,
        created_at=now,
    )
    session.add(brought)
    await session.flush()
    await _save_lines(session, lines, dropoff_id=brought.id)
    moves = [_credit(f"dropoff:{brought.id}", resident_id, total)] if total else []
    moves += [
        Movement(
            f"dropoff:{brought.id}:{line['line']}",
            debit=chart.stock(line["material"]),
            credit=chart.source(resident_id, line["material"]),
            amount=line["grams"],
        )
        for line in lines
        if line["grams"]
    ]
    draft = Draft("dropoff", moves, event_at=now, about_id=brought.id, actor_id=operator_id)
    await ledger.post(session, bank_id, draft)
    await _tell(session, bank_id, "dropoff_weighed", resident_id, brought.id, lines)
    return brought, Credited(lines, total, 0)


async def decide(
    session: AsyncSession, pickup: Pickup, *, accept: bool, reason: str
) -> Credited | None:
    """An operator decides on a weighing whose code was wrong too often.

    Accepted, it is credited as the collector sent it; refused, the pickup is open again
    with new tries. Raises NothingToDecide.
    """
    attempt = await _last_attempt(session, pickup)
    if not pickup.is_held or not pickup.code_is_locked or attempt is None:
        raise NothingToDecide
    if not accept:
        await _reopen(session, pickup, reason)
        return None
    weighed = [Weighed(**line) for line in json.loads(attempt.weighings)]
    worths = await _locked_worths(session, pickup, weighed)
    return await _finish(
        session, pickup, attempt.collector_id, weighed, worths, attempt.collected_at
    )


def _check_held(pickup: Pickup, collector_id: UUID, now: datetime) -> None:
    if pickup.status == PickupStatus.COLLECTED and pickup.collector_id == collector_id:
        raise PickupAlreadyCollected
    if (
        not pickup.is_held
        or pickup.collector_id != collector_id
        or pickup.claimed_until is None
        or pickup.claimed_until <= now
    ):
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


async def _locked_worths(
    session: AsyncSession, pickup: Pickup, weighed: Sequence[Weighed]
) -> list[_Worth]:
    """The price of each line: as locked in the listing, else as it was in force then."""
    connection = await session.connection()
    asked = {"of_bank": pickup.bank_id, "of_pickup": pickup.id}
    rows = await connection.execute(_LOCKED_PRICES, asked)
    locked = {(row[0], row[1]): _Worth(row[2], row[3]) for row in rows}
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
            worth = _Worth(quote.price_idr, quote.grams_per_unit)
            locked.setdefault((quote.material, quote.condition), worth)
    return [locked[want] for want in wanted]


async def _wrong_code(
    session: AsyncSession,
    pickup: Pickup,
    collector_id: UUID,
    handover: Handover,
    at: datetime,
) -> None:
    """Count the try, keep the weighing, and refuse."""
    counted = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            col(Pickup.claim_number) == pickup.claim_number,
            col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES,
        )
        .values(code_tries=Pickup.code_tries + 1)
        .returning(col(Pickup.code_tries))
    )
    row = counted.first()
    if row is None:
        raise HandoverCodeLocked
    session.add(
        HandoverAttempt(
            bank_id=pickup.bank_id,
            pickup_id=pickup.id,
            collector_id=collector_id,
            claim_number=pickup.claim_number,
            weighings=json.dumps([asdict(line) for line in handover.weighings]),
            collected_at=at,
        )
    )
    raise WrongHandoverCode(tries_left=Pickup.MAX_CODE_TRIES - row[0])


async def _finish(
    session: AsyncSession,
    pickup: Pickup,
    collector_id: UUID,
    weighed: Sequence[Weighed],
    worths: Sequence[_Worth],
    at: datetime,
) -> Credited:
    lines = [
        _line(pickup.bank_id, n, *pair) for n, pair in enumerate(zip(weighed, worths, strict=True))
    ]
    total = sum(line["amount_idr"] for line in lines)
    await _mark_collected(session, pickup, total, at)
    await _save_lines(session, lines, pickup_id=pickup.id)
    policy = await banks.policy_by_id(session, pickup.bank_id, pickup.policy_id)
    fee = policy.collector_fee_idr(sum(line["grams"] for line in lines))
    moves = _pickup_movements(pickup, collector_id, lines, total, fee)
    draft = Draft("pickup", moves, event_at=at, about_id=pickup.id, actor_id=collector_id)
    await ledger.post(session, pickup.bank_id, draft)
    await _tell(session, pickup.bank_id, "pickup_collected", pickup.resident_id, pickup.id, lines)
    return Credited(lines, total, fee)


def _line(bank_id: UUID, number: int, weighed: Weighed, worth: _Worth) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "line": number,
        **asdict(weighed),
        "price_idr": worth.price_idr,
        "amount_idr": prices.amount_idr(worth.price_idr, weighed.grams, worth.grams_per_unit),
    }


def _credit(key: str, resident_id: UUID, amount: int) -> Movement:
    return Movement(key, debit=chart.PURCHASES, credit=chart.available(resident_id), amount=amount)


def _pickup_movements(
    pickup: Pickup, collector_id: UUID, lines: Sequence[dict[str, Any]], total: int, fee: int
) -> list[Movement]:
    """Rupiah to the passbook and the collector; grams from the household onto the load."""
    key = f"pickup:{pickup.id}"
    moves = [_credit(key, pickup.resident_id, total)] if total else []
    if fee:
        earnings = chart.earnings(collector_id)
        moves.append(Movement(f"{key}:fee", chart.COLLECTOR_FEES, earnings, fee))
    moves += [
        Movement(
            f"{key}:{line['line']}",
            debit=chart.load(collector_id, line["material"]),
            credit=chart.source(pickup.resident_id, line["material"]),
            amount=line["grams"],
        )
        for line in lines
        if line["grams"]
    ]
    return moves


async def _mark_collected(session: AsyncSession, pickup: Pickup, total: int, at: datetime) -> None:
    """The one who moves it from held to collected is the one whose weighing counts."""
    connection = await session.connection()
    marked = await connection.execute(
        _MARK_COLLECTED,
        {
            "of_bank": pickup.bank_id,
            "of_pickup": pickup.id,
            "of_claim": pickup.claim_number,
            "at": at,
            "total": total,
        },
    )
    if marked.first() is None:
        raise ClaimNotHeld


async def _save_lines(
    session: AsyncSession, lines: Sequence[dict[str, Any]], **origin: UUID
) -> None:
    connection = await session.connection()
    nobody = {"pickup_id": None, "dropoff_id": None}
    await connection.execute(_INSERT_LINES, [{**line, **nobody, **origin} for line in lines])


async def _tell(
    session: AsyncSession,
    bank_id: UUID,
    kind: str,
    resident_id: UUID,
    about_id: UUID,
    lines: Sequence[dict[str, Any]],
) -> None:
    body = {
        "about_id": str(about_id),
        "grams": sum(line["grams"] for line in lines),
        "rejected_grams": sum(line["rejected_grams"] for line in lines),
        "amount_idr": sum(line["amount_idr"] for line in lines),
    }
    await events.record(session, bank_id, kind, person_id=resident_id, body=body)


async def _last_attempt(session: AsyncSession, pickup: Pickup) -> HandoverAttempt | None:
    query = (
        select(HandoverAttempt)
        .where(
            HandoverAttempt.bank_id == pickup.bank_id,
            HandoverAttempt.pickup_id == pickup.id,
            HandoverAttempt.claim_number == pickup.claim_number,
        )
        .order_by(col(HandoverAttempt.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()


async def _reopen(session: AsyncSession, pickup: Pickup, reason: str) -> None:
    await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            col(Pickup.status).in_(HELD),
            col(Pickup.claim_number) == pickup.claim_number,
        )
        .values(
            status=PickupStatus.OPEN,
            collector_id=None,
            claimed_at=None,
            claimed_until=None,
            arrived_at=None,
            code_tries=0,
            ended_reason=reason,
        )
    )
