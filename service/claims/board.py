"""The board: open pickups of a bank, nearest first, with the ageing rule."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Date, TextClause, Uuid, bindparam, text
from sqlalchemy.types import TypeEngine
from sqlmodel import UTCDateTime, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, Policy
from models.base import utc_now
from models.pickup import Pickup
from routing.geo import ABOUT_M, Point, about, metres_between, metres_inside
from routing.nearest import About, Ageing, Ranked, Row, Worth, best
from service import banks
from service.claims import points
from service.claims.looks import Looks
from service.database.inline_sqlite import InlineSQLite

AHEAD = timedelta(hours=12)
"""A job whose window begins later is of another shift; until then it is there for plans alone."""

_OPEN = """
   AND p.bank_id = :bank_id AND p.status = 'open' AND p.window_end > :now AND p.window_start < :soon
   AND NOT EXISTS (SELECT 1 FROM refusal r
                    WHERE r.bank_id = p.bank_id AND r.collector_id = :collector_id
                      AND r.refused_on = :today AND r.pickup_id = p.id)"""

# A search looks at hundreds of rows to keep ten, so they come as the driver has them.
_AGE_SQLITE = "(julianday(:now) - julianday(p.created_at)) * 86400.0"
_AGE_POSTGRESQL = "CAST(EXTRACT(EPOCH FROM :now - p.created_at) AS double precision)"

# To tell a row takes as long as to look at a few.
_FAR = "(p.lat - :lat) * (p.lat - :lat) + (p.lon - :lon) * (p.lon - :lon)"
_REACH = "(:near + :per_s * {most}({age}, 0))"
_EDGE = f"\n   AND {_FAR} <= :edge * :edge"
_WORTH = f"{_EDGE} AND {_FAR} <= {_REACH} * {_REACH}"
_WORTH_SQLITE = _WORTH.format(age=_AGE_SQLITE, most="max")
_WORTH_POSTGRESQL = _WORTH.format(age=_AGE_POSTGRESQL, most="greatest")

# Few ranges outside, an index inside: CROSS JOIN keeps SQLite from turning the loop round, and
# OFFSET 0 PostgreSQL from reading all open pickups of the bank where it expects many. Ordered by
# cell, or before a first ANALYZE it takes the index of ages, in which every open pickup is read.
_WITHIN_SQLITE = f"""
SELECT p.id, p.lat, p.lon, {_AGE_SQLITE}
  FROM (VALUES {{ranges}}) range CROSS JOIN pickup p
 WHERE p.cell BETWEEN range.column1 AND range.column2{{worth}}{_OPEN}"""  # noqa: S608  Only constants are put together.

_WITHIN_POSTGRESQL = f"""
SELECT found.* FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) range(first, last)
 CROSS JOIN LATERAL (
       SELECT p.id, p.lat, p.lon, {_AGE_POSTGRESQL} FROM pickup p
        WHERE p.cell BETWEEN range.first AND range.last{{worth}}{_OPEN}
        ORDER BY p.cell OFFSET 0) found"""  # noqa: S608

_ABOUT = f"""
SELECT p.id, p.lat, p.lon, {_AGE_POSTGRESQL} FROM pickup p
 WHERE TRUE{_OPEN} ORDER BY point(p.lon, p.lat) <-> point(:lon, :lat) LIMIT :count"""  # noqa: S608

_OLDEST = f"""
SELECT p.id, p.lat, p.lon, {{age}} FROM pickup p
 WHERE TRUE{_OPEN} ORDER BY p.created_at, p.id LIMIT :count"""  # noqa: S608


_TYPES: dict[str, TypeEngine[Any]] = {
    "bank_id": Uuid(),
    "collector_id": Uuid(),
    "now": UTCDateTime(),
    "soon": UTCDateTime(),
    "today": Date(),
}

_NARROWEST = 0.1
_SPARE = 20
Id = str | UUID
"""The id of a pickup as the driver has it."""


@dataclass(frozen=True, slots=True)
class Job:
    """An open pickup on the board, with why it is where it is.

    All figures are of the place that may be told before a claim, not of the house.
    """

    pickup: Pickup
    policy: Policy
    place: Point
    distance_m: float
    waiting_s: int
    score: float
    collector_fee_idr: int


_looks = Looks()


@dataclass(frozen=True, slots=True)
class Board:
    """One bank's open pickups for one collector at one instant."""

    session: AsyncSession
    bank: Bank
    policy: Policy
    collector_id: UUID
    now: datetime

    async def within(self, ranges: list[tuple[int, int]], worth: Worth | None) -> Sequence[Row[Id]]:
        reach = worth._asdict() if worth else {}
        if not await self.is_sqlite():
            sql = _WITHIN_POSTGRESQL.format(worth=_condition(worth, _WORTH_POSTGRESQL))
            firsts, lasts = map(list, zip(*ranges, strict=True))
            return await self._ask(sql, firsts=firsts, lasts=lasts, **reach)
        places = ",".join(f"(:a{number},:b{number})" for number in range(len(ranges)))
        sql = _WITHIN_SQLITE.format(ranges=places, worth=_condition(worth, _WORTH_SQLITE))
        bounds = {f"a{number}": first for number, (first, _) in enumerate(ranges)}
        bounds |= {f"b{number}": last for number, (_, last) in enumerate(ranges)}
        return await self._ask(sql, **bounds, **reach)

    async def about(self, here: Point, count: int) -> About[Id]:
        if not await points.has_index(self.session):
            return None
        # A degree of longitude is shorter than one of latitude, so more are in the circle.
        asked = math.ceil(count / max(_NARROWEST, math.cos(math.radians(here.lat))))
        rows = await self._ask(_ABOUT, lat=here.lat, lon=here.lon, count=asked)
        if len(rows) < asked:
            return rows, math.inf
        *_, (_, lat, lon, _) = rows
        return rows, metres_inside(here, math.hypot(lat - here.lat, lon - here.lon))

    async def oldest(self, count: int) -> Sequence[Row[Id]]:
        age = _AGE_SQLITE if await self.is_sqlite() else _AGE_POSTGRESQL
        return await self._ask(_OLDEST.format(age=age), count=count)

    async def is_sqlite(self) -> bool:
        return (await self.session.connection()).dialect.name == "sqlite"

    async def best(self, here: Point, *, k: int, within_m: float) -> list[Ranked[UUID]]:
        """The k best open pickups for somebody who is here."""
        ageing = ageing_of(self.policy)
        first_m = _looks.first_m(self.bank.id, k, here)
        found = await best(
            self, here, k=k, within_m=within_m, ageing=ageing, first_radius_m=first_m
        )
        _looks.learn(self.bank.id, k, here, found.next_m)
        return [
            Ranked(_uuid(one.key), one.point, one.distance_m, one.age_s, one.score)
            for one in found.ranked
        ]

    async def _ask(self, sql: str, **bound: object) -> Sequence[Row[Id]]:
        connection = await self.session.connection()
        today: date = banks.day_at(self.bank, self.now)
        bound |= {
            "bank_id": self.bank.id,
            "collector_id": self.collector_id,
            "today": today,
            "now": self.now,
            "soon": self.now + AHEAD,
        }
        if await self.is_sqlite():
            # Past the compiler, as a statement with so many values takes it longer than SQLite.
            found = await connection.exec_driver_sql(sql, _as_kept(bound))
        else:
            found = await connection.execute(_typed(sql), bound)
        rows: Sequence[Any] = found.all()
        return rows


def ageing_of(policy: Policy) -> Ageing:
    """How waiting counts at a bank; a tau of 0 is pure nearest-first."""
    return Ageing(policy.age_floor_m, policy.age_tau_s or math.inf)


def _condition(worth: Worth | None, with_ages: str) -> str:
    if worth is None:
        return ""
    return with_ages if worth.per_s else _EDGE


def _uuid(key: Id) -> UUID:
    return key if isinstance(key, UUID) else UUID(hex=key)


@cache
def _typed(sql: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))


def _as_kept(bound: dict[str, Any]) -> dict[str, Any]:
    """The values as SQLite's driver takes them."""
    return bound | {name: keep(bound[name]) for name, keep in _keepers()}


@cache
def _keepers() -> list[tuple[str, Callable[[Any], Any]]]:
    dialect = InlineSQLite()
    impls = ((name, kind.dialect_impl(dialect)) for name, kind in _TYPES.items())
    return [(name, keep) for name, impl in impls if (keep := impl.bind_processor(dialect))]


async def boards(
    session: AsyncSession, bank_ids: Sequence[UUID], collector_id: UUID
) -> list[Board]:
    """The boards of these banks."""
    found = await banks.with_rules(session, bank_ids)
    now = utc_now()
    return [Board(session, bank, policy, collector_id, now) for bank, policy in found]


async def nearest(
    session: AsyncSession,
    bank_ids: Sequence[UUID],
    collector_id: UUID,
    here: Point,
    *,
    limit: int,
    within_m: float | None,
) -> list[Job]:
    """Open pickups of these banks for one collector, best first, by the places that are told.

    A few more are looked at than are wanted: by those places they may stand otherwise.
    """
    jobs: list[Job] = []
    for board in await boards(session, bank_ids, collector_id):
        reach_m = min(
            math.inf if within_m is None else within_m, 2.0 * board.policy.service_radius_m
        )
        ranked = await board.best(here, k=limit + _SPARE, within_m=reach_m + ABOUT_M)
        found = await _jobs(session, board, ranked, here)
        jobs += [job for job in found if job.distance_m <= reach_m]
    jobs.sort(key=lambda job: (job.score, job.distance_m, job.pickup.id))
    return jobs[:limit]


async def _jobs(
    session: AsyncSession, board: Board, ranked: Sequence[Ranked[UUID]], here: Point
) -> list[Job]:
    query = select(Pickup).where(
        Pickup.bank_id == board.bank.id, col(Pickup.id).in_([job.key for job in ranked])
    )
    pickups = {pickup.id: pickup for pickup in await session.exec(query)}
    return [_job(board, job, pickups[job.key], here) for job in ranked if job.key in pickups]


def _job(board: Board, ranked: Ranked[UUID], pickup: Pickup, here: Point) -> Job:
    """A job with the fee as far as it is known: for the estimate, by the straight line."""
    place = about(ranked.point)
    distance_m = metres_between(here, place)
    return Job(
        pickup=pickup,
        policy=board.policy,
        place=place,
        distance_m=distance_m,
        waiting_s=max(0, int(ranked.age_s)),
        score=ageing_of(board.policy).score(distance_m, ranked.age_s),
        collector_fee_idr=board.policy.collector_fee_idr(pickup.estimated_grams, round(distance_m)),
    )
