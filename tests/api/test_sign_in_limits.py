"""How often codes may be asked for and tried, and what nobody can tell from it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.base import utc_now
from models.sign_in import SignInCode
from service.api.dependencies import Parts
from service.auth.addresses import household_of
from service.auth.codes import phone_hash
from service.auth.limits import (
    MAX_TRIES,
    MAX_TRIES_A_DAY,
    MAX_TRIES_ELSEWHERE,
    MAX_TRIES_OF_ALL,
    NETWORKS,
    last_alive,
)
from tests.api.asking import Asking, done, refused
from tests.api.signing_in import CODES, ask_code, codes_sent, exchange, hurried, wrong
from tests.counting import statements_of
from tests.factories import Town, make_town, new_phone, phone_of


@pytest.mark.parametrize(
    ("address", "household"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_what_one_subscriber_has_counts_as_one(address: str, household: str) -> None:
    assert household_of(address) == household


@pytest.mark.parametrize(
    ("codes", "alive"),
    [
        ([], None),
        ([(0, False)], 0),
        ([(0, True)], None),
        ([(0, True), (4, False)], 1),
        ([(MAX_TRIES, False)], None),
        ([(MAX_TRIES, False), (0, False)], None),
        ([(2, False), (MAX_TRIES_A_DAY - 3, False)], 0),
        ([(2, False), (MAX_TRIES_A_DAY - 2, True)], None),
    ],
)
def test_a_code_that_can_not_be_tried_is_not_on_its_way(
    codes: list[tuple[int, bool]], alive: int | None
) -> None:
    """Of tries and whether it was used, newest first."""
    now = utc_now()
    hashes: dict[str, Any] = {"phone_hash": "", "address": "", "code_hash": ""}
    own = [
        SignInCode(**hashes, expires_at=now, tries=tries, used_at=now if used else None)
        for tries, used in codes
    ]
    assert last_alive(own) is (None if alive is None else own[alive])


async def test_a_code_that_used_up_its_tries_is_followed_by_another(
    asking: Asking, parts: Parts
) -> None:
    """Whether the phone is known or not: nobody waits for a code that isn't sent."""
    for phone in (new_phone(), phone_of((await make_town(parts.database)).resident)):
        code = await ask_code(asking, parts, phone)
        for _ in range(MAX_TRIES):
            refused(await exchange(asking, phone, wrong(code)), 401, "wrong_code")
        await ask_code(asking, parts, phone)
        assert len(codes_sent(parts, phone)) == 2
        await ask_code(asking, parts, phone)
        assert len(codes_sent(parts, phone)) == 2, "that one can still be tried"


async def test_a_network_may_ask_for_so_many_codes(asking: Asking, parts: Parts) -> None:
    limited = hurried(asking, parts, "203.0.113.7", codes_per_address_hour=2)
    elsewhere = hurried(asking, parts, "203.0.113.8", codes_per_address_hour=2)
    phone = new_phone()
    for number in (phone, new_phone()):
        done(await limited.post(None, CODES, {"phone": number}), 202)
    third = await limited.post(None, CODES, {"phone": new_phone()})
    refused(third, 429, "too_many_from_here")
    assert 3_590 < int(third.headers["Retry-After"]) <= 3_600
    done(await limited.post(None, CODES, {"phone": phone}), 202)  # Still on its way.
    done(await elsewhere.post(None, CODES, {"phone": new_phone()}), 202)
    async with parts.database.transaction() as session:
        mine = col(SignInCode.phone_hash) == phone_hash(asking.keys, phone)
        earlier = utc_now() - timedelta(hours=1)
        await session.exec(update(SignInCode).where(mine).values(created_at=earlier))
    done(await limited.post(None, CODES, {"phone": new_phone()}), 202)


async def test_many_codes_give_no_more_guesses(asking: Asking, parts: Parts) -> None:
    hasty, phone = hurried(asking, parts, code_resend_s=0), new_phone()
    codes = [await ask_code(hasty, parts, phone) for _ in range(2)]
    async with parts.database.transaction() as session:
        mine = col(SignInCode.phone_hash) == phone_hash(asking.keys, phone)
        tried = MAX_TRIES_A_DAY // 2
        await session.exec(update(SignInCode).where(mine).values(tries=tried, used_at=utc_now()))
    answer = await hasty.post(None, CODES, {"phone": phone})
    refused(answer, 429, "too_many_wrong_codes")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    async with parts.database.transaction() as session:
        await session.exec(update(SignInCode).where(mine).values(tries=tried - 1))
    codes.append(await ask_code(hasty, parts, phone))
    for _ in range(2):
        refused(await exchange(hasty, phone, wrong(codes[-1])), 401, "wrong_code")
    refused(await exchange(hasty, phone, codes[-1]), 401, "wrong_code")
    async with parts.database.transaction() as session:
        yesterday = utc_now() - timedelta(days=1)
        other = col(SignInCode.used_at).is_not(None)
        await session.exec(update(SignInCode).where(mine, other).values(created_at=yesterday))
    done(await exchange(hasty, phone, codes[-1]))


async def test_a_stranger_elsewhere_takes_no_try_and_no_code_from_the_owner(
    asking: Asking, parts: Parts
) -> None:
    phone, terms = new_phone(), {"code_resend_s": 0, "codes_per_hour": 4}
    owner, stranger = (hurried(asking, parts, f"203.0.113.{n}", **terms) for n in (7, 8))
    for _ in range(MAX_TRIES_A_DAY // MAX_TRIES):
        code = await ask_code(stranger, parts, phone)
        for _ in range(MAX_TRIES):
            refused(await exchange(stranger, phone, wrong(code)), 401, "wrong_code")
    refused(await stranger.post(None, CODES, {"phone": phone}), 429, "too_many_codes")
    own = await ask_code(owner, parts, phone)
    for _ in range(MAX_TRIES_ELSEWHERE + 1):
        refused(await exchange(stranger, phone, wrong(own)), 401, "wrong_code")
    refused(await exchange(stranger, phone, own), 401, "wrong_code")
    done(await exchange(owner, phone, own))


async def test_all_networks_together_have_an_end_but_for_one_that_is_known(
    asking: Asking, parts: Parts
) -> None:
    phone = new_phone()
    owner, *strangers = (
        hurried(asking, parts, f"203.0.113.{n}", code_resend_s=0, codes_per_hour=2)
        for n in range(20, 22 + NETWORKS)
    )
    done(await exchange(owner, phone, await ask_code(owner, parts, phone)))
    for stranger in strangers[:-1]:
        for _ in range(2):
            await ask_code(stranger, parts, phone)
    refused(await strangers[-1].post(None, CODES, {"phone": phone}), 429, "too_many_codes")
    async with parts.database.transaction() as session:
        theirs = (
            col(SignInCode.phone_hash) == phone_hash(asking.keys, phone),
            col(SignInCode.used_at).is_(None),
        )
        tries = MAX_TRIES_OF_ALL // (2 * NETWORKS)
        earlier = utc_now() - timedelta(hours=1)
        await session.exec(
            update(SignInCode).where(*theirs).values(tries=tries, created_at=earlier)
        )
    refused(await strangers[-1].post(None, CODES, {"phone": phone}), 429, "too_many_wrong_codes")
    done(await exchange(owner, phone, await ask_code(owner, parts, phone)))


async def test_right_codes_are_no_wrong_tries(asking: Asking, parts: Parts) -> None:
    hasty = hurried(asking, parts, code_resend_s=0, codes_per_hour=MAX_TRIES_A_DAY + 1)
    phone = new_phone()
    for _ in range(MAX_TRIES_A_DAY + 1):
        done(await exchange(hasty, phone, await ask_code(hasty, parts, phone)))


async def test_a_known_phone_is_asked_about_no_more_than_an_unknown_one(
    asking: Asking, parts: Parts, town: Town
) -> None:
    """The clock tells nothing either, since the very same statements run."""
    sent: list[list[str]] = []
    for phone in (phone_of(town.treasurer), new_phone()):
        with statements_of(parts.database) as statements:
            code = await ask_code(asking, parts, phone)
            for _ in range(MAX_TRIES):
                refused(await exchange(asking, phone, wrong(code)), 401, "wrong_code")
            refused(await exchange(asking, phone, code), 401, "wrong_code")
        sent.append(list(statements))
    assert sent[0] == sent[1]
    assert len(sent[0]) > MAX_TRIES
    assert not any("person" in statement for statement in sent[0])
