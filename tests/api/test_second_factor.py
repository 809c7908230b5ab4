"""A second factor over HTTP: set up, asked for at the sign-in, used once, taken off."""

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.base import utc_now
from models.people import Person, Role
from models.sign_in import SecondFactor
from service.api.dependencies import Parts
from service.auth import locked, second_factor, totp
from service.auth.second_factor import MAX_TRIES, WrongSecondFactor
from service.keys import Keys
from tests.api.asking import Asking, done, refused
from tests.api.signing_in import TOKENS, ask_code, exchange, hurried, wrong
from tests.factories import Town, another, phone_of
from tests.races import slower_of

MINE = "/v1/me/second-factor"


def code_of(secret: str) -> str:
    """What the app shows now; it is taken for half a minute more."""
    return totp.code_at(secret, int(time.time()) // totp.STEP_S)


def next_code_of(secret: str) -> str:
    """What it shows next, which is taken already: no test waits for it."""
    return totp.code_at(secret, int(time.time()) // totp.STEP_S + 1)


async def set_up(asking: Asking, who: Person) -> tuple[str, list[str]]:
    """The secret of somebody's new second factor, and their recovery codes."""
    secret = done(await asking.post(who, MINE), 201)["secret"]
    confirmed = await asking.post(who, f"{MINE}/confirm", {"code": code_of(secret)})
    return secret, done(confirmed)["recovery_codes"]


async def sign_in(asking: Asking, who: Person, code: str, **more: Any) -> httpx.Response:
    return await asking.post(None, TOKENS, {"phone": phone_of(who), "code": code, **more})


async def remove(asking: Asking, who: Person, code: str) -> httpx.Response:
    headers = asking.headers(who)
    return await asking.client.request("DELETE", MINE, json={"code": code}, headers=headers)


async def test_a_second_factor_is_set_up_and_asked_for(
    asking: Asking, parts: Parts, town: Town
) -> None:
    who = town.treasurer
    begun = done(await asking.post(who, MINE), 201)
    assert begun["uri"].startswith("otpauth://totp/Jumpa%20Madu:")
    assert begun["qr_svg"].startswith("<svg")
    assert done(await asking.get(who, MINE))["is_on"] is False
    code = code_of(begun["secret"])
    refused(
        await asking.post(who, f"{MINE}/confirm", {"code": wrong(code)}), 403, "wrong_second_factor"
    )
    codes = done(await asking.post(who, f"{MINE}/confirm", {"code": code}))["recovery_codes"]
    assert len(set(codes)) == 10
    assert done(await asking.get(who, MINE)) == {
        "is_on": True,
        "is_needed": False,
        "was_given": True,
        "recovery_codes_left": 10,
    }
    refused(await asking.post(who, MINE), 409, "second_factor_exists")
    refused(await asking.post(who, f"{MINE}/confirm", {"code": code}), 409, "second_factor_exists")

    sms = await ask_code(asking, parts, phone_of(who))
    for _ in range(6):  # No try of the right code is a wrong one.
        refused(await exchange(asking, phone_of(who), sms), 401, "second_factor_needed")
    refused(await sign_in(asking, who, sms, second_factor=code), 403, "wrong_second_factor")
    now = next_code_of(begun["secret"])
    refused(await sign_in(asking, who, wrong(sms), second_factor=now), 401, "wrong_code")
    done(await sign_in(asking, who, sms, second_factor=now))
    again = await ask_code(asking, parts, phone_of(who))
    used = await sign_in(asking, who, again, second_factor=now)
    refused(used, 403, "wrong_second_factor")


async def test_the_database_alone_does_not_tell_the_secret(
    asking: Asking, keys: Keys, town: Town
) -> None:
    secret, codes = await set_up(asking, town.operator)
    async with town.database.reading() as session:
        mine = select(SecondFactor.secret).where(SecondFactor.person_id == town.operator.id)
        kept = (await session.exec(mine)).one()
    assert secret.encode() not in kept
    assert locked.unlock(keys, town.operator.id, kept) == secret
    assert codes[0].replace("-", "").encode() not in kept


async def test_a_recovery_code_stands_for_the_app_once(
    asking: Asking, parts: Parts, town: Town
) -> None:
    who = town.operator
    secret, codes = await set_up(asking, who)
    sms = await ask_code(asking, parts, phone_of(who))
    done(await sign_in(asking, who, sms, second_factor=codes[0].upper()))
    assert done(await asking.get(who, MINE))["recovery_codes_left"] == 9
    path = f"{MINE}/recovery-codes"
    refused(await asking.post(who, path, {"code": codes[0]}), 403, "wrong_second_factor")
    renewed = done(await asking.post(who, path, {"code": next_code_of(secret)}))["recovery_codes"]
    refused(await asking.post(who, path, {"code": codes[1]}), 403, "wrong_second_factor")
    assert len(done(await asking.post(who, path, {"code": renewed[0]}))["recovery_codes"]) == 10


async def test_tries_are_limited_by_the_hour(asking: Asking, town: Town) -> None:
    who = town.operator
    secret, _ = await set_up(asking, who)
    good = next_code_of(secret)
    for _ in range(MAX_TRIES):
        refused(await remove(asking, who, "0" * 5), 403, "wrong_second_factor")
    held = await remove(asking, who, good)
    refused(held, 429, "too_many_second_factors")
    assert 3_500 < int(held.headers["Retry-After"]) <= 3_601
    async with town.database.transaction() as session:
        mine = col(SecondFactor.person_id) == who.id
        earlier = utc_now() - timedelta(hours=1)
        await session.exec(update(SecondFactor).where(mine).values(tries_since=earlier))
    done(await remove(asking, who, good), 204)
    assert done(await asking.get(who, MINE))["is_on"] is False
    refused(await remove(asking, who, good), 409, "no_second_factor")
    refused(await asking.post(who, f"{MINE}/confirm", {"code": good}), 409, "no_second_factor")


async def test_of_two_uses_of_a_code_at_once_one_counts(
    asking: Asking, keys: Keys, town: Town
) -> None:
    secret, _ = await set_up(asking, town.operator)
    code = next_code_of(secret)

    async def give(session: Any) -> None:
        await second_factor.prove(session, keys, town.operator.id, code)

    assert isinstance(await slower_of(town, give, give), WrongSecondFactor)


async def test_where_officers_must_prove_it_they_can_only_set_it_up(
    asking: Asking, parts: Parts, town: Town
) -> None:
    strict = hurried(asking, parts, second_factor="officers")
    who, path = town.treasurer, f"/v1/banks/{town.bank_id}/members"
    for key in ("new", None):
        answer = await strict.post(who, path, {"phone": phone_of(town.resident)}, key=key)
        refused(answer, 403, "second_factor_not_given")
    refused(await strict.get(who, path), 403, "second_factor_not_given")
    refused(await strict.get(town.collector, path), 403, "not_allowed")
    roles = [one["role"] for one in done(await strict.get(who, "/v1/me"))["memberships"]]
    assert roles == ["treasurer"]
    assert done(await strict.get(who, MINE))["is_needed"] is True
    assert done(await strict.get(town.resident, MINE))["is_needed"] is False

    secret, _ = await set_up(strict, who)
    done(await strict.get(who, path))
    done(await strict.get(town.resident, f"/v1/passbooks/{town.bank_id}"))
    done(await remove(strict, who, next_code_of(secret)), 204)
    refused(await strict.get(who, path), 403, "second_factor_not_given")


async def test_a_new_device_has_to_give_it_too(asking: Asking, parts: Parts, town: Town) -> None:
    strict = hurried(asking, parts, second_factor="officers")
    who = await another(town, Role.OPERATOR)
    secret, _ = await set_up(strict, who)
    sms = await ask_code(strict, parts, phone_of(who))
    tokens = done(await sign_in(strict, who, sms, second_factor=next_code_of(secret)))
    for token in (tokens, done(await strict.post(None, TOKENS, _renewal(tokens)))):
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        path = f"/v1/banks/{town.bank_id}/members"
        done(await strict.client.get(path, headers=headers))


def _renewal(tokens: dict[str, str]) -> dict[str, str]:
    return {"refresh_token": tokens["refresh_token"]}


@pytest.mark.parametrize("body", [None, {}, {"code": ""}, {"code": 123456}, {"code": "1" * 33}])
async def test_a_code_is_text(asking: Asking, quiet: Town, body: Any) -> None:
    answer = await asking.post(quiet.operator, f"{MINE}/confirm", body)
    refused(answer, 422, "request_malformed")
