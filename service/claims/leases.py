"""Claims are leases: one collector holds a job until an instant, under a number."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.base import among, utc_now
from models.people import Membership, Role
from models.pickup import HELD, HELD_BY_NOBODY, Pickup, PickupStatus, Refusal
from routing.geo import Point, metres_between
from service import banks
from service.banks import estimate_of
from service.errors import Conflict, NotAllowed, NotFound, WaitsForOperator

SPARE = timedelta(minutes=15)
"""What a lease lasts beyond twice the way there."""
_AT_THE_DOOR = timedelta(minutes=30)
_CLOSER_M = 100

# Made once: putting a statement together takes longer than SQLite takes for it.
_HELD_BY = select(func.count(), func.coalesce(func.sum(Pickup.estimated_grams), 0)).where(
    Pickup.bank_id == bindparam("bank_id"),
    Pickup.collector_id == bindparam("collector_id"),
    among(col(Pickup.status), HELD),
    col(Pickup.claimed_until) > bindparam("now"),
)
_LOCK_COLLECTOR = (
    select(Membership.role)
    .where(
        Membership.person_id == bindparam("collector_id"),
        Membership.bank_id == bindparam("bank_id"),
        Membership.role == Role.COLLECTOR,
    )
    .with_for_update(key_share=True)
)


class PickupAlreadyClaimed(Conflict):
    english = "Another collector has this pickup. Claim one that is still open."
    indonesian = "Penjemputan ini sudah diambil petugas lain. Ambil yang masih terbuka."


class PickupNotOpen(Conflict):
    english = "This pickup is not open any more ({status})."
    indonesian = "Penjemputan ini tidak terbuka lagi ({status})."


class ClaimExpired(Conflict):
    english = "You do not hold this pickup any more. Claim it again if it is still open."
    indonesian = "Anda tidak lagi memegang penjemputan ini. Ambil lagi bila masih terbuka."


class TooManyJobsHeld(Conflict):
    english = (
        "You hold {held} jobs; the waste bank allows {allowed} at a time. Finish one first, or give"
        " one back."
    )
    indonesian = (
        "Anda memegang {held} tugas; bank sampah mengizinkan {allowed} sekaligus. Selesaikan atau"
        " lepas satu dahulu."
    )


class TooManyGramsHeld(Conflict):
    english = (
        "You hold {held} kg by estimate; with this job it would be more than {allowed} kg. Finish"
        " one first, or give one back."
    )
    indonesian = (
        "Anda memegang {held} kg menurut taksiran; dengan ini melebihi {allowed} kg. Selesaikan"
        " atau lepas satu dahulu."
    )


class NoOpenPickup(NotFound):
    english = "There is no open pickup within reach that you can take."
    indonesian = "Tidak ada penjemputan terbuka dalam jangkauan yang dapat Anda ambil."


@dataclass(frozen=True, slots=True)
class Room:
    """What a collector may still claim: so many jobs, of so many grams by estimate."""

    jobs: int
    grams: int
    holds_nothing: bool

    def takes(self, grams: int) -> bool:
        """Whether one job of this weight fits; alone any does, or it would wait for ever."""
        return grams <= self.grams or self.holds_nothing


async def room_for(
    session: AsyncSession, bank_id: UUID, policy: Policy, collector_id: UUID
) -> Room:
    """What a collector may still claim. Raises TooManyJobsHeld if not even one job."""
    await _in_line(session, bank_id, collector_id)
    whose = {"bank_id": bank_id, "collector_id": collector_id, "now": utc_now()}
    # Two figures need no objects, which the session would look for in them.
    connection = await session.connection()
    held, grams = (await connection.execute(_HELD_BY, whose)).one()
    if held >= policy.max_held_jobs:
        raise TooManyJobsHeld(held=held, allowed=policy.max_held_jobs)
    return Room(policy.max_held_jobs - held, max(0, policy.max_held_grams - int(grams)), held == 0)


async def _in_line(session: AsyncSession, bank_id: UUID, collector_id: UUID) -> None:
    """Two claims of one collector at once are counted one after the other.

    SQLite's one writer is alone anyway. Raises NotAllowed if their part was ended meanwhile.
    """
    if (await session.connection()).dialect.name == "postgresql":
        own = {"bank_id": bank_id, "collector_id": collector_id}
        if (await session.exec(_LOCK_COLLECTOR, params=own)).first() is None:
            raise NotAllowed


async def claim(session: AsyncSession, pickup: Pickup, collector_id: UUID) -> Pickup:
    """Take this very pickup. Claiming what one holds already changes nothing.

    Raises PickupAlreadyClaimed, PickupNotOpen, TooManyJobsHeld or TooManyGramsHeld.
    """
    now = utc_now()
    if pickup.is_held_by(collector_id, now):
        return pickup
    policy = await banks.policy_of(session, pickup.bank_id)
    room = await room_for(session, pickup.bank_id, policy, collector_id)
    if not room.takes(pickup.estimated_grams):
        held = policy.max_held_grams - room.grams
        raise TooManyGramsHeld(held=held // 1000, allowed=policy.max_held_grams // 1000)
    values: dict[str, Any] = {
        "status": PickupStatus.CLAIMED,
        "collector_id": collector_id,
        "claim_number": Pickup.claim_number + 1,
        "claimed_at": now,
        "claimed_until": now + timedelta(seconds=policy.lease_s),
        "arrived_at": None,
        "arrived_off_m": None,
        "route_id": None,
        "route_sequence": None,
        # Nobody says from where they drive to a job that they name.
        "leg_m": None,
        "closest_m": None,
    }
    if not await _change(session, pickup, _is_free(now), values):
        raise _why_not_free(pickup)
    return pickup


async def release(
    session: AsyncSession, pickup: Pickup, collector_id: UUID, *, reason: str
) -> Pickup:
    """Give a job back: it is open again, as old as it was.

    Raises ClaimExpired, or WaitsForOperator for one whose weighing waits to be decided on.
    """
    values = {**HELD_BY_NOBODY, "status": PickupStatus.OPEN}
    undecided = col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES
    if not await _change(session, pickup, and_(_is_mine(collector_id), undecided), values):
        raise WaitsForOperator if pickup.waits_for_decision else ClaimExpired
    session.add(
        Refusal(
            bank_id=pickup.bank_id,
            pickup_id=pickup.id,
            collector_id=collector_id,
            refused_on=await _today(session, pickup.bank_id),
            reason=reason,
        )
    )
    return pickup


async def arrive(session: AsyncSession, pickup: Pickup, collector_id: UUID, here: Point) -> Pickup:
    """The collector is at the door, so the lease is longer by what weighing takes.

    The first time counts, and where that was. Raises ClaimExpired.
    """
    now = utc_now()
    values: dict[str, Any] = {"status": PickupStatus.ARRIVED}
    if pickup.arrived_at is None:
        # Once: arriving again must neither keep a job for ever nor hide how far off it was.
        values |= {
            "arrived_at": now,
            "arrived_off_m": round(metres_between(Point(pickup.lat, pickup.lon), here)),
            "claimed_until": max(pickup.claimed_until or now, now + _AT_THE_DOOR),
        }
    still_mine = and_(_is_mine(collector_id), col(Pickup.claimed_until) > now)
    if not await _change(session, pickup, still_mine, values):
        raise ClaimExpired
    return pickup


async def come_closer(
    session: AsyncSession, pickup: Pickup, collector_id: UUID, here: Point
) -> Pickup:
    """Note where the holder is; coming closer makes the lease last, standing about doesn't.

    The first report is only noted. Each later one that is at least 100 metres nearer than
    any before lengthens the lease to twice the drive that is left and some more, so nobody
    can hold a job for ever. Raises ClaimExpired.
    """
    now = utc_now()
    off_m = metres_between(Point(pickup.lat, pickup.lon), here)
    policy = await banks.policy_of(session, pickup.bank_id)
    drive = timedelta(
        seconds=estimate_of(policy).drive_between(Point(pickup.lat, pickup.lon), here)[1]
    )
    until = max(pickup.claimed_until or now, now + 2 * drive + SPARE)
    values = {
        "closest_m": round(off_m),
        "claimed_until": case(
            (col(Pickup.closest_m).is_(None), col(Pickup.claimed_until)), else_=until
        ),
    }
    is_closer = or_(
        col(Pickup.closest_m).is_(None), col(Pickup.closest_m) >= round(off_m) + _CLOSER_M
    )
    is_on_the_way = col(Pickup.status) == PickupStatus.CLAIMED
    still_mine = and_(_is_mine(collector_id), col(Pickup.claimed_until) > now)
    await _change(session, pickup, and_(still_mine, is_on_the_way, is_closer), values)
    if not pickup.is_held_by(collector_id, now):
        raise ClaimExpired
    return pickup


async def sweep(session: AsyncSession, bank_ids: list[UUID]) -> int:
    """Put jobs whose lease has run out back on the board; how many."""
    swept = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id).in_(bank_ids),
            among(col(Pickup.status), HELD),
            col(Pickup.claimed_until) < utc_now(),
            col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES,
        )
        .values(**HELD_BY_NOBODY, status=PickupStatus.OPEN)
        .returning(col(Pickup.id))
    )
    return len(swept.all())


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(col(Pickup.status) == PickupStatus.OPEN, col(Pickup.window_end) > now),
        and_(
            among(col(Pickup.status), HELD),
            col(Pickup.claimed_until) < now,
            col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES,
        ),
    )


def _is_mine(collector_id: UUID) -> ColumnElement[bool]:
    return and_(col(Pickup.collector_id) == collector_id, among(col(Pickup.status), HELD))


def _why_not_free(pickup: Pickup) -> Conflict:
    if pickup.is_held:
        return PickupAlreadyClaimed()
    return PickupNotOpen(status=pickup.status)


async def _change(
    session: AsyncSession,
    pickup: Pickup,
    condition: ColumnElement[bool],
    values: dict[str, Any],
) -> bool:
    """Change the row if the condition still holds; read it anew either way."""
    changed = await session.exec(
        update(Pickup)
        .where(col(Pickup.bank_id) == pickup.bank_id, col(Pickup.id) == pickup.id, condition)
        .values(**values)
        .returning(col(Pickup.id))
        .execution_options(synchronize_session=False)
    )
    happened = changed.first() is not None
    await session.refresh(pickup)
    return happened


async def _today(session: AsyncSession, bank_id: UUID) -> date:
    return banks.day_at(await banks.get(session, bank_id), utc_now())
