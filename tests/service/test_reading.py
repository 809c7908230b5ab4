"""What the ledger says of itself: standings, balances, and the trial balance of an instant."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from models.base import utc_now
from models.ledger import Journal, Transfer, TransferKind
from service import ledger
from service.errors import NoSuchThing
from service.ledger import AccountTotals, Draft, chart
from tests import factories
from tests.factories import KARDUS, PET, Town
from tests.service.posting import credit, hold, move, post, resolve


async def trial(town: Town, **options: object) -> dict[tuple[str, str], tuple[int, int]]:
    """Debits and credits by code and unit; accounts with nothing in them left out."""
    async with town.database.reading() as session:
        rows: list[AccountTotals] = await ledger.trial_balance(session, town.bank_id, **options)  # type: ignore[arg-type]
    assert rows == sorted(rows, key=lambda row: (row.unit != "IDR", row.unit, row.code))
    return {
        (row.code, row.unit): (row.debit, row.credit) for row in rows if row.debit or row.credit
    }


async def test_the_trial_balance_is_the_same_from_counters_and_from_entries(town: Town) -> None:
    mine = chart.available(town.resident.id)
    await credit(town, 5_000)
    await resolve(town, await hold(town, 700), 300, TransferKind.SETTLE)
    await resolve(town, await hold(town, 900), 900, TransferKind.VOID)
    await hold(town, 250)
    await post(
        town,
        move(mine, chart.CASH, 1_000),
        move(chart.stock(PET), chart.source(town.resident.id, PET), 40),
        move(chart.residue(PET), chart.stock(PET), 15),
        move(chart.weighing_difference(PET), chart.stock(PET), 1),
    )
    (last,) = await post(town, move(chart.stock(KARDUS), chart.source(town.resident.id, KARDUS), 7))
    now = await trial(town)
    assert now == {
        (mine.code, "IDR"): (1_300, 5_000),
        ("purchases", "IDR"): (5_000, 0),
        ("in_transit", "IDR"): (0, 300),
        ("cash:main", "IDR"): (0, 1_000),
        ("stock", f"g:{PET}"): (40, 16),
        ("weighing_difference", f"g:{PET}"): (1, 0),
        ("residue", f"g:{PET}"): (15, 0),
        (f"source:{town.resident.id}", f"g:{PET}"): (0, 40),
        ("stock", f"g:{KARDUS}"): (7, 0),
        (f"source:{town.resident.id}", f"g:{KARDUS}"): (0, 7),
    }
    at = await _written_at(town, last)
    assert await trial(town, at=at) == now
    before = await trial(town, at=at - timedelta(microseconds=1))
    assert before == {key: value for key, value in now.items() if key[1] != f"g:{KARDUS}"}


async def test_banks_do_not_see_each_other(town: Town) -> None:
    other = await factories.make_town(town.database)
    await credit(other, 900)
    await credit(town, 100)
    for options in ({}, {"at": utc_now()}):
        assert await trial(town, **options) == {
            (chart.available(town.resident.id).code, "IDR"): (0, 100),
            ("purchases", "IDR"): (100, 0),
        }


async def test_a_standing_has_every_figure(town: Town) -> None:
    who = town.resident.id
    await credit(town, 1_000)
    await hold(town, 300)
    await post(
        town,
        move(chart.PURCHASES, chart.pending(who), 55),
        move(chart.load(town.collector.id, PET), chart.source(who, PET), 70),
        move(chart.stock(KARDUS), chart.source(who, KARDUS), 5),
        move(chart.source(who, KARDUS), chart.stock(KARDUS), 1),
        move(chart.goods_held(PET), chart.goods(who, PET), 40),
        move(chart.goods_held(KARDUS), chart.goods(who, KARDUS), 2),
        move(chart.goods(who, PET), chart.goods_held(PET), 9),
    )
    await post(town, move(chart.pending(who), chart.PURCHASES, 5))
    async with town.database.reading() as session:
        found = await ledger.standing(session, town.bank_id, who)
        nobody = await ledger.standing(session, town.bank_id, town.operator.id)
    assert found == ledger.Standing(
        available_idr=700, pending_idr=50, held_idr=300, grams_total=74, unsold_grams=33
    )
    assert nobody == ledger.Standing(0, 0, 0, 0, 0)


async def test_balances_are_debits_less_credits_of_what_is_asked(town: Town) -> None:
    mine = chart.available(town.resident.id)
    await credit(town, 1_000)
    await post(town, move(mine, chart.CASH, 400))
    never = chart.available(town.operator.id)
    async with town.database.reading() as session:
        found = await ledger.balances(session, town.bank_id, [mine, chart.CASH, never])
    assert found == {mine: -600, chart.CASH: -400}


async def _written_at(town: Town, transfer_id: UUID) -> datetime:
    async with town.database.reading() as session:
        query = select(Transfer.created_at).where(
            Transfer.bank_id == town.bank_id, Transfer.id == transfer_id
        )
        return (await session.exec(query)).one()


def test_every_place_is_named_after_its_kind_and_whose_it_is() -> None:
    who = uuid4()
    assert [place.code for place in (chart.receivable(who), chart.sold(who, PET))] == [
        f"receivable:{who}",
        f"sold:{who}",
    ]
    assert chart.sold(who, PET).unit == f"g:{PET}"
    assert chart.load(who, PET).code == f"load:{who}"
    assert chart.available(who).owner_id == chart.earnings(who).owner_id == who
    assert chart.receivable(who).owner_id is None
    assert chart.cash("toko").code == "cash:toko"
    assert chart.float("xendit").code == "float:xendit"


async def test_an_act_of_another_bank_is_not_found(town: Town) -> None:
    other = await factories.make_town(town.database)
    about_id = uuid4()
    places = (chart.PURCHASES, chart.available(other.resident.id))
    draft = Draft("dropoff", [move(*places, 100)], event_at=utc_now(), about_id=about_id)
    async with town.database.transaction() as session:
        await ledger.post(session, other.bank_id, draft)
    async with town.database.reading() as session:
        found = await ledger.act_about(session, other.bank_id, about_id, ["dropoff"])
        assert found.moved_idr == 100
        with pytest.raises(NoSuchThing):
            await ledger.act_about(session, town.bank_id, about_id, ["dropoff"])
        with pytest.raises(NoSuchThing):
            await ledger.act_about(session, other.bank_id, about_id, ["pickup"])


async def test_the_passbook_until_the_end_of_all_days_has_its_newest_line(town: Town) -> None:
    for amount in (100, 20, 3):
        await credit(town, amount)
    async with town.database.reading() as session:
        excerpt = await ledger.passbook_of_days(
            session, town.bank_id, town.resident.id, (date.min, date.max), limit=10
        )
    assert [line.amount_idr for line in excerpt.lines] == [100, 20, 3]


async def test_a_reversal_says_whom_and_what_it_is_about(town: Town) -> None:
    about_id, who = uuid4(), town.resident.id
    moves = [
        move(chart.PURCHASES, chart.available(who), 100),
        move(chart.PURCHASES, chart.pending(who), 20),
    ]
    draft = Draft("dropoff", moves, event_at=utc_now(), about_id=about_id)
    by = town.treasurer.id
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, draft)
        act = await ledger.act_about(session, town.bank_id, about_id, ["dropoff"])
        assert act.given_idr(who) == 120
        journal_id = await ledger.reverse(session, town.bank_id, act, by=by, reason="salah")
    async with town.database.reading() as session:
        query = select(Journal).where(Journal.bank_id == town.bank_id, Journal.id == journal_id)
        written = (await session.exec(query)).one()
    assert (written.about_id, written.actor_id, written.memo) == (about_id, by, "salah")
    assert (written.kind, written.reverses_id) == ("correction", act.journal_id)


async def test_several_acts_are_posted_together(town: Town) -> None:
    who = town.resident.id
    drafts = [
        Draft(kind, [move(chart.PURCHASES, chart.available(who), amount)], event_at=utc_now())
        for kind, amount in (("pickup", 10), ("dropoff", 7))
    ]
    async with town.database.transaction() as session:
        ids = await ledger.post_all(session, town.bank_id, drafts)
    async with town.database.reading() as session:
        lines = await ledger.passbook_lines(session, town.bank_id, who, before=None, limit=5)
    assert len(set(ids)) == 2
    assert [(line.kind, line.amount_idr) for line in lines] == [("dropoff", 7), ("pickup", 10)]
