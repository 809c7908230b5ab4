"""Waste banks and the rules in force at each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import UTCDateTime, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, District, Policy
from models.base import utc_now
from routing.geo import Point, metres_between
from routing.roads import Estimate
from service import ledger
from service.database import one_at_a_time
from service.errors import Conflict, FieldProblem, NoSuchThing
from service.ledger import chart

GRACE = timedelta(minutes=5)
"""A clock of the sender may be so far behind."""
_policies: dict[tuple[UUID, UUID], Policy] = {}
_POLICIES_LIMIT = 10_000


class PastRules(Conflict):
    english = "Rules can only begin now or later; the past is never changed."
    indonesian = "Aturan hanya dapat berlaku mulai sekarang; aturan yang lalu tidak diubah."


class RulesExist(Conflict):
    english = "There are already rules that begin at this very instant."
    indonesian = "Sudah ada aturan yang mulai berlaku pada saat yang sama."


class RulesUnchanged(Conflict):
    english = "Those are the rules that are in force by then anyway; nothing would change."
    indonesian = "Aturan ini sama dengan yang sudah berlaku saat itu; tidak ada yang berubah."


class PartsTooLarge(Conflict):
    english = "Residents and collectors together can get at most 1000 thousandths."
    indonesian = "Bagian warga dan petugas bersama-sama paling banyak 1000 per seribu."


class Nearby(NamedTuple):
    bank: Bank
    policy: Policy
    distance_m: float


async def get(session: AsyncSession, bank_id: UUID) -> Bank:
    """The bank. Raises NoSuchThing."""
    bank = (await session.exec(select(Bank).where(Bank.id == bank_id))).first()
    if bank is None:
        raise NoSuchThing(thing="bank")
    return bank


async def all_ids(session: AsyncSession) -> list[UUID]:
    """Every bank there is."""
    return list(await session.exec(select(Bank.id)))


async def create(session: AsyncSession, bank: Bank, policy: Policy) -> Bank:
    """Open a bank with its first rules and its standing accounts."""
    session.add(bank)
    await session.flush()
    policy.bank_id = bank.id
    session.add(policy)
    await session.flush()
    await ledger.open_accounts(session, bank.id, chart.STANDING)
    await ledger.open_book(session, bank.id, day_at(bank, utc_now()))
    return bank


async def nearest(session: AsyncSession, here: Point, *, limit: int, skip: int = 0) -> list[Nearby]:
    """Banks, nearest first."""
    rows = await session.exec(select(Bank.id, Bank.lat, Bank.lon))
    ranked = sorted((metres_between(here, Point(lat, lon)), bank) for bank, lat, lon in rows)
    near = ranked[skip : skip + limit]
    ids = [bank_id for _, bank_id in near]
    banks = {b.id: b for b in await session.exec(select(Bank).where(col(Bank.id).in_(ids)))}
    policies = await policies_in_force(session, ids)
    return [
        Nearby(banks[bank_id], policies[bank_id], distance)
        for distance, bank_id in near
        if bank_id in policies
    ]


_newest = (
    select(Policy.bank_id, func.max(Policy.valid_from).label("begun"))
    .where(
        col(Policy.bank_id).in_(bindparam("banks", expanding=True)),
        col(Policy.valid_from) <= bindparam("at", type_=UTCDateTime()),
    )
    .group_by(col(Policy.bank_id))
    .subquery()
)
_is_newest = (col(Policy.bank_id) == _newest.c.bank_id) & (
    col(Policy.valid_from) == _newest.c.begun
)
_IN_FORCE = select(Policy).join(_newest, _is_newest)
_WITH_RULES = (
    select(Bank, Policy.id).join(Policy, col(Policy.bank_id) == Bank.id).join(_newest, _is_newest)
)


async def policies_in_force(
    session: AsyncSession, banks: Sequence[UUID], *, at: datetime | None = None
) -> dict[UUID, Policy]:
    """The rules of each bank at an instant, now if none is given."""
    asked = {"banks": list(banks), "at": at or utc_now()}
    found = await session.exec(_IN_FORCE, params=asked)
    return {policy.bank_id: policy for policy in found}


async def with_rules(session: AsyncSession, bank_ids: Sequence[UUID]) -> list[tuple[Bank, Policy]]:
    """These banks, each with its rules in force now; in one question where those are known."""
    asked = {"banks": list(bank_ids), "at": utc_now()}
    found = (await session.exec(_WITH_RULES, params=asked)).all()
    return [(bank, await policy_by_id(session, bank.id, policy_id)) for bank, policy_id in found]


async def policy_of(session: AsyncSession, bank_id: UUID) -> Policy:
    """The rules in force at a bank now. Raises NoSuchThing."""
    policies = await policies_in_force(session, [bank_id])
    if bank_id not in policies:
        raise NoSuchThing(thing="bank")
    return policies[bank_id]


async def policy_by_id(session: AsyncSession, bank_id: UUID, policy_id: UUID) -> Policy:
    """The rules that a pickup was listed under; they never change, so they are kept."""
    known = _policies.get((bank_id, policy_id))
    if known is None:
        query = select(Policy).where(Policy.bank_id == bank_id, Policy.id == policy_id)
        known = (await session.exec(query)).one()
        # It outlives this session, whose rollback would empty it.
        session.expunge(known)
        if len(_policies) >= _POLICIES_LIMIT:
            _policies.clear()
        _policies[bank_id, policy_id] = known
    return known


async def policies_of(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[Policy]:
    """The rules of a bank through time, the last to begin first."""
    query = (
        select(Policy)
        .where(Policy.bank_id == bank_id)
        .order_by(col(Policy.valid_from).desc())
        .limit(limit)
    )
    if before is not None:
        seen = select(Policy.valid_from).where(Policy.bank_id == bank_id, Policy.id == before)
        query = query.where(col(Policy.valid_from) < seen.scalar_subquery())
    return list(await session.exec(query))


async def change_rules(
    session: AsyncSession,
    bank_id: UUID,
    changes: Mapping[str, Any],
    *,
    valid_from: datetime,
    entered_by: UUID | None,
) -> Policy:
    """Rules that begin now or later: those in force by then, with these columns changed.

    Raises PastRules, RulesUnchanged, RulesExist or PartsTooLarge.
    """
    # Two changes at once would each carry the other's rule back.
    await one_at_a_time(session, f"rules of {bank_id}")
    now = utc_now()
    if valid_from < now - GRACE:
        raise PastRules(FieldProblem("/valid_from", PastRules.english, PastRules.indonesian))
    begins = max(valid_from, now)
    before = (await policies_in_force(session, [bank_id], at=begins))[bank_id]
    kept = before.model_dump(exclude={"id", "created_at"})
    if all(kept[name] == value for name, value in changes.items()):
        raise RulesUnchanged
    new = Policy(**(kept | dict(changes) | {"valid_from": begins, "entered_by": entered_by}))
    if new.residents_permille + new.collectors_permille > 1_000:
        raise PartsTooLarge
    session.add(new)
    try:
        await session.flush()
    except IntegrityError as error:
        raise RulesExist from error
    return new


def estimate_of(policy: Policy) -> Estimate:
    """How roads stretch straight lines at this bank."""
    return Estimate(policy.road_factor, policy.road_extra_m, policy.road_speed_kmh)


async def area_of(session: AsyncSession, bank: Bank, address: str) -> str:
    """The district that an address names, else the bank's: what may be said in public."""
    names = {d.code: d.name for d in await session.exec(select(District))}
    lowered = address.lower()
    named = [name for name in names.values() if name.lower() in lowered]
    return max(named, key=len) if named else names.get(bank.district_code or "", "")


def day_at(bank: Bank, instant: datetime) -> date:
    """Which day it is at the bank."""
    return instant.astimezone(ZoneInfo(bank.time_zone)).date()


def midnight_of(bank: Bank, day: date) -> datetime:
    """The instant at which a day begins at the bank."""
    return datetime.combine(day, time(), ZoneInfo(bank.time_zone)).astimezone(UTC)
