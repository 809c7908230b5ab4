"""Somebody without a phone number, everywhere that a number is shown or written to."""

import csv
import io
from uuid import UUID

import pytest

from models.base import new_id
from models.event import Event
from models.people import Person
from service.keys import Keys
from service.notices import notice_of
from tests.api.asking import Asking, done
from tests.factories import Town, claim_pickup, list_pickup, phone_of


@pytest.fixture
async def silent(town: Town) -> Town:
    """A town whose resident has no number any more."""
    async with town.database.transaction() as session:
        person = await session.get_one(Person, town.resident.id)
        person.phone = None
        session.add(person)
    return town


async def test_views_show_no_number(asking: Asking, silent: Town) -> None:
    me = done(await asking.get(silent.resident, "/v1/me"))
    assert (me["id"], me["phone"]) == (str(silent.resident.id), None)
    listed = done(await asking.get(silent.operator, f"/v1/banks/{silent.bank_id}/members"))
    phones = {UUID(one["person_id"]): one["phone"] for one in listed["items"]}
    assert phones[silent.resident.id] is None
    assert phones[silent.operator.id] == phone_of(silent.operator)
    pickup = await claim_pickup(silent, await list_pickup(silent))
    shown = done(await asking.get(silent.collector, f"/v1/pickups/{pickup.id}"))
    assert shown["resident"]["phone"] is None


async def test_a_statement_is_written_without_one(asking: Asking, silent: Town) -> None:
    path = f"/v1/passbooks/{silent.bank_id}/statement"
    days = {"from": "2026-11-01", "to": "2026-11-30", "language": "en"}
    read = await asking.get(silent.resident, path, **days, format="json")
    assert done(read)["phone"] is None
    written = await asking.get(silent.resident, path, **days, format="csv")
    assert ["Phone", ""] in list(csv.reader(io.StringIO(written.content.decode("utf-8-sig"))))


def test_nobody_is_written_to_where_there_is_no_number(keys: Keys) -> None:
    event = Event(bank_id=new_id(), kind="payout_paid", body='{"amount_idr": 1}')
    assert notice_of(event, Person(phone=None), keys) is None
    told = Event(
        bank_id=new_id(), kind="payout_paid", body='{"amount_idr": 1, "to_phone": "+6281200000000"}'
    )
    message = notice_of(told, Person(phone=None), keys)
    assert message is not None
    assert message.to == "+6281200000000"
