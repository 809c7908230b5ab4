"""What gateways tell by themselves: verified, kept raw, once, and only then believed a little."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import new_id, utc_now
from models.payout import Cause, GatewayCallback, Payout
from service.database import Database
from service.errors import NotFound, NotSignedIn
from service.gateways import Gateway, Gateways, NotGenuine, Notice, NotReadable, Stage
from service.payouts import arriving, settling
from service.payouts.settling import Effect, Origin
from service.payouts.together import Lanes

log = logging.getLogger(__name__)

KEPT_HEADERS = ("webhook-id", "content-type")
"""Those that name a callback; a shared token is checked, and never kept."""
MOST_TRIES = 9
FIRST_PAUSE = timedelta(seconds=30)
KEPT_FOR = timedelta(days=90)
FAILED, GATEWAY_MISSING = "failed", "gateway_missing"
# Its payout may only be about to learn what the gateway calls it.
WAITING = (FAILED, GATEWAY_MISSING, Effect.NO_PAYOUT)
"""What is tried again."""
_ONCE = ("gateway", "digest")
_OF_GATEWAY = (
    select(Payout)
    .where(col(Payout.bank_id).in_(select(Bank.id)), col(Payout.gateway) == bindparam("gateway"))
    .with_for_update()
)
_BY_KEY = _OF_GATEWAY.where(
    col(Payout.id) == bindparam("payout_id"), col(Payout.key) == bindparam("key")
)
_BY_GATEWAY_ID = _OF_GATEWAY.where(col(Payout.gateway_id) == bindparam("gateway_id"))
_KEEP = {
    "sqlite": sqlite_insert(GatewayCallback).on_conflict_do_nothing(index_elements=_ONCE),
    "postgresql": postgresql_insert(GatewayCallback).on_conflict_do_nothing(index_elements=_ONCE),
}


class GatewayUnknown(NotFound):
    english = "There is no gateway of this name."
    indonesian = "Tidak ada gerbang bayar dengan nama ini."


class CallbackNotGenuine(NotSignedIn):
    english = "The token or signature of this callback is wrong."
    indonesian = "Token atau tanda tangan panggilan balik ini salah."


class Call(NamedTuple):
    """A callback as it came, verified, and what it says, if that can be read."""

    headers: Mapping[str, str]
    body: bytes
    notice: Notice | None


async def receive(
    database: Database,
    gateways: Gateways,
    lanes: Lanes[Call],
    name: str,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Keep a callback and do what it says; the same one again does nothing.

    If doing fails, it is kept all the same, and the worker tries again. Raises
    GatewayUnknown or CallbackNotGenuine.
    """
    gateway = gateways.named(name)
    if gateway is None:
        raise GatewayUnknown
    call = Call(headers, body, _read(gateway, headers, body))
    if _tells_of_an_arrival(call.notice):
        take = partial(_take_arrivals, database, gateways, name)
        if await lanes.ask(name, call, take):
            return
    await _receive_alone(database, gateways, name, call)


def _tells_of_an_arrival(notice: Notice | None) -> bool:
    return notice is not None and notice.report.stage == Stage.PAID


async def _take_arrivals(
    database: Database, gateways: Gateways, name: str, calls: Sequence[Call]
) -> list[bool]:
    """Pay where nothing but an arrival is left to note; which of the callbacks told of one.

    The others need a closer look, each by itself.
    """
    notices = [call.notice for call in calls if call.notice]
    async with database.transaction() as session:
        payouts = await arriving.expected(session, gateways, name, notices)
        told = [(call, Effect.MOVED) for call, payout in zip(calls, payouts, strict=True) if payout]
        if told:
            await arriving.pay(session, filter(None, payouts), Cause.CALLBACK)
            await _keep(session, name, told)
    return [payout is not None for payout in payouts]


async def _receive_alone(database: Database, gateways: Gateways, name: str, call: Call) -> None:
    try:
        async with database.transaction() as session:
            outcome = await _apply(session, gateways, name, call.notice)
            await _keep(session, name, [(call, outcome)])
    except Exception:
        log.exception("callback_failed %s", name)
        async with database.transaction() as session:
            await _keep(session, name, [(call, FAILED)])


async def handle_waiting(database: Database, gateways: Gateways, *, limit: int = 50) -> int:
    """Try those again that could not be handled when they came; how many."""
    query = (
        select(GatewayCallback)
        .where(col(GatewayCallback.handled_at).is_(None), GatewayCallback.due_at <= utc_now())
        .order_by(col(GatewayCallback.due_at))
        .limit(limit)
    )
    async with database.reading() as session:
        waiting = list(await session.exec(query))
    for one in waiting:
        await _handle(database, gateways, one)
    return len(waiting)


async def forget_old(session: AsyncSession) -> None:
    """Delete what was handled long ago: it names people and their accounts."""
    old = delete(GatewayCallback).where(
        col(GatewayCallback.handled_at).is_not(None),
        col(GatewayCallback.received_at) < utc_now() - KEPT_FOR,
    )
    await session.exec(old)


def _read(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> Notice | None:
    """What a callback says; None if it is genuine, but in no shape that is documented."""
    try:
        return gateway.read_callback(headers, body)
    except NotGenuine:
        raise CallbackNotGenuine from None
    except NotReadable:
        log.warning("callback_not_readable %s", gateway.name)
        return None


async def _keep(session: AsyncSession, name: str, told: Iterable[tuple[Call, str]]) -> None:
    """Write them down with what became of each, unless they are there already."""
    connection = await session.connection()
    rows = [_row(name, call, outcome) for call, outcome in told]
    await connection.execute(_KEEP[connection.dialect.name], rows)


def _row(name: str, call: Call, outcome: str) -> dict[str, object]:
    now = utc_now()
    return {
        "id": new_id(),
        "gateway": name,
        "digest": hashlib.sha256(call.body).hexdigest(),
        "body": call.body.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        "headers": json.dumps(
            {key: call.headers[key] for key in KEPT_HEADERS if key in call.headers}
        ),
        "received_at": now,
        "due_at": now + FIRST_PAUSE,
        "tries": 1,
        "handled_at": None if outcome in WAITING else now,
        "outcome": outcome,
    }


async def _handle(database: Database, gateways: Gateways, kept: GatewayCallback) -> None:
    try:
        async with database.transaction() as session:
            await _note(session, kept, await _apply_again(session, gateways, kept))
    except Exception:
        log.exception("callback_failed %s", kept.id)
        async with database.transaction() as session:
            await _note(session, kept, FAILED)


async def _apply_again(session: AsyncSession, gateways: Gateways, kept: GatewayCallback) -> str:
    gateway = gateways.named(kept.gateway)
    if gateway is None:
        return GATEWAY_MISSING
    return await _apply(session, gateways, kept.gateway, _read_kept(gateway, kept))


async def _apply(
    session: AsyncSession, gateways: Gateways, name: str, notice: Notice | None
) -> str:
    if notice is None:
        return "not_readable"
    payout = await _payout_of(session, name, notice)
    if payout is None or all(one.name != name for one in gateways.of(payout.bank_id)):
        return Effect.NO_PAYOUT
    if notice.amount_idr not in (None, payout.send_idr):
        await _ask_soon(session, payout)
        return "amount_differs"
    return await settling.apply_to(session, payout, notice.report, Origin(Cause.CALLBACK))


async def _payout_of(session: AsyncSession, name: str, notice: Notice) -> Payout | None:
    """The payout that it tells of, in whichever bank; locked."""
    payout_id = arriving.id_in(notice.key)
    if payout_id is not None:
        told = {"gateway": name, "payout_id": payout_id, "key": notice.key}
        return (await session.exec(_BY_KEY, params=told)).first()
    if notice.key or not notice.gateway_id:
        return None
    told = {"gateway": name, "gateway_id": notice.gateway_id}
    return (await session.exec(_BY_GATEWAY_ID, params=told)).first()


async def _ask_soon(session: AsyncSession, payout: Payout) -> None:
    """What contradicts is asked about, and not believed."""
    await session.exec(
        update(Payout)
        .where(
            col(Payout.bank_id) == payout.bank_id,
            col(Payout.id) == payout.id,
            col(Payout.due_at).is_not(None),
        )
        .values(due_at=utc_now())
        .execution_options(synchronize_session=False)
    )


async def _note(session: AsyncSession, kept: GatewayCallback, outcome: str) -> None:
    now = utc_now()
    waits = outcome in WAITING and kept.tries < MOST_TRIES
    await session.exec(
        update(GatewayCallback)
        .where(col(GatewayCallback.id) == kept.id)
        .values(
            outcome=outcome,
            tries=kept.tries + 1,
            handled_at=None if waits else now,
            due_at=now + FIRST_PAUSE * 2**kept.tries,
        )
        .execution_options(synchronize_session=False)
    )


def _read_kept(gateway: Gateway, kept: GatewayCallback) -> Notice | None:
    """What a callback says that was verified when it came."""
    try:
        return gateway.read_notice(kept.body.encode())
    except NotReadable:
        return None
