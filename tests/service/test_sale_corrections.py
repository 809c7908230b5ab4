"""What was sold, paid or thrown away by mistake is taken back, whole and once."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlmodel import col, select, update

from models.base import new_id
from models.correction import CorrectionStatus
from models.event import Event
from models.people import Person, Role
from models.sale import Buyer, Lot, LotSale, Sale
from service import drawers, notices, payouts, sales
from service.corrections import NotCorrectable, OwnCorrection
from service.database import Database
from service.drawers import DrawerTooLow
from service.keys import Keys
from service.ledger import AlreadyReversed, BalanceTooLow
from service.sales import Residue
from tests.factories import PET, Town, another, give
from tests.races import Act, slower_of
from tests.selling import a_batch, a_buyer, bring, sell, sharing_town, take_back, taking_back
from tests.service.test_corrections import agreeing, balances, do
from tests.service.test_races import asking
from tests.service.test_sales import lots_in
from tests.storing import goods_fit, has_own

GRAMS = f"g:{PET}"


class Shared(NamedTuple):
    """A bank with 5 kg of two residents in its store, fetched by a collector, and a buyer."""

    town: Town
    neighbour: Person
    buyer: Buyer


@pytest.fixture
async def shared(database: Database) -> AsyncIterator[Shared]:
    shared = await stocked(database)
    yield shared
    assert await goods_fit(shared.town)


async def stocked(database: Database) -> Shared:
    town = await sharing_town(database, correction_limit_idr=10**9)
    neighbour = await another(town, Role.RESIDENT)
    await bring(town, 3_000)
    await bring(town, 2_000, resident=neighbour)
    async with town.database.transaction() as session:
        of_bank = col(Lot.bank_id) == town.bank_id
        await session.exec(update(Lot).where(of_bank).values(collector_id=town.collector.id))
    return Shared(town, neighbour, await a_buyer(town))


async def figures(town: Town) -> list[tuple[int, int, int]]:
    """What was sold of each lot and what it brought, first in first."""
    return [(lot.sold_grams, lot.paid_idr, lot.shared_idr) for lot in await lots_in(town)]


def named(shared: Shared, held: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """The same with people by their part instead of their id."""
    town = shared.town
    parts = {
        str(town.resident.id): "resident",
        str(shared.neighbour.id): "neighbour",
        str(town.collector.id): "collector",
        str(shared.buyer.id): "buyer",
    }
    split = {key: key[0].partition(":") for key in held}
    return {
        (f"{kind}:{parts.get(whose, whose)}", key[1]): held[key]
        for key, (kind, _, whose) in split.items()
    }


async def test_a_mistaken_sale_leaves_nothing_behind(shared: Shared) -> None:
    """And then the right one brings everybody what it would have without the mistake."""
    town, buyer = shared.town, shared.buyer
    before = await balances(town)
    wrong = await sell(town, buyer, 3_901, 90_000, missing=100)
    assert {code.partition(":")[0] for code, _ in await balances(town)} >= {"available", "earnings"}
    await take_back(town, wrong.id)
    assert await balances(town) == before
    assert await figures(town) == [(0, 0, 0)] * 2
    await sell(town, buyer, 4_000, 16_000)
    other = await stocked(town.database)
    await sell(other.town, other.buyer, 4_000, 16_000)
    assert await figures(town) == await figures(other.town)
    assert named(shared, await balances(town)) == named(other, await balances(other.town))


async def test_in_any_order_lots_are_what_stands_of_their_sales(shared: Shared) -> None:
    """Grams that are sold, dear and cheap by turns, or which sale so far is taken back."""
    town = shared.town
    made: list[Sale] = []
    standing: set[UUID] = set()
    for step in (1_701, 2_503, -1, 2_222, 222, -2, 2_001, -4, 7, -3):
        if step > 0:
            price = 2 + 3 * (len(made) % 2)
            made.append(await sell(town, shared.buyer, step, price * step))
            standing.add(made[-1].id)
        else:
            await take_back(town, made[-step - 1].id)
            standing.remove(made[-step - 1].id)
        await check_lots(town, standing)
    units = Counter[str]()
    for (_, unit), balance in (await balances(town)).items():
        units[unit] += balance
    assert dict(units) == {"IDR": 0, GRAMS: 0}


async def test_parts_pay_what_the_whole_would_whatever_was_taken_back(database: Database) -> None:
    """At Rp2.6 a gram, of which those that were due Rp2 are taken back: Rp12 were due for 4 g."""
    town = await sharing_town(database, correction_limit_idr=10**9)
    buyer = await a_buyer(town)
    await bring(town, 1_000)
    made = [await sell(town, buyer, 1, brings) for brings in (100, 100, 1, 100, 100, 1)]
    assert [sale.lots_idr for sale in made] == [3, 2, 1, 2, 3, 1], "two brought Rp2 too little"
    for sale in (made[1], made[3]):
        await take_back(town, sale.id)
    await sell(town, buyer, 996, 100_000)
    ((_, paid_idr, _),) = await figures(town)
    assert paid_idr == 2_600 - 2 - 2


async def check_lots(town: Town, standing: set[UUID]) -> None:
    """Each lot says what the sales that count took of it, and what they brought."""
    async with town.database.reading() as session:
        query = select(LotSale).where(LotSale.bank_id == town.bank_id)
        parts = list(await session.exec(query))
    assert {part.sale_id for part in parts if part.taken_back_at is None} <= standing
    for lot in await lots_in(town):
        of = [part for part in parts if part.lot_id == lot.id and part.sale_id in standing]
        assert lot.sold_grams == sum(part.grams for part in of) <= lot.grams
        assert lot.paid_idr == sum(part.amount_idr for part in of)
        assert lot.shared_idr == sum(part.share_idr for part in of)


async def test_what_was_paid_out_of_it_keeps_a_sale(shared: Shared) -> None:
    town = shared.town
    sale = await sell(town, shared.buyer, 5_000, 20_000)
    async with town.database.transaction() as session:
        await payouts.request(session, asking(town, 7_800))
    before = await balances(town), await figures(town)
    with pytest.raises(BalanceTooLow):
        await take_back(town, sale.id)
    assert (await balances(town), await figures(town)) == before
    async with town.database.reading() as session:
        assert (await sales.find_sale(session, town.bank_id, sale.id)).taken_back_at is None


async def test_a_weighing_is_corrected_once_its_sale_was(shared: Shared) -> None:
    town = shared.town
    sale = await sell(town, shared.buyer, 4_000, 20_000)
    first, second = await lots_in(town)
    for lot in (first, second):
        assert lot.dropoff_id is not None
        with pytest.raises(NotCorrectable):
            await take_back(town, lot.dropoff_id)
    await take_back(town, sale.id)
    assert first.dropoff_id is not None
    await take_back(town, first.dropoff_id)
    assert [lot.grams for lot in await lots_in(town)] == [0, 2_000]
    again = await sell(town, shared.buyer, 2_000, 10_000)
    assert (again.lot_grams, await figures(town)) == (2_000, [(0, 0, 0), (2_000, 5_200, 3_360)])
    async with town.database.reading() as session:
        kept = await sales.lots_of(session, sale, after=None, limit=9)
    assert [(each.part.grams, each.part.taken_back_at is None) for each in kept] == [
        (3_000, False),
        (1_000, False),
    ]


async def test_everybody_hears_whose_goods_wait_again(shared: Shared, keys: Keys) -> None:
    town = shared.town
    sale = await sell(town, shared.buyer, 5_000, 1)
    await take_back(town, sale.id)
    sale = await sell(town, shared.buyer, 5_000, 13_000)
    await take_back(town, sale.id)
    async with town.database.reading() as session:
        query = select(Event).where(Event.bank_id == town.bank_id, Event.kind == "sale_corrected")
        told = list(await session.exec(query.order_by(col(Event.id))))
    people = {town.resident.id: town.resident, shared.neighbour.id: shared.neighbour}
    assert {event.person_id for event in told[:2]} == people.keys()
    assert {event.person_id for event in told[2:]} == people.keys()
    messages = [notices.notice_of(event, town.resident, keys) for event in told]
    texts = [message.text for message in messages if message is not None]
    amounts = [text.partition(" ditarik")[0].partition("Rp")[2] for text in texts]
    assert (sorted(amounts[:2]), sorted(amounts[2:])) == (["", "1"], ["5.200", "7.800"])
    assert ["tidak ada yang ditarik" in text for text in texts].count(True) == 1
    assert all(f"Anda ({PET}) dibatalkan" in text for text in texts)
    assert all("salah ketik. Sampahnya menunggu pembeli lagi" in text for text in texts)


async def test_nobody_takes_back_a_sale_of_their_own_goods(shared: Shared) -> None:
    town = shared.town
    sale = await sell(town, shared.buyer, 5_000, 20_000)
    for person in (town.resident, town.collector):
        await give(town, person, Role.TREASURER)
        with pytest.raises(OwnCorrection):
            await take_back(town, sale.id, by=person.id)


async def test_what_a_sale_brought_others_counts_once_against_the_limit(shared: Shared) -> None:
    sale = await sell(shared.town, shared.buyer, 5_000, 30_000)
    async with shared.town.database.transaction() as session:
        asked = await taking_back(shared.town, sale.id)(session)
    assert asked.amount_idr == 30_000


async def test_above_the_limit_a_sale_is_taken_back_by_two(database: Database) -> None:
    town = await sharing_town(database, correction_limit_idr=20_000)
    await has_own(town, 1_000)
    sale = await sell(town, await a_buyer(town), 1_000, 20_001)
    async with town.database.transaction() as session:
        asked = await taking_back(town, sale.id)(session)
    assert (asked.status, asked.amount_idr) == (CorrectionStatus.ASKED, 20_001)
    await do(town, agreeing(town, asked, by=town.operator.id))
    assert (await balances(town))["stock", GRAMS] == 1_000


async def pay(shared: Shared, drawer: str) -> UUID:
    town = shared.town
    payment = sales.Payment(20_000, drawer, "", town.treasurer.id)
    async with town.database.transaction() as session:
        payment_id, _ = await sales.pay(session, shared.buyer, payment)
    return payment_id


async def test_a_payment_goes_out_of_the_drawer_again(shared: Shared) -> None:
    town = shared.town
    async with town.database.transaction() as session:
        own, treasurer = town.operator.id, town.treasurer.id
        await drawers.open_drawer(session, town.bank_id, "ani", officer_id=own, by=treasurer)
    before = await balances(town)
    for drawer in ("main", "ani"):
        await take_back(town, await pay(shared, drawer))
        assert await balances(town) == before
    payment_id = await pay(shared, "ani")
    async with town.database.transaction() as session:
        move = drawers.Move(town.bank_id, 1, "", town.treasurer.id)
        await drawers.float_out(session, move, "ani")
    with pytest.raises(DrawerTooLow) as refused:
        await take_back(town, payment_id)
    assert "ani" in refused.value.detail("en")


async def test_residue_is_in_the_store_again(shared: Shared) -> None:
    town = shared.town
    await has_own(town, 1_000)
    before = await balances(town)
    async with town.database.transaction() as session:
        residue = Residue(town.bank_id, PET, 1_000, "basah", town.operator.id)
        residue_id = await sales.throw_away(session, residue)
    await take_back(town, residue_id)
    assert await balances(town) == before
    with pytest.raises(AlreadyReversed):
        await take_back(town, residue_id)


async def test_of_two_who_take_a_sale_back_one_does(shared: Shared) -> None:
    town = shared.town
    before = await balances(town)
    sale = await sell(town, shared.buyer, 4_000, 20_000)
    acts = [taking_back(town, sale.id, by.id) for by in (town.operator, town.treasurer)]
    assert isinstance(await slower_of(town, *acts), AlreadyReversed)
    assert await balances(town) == before
    assert await figures(town) == [(0, 0, 0)] * 2


@pytest.mark.parametrize("sale_first", [True, False])
async def test_a_sale_is_taken_back_while_another_is_made(
    shared: Shared, *, sale_first: bool
) -> None:
    """Whoever is first, both happen, and the second sale takes what is first in by then."""
    town = shared.town
    sale = await sell(town, shared.buyer, 2_000, 9_000)
    batch = a_batch(town, shared.buyer, 3_000, 13_000)
    acts: list[Act] = [lambda session: sales.sell(session, batch), taking_back(town, sale.id)]
    assert await slower_of(town, *(acts if sale_first else acts[::-1])) is None
    sold = [1_000, 2_000] if sale_first else [3_000, 0]
    assert [lot.sold_grams for lot in await lots_in(town)] == sold
    async with town.database.reading() as session:
        made = await sales.sales_of(session, town.bank_id, before=None, limit=9)
    await check_lots(town, {each.id for each in made} - {sale.id})


@pytest.mark.parametrize("payout_first", [True, False])
async def test_what_a_sale_gave_is_paid_out_or_taken_back(
    shared: Shared, *, payout_first: bool
) -> None:
    town = shared.town
    sale = await sell(town, shared.buyer, 5_000, 13_000)
    request = asking(town, 7_800)
    acts: list[Act] = [lambda session: payouts.request(session, request)]
    acts.append(taking_back(town, sale.id))
    refusal = await slower_of(town, *(acts if payout_first else acts[::-1]))
    assert isinstance(refusal, BalanceTooLow)
    assert (await figures(town) == [(0, 0, 0)] * 2) is not payout_first
    await balances(town)


@pytest.mark.parametrize(
    ("body", "english"),
    [
        ({"amount_idr": 7_800, "material": PET}, f"your waste ({PET}) was taken back as a"),
        ({"amount_idr": 7_800}, "your waste was taken back as a correction: Rp7,800 left your"),
        ({"amount_idr": 0, "material": PET}, "it had brought you nothing, so your balance stays."),
    ],
)
def test_a_corrected_sale_names_what_was_sold_and_what_it_took(
    keys: Keys, body: dict[str, object], english: str
) -> None:
    person = Person(phone="+6281260001234", name="Siti", language="en")
    told = json.dumps({"reason": "salah ketik", **body})
    event = Event(bank_id=new_id(), kind="sale_corrected", body=told)
    message = notices.notice_of(event, person, keys)
    assert message is not None
    assert english in message.text
    assert "Rp0" not in message.text
