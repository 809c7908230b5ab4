"""Two at once at the station: one unloads, one decides."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Role
from models.pickup import Pickup
from models.station import Decision, Receiving
from service import sales, station
from service.database import Database
from service.keys import Keys
from service.ledger import chart
from service.sales import GoodsOfResidents, Residue
from service.station import (
    DisputeAlreadyDecided,
    LoadAlreadyReceived,
    OnScale,
    Unloaded,
    What,
)
from tests.factories import PET, Town, another, make_town
from tests.races import Act, slower_of
from tests.storing import has_own
from tests.unloading import DOOR, SHARED, STATION, fetch, is_sound, standing, there, weighed


def unloading(town: Town, *pickups: Pickup, grams: int | None = None) -> Act:
    """Receive these pickups, or all there are."""
    scale = None if grams is None else [OnScale(What(PET, "clean"), grams)]
    ids = [pickup.id for pickup in pickups] or None
    unloaded = Unloaded(town.collector.id, ids, scale)
    return lambda session: station.receive(session, town.bank_id, unloaded, by=town.operator.id)


def deciding(town: Town, receiving: Receiving, decision: Decision) -> Act:
    async def decide(session: AsyncSession) -> None:
        query = select(Receiving).where(
            Receiving.bank_id == town.bank_id, Receiving.id == receiving.id
        )
        found = (await session.exec(query)).one()
        by = town.treasurer.id
        await station.decide(session, found, by=by, decision=decision, reason="dilihat")

    return decide


async def the_receiving(town: Town) -> Receiving:
    async with town.database.reading() as session:
        query = select(Receiving).where(Receiving.bank_id == town.bank_id)
        return (await session.exec(query)).one()


@pytest.mark.parametrize("is_named", [True, False])
async def test_one_of_two_receives_a_load(database: Database, keys: Keys, is_named: bool) -> None:
    town = await make_town(database, **STATION)
    pickup = await fetch(town, keys, weighed(5_000))
    wanted = [pickup] if is_named else []
    refusal = await slower_of(town, unloading(town, *wanted), unloading(town, *wanted, grams=4_900))
    assert isinstance(refusal, LoadAlreadyReceived)
    assert not (await the_receiving(town)).weighed
    assert await there(town, chart.stock(PET)) == [5_000]
    assert await standing(town) == (5 * 2_474, 0)


async def test_of_two_loads_that_overlap_the_slower_changes_nothing(town: Town, keys: Keys) -> None:
    first, second, third = [await fetch(town, keys, weighed(5_000)) for _ in range(3)]
    refusal = await slower_of(town, unloading(town, second, first), unloading(town, third, second))
    assert isinstance(refusal, LoadAlreadyReceived)
    assert [field.pointer for field in refusal.fields] == ["/pickup_ids/1"]
    load = chart.load(town.collector.id, PET)
    assert await there(town, chart.stock(PET), load) == [10_000, 5_000]


@pytest.mark.parametrize("terms", [DOOR, STATION, SHARED], ids=["door", "station", "shared"])
@pytest.mark.parametrize("faster", list(Decision))
@pytest.mark.parametrize("slower", list(Decision))
async def test_one_of_two_decisions_counts(
    database: Database, keys: Keys, terms: dict[str, Any], faster: Decision, slower: Decision
) -> None:
    town = await make_town(database, **terms)
    await fetch(town, keys, weighed(10_000))
    async with database.transaction() as session:
        await unloading(town, grams=8_000)(session)
    receiving = await the_receiving(town)
    refusal = await slower_of(
        town, deciding(town, receiving, faster), deciding(town, receiving, slower)
    )
    assert isinstance(refusal, DisputeAlreadyDecided)
    assert (await the_receiving(town)).decision == faster
    fee_idr = 2_500 if faster == Decision.DOOR else 2_200
    load = chart.load(town.collector.id, PET)
    assert await there(town, chart.earnings(town.collector.id), load) == [-fee_idr, 0]
    assert await is_sound(town)


async def test_what_a_load_brings_is_not_thrown_away(database: Database, keys: Keys) -> None:
    town = await make_town(database, **SHARED)
    await has_own(town, 500)
    await fetch(town, keys, weighed(10_000))
    residue = Residue(town.bank_id, PET, 501, "basah", town.operator.id)
    refusal = await slower_of(
        town, unloading(town, grams=9_800), lambda session: sales.throw_away(session, residue)
    )
    assert isinstance(refusal, GoodsOfResidents)
    assert await there(town, chart.stock(PET), chart.goods_held(PET)) == [10_300, 9_800]
    assert await is_sound(town)


async def test_loads_of_the_same_residents_do_not_wait_for_each_other(
    database: Database, keys: Keys
) -> None:
    """In opposite orders; without one order of locking PostgreSQL would find a deadlock."""
    town = await make_town(database, **STATION)
    people = [await another(town, Role.RESIDENT) for _ in range(5)]
    loads = [
        [await fetch(town, keys, weighed(1_000), resident=each) for each in order]
        for order in (people, people[::-1]) * 2
    ]

    async def receive(load: list[Pickup]) -> None:
        async with database.transaction() as session:
            await unloading(town, *load, grams=2_500)(session)

    async def decide(receiving: Receiving) -> None:
        async with database.transaction() as session:
            await deciding(town, receiving, Decision.STATION)(session)

    await asyncio.gather(*(receive(load) for load in loads))
    async with database.reading() as session:
        query = select(Receiving).where(Receiving.bank_id == town.bank_id)
        found = list(await session.exec(query))
    await asyncio.gather(*(decide(receiving) for receiving in found))
    assert [await standing(town, each.id) for each in people] == [(4 * 1_237, 0)] * 5
    assert await is_sound(town)
