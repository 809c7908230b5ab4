"""A phone number is changed by whose it is: who holds the old one and the new one."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
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
from tests.api.signing_in import ask_code, codes_sent, exchange, hurried, me_of, sign_in, wrong
from tests.api.test_second_factor import next_code_of, set_up
from tests.factories import Town, another, new_phone, phone_of
from tests.races import slower_of

MINE = "/v1/me/phone"


Change = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def change(asking: Asking, parts: Parts) -> Change:
    """Changes a number, with a right code of the old one unless another is said."""

    async def act(who: Person, phone: str, code: str, **more: Any) -> httpx.Response:
        if "code_of_before" not in more:
            sent = codes_sent(parts, phone_of(who))
            more["code_of_before"] = (
                sent[-1] if sent else await ask_code(asking, parts, phone_of(who))
            )
        by: Asking = more.pop("strict", asking)
        return await by.post(who, MINE, {"phone": phone, "code": code, **more})

    return act


async def told(town: Town, whom: Person) -> list[Event]:
    async with town.database.reading() as session:
        mine = select(Event).where(Event.bank_id == town.bank_id, Event.person_id == whom.id)
        return list(await session.exec(mine))


async def acts_of(asking: Asking, who: Person) -> list[str]:
    return [one["act"] for one in done(await asking.get(who, "/v1/me/audit"))["items"]]


async def test_a_new_number_signs_in_from_then_on_and_that_of_before_is_told(
    change: Change, asking: Asking, parts: Parts, keys: Keys, town: Town
) -> None:
    me, before, phone = town.resident, phone_of(town.resident), new_phone()
    code = await ask_code(asking, parts, phone)
    assert done(await change(me, f"0{phone[3:]}", code)) == {"phone": phone}
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
    change: Change, asking: Asking, parts: Parts, town: Town
) -> None:
    me, phone, theirs = town.resident, new_phone(), phone_of(town.collector)
    code = await ask_code(asking, parts, phone)
    refused(await change(me, phone, wrong(code)), 403, "phone_not_proved")
    refused(await change(me, new_phone(), code), 403, "phone_not_proved")
    refused(await change(me, theirs, code), 403, "phone_not_proved", "/code")
    stolen = await change(me, phone, code, code_of_before="000000")
    refused(stolen, 403, "phone_not_proved", "/code_of_before")
    refused(await change(me, "0812", code), 422, "phone_not_valid", "/phone")
    done(await change(me, phone, code))
    refused(await change(me, phone, code), 403, "phone_not_proved")
    assert done(await asking.get(me, "/v1/me"))["phone"] == phone


async def test_wrong_codes_are_counted_as_at_the_sign_in(
    change: Change, asking: Asking, parts: Parts, town: Town
) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    for _ in range(5):
        refused(await change(town.resident, phone, wrong(code)), 403, "phone_not_proved")
    refused(await change(town.resident, phone, code), 403, "phone_not_proved")
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_a_number_that_another_has_stays_theirs_and_its_code_still_signs_in(
    change: Change, asking: Asking, parts: Parts, town: Town
) -> None:
    phone = phone_of(town.collector)
    code = await ask_code(asking, parts, phone)
    refused(await change(town.resident, phone, code), 409, "phone_taken")
    tokens = done(await exchange(asking, phone, code))
    assert done(await me_of(asking, tokens["access_token"]))["id"] == str(town.collector.id)
    assert await told(town, town.resident) == []


async def test_who_has_a_second_factor_gives_it_too(
    change: Change, asking: Asking, parts: Parts, town: Town
) -> None:
    who, phone = town.treasurer, new_phone()
    secret, _ = await set_up(asking, who)
    code = await ask_code(asking, parts, phone)
    missing = await change(who, phone, code)
    refused(missing, 422, "second_factor_missing", "/second_factor")
    refused(await change(who, phone, code, second_factor="000000"), 403, "wrong_second_factor")
    done(await change(who, phone, code, second_factor=next_code_of(secret)))


async def test_an_officer_who_has_yet_to_prove_it_changes_none(
    change: Change, asking: Asking, parts: Parts, town: Town
) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    strict = hurried(asking, parts, second_factor="officers")
    refused(await change(town.operator, phone, code, strict=strict), 403, "second_factor_not_given")
    done(await change(town.resident, phone, code, strict=strict))


async def test_of_two_who_take_a_number_at_once_one_gets_it(town: Town) -> None:
    other, phone = await another(town, Role.RESIDENT), new_phone()

    def taking(who: Person) -> Callable[[AsyncSession], Awaitable[object]]:
        async def take(session: AsyncSession) -> None:
            await members.change_phone(session, await members.hold_person(session, who.id), phone)

        return take

    assert isinstance(await slower_of(town, taking(town.resident), taking(other)), PhoneTaken)
    async with town.database.reading() as session:
        found = await members.find_by_phone(session, phone)
    assert found is not None
    assert found.id == town.resident.id
