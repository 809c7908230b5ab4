"""Residents and balances of a book before this one are taken over once, all or none."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col, select

from models.base import utc_now
from models.event import Event
from models.people import Membership, Person, Role
from service import corrections, ledger, members, privacy, takeover
from service.database import Database
from service.keys import Keys
from service.ledger import Draft, Movement, chart
from service.takeover import MemberFileNotReadable, MemberRow, Step, read_members
from tests.factories import Town, another, give, make_town, new_phone, phone_of
from tests.races import slower_of

HEADER = "name,phone,passbook_number,balance_idr"


def places_of(text: str) -> list[str]:
    with pytest.raises(MemberFileNotReadable) as caught:
        read_members(text)
    return [field.pointer for field in caught.value.fields]


def a_row(**changes: object) -> MemberRow:
    facts: dict[str, object] = {
        "line": 2,
        "name": "Ibu Sari",
        "phone": new_phone(),
        "passbook_number": None,
        "balance_idr": 12_500,
    }
    return MemberRow(**(facts | changes))  # type: ignore[arg-type]


Enter = Callable[..., Awaitable[list[Step]]]


@pytest.fixture
def enter(keys: Keys) -> Enter:
    async def act(town: Town, *rows: MemberRow) -> list[Step]:
        async with town.database.transaction() as session:
            return await takeover.enter(session, keys, town.bank_id, rows)

    return act


async def refused(enter: Enter, town: Town, *rows: MemberRow) -> dict[str, str]:
    """Where the list is refused and why; nobody joined, and nothing was written."""
    before = await residents(town)
    with pytest.raises(MemberFileNotReadable) as caught:
        await enter(town, *rows)
    assert await residents(town) == before
    return {field.pointer: field.english for field in caught.value.fields}


async def residents(town: Town) -> dict[str, tuple[UUID, str | None]]:
    """Id and phone of all residents of the bank, by the number of their passbook."""
    async with town.database.reading() as session:
        query = (
            select(Membership.passbook_number, Person.id, Person.phone)
            .join(Person, col(Membership.person_id) == Person.id)
            .where(Membership.bank_id == town.bank_id, Membership.role == Role.RESIDENT)
        )
        return {str(number): (who, phone) for number, who, phone in await session.exec(query)}


async def balances(town: Town, *people: UUID) -> list[int]:
    """What these can be paid, and what was brought over in all; the book has to verify."""
    places = [*(chart.available(person) for person in people), chart.OPENING]
    async with town.database.reading() as session:
        assert not (await ledger.verify(session, [town.bank_id])).findings
        found = await ledger.balances(session, town.bank_id, places)
    return [abs(found.get(place, 0)) for place in places]


def test_a_list_is_read_as_people_write_it() -> None:
    text = "\ufeffname;phone;balance_idr;passbook_number\nIbu Sari;0812-6000-7001;Rp125.500;\nPak Budi;;;A-2\n"
    assert read_members(text) == [
        MemberRow(2, "Ibu Sari", "+6281260007001", None, 125_500),
        MemberRow(3, "Pak Budi", None, "A-2", 0),
    ]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("  ,081260007001,A-1,0", "/2/name"),
        (f"{'n' * 121},081260007001,,0", "/2/name"),
        ("Sa\u200bri,081260007001,,0", "/2/name"),
        ("Sari,12,,0", "/2/phone"),
        ("Sari,0812-6000-70l9,,0", "/2/phone"),
        (f"Sari,,{'9' * 33},0", "/2/passbook_number"),
        ("Sari,,,5000", "/2/passbook_number"),
        ("Sari,081260007001,,-5000", "/2/balance_idr"),
        ('Sari,081260007001,,"5,000"', "/2/balance_idr"),
        ("Sari,081260007001,,1000000001", "/2/balance_idr"),
        (f"Sari,081260007001,,{'9' * 5_000}", "/2/balance_idr"),
        ("Sari,081260007001,A-1,0\nSari,+6281260007001,A-2,0", "/3/phone"),
        ("Sari,081260007001,A-1,0\nBudi,081260007002,A-1,0", "/3/passbook_number"),
        ("Sari,081260007001,007,0\nBudi,081260007002,7,0", "/3/passbook_number"),
        ("  ,,", "/1"),
    ],
)
def test_a_cell_that_is_wrong_is_named(line: str, place: str) -> None:
    assert places_of(f"{HEADER}\n{line}\n") == [place]


def test_spaces_zeros_and_empty_columns_of_spreadsheets_mean_nothing() -> None:
    (row,) = read_members(f"{HEADER},\nIbu\u00a0Sari,081260007001,,{'0' * 30}500,\n")
    assert (row.name, row.balance_idr) == ("Ibu Sari", 500)


def test_columns_that_are_missing_or_unknown_are_named() -> None:
    assert places_of("nama,phone\nSari,081260007001\n") == ["/1/name", "/1/nama"]


async def test_residents_join_and_are_owed_what_they_were(enter: Enter, town: Town) -> None:
    rows = [
        a_row(passbook_number="A-1"),
        a_row(line=3, name="Pak Budi", phone=None, passbook_number="A-2", balance_idr=40_000),
        a_row(line=4, balance_idr=0),
    ]
    steps = await enter(town, *rows)
    assert [(step.joins, step.opens_idr) for step in steps] == [
        *((True, 12_500), (True, 40_000), (True, 0))
    ]
    there = await residents(town)
    (sari, phone), (budi, no_phone) = there["A-1"], there["A-2"]
    assert (phone, no_phone) == (rows[0].phone, None)
    assert await balances(town, sari, budi) == [12_500, 40_000, 52_500]
    async with town.database.reading() as session:
        told = await session.exec(
            select(Event.person_id, Event.body).where(
                Event.bank_id == town.bank_id, Event.kind == "passbook_opened"
            )
        )
        assert dict(told.all()) == {sari: '{"amount_idr": 12500}', budi: '{"amount_idr": 40000}'}
        (line,) = await ledger.passbook_lines(session, town.bank_id, sari, before=None, limit=5)
    assert (line.kind, line.amount_idr, line.balance_idr) == ("opening", 12_500, 12_500)


async def test_the_same_list_again_changes_nothing(enter: Enter, town: Town) -> None:
    rows = [a_row(), a_row(line=3, phone=None, passbook_number="A-2")]
    await enter(town, *rows)
    before = await residents(town)
    again = await enter(town, *rows)
    assert not any(step.is_change for step in again)
    assert await residents(town) == before
    assert await balances(town) == [25_000]


async def test_whoever_is_a_resident_already_gets_the_balance(enter: Enter, town: Town) -> None:
    row = a_row(name="somebody else", phone=phone_of(town.resident), passbook_number=None)
    (step,) = await enter(town, row)
    assert (step.person_id, step.joins, step.opens_idr) == (town.resident.id, False, 12_500)
    assert (step.known_as, step.is_doubtful) == (town.resident.name, True)
    async with town.database.reading() as session:
        person = await session.get_one(Person, town.resident.id)
    assert person.name == town.resident.name


async def test_whom_only_other_banks_know_keeps_their_name(
    enter: Enter, town: Town, database: Database
) -> None:
    other = await make_town(database)
    await enter(town, a_row(name="Ibu Lain", phone=phone_of(other.resident)))
    async with town.database.reading() as session:
        person = await session.get_one(Person, other.resident.id)
    assert person.name == other.resident.name
    assert await balances(town, other.resident.id) == [12_500, 12_500]


async def test_who_signed_in_without_a_name_gets_the_one_of_the_list(
    enter: Enter, town: Town
) -> None:
    async with town.database.transaction() as session:
        person = await members.person_by_phone(session, new_phone())
    (step,) = await enter(town, a_row(phone=person.phone))
    assert step.is_named
    async with town.database.reading() as session:
        assert (await session.get_one(Person, person.id)).name == "Ibu Sari"


async def test_what_contradicts_is_refused_and_nothing_is_entered(enter: Enter, town: Town) -> None:
    sari = a_row(passbook_number="A-1")
    await enter(town, sari, a_row(line=3, name="Budi", phone=None, passbook_number="A-2"))
    said = await refused(
        enter,
        town,
        a_row(line=2),
        a_row(line=3, phone=sari.phone, passbook_number="A-9", balance_idr=13_000),
        a_row(line=4, passbook_number="A-1"),
        a_row(line=5, name="Badu", phone=None, passbook_number="A-2"),
        a_row(line=6, name="Ibu Sari", phone=None, passbook_number="a-1"),
    )
    assert list(said) == [
        *("/3/passbook_number", "/3/balance_idr", "/4/phone", "/5/name", "/6/name"),
    ]
    assert said["/3/passbook_number"].startswith("Ibu Sari has the passbook A-1 here already.")
    assert "A-1 is Ibu Sari's" in said["/4/phone"]
    assert said["/5/name"] == "The passbook A-2 is Budi's."
    assert said["/6/name"] == "Line 3 is about the same person."
    (step,) = await enter(town, a_row(phone=sari.phone, balance_idr=0))
    assert not step.is_change


async def test_a_wrong_balance_is_taken_back_and_the_right_one_brought_over(
    enter: Enter, town: Town
) -> None:
    row = a_row(phone=phone_of(town.resident), balance_idr=125_000)
    await enter(town, row)
    async with town.database.transaction() as session:
        (line,) = await ledger.passbook_lines(
            session, town.bank_id, town.resident.id, before=None, limit=5
        )
        act = await ledger.act_of(session, town.bank_id, line.journal_id)
        asked = await corrections.ask(
            session, town.bank_id, act, by=town.operator.id, reason="salah ketik"
        )
        assert asked.needs_two
        asked = await corrections.find(session, town.bank_id, asked.id)
        await corrections.agree(session, asked, by=town.treasurer.id)
    assert await balances(town, town.resident.id) == [0, 0]
    right = a_row(phone=row.phone, balance_idr=12_500)
    await enter(town, right)
    await enter(town, right)
    assert await balances(town, town.resident.id) == [12_500, 12_500]


async def test_of_two_who_enter_the_same_list_one_changes_something(town: Town, keys: Keys) -> None:
    rows = [a_row(), a_row(line=3, phone=None, passbook_number="A-2")]
    refusal = await slower_of(
        town,
        lambda session: takeover.enter(session, keys, town.bank_id, rows),
        lambda session: takeover.enter(session, keys, town.bank_id, rows),
    )
    assert refusal is None
    assert len(await residents(town)) == 3
    assert await balances(town) == [25_000]


async def test_an_officer_may_be_a_resident_as_well(enter: Enter, town: Town) -> None:
    operator = await another(town, Role.OPERATOR)
    (step,) = await enter(town, a_row(phone=phone_of(operator)))
    assert step.joins
    await give(town, operator, Role.COLLECTOR)
    assert await balances(town, operator.id) == [12_500, 12_500]


async def test_a_newcomer_like_somebody_who_was_brought_over_is_doubtful(
    enter: Enter, town: Town
) -> None:
    await enter(town, a_row(passbook_number="A-1"))
    steps = await enter(town, a_row(), a_row(line=3, balance_idr=9), a_row(line=4, name="Budi"))
    assert [step.is_doubtful for step in steps] == [True, False, False]


async def gone(town: Town, keys: Keys, person_id: UUID, folder: Path) -> None:
    """Pay somebody out and delete them."""
    available = chart.available(person_id)
    paid = Movement(f"test:{person_id}", available, chart.CASH, 12_500)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("payout", [paid], utc_now()))
        await privacy.delete(session, keys, person_id, by=None, messages=folder / "messages")


async def test_nobody_who_was_deleted_comes_back(
    enter: Enter, town: Town, keys: Keys, tmp_path: Path
) -> None:
    rows = [
        a_row(passbook_number="A-1"),
        a_row(line=3, name="Budi", phone=None, passbook_number="A-2"),
    ]
    await enter(town, *rows)
    there = await residents(town)
    for number in ("A-1", "A-2"):
        await gone(town, keys, there[number][0], tmp_path)
    assert await refused(enter, town, *rows) == {
        "/2/phone": "Whoever had this phone was deleted. Take this line out.",
        "/3/passbook_number": "Whoever had this passbook was deleted. Take this line out.",
    }
    assert await balances(town) == [25_000]
    # Somebody else's phone was entered by mistake, say: the number is for who has it.
    await enter(town, a_row(passbook_number="a-1", balance_idr=7))
    there = await residents(town)
    assert await balances(town, there["a-1"][0]) == [7, 25_007]


async def test_nobody_is_deleted_while_a_list_is_entered(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    row = a_row(phone=phone_of(town.resident))
    refusal = await slower_of(
        town,
        lambda session: takeover.enter(session, keys, town.bank_id, [row]),
        lambda session: privacy.delete(
            session, keys, town.resident.id, by=None, messages=tmp_path / "messages"
        ),
    )
    assert isinstance(refusal, privacy.MoneyNotPaidOut)


async def test_two_banks_take_the_same_people_over_in_another_order(
    town: Town, database: Database, keys: Keys
) -> None:
    other = await make_town(database)
    rows = [a_row(line=line) for line in (2, 3)]
    refusal = await slower_of(
        town,
        lambda session: takeover.enter(session, keys, town.bank_id, rows),
        lambda session: takeover.enter(session, keys, other.bank_id, rows[::-1]),
    )
    assert refusal is None
    assert await balances(other) == await balances(town) == [25_000]
