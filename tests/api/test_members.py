"""Registering people, joining, and the list of members."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.people import Membership, Person, Role
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, add_person, another, make_town, new_phone, phone_of

MALFORMED = (422, "request_malformed")


def path_of(town: Town) -> str:
    return f"/v1/banks/{town.bank_id}/members"


@pytest.mark.parametrize("role", ["resident", "collector"])
@pytest.mark.parametrize("officer", [Role.OPERATOR, Role.TREASURER])
async def test_an_officer_registers_residents_and_collectors(
    asking: Asking, town: Town, officer: Role, role: str
) -> None:
    phone = new_phone()
    body = {"phone": phone, "name": "Siti Aminah", "role": role}
    member = done(await asking.post(getattr(town, officer), path_of(town), body), 201)
    assert (member["phone"], member["name"], member["role"]) == (phone, "Siti Aminah", role)
    assert (member["passbook_number"] is not None) == (role == "resident")


async def test_who_registers_twice_stays_who_they_are(asking: Asking, town: Town) -> None:
    phone = new_phone()
    first = done(
        await asking.post(town.operator, path_of(town), {"phone": phone, "name": "Siti"}), 201
    )
    local = f"0{phone.removeprefix('+62')}"
    async with nothing_changes(town):
        again = await asking.post(town.operator, path_of(town), {"phone": local, "name": "Budi"})
    assert (first["is_new"], done(again, 201)) == (True, first | {"is_new": False})


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_only_officers_register(asking: Asking, quiet: Town, role: Role) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(getattr(quiet, role), path_of(quiet), {"phone": new_phone()})
    refused(answer, 403, "not_allowed")


async def test_officers_of_another_bank_register_nobody_here(asking: Asking, town: Town) -> None:
    far = await make_town(town.database)
    async with nothing_changes(town):
        answer = await asking.post(far.operator, path_of(town), {"phone": new_phone()})
    refused(answer, 403, "not_allowed")


@pytest.mark.parametrize(
    ("changes", "slug", "pointer"),
    [
        ({"phone": "abc"}, "phone_not_valid", "/phone"),
        ({"phone": "0812"}, "phone_not_valid", "/phone"),
        ({"phone": ""}, "request_malformed", "/phone"),
        ({"phone": 8123456789}, "request_malformed", "/phone"),
        ({"phone": None, "role": "collector"}, "request_malformed", "/phone"),
        ({"name": "a" * 121}, "request_malformed", "/name"),
        ({"name": "\u0000"}, "request_malformed", "/name"),
        ({"name": 1}, "request_malformed", "/name"),
        ({"role": "operator"}, "request_malformed", "/role"),
        ({"role": "treasurer"}, "request_malformed", "/role"),
        ({"role": "city"}, "request_malformed", "/role"),
        ({"role": "RESIDENT"}, "request_malformed", "/role"),
        ({"role": True}, "request_malformed", "/role"),
    ],
)
async def test_a_member_that_can_not_be_is_refused(
    asking: Asking, quiet: Town, changes: dict[str, Any], slug: str, pointer: str
) -> None:
    body = {"phone": new_phone(), "name": "Siti"} | changes
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.operator, path_of(quiet), body)
    refused(answer, 422, slug, pointer)


async def test_of_whom_only_another_bank_knows_nothing_is_written(
    asking: Asking, town: Town
) -> None:
    other = await make_town(town.database)
    async with town.database.transaction() as session:
        nameless = await add_person(session, other.bank_id, Role.RESIDENT)
        await session.exec(update(Person).where(col(Person.id) == nameless.id).values(name=""))
    body = {"phone": nameless.phone, "name": "Siti", "nik": "1207264101900003"}
    done(await asking.post(town.operator, f"/v1/banks/{town.bank_id}/members", body), 201)
    me = done(await asking.get(nameless, "/v1/me"))
    assert (me["name"], me["nik"]) == ("", None)


async def test_anybody_joins_a_bank_as_a_resident_once(asking: Asking, town: Town) -> None:
    newcomer = (await make_town(town.database)).resident
    path = f"/v1/banks/{town.bank_id}/join"
    joined = done(await asking.post(newcomer, path, key=None), 201)
    assert (joined["person_id"], joined["role"]) == (str(newcomer.id), "resident")
    async with nothing_changes(town):
        again = done(await asking.post(newcomer, path, key=None), 201)
    assert again == joined | {"is_new": False}
    done(await asking.get(newcomer, f"/v1/passbooks/{town.bank_id}"))


async def test_officers_see_the_members(asking: Asking, town: Town) -> None:
    for officer in (town.operator, town.treasurer):
        listed = done(await asking.get(officer, path_of(town)))["items"]
        assert sorted(member["role"] for member in listed) == sorted(Role)
        assert str(town.resident.id) in {member["person_id"] for member in listed}


async def test_members_are_found_by_phone_and_by_role(asking: Asking, town: Town) -> None:
    second = await another(town, Role.RESIDENT)
    local = f"0{phone_of(second).removeprefix('+62')}"
    found = done(await asking.get(town.operator, path_of(town), phone=local))["items"]
    assert [member["person_id"] for member in found] == [str(second.id)]
    residents = done(await asking.get(town.operator, path_of(town), role="resident"))["items"]
    assert [member["person_id"] for member in residents] == [
        str(second.id),
        str(town.resident.id),
    ]
    assert done(await asking.get(town.operator, path_of(town), phone=new_phone()))["items"] == []


async def test_members_are_found_by_passbook_and_by_name(asking: Asking, town: Town) -> None:
    async def found(**query: str) -> list[str]:
        pages = await asking.walk(town.operator, path_of(town), limit=2, **query)
        return [member["name"] for page in pages for member in page]

    for name, number in (("Sité Aminah", "A 07"), ("100% Siti_a", "0012"), ("SITÉ Budi", "000")):
        await resident_called(town, name, number)
    assert await found(name="sit") == ["SITÉ Budi", "100% Siti_a", "Sité Aminah"]
    assert await found(name="sITé") == ["SITÉ Budi", "Sité Aminah"]
    assert await found(name="0% s") == await found(name="i_A") == ["100% Siti_a"]
    assert await found(name="%i") == await found(name="S_ti") == []
    assert await found(passbook_number="a07") == await found(passbook_number="0A 07")
    assert await found(passbook_number="A 07") == ["Sité Aminah"]
    assert await found(passbook_number="12") == ["100% Siti_a"]
    assert await found(passbook_number="0") == ["SITÉ Budi"]
    assert await found(passbook_number="1") == await found(passbook_number="12", name="Budi") == []


async def resident_called(town: Town, name: str, number: str) -> None:
    person = await another(town)
    async with town.database.transaction() as session:
        await session.exec(update(Person).where(col(Person.id) == person.id).values(name=name))
        session.add(
            Membership(
                person_id=person.id,
                bank_id=town.bank_id,
                role=Role.RESIDENT,
                passbook_number=number,
            )
        )


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"name": "a"}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"passbook_number": ""}, "/passbook_number"),
        ({"passbook_number": "7" * 33}, "/passbook_number"),
    ],
)
async def test_what_nobody_is_called_is_refused(
    asking: Asking, quiet: Town, query: dict[str, str], pointer: str
) -> None:
    answer = await asking.get(quiet.operator, path_of(quiet), **query)
    refused(answer, *MALFORMED, pointer)


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.COLLECTOR, Role.CITY])
async def test_others_do_not_see_the_members(asking: Asking, quiet: Town, role: Role) -> None:
    refused(await asking.get(getattr(quiet, role), path_of(quiet)), 403, "not_allowed")


async def test_members_of_another_bank_are_not_seen(asking: Asking, town: Town) -> None:
    far = await make_town(town.database)
    refused(await asking.get(far.operator, path_of(town)), 403, "not_allowed")
    found = done(await asking.get(far.operator, path_of(far), phone=town.resident.phone))
    assert found["items"] == []


@pytest.mark.parametrize(
    ("query", "slug", "pointer"),
    [
        ({"role": "mayor"}, "request_malformed", "/role"),
        ({"phone": "abc"}, "phone_not_valid", "/phone"),
        ({"phone": "0" * 33}, "request_malformed", "/phone"),
    ],
)
async def test_members_of_no_role_or_phone_are_not_asked_for(
    asking: Asking, quiet: Town, query: dict[str, str], slug: str, pointer: str
) -> None:
    refused(await asking.get(quiet.operator, path_of(quiet), **query), 422, slug, pointer)
