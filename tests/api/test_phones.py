"""A phone number is given to who had none, and changed by whose it is."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.event import Event
from models.people import Person, Role
from service import members
from service.api.dependencies import Parts
from service.keys import Keys
from service.members import PhoneTaken
from service.notices import notice_of
from tests.api.asking import Asking, done, refused
from tests.api.signing_in import ask_code, exchange, hurried, me_of, sign_in, wrong
from tests.api.test_my_data import without_phone
from tests.api.test_second_factor import next_code_of, set_up
from tests.factories import Town, another, new_phone, phone_of
from tests.races import slower_of

MINE = "/v1/me/phone"


async def change(asking: Asking, who: Person, phone: str, code: str, **more: Any) -> httpx.Response:
    return await asking.post(who, MINE, {"phone": phone, "code": code, **more})


async def give(
    asking: Asking, town: Town, whom: Person, phone: str, code: str, *, by: Person | None = None
) -> httpx.Response:
    path = f"/v1/banks/{town.bank_id}/members/{whom.id}/phone"
    return await asking.post(by or town.operator, path, {"phone": phone, "code": code})


async def told(town: Town, whom: Person) -> list[Event]:
    async with town.database.reading() as session:
        mine = select(Event).where(Event.bank_id == town.bank_id, Event.person_id == whom.id)
        return list(await session.exec(mine))


async def acts_of(asking: Asking, who: Person) -> list[str]:
    return [one["act"] for one in done(await asking.get(who, "/v1/me/audit"))["items"]]


async def test_a_new_number_signs_in_from_then_on_and_that_of_before_is_told(
    asking: Asking, parts: Parts, keys: Keys, town: Town
) -> None:
    me, before, phone = town.resident, phone_of(town.resident), new_phone()
    code = await ask_code(asking, parts, phone)
    assert done(await change(asking, me, f"0{phone[3:]}", code)) == {"phone": phone}
    assert done(await asking.get(me, "/v1/me"))["phone"] == phone, "still signed in"
    tokens = await sign_in(asking, parts, phone)
    assert done(await me_of(asking, tokens["access_token"]))["id"] == str(me.id)
    tokens = await sign_in(asking, parts, before)
    assert done(await me_of(asking, tokens["access_token"]))["id"] != str(me.id)
    assert "change_my_phone" in await acts_of(asking, me)
    (event,) = await told(town, me)
    for language, words in (("en", "was changed"), ("id", "diganti")):
        message = notice_of(event, Person(phone=phone, language=language), keys)
        assert message is not None
        assert (message.to, words in message.text, phone in message.text) == (before, True, False)


async def test_a_number_is_mine_only_with_the_code_that_was_sent_to_it(
    asking: Asking, parts: Parts, town: Town
) -> None:
    me, phone, theirs = town.resident, new_phone(), phone_of(town.collector)
    code = await ask_code(asking, parts, phone)
    refused(await change(asking, me, phone, wrong(code)), 403, "phone_not_proved")
    refused(await change(asking, me, new_phone(), code), 403, "phone_not_proved")
    refused(await change(asking, me, theirs, code), 403, "phone_not_proved")
    refused(await change(asking, me, "0812", code), 422, "phone_not_valid", "/phone")
    done(await change(asking, me, phone, code))
    refused(await change(asking, me, phone, code), 403, "phone_not_proved")
    assert done(await asking.get(me, "/v1/me"))["phone"] == phone


async def test_wrong_codes_are_counted_as_at_the_sign_in(
    asking: Asking, parts: Parts, town: Town
) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    for _ in range(5):
        refused(await change(asking, town.resident, phone, wrong(code)), 403, "phone_not_proved")
    refused(await change(asking, town.resident, phone, code), 403, "phone_not_proved")
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_a_number_that_another_has_stays_theirs_and_its_code_still_signs_in(
    asking: Asking, parts: Parts, town: Town
) -> None:
    nek, phone = await without_phone(town), phone_of(town.collector)
    code = await ask_code(asking, parts, phone)
    refused(await change(asking, town.resident, phone, code), 409, "phone_taken")
    refused(await give(asking, town, nek, phone, code), 409, "phone_taken")
    tokens = done(await exchange(asking, phone, code))
    assert done(await me_of(asking, tokens["access_token"]))["id"] == str(town.collector.id)
    assert await told(town, town.resident) == []


async def test_who_has_a_second_factor_gives_it_too(
    asking: Asking, parts: Parts, town: Town
) -> None:
    who, phone = town.treasurer, new_phone()
    secret, _ = await set_up(asking, who)
    code = await ask_code(asking, parts, phone)
    missing = await change(asking, who, phone, code)
    refused(missing, 422, "second_factor_missing", "/second_factor")
    refused(
        await change(asking, who, phone, code, second_factor="000000"), 403, "wrong_second_factor"
    )
    done(await change(asking, who, phone, code, second_factor=next_code_of(secret)))


async def test_an_officer_who_has_yet_to_prove_it_changes_none(
    asking: Asking, parts: Parts, town: Town
) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    strict = hurried(asking, parts, second_factor="officers")
    refused(await change(strict, town.operator, phone, code), 403, "second_factor_not_given")
    done(await change(strict, town.resident, phone, code))


async def test_an_officer_gives_a_number_to_a_resident_without_one(
    asking: Asking, parts: Parts, keys: Keys, town: Town
) -> None:
    nek, phone = await without_phone(town), new_phone()
    code = await ask_code(asking, parts, phone)
    refused(await give(asking, town, nek, phone, wrong(code)), 403, "phone_not_proved")
    assert done(await give(asking, town, nek, phone, code)) == {"phone": phone}
    tokens = await sign_in(asking, parts, phone)
    assert done(await me_of(asking, tokens["access_token"]))["id"] == str(nek.id)
    audit = done(await asking.get(town.treasurer, f"/v1/banks/{town.bank_id}/audit"))["items"]
    (act,) = [one for one in audit if one["act"] == "give_phone"]
    assert (act["about"], act["on_behalf_of"]) == (str(nek.id), str(nek.id))
    (event,) = await told(town, nek)
    message = notice_of(event, Person(phone=phone, name=nek.name, language="en"), keys)
    assert message is not None
    assert (message.to, f"{nek.name}'s" in message.text) == (phone, True)
    again = new_phone()
    code = await ask_code(asking, parts, again)
    refused(await give(asking, town, nek, again, code), 409, "changes_phone_themselves")


async def test_nobody_else_is_given_one(
    asking: Asking, parts: Parts, town: Town, quiet: Town
) -> None:
    nek, phone = await without_phone(town), new_phone()
    code = await ask_code(asking, parts, phone)
    for whom in (town.resident, town.operator):
        refused(await give(asking, town, whom, phone, code), 409, "changes_phone_themselves")
    stranger = Person(id=town.bank_id)
    refused(await give(asking, town, stranger, phone, code), 404, "no_such_thing")
    refused(await give(asking, town, nek, phone, code, by=town.collector), 403, "not_allowed")
    async with town.database.transaction() as session:
        await members.register(session, quiet.bank_id, nek, Role.RESIDENT, entered_by=None)
    refused(await give(asking, town, nek, phone, code), 409, "changes_phone_themselves")


async def test_of_two_who_take_a_number_at_once_one_gets_it(town: Town) -> None:
    other, phone = await another(town, Role.RESIDENT), new_phone()

    def taking(who: Person) -> Callable[[AsyncSession], Awaitable[object]]:
        return lambda session: members.change_phone(session, who.id, phone)

    assert isinstance(await slower_of(town, taking(town.resident), taking(other)), PhoneTaken)
    async with town.database.reading() as session:
        found = await members.find_by_phone(session, phone)
    assert found is not None
    assert found.id == town.resident.id
