"""Where people were is rounded to about a kilometre, and their address removed, in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models.base import id_at, utc_now
from models.personal import COLUMNS, Fate
from models.pickup import ENDED, Pickup, Route
from models.plan import Plan
from routing.geo import Point, cell_of, rounded
from service.database import Database

Made = TypeVar("Made", Route, Plan)
BATCH = 200
_WITHOUT = {name: "" for name, fate in COLUMNS["pickup"].items() if fate is Fate.ERASED} | {
    "closest_m": None,
    "arrived_off_m": None,
}


async def forget_old(database: Database, bank_ids: Sequence[UUID], before: datetime) -> int:
    """Forget where people were before an instant, a batch of each kind; how many places."""
    async with database.reading() as session:
        if not await _old(session, bank_ids, before, limit=1):
            return 0
    async with database.transaction() as session:
        old = await _old(session, bank_ids, before, limit=BATCH)
        for one in old:
            await _forget(session, one)
        return len(old)


async def forget_of(session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID]) -> None:
    """Forget where one person lives and was, in plans as well."""
    pickups = select(Pickup).where(
        col(Pickup.bank_id).in_(bank_ids),
        Pickup.resident_id == person_id,
        col(Pickup.place_forgotten_at).is_(None),
    )
    routes = select(Route).where(
        col(Route.bank_id).in_(bank_ids),
        Route.collector_id == person_id,
        col(Route.place_forgotten_at).is_(None),
    )
    mine = list(await session.exec(pickups))
    for one in (*mine, *await session.exec(routes)):
        await _forget(session, one)
    theirs = {str(person_id), *(str(pickup.id) for pickup in mine)}
    plans = select(Plan).where(
        col(Plan.bank_id).in_(bank_ids), col(Plan.place_forgotten_at).is_(None)
    )
    for plan in list(await session.exec(plans)):
        await _change(session, plan, {"asked": _rounded_in(plan.asked, theirs)})


async def _old(
    session: AsyncSession, bank_ids: Sequence[UUID], before: datetime, *, limit: int
) -> list[Pickup | Route | Plan]:
    pickups = (
        select(Pickup)
        .where(
            col(Pickup.bank_id).in_(bank_ids),
            col(Pickup.status).in_(ENDED),
            col(Pickup.place_forgotten_at).is_(None),
            Pickup.created_at < before,
            func.coalesce(Pickup.collected_at, Pickup.window_end) < before,
        )
        .limit(limit)
    )
    routes, plans = _made_before(Route, bank_ids, before), _made_before(Plan, bank_ids, before)
    return [
        *(await session.exec(pickups)),
        *(await session.exec(routes.limit(limit))),
        *(await session.exec(plans.limit(limit))),
    ]


def _made_before(
    table: type[Made], bank_ids: Sequence[UUID], before: datetime
) -> SelectOfScalar[Made]:
    return select(table).where(
        col(table.bank_id).in_(bank_ids),
        col(table.place_forgotten_at).is_(None),
        col(table.id) < id_at(before),
    )


async def _forget(session: AsyncSession, one: Pickup | Route | Plan) -> None:
    now = {"place_forgotten_at": utc_now()}
    if isinstance(one, Plan):
        await _change(session, one, now | {"asked": _rounded_in(one.asked, None)})
        return
    place = rounded(Point(one.lat, one.lon))
    values: dict[str, Any] = now | {"lat": place.lat, "lon": place.lon}
    if isinstance(one, Pickup):
        values |= _WITHOUT | {"cell": cell_of(place)}
    await _change(session, one, values)


async def _change(
    session: AsyncSession, one: Pickup | Route | Plan, values: dict[str, Any]
) -> None:
    table = type(one)
    await session.exec(
        update(table)
        .where(col(table.bank_id) == one.bank_id, col(table.id) == one.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _rounded_in(asked: dict[str, Any], whose: set[str] | None) -> dict[str, Any]:
    """What a plan was asked with stops and starts rounded: of these, or of all."""

    def one(thing: dict[str, Any]) -> dict[str, Any]:
        who = {thing.get("pickup_id"), thing.get("collector_id")}
        if whose is not None and not who & whose:
            return thing
        place = rounded(Point(thing["lat"], thing["lon"]))
        return thing | {"lat": place.lat, "lon": place.lon}

    return asked | {name: [one(thing) for thing in asked[name]] for name in ("vehicles", "stops")}
