"""Sales on both engines: first in first out, what the ledger says after, and two at once."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.event import Event
from models.ledger import Journal
from models.people import Role
from models.sale import Buyer, Lot
from service import ledger, lots, notices, sales
from service.database import constraint_of
from service.keys import Keys
from service.lots import Proceeds
from service.sales import GoodsOfResidents, Residue, StockTooLow
from tests.factories import PET, Town, another
from tests.races import Act, slower_of
from tests.selling import a_batch, a_buyer, balances, bring, bringing, sell, sharing_town
from tests.storing import goods_fit, has_own

GRAMS = f"g:{PET}"


@pytest.fixture
async def sharing(town: Town) -> AsyncIterator[Town]:
    sharing = await sharing_town(town.database)
    yield sharing
    assert await goods_fit(sharing)


async def lots_in(town: Town) -> list[Lot]:
    async with town.database.reading() as session:
        query = select(Lot).where(Lot.bank_id == town.bank_id)
        return list(await session.exec(query.order_by(col(Lot.weighed_at), col(Lot.id))))


async def test_goods_are_credited_in_grams_until_they_are_sold(sharing: Town) -> None:
    got = await bring(sharing, 3_000)
    assert (got.credited_idr, got.expected_idr) == (0, 7_800)
    (lot,) = await lots_in(sharing)
    assert (lot.grams, lot.sold_grams, lot.price_idr) == (3_000, 0, 2_600)
    assert await balances(sharing) == {
        (f"source:{sharing.resident.id}", GRAMS): -3_000,
        ("stock", GRAMS): 3_000,
        (f"goods:{sharing.resident.id}", GRAMS): -3_000,
        ("goods_held", GRAMS): 3_000,
    }


async def test_what_came_first_is_sold_first(sharing: Town) -> None:
    neighbour, buyer = await another(sharing, Role.RESIDENT), await a_buyer(sharing)
    await bring(sharing, 3_000)
    await bring(sharing, 4_000, resident=neighbour)
    await bring(sharing, 2_000)
    sale = await sell(sharing, buyer, 5_000, 16_000)
    assert [lot.sold_grams for lot in await lots_in(sharing)] == [3_000, 2_000, 0]
    assert [(lot.paid_idr, lot.shared_idr) for lot in await lots_in(sharing)] == [
        (7_800, 1_260),
        (5_200, 840),
        (0, 0),
    ]
    assert (sale.lots_idr, sale.residents_idr, sale.collectors_idr, sale.kept_idr) == (
        13_000,
        2_100,
        0,
        900,
    )
    assert await balances(sharing) == {
        (f"available:{sharing.resident.id}", "IDR"): -9_060,
        (f"available:{neighbour.id}", "IDR"): -6_040,
        ("purchases", "IDR"): 15_100,
        (f"receivable:{buyer.id}", "IDR"): 16_000,
        ("sales", "IDR"): -16_000,
        (f"source:{sharing.resident.id}", GRAMS): -5_000,
        (f"source:{neighbour.id}", GRAMS): -4_000,
        ("stock", GRAMS): 4_000,
        (f"sold:{buyer.id}", GRAMS): 5_000,
        (f"goods:{sharing.resident.id}", GRAMS): -2_000,
        (f"goods:{neighbour.id}", GRAMS): -2_000,
        ("goods_held", GRAMS): 4_000,
    }


@pytest.mark.parametrize(
    ("amount", "paid", "shared"),
    [(21_000, 13_000, 1_400), (14_000, 10_000, 0), (1_400_000, 13_000, 690_900)],
    ids=["a gain", "too little", "the most that is usual"],
)
async def test_what_the_buyer_did_not_find_is_sold_with_the_rest(
    sharing: Town, amount: int, paid: int, shared: int
) -> None:
    """Of the 7 kg that left, 5 were the resident's, and so are 5/7 of what 6.5 kg brought."""
    await bring(sharing, 5_000)
    await has_own(sharing, 2_000)
    buyer = await a_buyer(sharing)
    sale = await sell(sharing, buyer, 6_500, amount, missing=500)
    assert (sale.lot_grams, sale.lots_idr, sale.residents_idr) == (5_000, paid, shared)
    (lot,) = await lots_in(sharing)
    assert (lot.sold_grams, lot.paid_idr, lot.shared_idr) == (5_000, paid, shared)
    held = await balances(sharing)
    assert (held[f"sold:{buyer.id}", GRAMS], held[f"missing:{buyer.id}", GRAMS]) == (6_500, 500)
    assert {"stock", "goods_held"}.isdisjoint(code for code, _ in held)


async def test_a_lot_sold_in_parts_brings_what_it_would_at_once(sharing: Town) -> None:
    buyer = await a_buyer(sharing)
    await bring(sharing, 1_000)
    for grams in (333, 1, 333, 333):
        await sell(sharing, buyer, grams, 1_000_000)
    (lot,) = await lots_in(sharing)
    assert (lot.sold_grams, lot.paid_idr) == (1_000, 2_600)


async def test_a_sale_is_one_act_about_itself(sharing: Town) -> None:
    await bring(sharing, 1_000)
    sale = await sell(sharing, await a_buyer(sharing), 1_000, 5_000)
    async with sharing.database.reading() as session:
        query = select(Journal).where(
            Journal.bank_id == sharing.bank_id, Journal.about_id == sale.id
        )
        (journal,) = await session.exec(query)
    assert (journal.kind, journal.actor_id) == ("sale", sharing.operator.id)
    async with sharing.database.reading() as session:
        found = await ledger.verify(session, [sharing.bank_id])
    assert found.is_clean, found.findings


async def test_a_bank_that_buys_at_once_keeps_what_a_sale_brings(town: Town) -> None:
    await bring(town, 10_000)
    buyer = await a_buyer(town)
    sale = await sell(town, buyer, 6_000, 20_000)
    assert (sale.lot_grams, sale.kept_idr) == (0, 20_000)
    assert await lots_in(town) == []
    held = await balances(town)
    assert held["stock", GRAMS] == 4_000
    assert held[f"available:{town.resident.id}", "IDR"] == -26_000


async def test_residents_hear_that_their_goods_were_sold(sharing: Town, keys: Keys) -> None:
    await bring(sharing, 2_000)
    await sell(sharing, await a_buyer(sharing), 2_000, 10_000)
    async with sharing.database.reading() as session:
        query = select(Event).where(Event.bank_id == sharing.bank_id, Event.kind == "goods_sold")
        (event,) = await session.exec(query)
    assert event.person_id == sharing.resident.id
    message = notices.notice_of(event, sharing.resident, keys)
    assert message is not None
    assert "2.000 gram PET-BNG-B. Rp8.560" in message.text
    assert "bagi hasil Rp3.360" in message.text


async def test_more_than_the_store_has_is_not_sold(sharing: Town) -> None:
    await bring(sharing, 2_000)
    buyer, before = await a_buyer(sharing), await balances(sharing)
    for grams, missing in ((2_001, 0), (2_000, 1)):
        with pytest.raises(StockTooLow):
            await sell(sharing, buyer, grams, 10_000, missing=missing)
    assert await balances(sharing) == before
    assert [lot.sold_grams for lot in await lots_in(sharing)] == [0]


async def test_the_database_refuses_to_sell_more_of_a_lot_than_it_holds(sharing: Town) -> None:
    await bring(sharing, 2_000)
    (lot,) = await lots_in(sharing)
    with pytest.raises(IntegrityError) as refused:
        async with sharing.database.transaction() as session:
            await lots.mark_sold(session, sharing.bank_id, [Proceeds(lot.id, 2_001, 0, 0)])
    assert constraint_of(refused.value) == "ck_lot_sold_once"


def selling(town: Town, buyer: Buyer, grams: int) -> Act:
    return lambda session: sales.sell(session, a_batch(town, buyer, grams, 50_000))


def throwing(town: Town, grams: int) -> Act:
    residue = Residue(town.bank_id, PET, grams, "basah", town.operator.id)
    return lambda session: sales.throw_away(session, residue)


async def slower(town: Town, first: Act, second: Act) -> bool:
    """Whether the second act goes through that had to wait for the first."""
    refusal = await slower_of(town, first, second)
    assert refusal is None or isinstance(refusal, StockTooLow | GoodsOfResidents)
    return refusal is None


@pytest.mark.parametrize(
    ("first", "second", "sold"),
    [(6_000, 6_000, 6_000), (6_000, 4_000, 10_000), (4_000, 6_000, 10_000), (3_000, 8_000, 3_000)],
)
async def test_of_two_sales_at_once_no_gram_is_sold_twice(
    sharing: Town, first: int, second: int, sold: int
) -> None:
    neighbour, buyer = await another(sharing, Role.RESIDENT), await a_buyer(sharing)
    for _ in range(2):
        await bring(sharing, 2_500)
        await bring(sharing, 2_500, resident=neighbour)
    went = await slower(sharing, selling(sharing, buyer, first), selling(sharing, buyer, second))
    assert went == (sold == first + second)
    kept = await lots_in(sharing)
    assert sum(lot.sold_grams for lot in kept) == sold
    assert sum(lot.paid_idr for lot in kept) == sold * 2_600 // 1_000
    gone = [lot.sold_grams for lot in kept]
    assert gone == [min(max(sold - 2_500 * place, 0), 2_500) for place in range(4)]
    assert (await balances(sharing)).get(("stock", GRAMS), 0) == 10_000 - sold


@pytest.mark.parametrize("sale_first", [True, False])
async def test_what_was_sold_is_not_thrown_away(sharing: Town, *, sale_first: bool) -> None:
    await bring(sharing, 5_000)
    await has_own(sharing, 5_000)
    acts = [selling(sharing, await a_buyer(sharing), 8_000), throwing(sharing, 3_000)]
    assert not await slower(sharing, *(acts if sale_first else acts[::-1]))
    assert (await balances(sharing))["stock", GRAMS] == (2_000 if sale_first else 7_000)
    (lot,) = await lots_in(sharing)
    assert lot.sold_grams == (5_000 if sale_first else 0)


async def test_only_the_banks_own_is_thrown_away(sharing: Town) -> None:
    await bring(sharing, 10_000)
    await sell(sharing, await a_buyer(sharing), 4_000, 20_000)
    await has_own(sharing, 500)
    before = await balances(sharing)
    with pytest.raises(GoodsOfResidents) as refused:
        async with sharing.database.transaction() as session:
            await throwing(sharing, 501)(session)
    assert "6000 grams" in refused.value.detail("en").replace(",", "")
    assert await balances(sharing) == before
    async with sharing.database.transaction() as session:
        await throwing(sharing, 500)(session)
    assert (await balances(sharing))["residue", GRAMS] == 500


@pytest.mark.parametrize(
    ("brought_first", "thrown", "goes"),
    [(True, 5_000, True), (True, 5_001, False), (False, 5_000, True)],
)
async def test_what_is_brought_at_the_same_time_is_not_thrown_away(
    sharing: Town, *, brought_first: bool, thrown: int, goes: bool
) -> None:
    await has_own(sharing, 5_000)
    acts = [bringing(sharing, 3_000), throwing(sharing, thrown)]
    assert await slower(sharing, *(acts if brought_first else acts[::-1])) == goes
    assert (await balances(sharing))["stock", GRAMS] == (3_000 if goes else 8_000)


async def test_what_is_brought_during_a_sale_is_never_sold_as_the_banks(sharing: Town) -> None:
    buyer = await a_buyer(sharing)
    assert await slower(sharing, bringing(sharing, 5_000), selling(sharing, buyer, 5_000))
    (lot,) = await lots_in(sharing)
    assert (lot.sold_grams, lot.paid_idr) == (5_000, 13_000)
    await bring(sharing, 1_000)
    assert await slower(sharing, selling(sharing, buyer, 1_000), bringing(sharing, 2_000))
    assert [each.sold_grams for each in await lots_in(sharing)] == [5_000, 1_000, 0]


async def test_a_lot_that_is_taken_back_makes_room_for_the_next(sharing: Town) -> None:
    buyer = await a_buyer(sharing)
    for _ in range(3):
        await bring(sharing, 2_000)
    first = (await lots_in(sharing))[0].id

    async def take_back(session: AsyncSession) -> None:
        await session.exec(
            delete(Lot).where(col(Lot.bank_id) == sharing.bank_id, col(Lot.id) == first)
        )

    assert await slower(sharing, take_back, selling(sharing, buyer, 3_000))
    assert [lot.sold_grams for lot in await lots_in(sharing)] == [2_000, 1_000]
