"""Who hears of a second weighing: the collector and the residents whose waste it was."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.station import Receiving
from service import events
from service.station.fetched import Fetched
from service.weighing.crediting import Credit


async def tell_confirmed(
    session: AsyncSession,
    receiving: Receiving,
    counted: Sequence[Fetched],
    bought: Mapping[UUID, int],
) -> None:
    """Residents whose rupiah waited, or who got some for goods, hear that they can be paid out."""
    for one in counted:
        waited = one.amount_idr if one.credit is Credit.PENDING else 0
        amount = waited or bought.get(one.pickup.id, 0)
        if amount:
            body = {"amount_idr": amount}
            await _tell_resident(session, receiving, "pickup_confirmed", one, body)


async def tell_disputed(
    session: AsyncSession, receiving: Receiving, door: Sequence[Fetched], station: Sequence[Fetched]
) -> None:
    """Both sides hear both weights; a resident those of their own pickup."""
    for then, now in zip(door, station, strict=True):
        body = {"door_grams": then.grams, "station_grams": now.grams}
        await _tell_resident(session, receiving, "pickup_disputed", then, body)
    sums = {
        "door_grams": sum(one.grams for one in door),
        "station_grams": sum(one.grams for one in station),
    }
    await _tell_collector(session, receiving, "load_disputed", sums)


async def tell_decided(
    session: AsyncSession, receiving: Receiving, counted: Sequence[Fetched]
) -> None:
    """Both sides hear which weight counts, and why."""
    why = {"decision": receiving.decision, "reason": receiving.reason}
    for one in counted:
        body = {**why, "grams": one.grams, "amount_idr": one.amount_idr}
        await _tell_resident(session, receiving, "pickup_dispute_decided", one, body)
    body = {**why, "grams": sum(one.grams for one in counted)}
    await _tell_collector(session, receiving, "load_dispute_decided", body)


async def _tell_resident(
    session: AsyncSession, receiving: Receiving, kind: str, one: Fetched, body: dict[str, Any]
) -> None:
    ids = {"pickup_id": str(one.pickup.id), "receiving_id": str(receiving.id)}
    await events.record(
        session, receiving.bank_id, kind, person_id=one.pickup.resident_id, body={**ids, **body}
    )


async def _tell_collector(
    session: AsyncSession, receiving: Receiving, kind: str, body: dict[str, Any]
) -> None:
    body = {"receiving_id": str(receiving.id), **body}
    await events.record(
        session, receiving.bank_id, kind, person_id=receiving.collector_id, body=body
    )
