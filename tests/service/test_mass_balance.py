"""The mass balance agrees with a plain model of who brought what where, on every day."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import utc_now
from models.ledger import TransferKind
from service import ledger
from service.banks import day_at
from service.database import Database
from service.ledger import Draft, MassOfDay, Movement, Place, chart
from tests.counting import statements_of
from tests.factories import KARDUS, PET, Town, make_town

MATERIALS = (PET, KARDUS)
BUYER = UUID(int=7)
LEAVING = ("sold", "missing", "residue", "stock_difference")
_GROWING = re.compile("ledger_(entry|transfer|journal)")
FLOWS = ("collected", "on_loads", "received", "weighing_difference", *LEAVING)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["weigh", "weigh", "drop", "receive", "receive", "sell", "residue", "count", "night"]
        ),
        st.sampled_from(MATERIALS),
        st.integers(min_value=1, max_value=9_000),
        st.integers(min_value=-300, max_value=300),
    ),
    min_size=4,
    max_size=20,
)


@dataclass
class Model:
    """Grams of each material, counted by hand."""

    day: date
    stock: Counter[str] = field(default_factory=Counter)
    load: Counter[str] = field(default_factory=Counter)
    days: dict[tuple[date, str], Counter[str]] = field(default_factory=dict)
    ends: dict[tuple[date, str], tuple[int, int]] = field(default_factory=dict)

    def count(self, material: str, **grams: int) -> None:
        moved = self.days.setdefault((self.day, material), Counter())
        for name, amount in grams.items():
            moved[name] += amount
        self.load[material] += grams.get("on_loads", 0)
        self.stock[material] += grams.get("received", 0)
        self.stock[material] -= sum(grams.get(name, 0) for name in LEAVING)
        self.ends[self.day, material] = (self.stock[material], self.load[material])

    def expected(self, first: date, last: date) -> list[tuple[Any, ...]]:
        return [
            (day, material, *(moved[name] for name in FLOWS), *self.ends[day, material], 0)
            for (day, material), moved in sorted(self.days.items())
            if first <= day <= last
        ]


async def post(town: Town, *moves: tuple[Place, Place, int]) -> None:
    """Move grams to the first place of each from the second one."""
    movements = [Movement(f"test:{uuid4()}", *move) for move in moves if move[2]]
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("test", movements, event_at=utc_now()))


async def turn_page(town: Town, day: date) -> None:
    async with town.database.transaction() as session:
        await ledger.turn_page(session, town.bank_id, day)


async def balance(town: Town, first: date, last: date) -> list[MassOfDay]:
    async with town.database.reading() as session:
        return await ledger.mass_balance(session, town.bank_id, first, last)


async def act(town: Town, model: Model, kind: str, material: str, grams: int, off: int) -> None:
    """Do one act in the ledger and in the model."""
    load, stock = chart.load(town.collector.id, material), chart.stock(material)
    source, lost = chart.source(town.resident.id, material), chart.weighing_difference(material)
    if kind == "night":
        model.day += timedelta(days=1)
        await turn_page(town, model.day)
    elif kind == "weigh":
        # Whose grams they are is no custody, and must not be counted.
        goods = (chart.goods_held(material), chart.goods(town.resident.id, material), grams)
        await post(town, (load, source, grams), goods)
        model.count(material, collected=grams, on_loads=grams)
    elif kind == "drop":
        await post(town, (stock, source, grams))
        model.count(material, collected=grams, received=grams)
    elif kind == "receive" and (door := min(grams, model.load[material])):
        station = max(door + off, 0)
        brought = min(door, station)
        over, under = (stock, lost, station - brought), (lost, load, door - brought)
        await post(town, (stock, load, brought), over, under)
        model.count(material, on_loads=-door, received=station, weighing_difference=door - station)
    elif kind == "sell" and (out := min(grams, model.stock[material])):
        missing = min(max(off, 0), out)
        found = (chart.sold(BUYER, material), stock, out - missing)
        await post(town, found, (chart.missing(BUYER, material), stock, missing))
        model.count(material, sold=out - missing, missing=missing)
    elif kind == "residue" and (out := min(grams, model.stock[material])):
        await post(town, (chart.residue(material), stock, out))
        model.count(material, residue=out)
    elif kind == "count" and (missing := min(off, model.stock[material])):
        differing = chart.stock_difference(material)
        await post(town, (differing, stock, max(missing, 0)), (stock, differing, max(-missing, 0)))
        model.count(material, stock_difference=missing)


@settings(max_examples=12)
@given(acts=ACTS, skip=st.integers(0, 3), length=st.integers(0, 4))
async def test_the_balance_agrees_with_a_plain_model(
    database: Database, acts: list[tuple[str, str, int, int]], skip: int, length: int
) -> None:
    town = await make_town(database)
    began = day_at(town.bank, utc_now())
    model = Model(began)
    for each in acts:
        await act(town, model, *each)
    first = began + timedelta(days=skip)
    for days in ((began, model.day), (first, first + timedelta(days=length))):
        found = await balance(town, *days)
        assert [tuple(line) for line in found] == model.expected(*days)
        assert all(
            line.collected == line.on_loads + line.received + line.weighing_difference
            for line in found
        )


async def test_what_a_day_gives_back_counts_against_it(town: Town) -> None:
    today = day_at(town.bank, utc_now())
    load, source = chart.load(town.collector.id, PET), chart.source(town.resident.id, PET)
    await post(town, (load, source, 5_000))
    await post(town, (source, load, 2_000))
    (line,) = await balance(town, today, today)
    assert (line.collected, line.on_loads, line.load, line.balance) == (3_000, 3_000, 3_000, 0)


async def test_grams_that_come_from_nowhere_show(town: Town) -> None:
    today = day_at(town.bank, utc_now())
    await post(town, (chart.stock(PET), chart.goods_held(PET), 700))
    (line,) = await balance(town, today, today)
    assert (line.received, line.balance) == (700, -700)


async def test_grams_that_are_only_held_have_not_moved(town: Town) -> None:
    today = day_at(town.bank, utc_now())
    source = chart.source(town.resident.id, PET)
    hold = Movement(f"test:{uuid4()}", chart.stock(PET), source, 700, kind=TransferKind.HOLD)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("test", [hold], event_at=utc_now()))
    assert await balance(town, today, today) == []


async def test_another_banks_grams_are_not_counted(town: Town) -> None:
    today = day_at(town.bank, utc_now())
    other = await make_town(town.database)
    await post(other, (chart.stock(PET), chart.source(other.resident.id, PET), 700))
    assert await balance(town, today, today) == []


async def test_another_banks_pages_say_nothing_of_days(town: Town) -> None:
    today, other = day_at(town.bank, utc_now()), await make_town(town.database)
    tomorrow = today + timedelta(days=1)
    await turn_page(other, tomorrow)
    await post(other, (chart.stock(PET), chart.source(other.resident.id, PET), 500))
    for day in (today, tomorrow):
        await post(town, (chart.stock(PET), chart.source(town.resident.id, PET), 700))
        await turn_page(town, day)
    await post(town, (chart.stock(PET), chart.source(town.resident.id, PET), 300))
    (line,) = await balance(town, tomorrow, tomorrow)
    assert (line.day, line.received, line.stock) == (tomorrow, 300, 1_700)
    assert await balance(other, today, today) == []


async def test_only_the_days_that_are_asked_for_are_looked_through(town: Town) -> None:
    """On SQLite, whose planner knows no figures: no step goes through a book from end to end."""
    if not town.database.is_sqlite:
        pytest.skip("PostgreSQL plans by what it counted")
    today = day_at(town.bank, utc_now())
    with statements_of(town.database) as sent:
        async with town.database.transaction() as session:
            await ledger.mass_balance(session, town.bank_id, today, today)
            connection = await session.connection()
            (statement,) = (each for each in sent if "ledger_" in each)
            asked = (None,) * statement.count("?")
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", asked)
            of_book = [row[-1] for row in plan if _GROWING.search(row[-1])]
    assert of_book
    for step in of_book:
        assert "(bank_id=?)" not in step, step
        assert not step.startswith("SCAN"), step
