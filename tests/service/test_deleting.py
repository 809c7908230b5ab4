"""Somebody is deleted: nothing says who they were, and every sum and seal stays as it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from models.base import utc_now
from models.drawer import Drawer
from models.event import Event
from models.idempotency import Answer
from models.payout import HIDDEN, Payout, PayoutStatus
from models.people import Membership, Person, Role
from models.pickup import Pickup, PickupStatus
from models.privacy import TraceKind
from models.reconciliation import StatementLine
from models.sign_in import Device, SignInCode
from service import auth, ledger, members, niks, privacy
from service.errors import NoSuchThing
from service.keys import Keys
from service.privacy import Left, MoneyNotPaidOut
from tests.factories import (
    Town,
    another,
    change_pickup,
    claim_pickup,
    earn,
    list_pickup,
    new_phone,
    phone_of,
)
from tests.paid import bring_in, lines_of, pay_through
from tests.races import Act, slower_of
from tests.service import sealing

NAME, ADDRESS = "Sité Nurhalimahwati Aminah", "Jl. Diponegoro 12, Lubuk Pakam"
NIK = "1207285507900001"
TERMS = auth.Terms(
    access_s=1, refresh_days=1, resend_s=0, codes_per_hour=5, codes_per_address_hour=5
)


async def left_of(town: Town, keys: Keys, person_id: UUID, *folders: Path) -> list[Left]:
    """What the scan still finds of somebody."""

    def look(connection: Connection) -> list[Left]:
        return [
            one for one in privacy.scan(connection, keys, folders) if one.person_id == person_id
        ]

    async with town.database.reading() as session:
        return await (await session.connection()).run_sync(look)


async def delete(town: Town, keys: Keys, person: Person, messages: Path) -> None:
    async with town.database.transaction() as session:
        await privacy.delete(session, keys, person.id, by=person.id, messages=messages)


async def lived(town: Town, keys: Keys, messages: Path) -> Payout:
    """A resident with all that a life at a bank leaves behind, and nothing that is open."""
    siti = town.resident
    async with town.database.transaction() as session:
        person = (await session.exec(select(Person).where(Person.id == siti.id))).one()
        person.name = NAME
        await niks.give(session, keys, person, NIK)
    pickup = await list_pickup(town)
    await change_pickup(town, pickup.id, status=PickupStatus.COLLECTED, credited_idr=20_000)
    account: dict[str, Any] = {"account_number": new_phone(), "account_holder_name": NAME}
    payout = await pay_through(town, 20_000, **account)
    await bring_in(town, lines_of(payout))
    await write_about(town, keys, phone_of(siti))
    line = {"to": siti.phone, "kind": "sign_in_code", "text": "Kode 123456", "code": "123456"}
    other = {"to": "+6281399999999", "kind": "x", "text": "y"}
    write(messages, line | {"at": "2026", "language": "id"}, other)
    return payout


def write(messages: Path, *lines: Mapping[str, str | None]) -> None:
    messages.write_text("".join(json.dumps(line) + "\n" for line in lines))


async def write_about(town: Town, keys: Keys, phone: str) -> None:
    """What others wrote down of the resident."""
    said = f"Hubungi {NAME.upper()} di 0{phone[3:6]}-{phone[6:10]}-{phone[10:]}, {ADDRESS}"
    async with town.database.transaction() as session:
        session.add(code_for(keys, phone))
        for whose in (town.resident, town.collector):
            session.add(
                Event(
                    bank_id=town.bank_id,
                    kind="told",
                    person_id=whose.id,
                    body=json.dumps({"reason": said}),
                )
            )
            session.add(
                Answer(
                    bank_id=town.bank_id,
                    person_id=whose.id,
                    key="k",
                    request_hash="x",
                    status=200,
                    body=json.dumps(
                        {"resident": {"name": NAME, "phone": phone, "address": ADDRESS}}
                    ),
                )
            )
        await session.exec(
            update(Pickup)
            .where(col(Pickup.bank_id) == town.bank_id)
            .values(ended_reason=said, note="Pagar hijau")
        )


def code_for(keys: Keys, phone: str) -> SignInCode:
    hashed = keys.hash_of(auth.PHONE, phone)
    return SignInCode(phone_hash=hashed, address="x", code_hash="x", expires_at=utc_now())


async def test_nothing_is_left_of_a_deleted_person_and_the_books_are_as_they_were(
    alone: Town, keys: Keys, tmp_path: Path
) -> None:
    messages = tmp_path / "messages.jsonl"
    payout = await lived(alone, keys, messages)
    before = await sums(alone)
    await sealing.turn(alone)
    await sealing.seal(alone, keys)
    await delete(alone, keys, alone.resident, messages)
    assert await left_of(alone, keys, alone.resident.id, tmp_path) == []
    assert await sums(alone) == before
    assert await sealing.findings(alone, keys) == []
    await expect_erased(alone, payout)
    code = code_for(keys, phone_of(alone.resident))
    async with alone.database.reading() as session:
        of_phone = select(SignInCode).where(SignInCode.phone_hash == code.phone_hash)
        assert list(await session.exec(of_phone)) == []
    blank, other = messages.read_text().splitlines()
    assert json.loads(blank)["to"] == ""
    assert json.loads(other)["to"] == "+6281399999999"


async def expect_erased(town: Town, payout: Payout) -> None:
    async with town.database.reading() as session:
        in_bank = {"bank_id": town.bank_id}
        person = (await session.exec(select(Person).where(Person.id == town.resident.id))).one()
        assert (person.phone, person.name, person.nik_hash, person.nik_sealed) == (
            None,
            "",
            None,
            None,
        )
        assert person.deleted_at is not None
        pickup = (await session.exec(select(Pickup).filter_by(**in_bank))).one()
        assert (pickup.address, pickup.note, pickup.lat, pickup.lon) == ("", "", 3.56, 98.87)
        assert ADDRESS not in (pickup.ended_reason + NAME)
        assert pickup.credited_idr == payout.amount_idr
        kept = (await session.exec(select(Payout).filter_by(**in_bank))).one()
        assert kept.account_number == HIDDEN + payout.account_number[-4:]
        assert (kept.account_holder_name, kept.amount_idr) == ("", payout.amount_idr)
        line = (await session.exec(select(StatementLine).filter_by(**in_bank))).first()
        assert line is not None
        assert line.raw == ""
        answers = list(await session.exec(select(Answer).filter_by(**in_bank)))
        assert [answer.person_id for answer in answers] == [town.collector.id]
        assert ADDRESS not in answers[0].body
        device = (await session.exec(select(Device).where(Device.person_id == person.id))).one()
        assert device.ended_at is not None


async def sums(town: Town) -> object:
    async with town.database.reading() as session:
        return await ledger.trial_balance(session, town.bank_id)


async def test_what_is_left_behind_is_found(alone: Town, keys: Keys, tmp_path: Path) -> None:
    siti = await another(alone, Role.RESIDENT)
    phone = phone_of(siti)
    log = tmp_path / "server.log"
    log.write_text(f"INFO: nothing\nINFO: called {phone[1:]} twice\n")
    await delete(alone, keys, siti, tmp_path / "none")
    async with alone.database.transaction() as session:
        event: dict[str, Any] = {
            "bank_id": alone.bank_id,
            "kind": "told",
            "body": json.dumps({"to_phone": phone}),
        }
        planted = Event(**event)
        session.add(planted)
    found = await left_of(alone, keys, siti.id, tmp_path)
    assert {(one.where, one.row, one.kind) for one in found} == {
        ("event.body", f"{alone.bank_id} {planted.id}", TraceKind.PHONE),
        (str(log), "line 2", TraceKind.PHONE),
    }
    async with alone.database.transaction() as session:
        session.add(Person(phone=phone, name="Another"))
    assert await left_of(alone, keys, siti.id, tmp_path) == [], "the number is somebody's again"


async def test_the_number_of_before_goes_as_well_unless_it_is_somebody_else_s(
    alone: Town, keys: Keys, tmp_path: Path
) -> None:
    siti, messages = await another(alone, Role.RESIDENT), tmp_path / "messages.jsonl"
    first, second, third = phone_of(siti), new_phone(), new_phone()
    for phone in (second, third):
        await change_phone(alone, keys, siti, phone)
    async with alone.database.transaction() as session:
        session.add(Person(phone=second, name="Another"))
    line = {"kind": "payout_paid", "text": "x"}
    write(messages, *({"to": phone} | line for phone in (first, second, third)))
    await delete(alone, keys, siti, messages)
    told = [json.loads(line)["to"] for line in messages.read_text().splitlines()]
    assert told == ["", second, ""]
    write(messages, *({"to": phone} | line for phone in (first, second, third)))
    found = await left_of(alone, keys, siti.id, messages)
    assert {one.row for one in found} == {"line 1", "line 3"}


async def change_phone(town: Town, keys: Keys, person: Person, phone: str) -> None:
    async with town.database.transaction() as session:
        before = (await members.hold_person(session, person.id)).phone or ""
        old, asked = [
            await auth.request_code(session, keys, TERMS, each, "here") for each in (before, phone)
        ]
        new = auth.NewPhone(phone, asked.code or "", old.code or "", "here")
        await auth.change_own_phone(session, keys, person.id, new, second=None)


async def test_a_code_that_a_stranger_asks_for_is_nothing_that_was_left(
    alone: Town, keys: Keys, tmp_path: Path
) -> None:
    siti = await another(alone, Role.RESIDENT)
    phone, messages = phone_of(siti), tmp_path / "messages.jsonl"
    await delete(alone, keys, siti, messages)
    async with alone.database.transaction() as session:
        session.add(code_for(keys, phone))
    line = {"kind": "sign_in_code", "to": phone, "at": utc_now().isoformat()}
    write(messages, line)
    assert await left_of(alone, keys, siti.id, tmp_path) == []
    before = {"at": "2026-01-01T00:00:00Z"}
    write(messages, line, line | before, line | {"kind": "payout_paid"}, {"to": phone})
    found = await left_of(alone, keys, siti.id, tmp_path)
    assert [one.row for one in found] == ["line 2", "line 3", "line 4"]


async def test_a_person_with_something_open_is_not_deleted(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    pickup = await list_pickup(town)
    with pytest.raises(privacy.PickupNotEnded):
        await delete(town, keys, town.resident, tmp_path / "none")
    await claim_pickup(town, pickup)
    with pytest.raises(privacy.PickupNotEnded):
        await delete(town, keys, town.collector, tmp_path / "none")
    with pytest.raises(privacy.LastTreasurer):
        await delete(town, keys, town.treasurer, tmp_path / "none")
    async with town.database.transaction() as session:
        drawer: dict[str, Any] = {
            "bank_id": town.bank_id,
            "name": "laci",
            "officer_id": town.operator.id,
        }
        session.add(Drawer(**drawer, opened_by=town.treasurer.id))
    with pytest.raises(privacy.DrawerStillKept):
        await delete(town, keys, town.operator, tmp_path / "none")


async def test_money_and_loads_are_settled_first(town: Town, keys: Keys, tmp_path: Path) -> None:
    await earn(town, keys, 5_000)
    with pytest.raises(MoneyNotPaidOut):
        await delete(town, keys, town.resident, tmp_path / "none")
    with pytest.raises(privacy.LoadNotSettled):
        await delete(town, keys, town.collector, tmp_path / "none")


async def test_a_second_treasurer_can_go_and_nobody_goes_twice(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    second = await another(town, Role.TREASURER, Role.RESIDENT)
    await delete(town, keys, second, tmp_path / "none")
    async with town.database.reading() as session:
        query = select(Membership.role).where(Membership.person_id == second.id)
        assert list(await session.exec(query)) == [Role.RESIDENT]
    with pytest.raises(NoSuchThing):
        await delete(town, keys, second, tmp_path / "none")


async def test_of_the_last_two_treasurers_one_stays(town: Town, keys: Keys, tmp_path: Path) -> None:
    second = await another(town, Role.TREASURER)

    def goes(person: Person) -> Act:
        messages = tmp_path / "none"
        return lambda session: privacy.delete(session, keys, person.id, by=None, messages=messages)

    refusal = await slower_of(town, goes(second), goes(town.treasurer))
    assert isinstance(refusal, privacy.LastTreasurer)


async def test_what_is_sealed_holds_no_phone(town: Town) -> None:
    await sealing.act(town, 5, memo="Bu Siti, 0812-6000-1234")
    assert [one.memo for one in await sealing.journals(town)] == ["Bu Siti, [phone]"]


@pytest.mark.parametrize(
    ("status", "values"),
    [
        (PayoutStatus.PAID, {"account_number": "089999999999"}),
        (PayoutStatus.PAID, {"account_number": HIDDEN + "0000"}),
        (PayoutStatus.PAID, {"account_holder_name": "Budi"}),
        (PayoutStatus.SENDING, {"account_holder_name": ""}),
    ],
)
async def test_where_money_went_can_only_be_hidden_and_only_once_it_is_there(
    town: Town, status: PayoutStatus, values: dict[str, str]
) -> None:
    payout = await pay_through(town, 20_000, account_holder_name="Siti", status=status)
    change = update(Payout).where(col(Payout.bank_id) == town.bank_id, col(Payout.id) == payout.id)
    with pytest.raises(IntegrityError, match="what was agreed on stays"):
        async with town.database.transaction() as session:
            await session.exec(change.values(**values))
