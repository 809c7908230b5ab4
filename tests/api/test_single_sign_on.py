"""A city's single sign-on, against a real OpenID Connect provider that the tests start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlmodel import func, select

from models.people import Person
from models.sign_in import OutsideIdentity
from service.api.dependencies import Parts, current_identity, reading, reading_long, writing
from service.app import create_app
from service.oidc import jwks
from service.oidc.opening import open_issuers
from service.settings import Settings
from tests.api.asking import done, refused
from tests.factories import Town, make_town
from tests.iam import CLIENT, OFFICIAL, STRANGER, Provider, provider


@pytest.fixture(scope="session")
def iam() -> Iterator[Provider]:
    with provider() as started:
        yield started


def issuers_file(folder: Path, iam: Provider, banks: Any, **terms: str) -> Path:
    lines = {"issuer": iam.issuer, "audience": CLIENT, **terms}
    mapping = {"claim": "groups", "value": "dinas", "role": "city", "banks": banks}
    path = folder / "issuers.toml"
    head = "\n".join(f'{name} = "{value}"' for name, value in lines.items())
    body = "\n".join(
        f"{name} = {value}" if isinstance(value, list) else f'{name} = "{value}"'
        for name, value in mapping.items()
    )
    path.write_text(f"[[issuer]]\n{head}\n[[issuer.map]]\n{body}\n")
    return path


class Bearer:
    """The application as somebody with a token of the provider asks it."""

    def __init__(self, parts: Parts) -> None:
        app = create_app(Settings())
        app.state.parts = parts
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://jumpa")

    async def get(self, token: str, path: str) -> httpx.Response:
        return await self._client.get(path, headers={"Authorization": f"Bearer {token}"})

    async def patch(self, token: str, path: str, body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self._client.patch(path, json=body, headers=headers)

    async def post(self, token: str, path: str, body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}
        return await self._client.post(path, json=body, headers=headers)


async def test_a_citys_people_are_known_by_their_directory(
    iam: Provider, parts: Parts, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await make_town(town.database)
    token = await iam.token_of(OFFICIAL)
    async with open_issuers(issuers_file(tmp_path, iam, [str(town.bank_id)])) as issuers:
        bearer = Bearer(replace(parts, issuers=issuers))
        me = done(await bearer.get(token, "/v1/me"))
        assert (me["phone"], me["name"]) == (None, "Siti")
        assert me["memberships"] == [{"bank_id": str(town.bank_id), "role": "city"}]
        assert done(await bearer.get(token, "/v1/me"))["id"] == me["id"]
        done(await bearer.get(token, f"/v1/banks/{town.bank_id}/policies"))
        # What they do is noted as anybody's, and where others' data may be shown too.
        assert done(await bearer.patch(token, "/v1/me", {"language": "en"}))["language"] == "en"
        assert done(await bearer.get(token, "/v1/payouts"))["items"] == []
        assert done(await bearer.get(token, "/v1/me/audit"))["items"][0]["act"] == "change_me"
        refused(await bearer.get(token, f"/v1/banks/{other.bank_id}/policies"), 403, "not_allowed")
        members = f"/v1/banks/{town.bank_id}/members"
        refused(await bearer.get(token, members), 403, "not_allowed")
        refused(await bearer.post(token, members, {"phone": "0812"}), 403, "not_allowed")
        for path in ("/v1/me/devices", "/v1/me/second-factor"):
            refused(await bearer.get(token, path), 403, "not_allowed")

        stranger = await iam.token_of(STRANGER)
        assert done(await bearer.get(stranger, "/v1/me"))["memberships"] == []

        iam.rotate()
        renewed = await iam.token_of(OFFICIAL)
        refused(await bearer.get(renewed, "/v1/me"), 401, "no_valid_token")  # Asked just now.
        monkeypatch.setattr(jwks, "PAUSE_S", 0.0)
        assert done(await bearer.get(renewed, "/v1/me"))["id"] == me["id"]
        refused(await bearer.get(token, "/v1/me"), 401, "no_valid_token")
    async with town.database.reading() as session:
        counted = select(func.count()).where(OutsideIdentity.issuer == iam.issuer)
        assert (await session.exec(counted)).one() == 2
        person = (await session.exec(select(Person).where(Person.name == "Siti"))).first()
        assert person is not None


async def test_tokens_for_others_or_of_others_are_refused(
    iam: Provider, parts: Parts, quiet: Town, tmp_path: Path
) -> None:
    await make_town(quiet.database)
    token = await iam.token_of(OFFICIAL)
    async with open_issuers(issuers_file(tmp_path, iam, "*", audience="another")) as issuers:
        refused(
            await Bearer(replace(parts, issuers=issuers)).get(token, "/v1/me"),
            401,
            "no_valid_token",
        )
    refused(await Bearer(parts).get(token, "/v1/me"), 401, "no_valid_token")
    async with open_issuers(issuers_file(tmp_path, iam, "*")) as issuers:
        bearer = Bearer(replace(parts, issuers=issuers))
        memberships = done(await bearer.get(token, "/v1/me"))["memberships"]
        mine = {"bank_id": str(quiet.bank_id), "role": "city"}
        assert mine in memberships
        assert len(memberships) > 1


def test_who_asks_is_known_before_any_session_is_opened() -> None:
    """Else the keys of a directory would be fetched within a transaction."""
    sessions = {writing, reading, reading_long}
    for route in create_app(Settings()).routes:
        if isinstance(route, APIRoute):
            asked = _in_order(route.dependant)
            if current_identity in asked and sessions & set(asked):
                first = min(asked.index(one) for one in sessions & set(asked))
                assert asked.index(current_identity) < first, route.path


def _in_order(dependant: Any) -> list[Any]:
    inner = [call for one in dependant.dependencies for call in _in_order(one)]
    return [*inner, dependant.call]
