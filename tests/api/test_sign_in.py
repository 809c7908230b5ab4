"""One-time codes, refresh tokens and access tokens."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, update
from sqlmodel import col, select

from models.base import utc_now
from models.sign_in import RefreshToken, SignInCode
from service import auth
from service.api.dependencies import Parts
from service.auth.codes import phone_hash
from service.keys import Keys
from tests.api.asking import Asking, done, refused
from tests.api.signing_in import (
    CODES,
    TOKENS,
    ask_code,
    codes_sent,
    exchange,
    hurried,
    me_of,
    refresh,
    sign_in,
    wrong,
)
from tests.factories import Town, new_phone, phone_of


async def test_a_code_that_was_sent_is_exchanged_for_tokens(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    answer = done(await asking.post(None, CODES, {"phone": phone}), 202)
    assert answer == {"expires_in_s": 300, "resend_after_s": 60}
    (code,) = codes_sent(parts, phone)
    tokens = done(await exchange(asking, phone, code))
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in_s"] == 900
    me = done(await me_of(asking, tokens["access_token"]))
    assert (me["phone"], me["memberships"]) == (phone, [])


async def test_the_answer_does_not_tell_whether_a_phone_is_known(
    asking: Asking, town: Town
) -> None:
    known = await asking.post(None, CODES, {"phone": town.resident.phone})
    unknown = await asking.post(None, CODES, {"phone": new_phone()})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


async def test_asking_again_at_once_sends_no_second_message(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    first = await ask_code(asking, parts, phone)
    again = done(await asking.post(None, CODES, {"phone": phone}), 202)
    assert codes_sent(parts, phone) == [first]
    assert 0 < again["resend_after_s"] <= 60
    assert 0 < again["expires_in_s"] <= 300
    done(await exchange(asking, phone, first))


async def test_too_many_codes_are_refused_until_later(asking: Asking, parts: Parts) -> None:
    hasty, phone = hurried(asking, parts, code_resend_s=0, codes_per_hour=3), new_phone()
    for _ in range(3):
        await ask_code(hasty, parts, phone)
    fourth = await hasty.post(None, CODES, {"phone": phone})
    refused(fourth, 429, "too_many_codes")
    assert 0 < int(fourth.headers["Retry-After"]) <= 3_600
    assert len(codes_sent(parts, phone)) == 3
    done(await hasty.post(None, CODES, {"phone": new_phone()}), 202)


async def test_only_the_newest_code_works(asking: Asking, parts: Parts) -> None:
    hasty, phone = hurried(asking, parts, code_resend_s=0), new_phone()
    older, newer = [await ask_code(hasty, parts, phone) for _ in range(2)]
    if older != newer:
        refused(await exchange(hasty, phone, older), 401, "wrong_code")
    done(await exchange(hasty, phone, newer))


async def test_after_five_wrong_tries_even_the_right_code_fails(
    asking: Asking, parts: Parts
) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    for _ in range(5):
        refused(await exchange(asking, phone, wrong(code)), 401, "wrong_code")
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_four_wrong_tries_leave_a_fifth(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    for _ in range(4):
        refused(await exchange(asking, phone, wrong(code)), 401, "wrong_code")
    done(await exchange(asking, phone, code))


async def test_tries_at_once_are_all_counted(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    tries = [exchange(asking, phone, wrong(code)) for _ in range(8)]
    for answer in await asyncio.gather(*tries):
        refused(answer, 401, "wrong_code")
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_a_code_runs_out(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    async with parts.database.transaction() as session:
        await session.exec(
            update(SignInCode)
            .where(col(SignInCode.phone_hash) == phone_hash(asking.keys, phone))
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_a_code_works_once(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    done(await exchange(asking, phone, code))
    refused(await exchange(asking, phone, code), 401, "wrong_code")


async def test_of_two_exchanges_at_once_one_gets_tokens(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    code = await ask_code(asking, parts, phone)
    both = await asyncio.gather(*(exchange(asking, phone, code) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 401]


async def test_a_code_of_another_phone_does_not_work(asking: Asking, parts: Parts) -> None:
    mine, theirs = new_phone(), new_phone()
    code = await ask_code(asking, parts, mine)
    if await ask_code(asking, parts, theirs) != code:
        refused(await exchange(asking, theirs, code), 401, "wrong_code")


async def test_a_refresh_token_is_exchanged_for_a_new_pair(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    first = await sign_in(asking, parts, phone)
    second = done(await refresh(asking, first["refresh_token"]))
    third = done(await refresh(asking, second["refresh_token"]))
    assert len({each["refresh_token"] for each in (first, second, third)}) == 3
    assert done(await me_of(asking, third["access_token"]))["phone"] == phone


async def test_reuse_of_a_refresh_token_ends_its_whole_family(asking: Asking, parts: Parts) -> None:
    first = await sign_in(asking, parts, new_phone())
    second = done(await refresh(asking, first["refresh_token"]))
    refused(await refresh(asking, first["refresh_token"]), 401, "session_ended")
    refused(await refresh(asking, second["refresh_token"]), 401, "session_ended")


async def test_reuse_leaves_the_same_persons_other_device_alone(
    asking: Asking, parts: Parts
) -> None:
    phone = new_phone()
    stolen = await sign_in(asking, parts, phone)
    other = await sign_in(asking, parts, phone)
    for _ in range(2):
        await refresh(asking, stolen["refresh_token"])
    done(await refresh(asking, other["refresh_token"]))


async def test_a_refresh_token_that_is_used_twice_at_once_ends_the_family(
    asking: Asking, parts: Parts
) -> None:
    first = await sign_in(asking, parts, new_phone())
    both = await asyncio.gather(*(refresh(asking, first["refresh_token"]) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 401]
    (won,) = [answer.json() for answer in both if answer.status_code == 200]
    refused(await refresh(asking, won["refresh_token"]), 401, "session_ended")


async def test_a_refresh_token_runs_out(asking: Asking, parts: Parts) -> None:
    tokens = await sign_in(asking, parts, new_phone())
    async with parts.database.transaction() as session:
        await session.exec(
            update(RefreshToken)
            .where(
                col(RefreshToken.token_hash)
                == parts.keys.hash_of("refresh", tokens["refresh_token"])
            )
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
    refused(await refresh(asking, tokens["refresh_token"]), 401, "session_ended")


@pytest.mark.parametrize("token", ["x", "é", "a" * 128])
async def test_an_unknown_refresh_token_is_refused(asking: Asking, token: str) -> None:
    refused(await refresh(asking, token), 401, "session_ended")


@pytest.mark.parametrize(
    "phone", ["abc", "123", "0812", "+62000000000", "08123456789012345678", "()-", "081 hello"]
)
async def test_a_number_that_nobody_can_have_is_refused(
    asking: Asking, parts: Parts, phone: str
) -> None:
    refused(await asking.post(None, CODES, {"phone": phone}), 422, "phone_not_valid", "/phone")
    refused(await exchange(asking, phone, "123456"), 422, "phone_not_valid", "/phone")
    assert not (parts.settings.data_dir / "messages.jsonl").exists()


@pytest.mark.parametrize("phone", [None, 8123456789, True, "", "08", "0" * 33, ["0812"], {}])
async def test_a_phone_that_is_no_text_of_its_length_is_refused(
    asking: Asking, parts: Parts, phone: object
) -> None:
    counted = select(func.count(col(SignInCode.id)))
    async with parts.database.reading() as session:
        before = (await session.exec(counted)).one()
    refused(await asking.post(None, CODES, {"phone": phone}), 422, "request_malformed", "/phone")
    async with parts.database.reading() as session:
        assert (await session.exec(counted)).one() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/phone"),
        ({"code": "123456"}, "/phone"),
        ({"phone": "0811-0000-1001"}, "/code"),
        ({"phone": "0811-0000-1001", "code": 123456}, "/code"),
        ({"phone": "0811-0000-1001", "code": "1" * 13}, "/code"),
        ({"refresh_token": ""}, "/refresh_token"),
        ({"refresh_token": 1}, "/refresh_token"),
        ({"refresh_token": "a" * 129}, "/refresh_token"),
        ([], ""),
        (None, ""),
    ],
)
async def test_an_exchange_needs_a_code_or_a_refresh_token(
    asking: Asking, body: object, pointer: str
) -> None:
    refused(await asking.post(None, TOKENS, body), 422, "request_malformed", pointer)


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "abcdef", "\u0000", "12345678"])
async def test_what_looks_like_no_code_is_a_wrong_code(
    asking: Asking, parts: Parts, code: str
) -> None:
    phone = new_phone()
    await ask_code(asking, parts, phone)
    refused(await exchange(asking, phone, code), 401, "wrong_code")


@pytest.mark.parametrize(
    "write",
    [
        lambda digits: f"0{digits}",
        lambda digits: f"62{digits}",
        lambda digits: f"+62{digits}",
        lambda digits: digits,
        lambda digits: f" +62 {digits[:3]}-{digits[3:7]}-{digits[7:]} ",
        lambda digits: f"(0{digits[:3]}) {digits[3:7]}.{digits[7:]}",
    ],
    ids=["0812", "62812", "+62812", "812", "+62 812-", "(0812)"],
)
async def test_every_way_to_write_a_number_is_the_same_person(
    asking: Asking, parts: Parts, town: Town, write: Callable[[str], str]
) -> None:
    phone = phone_of(town.resident)
    written = write(phone.removeprefix("+62"))
    done(await asking.post(None, CODES, {"phone": written}), 202)
    tokens = done(await exchange(asking, written, codes_sent(parts, phone)[-1]))
    me = done(await me_of(asking, tokens["access_token"]))
    assert (me["id"], me["phone"]) == (str(town.resident.id), phone)


@pytest.mark.parametrize("token", ["x", "a" * 60_000])
async def test_a_bad_access_token_is_refused(asking: Asking, token: str) -> None:
    answer = await me_of(asking, token)
    refused(answer, 401, "no_valid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_of_a_person_there_isnt_is_refused(asking: Asking, keys: Keys) -> None:
    token = auth.access_token(keys, uuid4(), uuid4(), lifetime_s=60)
    refused(await me_of(asking, token), 401, "no_valid_token")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token abc"])
async def test_another_authorization_is_refused(asking: Asking, header: str) -> None:
    answer = await asking.client.get("/v1/me", headers={"Authorization": header})
    refused(answer, 401, "no_valid_token")


async def test_a_refresh_token_is_no_access_token(asking: Asking, parts: Parts) -> None:
    tokens = await sign_in(asking, parts, new_phone())
    refused(await me_of(asking, tokens["refresh_token"]), 401, "no_valid_token")
