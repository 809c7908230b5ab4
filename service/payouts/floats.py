"""A bank's money at its gateways: topped up, run dry, and the queue that waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.payout import UNDER_WAY, FeeBy, GatewayFloat, Payout, PayoutStatus
from models.people import Role
from service import events, ledger, members
from service.errors import Conflict, NotFound
from service.ledger import Draft, Movement, Place, chart

NOTED_FOR = timedelta(hours=1)
"""A balance that stays the same is noted anew after so long."""
_KEYS = ("bank_id", "gateway")


class NoSuchGateway(NotFound):
    english = "This waste bank has no gateway of this name."
    indonesian = "Bank sampah ini tidak memiliki gerbang bayar dengan nama ini."


class QueueNotStopped(Conflict):
    english = "This gateway's queue isn't stopped."
    indonesian = "Antrean gerbang bayar ini tidak sedang berhenti."


@dataclass(frozen=True, slots=True)
class FloatView:
    """A bank's float at one gateway."""

    gateway: str
    ledger_idr: int
    """What our book says."""
    under_way_idr: int
    """Sent or about to be, fees included, and not yet settled."""
    gateway_idr: int | None
    """What the gateway said, and when; while it says the same, to the hour."""
    gateway_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str


async def floats_of(
    session: AsyncSession, bank_id: UUID, gateways: Sequence[str]
) -> list[FloatView]:
    """The bank's float at each of these gateways."""
    places = [chart.float(name) for name in gateways]
    booked = await ledger.balances(session, bank_id, places)
    query = select(GatewayFloat).where(GatewayFloat.bank_id == bank_id)
    known = {row.gateway: row for row in await session.exec(query)}
    under_way = await _under_way(session, bank_id)
    return [
        _view(name, known.get(name), booked.get(place, 0), under_way.get(name, 0))
        for name, place in zip(gateways, places, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money on its way from a place of the bank to a gateway."""

    gateway: str
    source: Place
    amount_idr: int
    memo: str
    entered_by: UUID


async def left_of(session: AsyncSession, payout: Payout) -> int:
    """What a bank's own float holds beyond all that is under way, this payout included."""
    place = chart.float(payout.gateway)
    booked = (await ledger.balances(session, payout.bank_id, [place])).get(place, 0)
    return booked - (await _under_way(session, payout.bank_id)).get(payout.gateway, 0)


async def top_up(session: AsyncSession, bank_id: UUID, entered: TopUp) -> UUID:
    """The float grows, and a queue that stood still goes on; the id of the top-up."""
    top_up_id = new_id()
    place = chart.float(entered.gateway)
    move = Movement(f"top_up:{top_up_id}", place, entered.source, entered.amount_idr)
    draft = Draft(
        "float_top_up",
        [move],
        event_at=utc_now(),
        about_id=top_up_id,
        actor_id=entered.entered_by,
        memo=entered.memo or entered.gateway,
    )
    await ledger.post(session, bank_id, draft)
    await _go_on(session, bank_id, entered.gateway, entered.entered_by)
    return top_up_id


async def resume(session: AsyncSession, bank_id: UUID, gateway: str, *, by: UUID) -> None:
    """Let the queue go on. Raises QueueNotStopped."""
    if not await _go_on(session, bank_id, gateway, by):
        raise QueueNotStopped


async def stop(session: AsyncSession, bank_id: UUID, gateway: str, why: str) -> None:
    """Send nothing more through a gateway for this bank, and tell its treasurers, once."""
    await _see_row(session, bank_id, gateway)
    stopped = await session.exec(
        update(GatewayFloat)
        .where(
            col(GatewayFloat.bank_id) == bank_id,
            col(GatewayFloat.gateway) == gateway,
            col(GatewayFloat.stopped_at).is_(None),
        )
        .values(stopped_at=utc_now(), stopped_why=why)
        .returning(col(GatewayFloat.gateway))
        .execution_options(synchronize_session=False)
    )
    if stopped.first() is not None:
        body = {"gateway": gateway, "why": why}
        for treasurer in await members.holders_of(session, bank_id, Role.TREASURER):
            await events.record(session, bank_id, "float_empty", person_id=treasurer, body=body)


async def note(session: AsyncSession, bank_id: UUID, gateway: str, balance_idr: int) -> None:
    """Write down what the gateway says it holds."""
    told = {"balance_idr": balance_idr, "balance_at": utc_now()}
    connection = await session.connection()
    row = _row(connection, bank_id, gateway, **told)
    await connection.execute(row.on_conflict_do_update(index_elements=_KEYS, set_=told))


async def is_noted(session: AsyncSession, bank_id: UUID, gateway: str, balance_idr: int) -> bool:
    """Whether this balance stands there already, noted not long ago."""
    query = select(GatewayFloat.gateway).where(
        GatewayFloat.bank_id == bank_id,
        GatewayFloat.gateway == gateway,
        GatewayFloat.balance_idr == balance_idr,
        col(GatewayFloat.balance_at) > utc_now() - NOTED_FOR,
    )
    return (await session.exec(query)).first() is not None


async def _see_row(session: AsyncSession, bank_id: UUID, gateway: str) -> None:
    """See that there is a row for this float; of two at once one makes it."""
    connection = await session.connection()
    row = _row(connection, bank_id, gateway)
    await connection.execute(row.on_conflict_do_nothing(index_elements=_KEYS))


def _row(
    connection: AsyncConnection, bank_id: UUID, gateway: str, **told: Any
) -> SqliteInsert | PostgresqlInsert:
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    return insert(GatewayFloat).values(bank_id=bank_id, gateway=gateway, stopped_why="", **told)


async def _go_on(session: AsyncSession, bank_id: UUID, gateway: str, by: UUID) -> bool:
    now = utc_now()
    went_on = await session.exec(
        update(GatewayFloat)
        .where(
            col(GatewayFloat.bank_id) == bank_id,
            col(GatewayFloat.gateway) == gateway,
            col(GatewayFloat.stopped_at).is_not(None),
        )
        .values(stopped_at=None, stopped_why="", resumed_at=now, resumed_by=by)
        .returning(col(GatewayFloat.gateway))
        .execution_options(synchronize_session=False)
    )
    if went_on.first() is None:
        return False
    # What was certainly not taken yet needn't wait for its next turn.
    await session.exec(
        update(Payout)
        .where(
            col(Payout.bank_id) == bank_id,
            col(Payout.gateway) == gateway,
            col(Payout.status) == PayoutStatus.SENDING,
            col(Payout.asked_at).is_(None),
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    return True


async def _under_way(session: AsyncSession, bank_id: UUID) -> dict[str, int]:
    # Whoever bears the fee: the amount, and the fee on top if it isn't in it.
    out = func.sum(Payout.amount_idr)
    fees = func.sum(Payout.fee_idr).filter(col(Payout.fee_by) == FeeBy.BANK)
    query = (
        select(Payout.gateway, out, func.coalesce(fees, 0))
        .where(Payout.bank_id == bank_id, col(Payout.status).in_(UNDER_WAY))
        .group_by(col(Payout.gateway))
    )
    return {gateway: int(amount) + int(fee) for gateway, amount, fee in await session.exec(query)}


def _view(gateway: str, known: GatewayFloat | None, booked: int, under_way: int) -> FloatView:
    return FloatView(
        gateway,
        booked,
        under_way,
        known.balance_idr if known else None,
        known.balance_at if known else None,
        known.stopped_at if known else None,
        known.stopped_why if known else "",
    )
