"""Settling: what counts is posted, kept as lots where it waits for a buyer, and noted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of
from models.pickup import Pickup
from models.station import Receiving
from service import ledger, lots
from service.ledger import Draft, Movement
from service.lots import NewLot
from service.station.arithmetic import Compared, custody
from service.station.fetched import Fetched
from service.station.goods import Goods, goods_of, within, without_missing
from service.station.moves import buying, crediting, paying, unloading, writing_off
from service.weighing.crediting import Credit

Both = tuple[Sequence[Fetched], Sequence[Fetched]]
"""Pickups as weighed at the doors, and as the station's grams make them."""
Bought = Mapping[UUID, int]
"""Rupiah for what the bank bought of a pickup's goods, by pickup."""

_pickup = table_of(Pickup)
_SET_CREDITED = (
    update(_pickup)
    .where(_pickup.c.bank_id == bindparam("of_bank"), _pickup.c.id == bindparam("of_pickup"))
    .values(credited_idr=bindparam("total"))
)


class Act(NamedTuple):
    """What settles it, who did that, when, and why."""

    kind: str
    by: UUID
    at: datetime
    reason: str = ""


async def unload(
    session: AsyncSession, receiving: Receiving, act: Act, compared: Sequence[Compared], both: Both
) -> None:
    """Move a disputed load into the store; what is missing stays on the vehicle.

    Residents' goods are theirs from now on, as far as both scales agree.
    """
    await _keep_lots(session, receiving, goods_of(_in_common(both), _nothing(both)))
    moves = unloading(_key(receiving), receiving.collector_id, custody(compared))
    await _post(session, receiving, [_draft(act, receiving.id, moves)])


async def settle(
    session: AsyncSession,
    receiving: Receiving,
    act: Act,
    compared: Sequence[Compared],
    both: Both,
) -> Bought:
    """Let the doors' grams count: residents get what they were promised.

    What is missing is the bank's, which buys it where it was to be a resident's goods. Unloads
    too, unless that was done when a dispute began.
    """
    is_new = act.kind == "receiving"
    key, collector_id, heaps = _key(receiving), receiving.collector_id, custody(compared)
    moves = unloading(key, collector_id, heaps) if is_new else []
    moves += writing_off(key, collector_id, heaps)
    before = _nothing(both) if is_new else _in_common(both)
    goods = without_missing(goods_of(both[0], before), both[0], compared)
    if not is_new:
        goods = await _in_store(session, receiving, goods)
    await _keep_lots(session, receiving, goods)
    drafts = _confirming(receiving, act, both[0], _buying(receiving, goods))
    await _post(session, receiving, [_draft(act, receiving.id, moves), *drafts])
    return {one.pickup_id: one.bought_idr for one in goods}


async def settle_changed(
    session: AsyncSession,
    receiving: Receiving,
    act: Act,
    compared: Sequence[Compared],
    both: Both,
) -> None:
    """Let the station's grams count: `both` are the pickups as at the doors, and as they count.

    Goods that counted for nobody until now may have been sold: those the bank buys. Raises
    BalanceTooLow if somebody has spent what they would have to give back.

    It is about rupiah and whose goods they are. Grams stay where the scales saw them: out of
    the household at the door, and between the scales what the station did not find.
    """
    key, collector_id = _key(receiving), receiving.collector_id
    goods = await _in_store(session, receiving, goods_of(both[1], _in_common(both)))
    await _keep_lots(session, receiving, goods)
    bought = _buying(receiving, goods)
    drafts = [_draft(act, receiving.id, writing_off(key, collector_id, custody(compared)))]
    for door, counted in zip(*both, strict=True):
        own = f"{key}:{door.pickup.id}"
        moves = crediting(own, door, counted) + bought.get(door.pickup.id, [])
        moves += paying(own, collector_id, door, counted)
        drafts.append(_draft(act, door.pickup.id, moves))
    await _post(session, receiving, drafts)
    await _note_credits(session, receiving, both[1])


def _in_common(both: Both) -> list[Fetched]:
    return [door.in_common(counted) for door, counted in zip(*both, strict=True)]


def _nothing(both: Both) -> list[Fetched]:
    return [replace(one, lines=[]) for one in both[0]]


async def _in_store(
    session: AsyncSession, receiving: Receiving, goods: Sequence[Goods]
) -> list[Goods]:
    """What was in the store when the dispute began may have left it as the bank's own."""
    materials = {line.what.material for one in goods for line in one.kept.lines}
    room = await lots.room(session, receiving.bank_id, materials)
    return within(goods, room.own)


def _key(receiving: Receiving) -> str:
    return f"receiving:{receiving.id}"


def _draft(act: Act, about_id: UUID, moves: Sequence[Movement]) -> Draft:
    return Draft(act.kind, moves, act.at, about_id=about_id, actor_id=act.by, memo=act.reason)


def _confirming(
    receiving: Receiving,
    act: Act,
    door: Sequence[Fetched],
    bought: Mapping[UUID, Sequence[Movement]],
) -> list[Draft]:
    """Each pickup as it was weighed at the door, with what is bought of it."""
    drafts = []
    for one in door:
        confirmed = crediting(f"{_key(receiving)}:{one.pickup.id}", one, one)
        moves = [*confirmed, *bought.get(one.pickup.id, ())]
        drafts.append(_draft(act, one.pickup.id, moves))
    return drafts


def _buying(receiving: Receiving, goods: Sequence[Goods]) -> dict[UUID, list[Movement]]:
    """What is bought of each pickup's goods."""
    return {one.pickup_id: buying(f"{_key(receiving)}:{one.pickup_id}", one) for one in goods}


async def _post(session: AsyncSession, receiving: Receiving, drafts: Sequence[Draft]) -> None:
    moving = [draft for draft in drafts if draft.movements]
    if moving:
        await ledger.post_all(session, receiving.bank_id, moving)


async def _keep_lots(session: AsyncSession, receiving: Receiving, goods: Sequence[Goods]) -> None:
    rows = [
        NewLot(
            resident_id=one.pickup.resident_id,
            collector_id=receiving.collector_id,
            pickup_id=one.pickup.id,
            dropoff_id=None,
            material=line.what.material,
            condition=line.what.condition,
            grams=line.grams,
            price_idr=line.price_idr,
            grams_per_unit=line.grams_per_unit,
            weighed_at=one.pickup.collected_at or receiving.created_at,
        )
        for one in (each.kept for each in goods)
        for line in one.lines
    ]
    await lots.keep(session, receiving.bank_id, rows)


async def _note_credits(
    session: AsyncSession, receiving: Receiving, counted: Sequence[Fetched]
) -> None:
    rows = [
        {"of_bank": receiving.bank_id, "of_pickup": one.pickup.id, "total": one.amount_idr}
        for one in counted
        if one.credit is not Credit.GOODS
    ]
    if rows:
        await (await session.connection()).execute(_SET_CREDITED, rows)
