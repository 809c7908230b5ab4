"""What somebody sees and changes of themselves."""

from typing import Any

import httpx
import pytest

from models.people import Person, Role
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, give


async def patch(asking: Asking, who: Person, body: Any) -> httpx.Response:
    return await asking.client.patch("/v1/me", json=body, headers=asking.headers(who, None))


async def test_i_see_my_phone_and_my_part_in_each_bank(asking: Asking, town: Town) -> None:
    await give(town, town.resident, Role.TREASURER)
    bank_id = str(town.bank_id)
    assert done(await asking.get(town.resident, "/v1/me")) == {
        "id": str(town.resident.id),
        "phone": town.resident.phone,
        "name": "Somebody",
        "language": "id",
        "nik": None,
        "memberships": [
            {"bank_id": bank_id, "role": "resident"},
            {"bank_id": bank_id, "role": "treasurer"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "name", "language"),
    [
        ({"name": "Siti Aminah"}, "Siti Aminah", "id"),
        ({"language": "en"}, "Somebody", "en"),
        ({"name": "Siti", "language": "en"}, "Siti", "en"),
        ({"name": None, "language": None}, "Somebody", "id"),
        ({}, "Somebody", "id"),
    ],
)
async def test_i_change_my_name_and_language_and_nothing_else(
    asking: Asking, town: Town, body: dict[str, Any], name: str, language: str
) -> None:
    changed = done(await patch(asking, town.resident, body))
    assert (changed["name"], changed["language"]) == (name, language)
    assert (changed["id"], changed["phone"]) == (str(town.resident.id), town.resident.phone)
    assert done(await asking.get(town.resident, "/v1/me")) == changed


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"language": "fr"}, "/language"),
        ({"language": 1}, "/language"),
        ({"name": "a" * 121}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "\u001b[31m"}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": True}, "/name"),
        ([], ""),
        ("name", ""),
        (None, ""),
    ],
)
async def test_what_is_no_name_or_language_is_refused(
    asking: Asking, quiet: Town, body: object, pointer: str
) -> None:
    before = done(await asking.get(quiet.resident, "/v1/me"))
    async with nothing_changes(quiet):
        refused(await patch(asking, quiet.resident, body), 422, "request_malformed", pointer)
    assert done(await asking.get(quiet.resident, "/v1/me")) == before
