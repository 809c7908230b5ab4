"""The store counted: differences are posted, whoever comes and goes meanwhile, and counts stay."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from models.station import Decision
from models.stock import StockCount
from service import sales, station
from service.database import Database
from service.keys import Keys
from service.ledger import chart
from service.prices import UnknownMaterial
from service.sales import GoodsOfResidents, StockFound, Stored
from tests.factories import KARDUS, PET, Town
from tests.races import Act, slower_of
from tests.selling import a_batch, a_buyer, bring, bringing, sharing_town
from tests.storing import has_own
from tests.unloading import fetch, is_sound, there, weighed


def counting(town: Town, grams: int, material: str = PET) -> Act:
    found = StockFound(town.bank_id, material, grams, "", counted_by=town.treasurer.id)
    return lambda session: sales.count_stock(session, found)


async def count(town: Town, grams: int, material: str = PET) -> StockCount:
    found = StockFound(town.bank_id, material, grams, "", counted_by=town.treasurer.id)
    async with town.database.transaction() as session:
        return await sales.count_stock(session, found)


async def stock(town: Town) -> list[Stored]:
    async with town.database.reading() as session:
        return await sales.stock_of(session, town.bank_id)


async def counts(town: Town) -> list[tuple[int, int]]:
    """What was counted in the store and what it differed by, the first count first."""
    query = (
        select(StockCount).where(StockCount.bank_id == town.bank_id).order_by(col(StockCount.id))
    )
    async with town.database.reading() as session:
        return [(one.counted_grams, one.difference_grams) for one in await session.exec(query)]


async def lies(town: Town) -> list[int]:
    """What the ledger says is in the store, and what it was counted to be short of in all."""
    return await there(town, chart.stock(PET), chart.stock_difference(PET))


async def test_a_count_posts_what_it_differs_by(town: Town) -> None:
    await bring(town, 5_000)
    for grams, difference in ((4_200, -800), (4_200, 0), (0, -4_200), (6_000, 6_000)):
        noted = await count(town, grams)
        assert (noted.counted_grams, noted.difference_grams) == (grams, difference)
        assert await lies(town) == [grams, 5_000 - grams]
    assert await is_sound(town)
    (pet,) = await stock(town)
    assert (pet.grams, pet.residents_grams, pet.own_grams, pet.counted) == (6_000, 0, 6_000, noted)


async def test_residents_goods_are_told_apart_and_not_counted_away(database: Database) -> None:
    sharing = await sharing_town(database)
    assert await stock(sharing) == []
    await bring(sharing, 3_000)
    await has_own(sharing, 500)
    nothing = await count(sharing, 0, KARDUS)
    assert await stock(sharing) == [Stored(KARDUS, 0, 0, nothing), Stored(PET, 3_500, 3_000, None)]
    with pytest.raises(GoodsOfResidents) as refusal:
        await count(sharing, 2_999)
    assert refusal.value.facts == {"grams": 3_000}
    assert (await count(sharing, 3_000)).difference_grams == -500
    with pytest.raises(UnknownMaterial):
        await count(sharing, 1, "EMAS")
    assert await is_sound(sharing)


@pytest.mark.parametrize("count_is_first", [True, False])
async def test_a_sale_at_the_same_time_is_not_counted_twice(
    town: Town, count_is_first: bool
) -> None:
    await bring(town, 5_000)
    batch = a_batch(town, await a_buyer(town), 1_000, 5_000)
    selling: Act = lambda session: sales.sell(session, batch)  # noqa: E731
    acts = counting(town, 4_500), selling
    assert await slower_of(town, *(acts if count_is_first else acts[::-1])) is None
    lost = 500 if count_is_first else -500
    assert await lies(town) == [5_000 - 1_000 - lost, lost]
    assert await counts(town) == [(4_500, -lost)]


@pytest.mark.parametrize("is_shared", [True, False])
async def test_what_is_brought_at_the_same_time_is_in_the_count_or_after_it(
    town: Town, is_shared: bool
) -> None:
    """Also what the bank buys at once, which is kept for nobody."""
    whose = await sharing_town(town.database) if is_shared else town
    await has_own(whose, 2_000)
    assert await slower_of(whose, counting(whose, 1_500), bringing(whose, 1_000)) is None
    assert await lies(whose) == [2_500, 500]
    assert await slower_of(whose, bringing(whose, 1_000), counting(whose, 3_400)) is None
    assert await lies(whose) == [3_400, 600]
    assert await counts(whose) == [(1_500, -500), (3_400, -100)]


async def test_a_load_that_is_received_meanwhile_is_in_the_count(town: Town, keys: Keys) -> None:
    await fetch(town, keys, weighed(5_000))
    await bring(town, 1_000)
    load, by = station.Unloaded(town.collector.id, None, None), town.operator.id
    receiving: Act = lambda session: station.receive(session, town.bank_id, load, by=by)  # noqa: E731
    assert await slower_of(town, receiving, counting(town, 5_900)) is None
    assert await lies(town) == [5_900, 100]


async def test_what_a_station_mistyped_is_counted_away(town: Town, keys: Keys) -> None:
    """The dispute was decided for the door, which leaves the station's grams in the store."""
    await fetch(town, keys, weighed(4_000))
    scale = [station.OnScale(station.What(PET, "clean"), 4_000_000)]
    load = station.Unloaded(town.collector.id, None, scale)
    async with town.database.transaction() as session:
        received = await station.receive(session, town.bank_id, load, by=town.operator.id)
        disputed, by = received.receiving, town.treasurer.id
        await station.decide(session, disputed, by=by, decision=Decision.DOOR, reason="x")
    assert await lies(town) == [4_000_000, 0]
    await count(town, 4_000)
    assert await lies(town) == [4_000, 3_996_000]
    assert await is_sound(town)


async def test_of_two_counts_at_once_each_posts_its_own_difference(town: Town) -> None:
    await bring(town, 5_000)
    assert await slower_of(town, counting(town, 4_000), counting(town, 4_100)) is None
    assert await lies(town) == [4_100, 900]
    assert await counts(town) == [(4_000, -1_000), (4_100, 100)]


async def test_a_count_is_neither_changed_nor_removed(town: Town) -> None:
    await count(town, 0)
    bank = town.bank_id.hex if town.database.is_sqlite else str(town.bank_id)
    of_bank = f"WHERE bank_id = '{bank}'"
    replaced = f"INSERT OR REPLACE INTO stock_count SELECT * FROM stock_count {of_bank}"
    for statement in (
        f"UPDATE stock_count SET counted_grams = 1 {of_bank}",
        f"DELETE FROM stock_count {of_bank}",
        replaced if town.database.is_sqlite else "TRUNCATE stock_count",
    ):
        with pytest.raises(DBAPIError, match=r"what is written stays|already there"):
            async with town.database.transaction() as session:
                await (await session.connection()).execute(text(statement))
    assert await counts(town) == [(0, 0)]
