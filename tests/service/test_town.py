"""The demo town is the same every time, and its waste is like that of a real waste bank."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from statistics import mean

import pytest
from sqlalchemy import text, update
from sqlmodel import col, select

from models.material import Condition, Material, Unit
from models.people import Person, Role
from models.price import Channel
from models.registry import METADATA
from routing.geo import metres_between
from service import banks, members, prices
from service.database import Database, open_database
from service.demo import town
from service.demo.plan import errands, weighed, wish
from service.demo.seeding import is_seeded, seed
from service.demo.waste import LEAST_LINE_GRAMS, SORTS, deposits
from service.seeds import SeedPrice, list_prices, load_reference
from tests import migrated

QUANTILES = {0.25: 3_000, 0.5: 7_850, 0.75: 22_500, 0.9: 70_000}
POSITION = {bank.id: bank.position for bank in town.BANKS}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = migrated.file_at(tmp_path / "town.db")
    opened = open_database(url)
    yield opened
    await opened.close()


def test_everybody_has_a_number_and_a_name_of_their_own() -> None:
    people = town.people()
    assert Counter(person.role for person in people) == {
        Role.TREASURER: 1,
        Role.OPERATOR: 1,
        Role.CITY: 1,
        Role.COLLECTOR: 10,
        Role.RESIDENT: 200,
    }
    assert len({person.phone for person in people}) == len(people)
    assert len({person.name for person in people}) == len(people)
    assert all(members.normal_phone(person.phone) == person.phone for person in people)


def test_the_first_numbers_belong_to_the_main_bank() -> None:
    collectors, residents = town.with_role(Role.COLLECTOR), town.with_role(Role.RESIDENT)
    assert [one.phone for one in collectors[:2]] == ["+6281100000101", "+6281100000102"]
    assert residents[0].phone == "+6281100001001"
    assert residents[-1].phone == "+6281100001200"
    for person in (*collectors[:5], *residents[:100]):
        assert person.banks[0] == town.BANKS[0].id
    for person in (*collectors[5:], *residents[100:]):
        assert person.banks[0] != town.BANKS[0].id


def test_officers_serve_all_banks_and_every_bank_has_collectors() -> None:
    officers = town.people()[:3]
    assert all(set(officer.banks) == set(POSITION) for officer in officers)
    assert {one.banks[0] for one in town.with_role(Role.COLLECTOR)} == set(POSITION)


def test_residents_belong_to_the_bank_nearest_to_them_and_a_tenth_to_two() -> None:
    residents = town.with_role(Role.RESIDENT)
    for resident in residents:
        nearest = min(POSITION, key=lambda bank: metres_between(resident.position, POSITION[bank]))
        assert resident.banks[0] == nearest
        assert metres_between(resident.position, POSITION[nearest]) < town.SERVICE_RADIUS_M
    assert 10 <= sum(len(resident.banks) == 2 for resident in residents) <= 30


def test_an_address_ends_with_its_district() -> None:
    districts = {spot.district for bank in town.BANKS for spot in bank.neighbourhoods}
    assert {one.address.rsplit(", ", 1)[1] for one in town.with_role(Role.RESIDENT)} == districts


def test_deposits_weigh_what_they_do_in_a_real_book() -> None:
    drawn = deposits(1, 20_000)
    totals = sorted(sum(line.grams for line in deposit) for deposit in drawn)
    for share, grams in QUANTILES.items():
        assert totals[int(share * len(totals))] == pytest.approx(grams, rel=0.05)
    assert totals[0] == pytest.approx(1_000, rel=0.01)
    assert totals[-1] == pytest.approx(180_000, rel=0.01)
    assert mean(len(deposit) for deposit in drawn) == pytest.approx(2.9, rel=0.02)


def test_lines_of_a_deposit_are_different_and_none_is_tiny() -> None:
    for deposit in deposits(2, 5_000):
        assert 1 <= len(deposit) <= 6
        assert len({(line.material, line.condition) for line in deposit}) == len(deposit)
        assert all(line.grams >= LEAST_LINE_GRAMS and line.grams % 10 == 0 for line in deposit)


def test_the_same_seed_draws_the_same() -> None:
    assert deposits(3, 50) == deposits(3, 50)
    assert deposits(3, 50) != deposits(4, 50)
    assert errands(3, 50) == errands(3, 50)
    assert wish(1, town.people()[20], town.BANKS[0].id) == wish(
        1, town.people()[20], town.BANKS[0].id
    )


def test_everything_that_people_keep_is_bought() -> None:
    bought = {(price.material, price.condition) for price in list_prices()}
    assert {(sort.material, sort.condition) for sort in SORTS} <= bought


def test_people_list_only_where_they_are_fetched_from() -> None:
    for errand in errands(1, 2_000):
        assert errand.bank_id in errand.resident.banks
        there = POSITION[errand.bank_id]
        assert metres_between(errand.resident.position, there) <= town.SERVICE_RADIUS_M


def test_the_scale_shows_about_the_estimate_and_what_is_refused_has_a_reason() -> None:
    items = [{"material": "HVS", "condition": "clean", "estimated_grams": 5_000}] * 3_000
    lines = weighed(Random(1), items)
    totals = [line["grams"] + line["rejected_grams"] for line in lines]
    assert all(4_600 <= total <= 5_350 and isinstance(total, int) for total in totals)
    refused = [line for line in lines if line["rejected_grams"]]
    assert 0.05 < len(refused) / len(lines) < 0.12
    assert all(bool(line["reason"]) == (line["rejected_grams"] > 0) for line in lines)
    assert any(line["grams"] == 0 for line in refused)


@pytest.mark.parametrize(
    ("material", "condition", "price_idr"),
    [
        ("PET-BNG-B", Condition.CLEAN, 2_474),  # a median of the book
        ("PET-BNG-B", Condition.DIRTY, 1_200),  # as the lower tier
        ("PET-BNG-K", Condition.DIRTY, 1_200),
        ("PET-BIRU", Condition.CLEAN, 3_500),  # from the list of 60
        ("PARALON", Condition.CLEAN, 1_500),  # the first number of the others
        ("HDPE", Condition.CLEAN, 5_000),  # the middle of 4000-6000
        ("TUTUP", Condition.CLEAN, 3_500),
        ("BELING", Condition.CLEAN, 75),
        ("PP-GLS-B", Condition.DIRTY, 1_275),
        ("KRD-BGS", Condition.DIRTY, 1_190),  # never above the clean one
        ("KACA-BTL", Condition.CLEAN, 500),
    ],
)
def test_a_price_is_the_best_that_was_observed(
    material: str, condition: Condition, price_idr: int
) -> None:
    assert SeedPrice(material, condition, price_idr) in list_prices()


def test_nothing_is_on_the_list_without_a_price_or_twice() -> None:
    listed = [(price.material, price.condition) for price in list_prices()]
    assert "KAIN" not in dict(listed)
    assert ("PET-BNG-K", Condition.CLEAN) not in listed
    assert len(listed) == len(set(listed)) == 45


@pytest.mark.parametrize(
    ("price_idr", "brought"),
    [(2_474, 2_600), (100, 110), (104, 114), (50, 50), (75, 80), (55_000, 57_750), (0, 0)],
)
def test_what_is_brought_is_worth_a_little_more(price_idr: int, brought: int) -> None:
    price = SeedPrice("HVS", Condition.CLEAN, price_idr)
    assert price.at(Channel.PICKUP) == price_idr
    assert price.at(Channel.DROPOFF) == brought


async def test_reference_data_can_be_loaded_again_and_mends_what_was_changed(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await load_reference(session)
        await session.exec(update(Material).values(name="?", grams_per_unit=1))
    async with database.transaction() as session:
        await load_reference(session)
    async with database.reading() as session:
        found = {one.code: one for one in await session.exec(select(Material))}
    assert len(found) == 43
    by_piece = {one.code: one.grams_per_unit for one in found.values() if one.unit == Unit.PIECE}
    assert by_piece == {"GALON": 750, "KACA-BTL": 400}
    assert {one.grams_per_unit for one in found.values() if one.unit == Unit.KG} == {1_000}
    assert found["KORAN"].name == "Koran"


async def test_seeding_twice_changes_nothing(database: Database) -> None:
    async with database.reading() as session:
        assert not await is_seeded(session)
    await seed(database)
    first = await _everything(database)
    await seed(database)
    assert await _everything(database) == first
    async with database.reading() as session:
        assert await is_seeded(session)


async def test_the_seeded_banks_buy_and_fetch(database: Database) -> None:
    await seed(database)
    async with database.reading() as session:
        for bank in town.BANKS:
            policy = await banks.policy_of(session, bank.id)
            assert policy.service_radius_m == town.SERVICE_RADIUS_M
            quotes = await prices.in_force(session, bank.id, Channel.DROPOFF, policy.valid_from)
            assert len(quotes) == len(list_prices())


async def test_somebody_who_signed_in_before_the_seeding_keeps_their_id(database: Database) -> None:
    async with database.transaction() as session:
        early = await members.person_by_phone(session, town.TREASURER)
    await seed(database)
    async with database.reading() as session:
        query = select(Person.id).where(col(Person.phone) == town.TREASURER)
        assert list(await session.exec(query)) == [early.id]
        assert len(await members.roles_of(session, early.id)) == len(town.BANKS)


async def _everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for those that say when they were last written."""
    async with database.reading() as session:
        connection = await session.connection()
        return {
            table: sorted(map(tuple, await connection.execute(text(f"SELECT * FROM {table}"))))
            for table in METADATA.tables
        }
