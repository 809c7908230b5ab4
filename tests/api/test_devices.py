"""The devices somebody is signed in on, and how each is ended."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from service.api.dependencies import Parts
from service.auth import SessionEnded, Terms, devices, end, exchange_refresh_token
from tests.api.asking import Asking, done, refused
from tests.api.signing_in import TOKENS, ask_code, me_of, refresh, sign_in
from tests.counting import statements_of
from tests.factories import Town, new_phone
from tests.races import slower_of

DEVICES, SIGN_OUT = "/v1/me/devices", "/v1/me/sign-out"
ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("given", "agent", "name"),
    [
        ("HP Siti", ANDROID, "HP Siti"),
        (None, ANDROID, "Linux; Android 14; SM-A155F"),
        ("  ", "okhttp/4.12.0", "okhttp/4.12.0"),
        (None, "", ""),
        (None, "x\x00\u202ey" + "z" * 200, "x y" + "z" * 77),
    ],
)
def test_a_device_is_named_by_its_client_or_its_machine(
    given: str | None, agent: str, name: str
) -> None:
    assert devices.name_of(given, agent) == name


class Phone:
    """One device of somebody, by its tokens."""

    def __init__(self, client: httpx.AsyncClient, tokens: dict[str, Any]) -> None:
        self.tokens = tokens
        self._client = client
        self._headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self._client.request(method, path, headers=self._headers, **more)

    async def listed(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = done(await self.ask("GET", DEVICES))["items"]
        return items


async def new_device(asking: Asking, parts: Parts, phone: str, name: str) -> Phone:
    proof = {"phone": phone, "code": await ask_code(asking, parts, phone), "device": name}
    return Phone(asking.client, done(await asking.post(None, TOKENS, proof)))


async def is_out(asking: Asking, device: Phone) -> bool:
    """Whether both tokens of a device are refused."""
    answer = await me_of(asking, device.tokens["access_token"])
    renewed = await refresh(asking, device.tokens["refresh_token"])
    assert (answer.status_code == 401) == (renewed.status_code == 401)
    return answer.status_code == 401


async def test_my_devices_are_listed_and_each_can_be_ended(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    first = await new_device(asking, parts, phone, "HP lama")
    second = await new_device(asking, parts, phone, "HP baru")
    listed = await second.listed()
    assert [(one["name"], one["is_this_one"]) for one in listed] == [
        ("HP baru", True),
        ("HP lama", False),
    ]
    done(await refresh(asking, first.tokens["refresh_token"]))
    assert (await second.listed())[0]["name"] == "HP lama"
    path = f"{DEVICES}/{listed[1]['id']}"
    done(await second.ask("DELETE", path), 204)
    assert [one["name"] for one in await second.listed()] == ["HP baru"]
    refused(await first.ask("GET", "/v1/me"), 401, "no_valid_token")
    refused(await second.ask("DELETE", path), 404, "no_such_thing")


async def test_signing_out_ends_this_device_or_all(asking: Asking, parts: Parts) -> None:
    phone = new_phone()
    one, two, three = [await new_device(asking, parts, phone, name) for name in "abc"]
    done(await one.ask("POST", SIGN_OUT), 204)
    assert [await is_out(asking, device) for device in (one, two, three)] == [True, False, False]
    done(await three.ask("POST", SIGN_OUT, json={"everywhere": True}), 204)
    assert [await is_out(asking, device) for device in (two, three)] == [True, True]
    refused(await three.ask("POST", SIGN_OUT), 401, "no_valid_token")


async def test_nobody_ends_the_devices_of_others(asking: Asking, parts: Parts, quiet: Town) -> None:
    mine = await new_device(asking, parts, new_phone(), "HP saya")
    theirs = quiet.resident.id  # In tests a device is called like its person.
    for device_id in (theirs, uuid4()):
        refused(await mine.ask("DELETE", f"{DEVICES}/{device_id}"), 404, "no_such_thing")
    done(await asking.get(quiet.resident, "/v1/me"))


@pytest.mark.parametrize("path", ["/v1/me", "/v1/events", DEVICES, "/v1/pickups"])
async def test_a_token_ends_with_its_device_on_every_kind_of_route(
    asking: Asking, parts: Parts, path: str
) -> None:
    device = await new_device(asking, parts, new_phone(), "")
    done(await device.ask("POST", SIGN_OUT), 204)
    refused(await device.ask("GET", path), 401, "no_valid_token")


async def test_acts_are_refused_of_a_device_that_was_signed_out(asking: Asking, town: Town) -> None:
    async with town.database.transaction() as session:
        await end(session, town.operator.id, town.operator.id)
    path, body = f"/v1/banks/{town.bank_id}/members", {"phone": new_phone()}
    refused(await asking.post(town.operator, path, body), 401, "no_valid_token")
    refused(await asking.post(town.operator, path, body, key=None), 401, "no_valid_token")


async def test_asking_whether_somebody_is_still_signed_in_costs_no_statement(
    asking: Asking, town: Town
) -> None:
    with statements_of(town.database) as sent:
        done(await asking.post(town.treasurer, f"/v1/banks/{town.bank_id}/join", {}), 201)
    about = [statement for statement in sent if "FROM device" in statement]
    assert len(about) == 1
    assert "membership" in about[0]


def terms() -> Terms:
    return Terms(
        access_s=60, refresh_days=1, resend_s=0, codes_per_hour=5, codes_per_address_hour=5
    )


async def test_a_refresh_that_waits_for_a_sign_out_is_refused(
    asking: Asking, parts: Parts, town: Town
) -> None:
    tokens = await sign_in(asking, parts, new_phone())
    me = UUID(done(await me_of(asking, tokens["access_token"]))["id"])
    async with town.database.reading() as session:
        (device,) = await devices.devices_of(session, terms(), me)
    refusal = await slower_of(
        town,
        lambda session: end(session, me, device.id),
        lambda session: exchange_refresh_token(
            session, parts.keys, terms(), tokens["refresh_token"]
        ),
    )
    assert isinstance(refusal, SessionEnded)


async def test_a_stolen_refresh_token_signs_its_device_out(asking: Asking, parts: Parts) -> None:
    device = await new_device(asking, parts, new_phone(), "")
    both = await asyncio.gather(
        *(refresh(asking, device.tokens["refresh_token"]) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in both) == [200, 401]
    refused(await device.ask("GET", "/v1/me"), 401, "no_valid_token")
