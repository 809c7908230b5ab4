"""Requests that go wrong before any rule is asked: bodies, paths, methods, languages."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.asking import (
    JSON,
    Asking,
    done,
    item,
    listing,
    nothing_changes,
    refused,
    weighing,
)
from tests.factories import Town

PICKUPS = "/v1/pickups"
MALFORMED = (422, "request_malformed")
LIMIT = 1_048_576


async def chunks(size: int) -> AsyncIterator[bytes]:
    """A body whose length nobody says beforehand."""
    for _ in range(size // 65_536):
        yield b"a" * 65_536
    yield b"a" * (size % 65_536)


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("size", [LIMIT + 1, 20_000_000])
async def test_a_body_that_is_too_large_is_refused(
    asking: Asking, quiet: Town, size: int, signed_in: bool
) -> None:
    headers = asking.headers(quiet.resident if signed_in else None) | JSON
    async with nothing_changes(quiet):
        said = await asking.client.post(PICKUPS, content=b"a" * size, headers=headers)
        unsaid = await asking.client.post(PICKUPS, content=chunks(size), headers=headers)
    assert "content-length" not in unsaid.request.headers
    refused(said, 413, "body_too_large")
    refused(unsaid, 413, "body_too_large")
    for answer in (said, unsaid):
        assert f"{LIMIT:,}" in answer.json()["detail"].replace(".", ",")


async def test_a_long_body_that_is_declared_short_is_refused(asking: Asking, quiet: Town) -> None:
    headers = asking.headers(quiet.resident) | JSON
    for said in ("5", "many", "9" * 5_000):
        request = asking.client.build_request(
            "POST", PICKUPS, content=b"a" * (LIMIT + 1), headers=headers
        )
        request.headers["Content-Length"] = said
        refused(await asking.client.send(request), 413, "body_too_large")


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_up_to_the_limit_is_read(asking: Asking, town: Town, chunked: bool) -> None:
    body = asking.client.build_request("POST", "/", json=listing(town)).content
    padded = body + b" " * (LIMIT - len(body))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, LIMIT, 65_536):
            yield padded[start : start + 65_536]

    content: Any = pieces() if chunked else padded
    headers = asking.headers(town.resident) | JSON
    done(await asking.client.post(PICKUPS, content=content, headers=headers), 201)


async def test_a_body_that_nobody_reads_is_refused_by_its_length(asking: Asking) -> None:
    answer = await asking.client.request("GET", "/healthz", content=b"a" * (LIMIT + 1))
    refused(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"bank_id": }',
        b"bank_id=1",
        b"\xff\xfe",
        b'{"address": "\xff"}',
        b"[" * 100_000,
        b'{"amount": ' + b"9" * 5_000 + b"}",
        b"<xml/>",
        b"'",
    ],
    ids=["empty", "open", "no value", "form", "bytes", "not utf-8", "deep", "long", "xml", "tick"],
)
async def test_what_is_no_json_is_refused(asking: Asking, quiet: Town, content: bytes) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post_raw(quiet.resident, PICKUPS, content)
    refused(answer, *MALFORMED, "")


@pytest.mark.parametrize("content", ["[]", "null", "1", '"a"', "true", "[[]]"])
async def test_json_that_is_no_object_is_refused(asking: Asking, quiet: Town, content: str) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post_raw(quiet.resident, PICKUPS, content)
    refused(answer, *MALFORMED, "")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "json",
        "",
    ],
)
async def test_another_content_type_is_refused(
    asking: Asking, quiet: Town, content_type: str
) -> None:
    body = asking.client.build_request("POST", "/", json=listing(quiet)).content
    headers = asking.headers(quiet.resident) | {"Content-Type": content_type}
    async with nothing_changes(quiet):
        answer = await asking.client.post(PICKUPS, content=body, headers=headers)
    refused(answer, *MALFORMED, "")


HALVES: dict[str, tuple[str, dict[str, Any]]] = {
    "/note": (PICKUPS, {"note": "#"}),
    "/address": (PICKUPS, {"address": "#"}),
    "/bank_id": (PICKUPS, {"bank_id": "#"}),
    "/items/0/material": (PICKUPS, {"items": [item(material="#")]}),
    "/items/0/condition": (PICKUPS, {"items": [item(condition="#")]}),
    "/window/start": (PICKUPS, {"window": {"start": "#", "end": "#"}}),
    "/position/lat": (PICKUPS, {"position": {"lat": "#", "lon": 98.87}}),
    "/phone": ("/v1/auth/codes", {"phone": "08#"}),
    "/code": ("/v1/auth/tokens", {"phone": "0811-0000-1001", "code": "#"}),
    "/refresh_token": ("/v1/auth/tokens", {"refresh_token": "#"}),
    "/handover_code": ("collect", {"handover_code": "#", "weighings": [weighing()]}),
    "/weighings/0/reason": ("collect", {"handover_code": "1", "weighings": [weighing(reason="#")]}),
    "/amount_idr": ("/v1/payouts", {"amount_idr": "#"}),
    "/method": ("/v1/payouts", {"method": "#"}),
}


@pytest.mark.parametrize("pointer", HALVES)
async def test_half_a_letter_is_refused(asking: Asking, quiet: Town, pointer: str) -> None:
    path, changes = HALVES[pointer]
    who = quiet.resident
    if path == "collect":
        who = quiet.collector
        path = f"{PICKUPS}/{uuid4()}/collect"
    body = listing(quiet) | changes
    raw = asking.client.build_request("POST", "/", json=body).content.replace(b"#", b"\\ud83d")
    async with nothing_changes(quiet):
        answer = await asking.post_raw(who, path, raw)
    refused(answer, *MALFORMED, pointer)


async def test_text_of_any_script_is_kept(asking: Asking, town: Town) -> None:
    note = "Pagar hijau 🌿 垃圾 قمامة\nbelok kiri\tlalu lurus"
    pickup = done(await asking.post(town.resident, PICKUPS, listing(town, note=note)), 201)
    shown = done(await asking.get(town.resident, f"{PICKUPS}/{pickup['id']}"))
    assert shown["note"] == note


async def test_every_field_at_fault_is_named(asking: Asking, quiet: Town) -> None:
    body = listing(
        quiet,
        address="",
        note=5,
        items=[item(), item(estimated_grams=0, material="")],
        position={"lat": 91, "lon": "x"},
    )
    answer = await asking.post(quiet.resident, PICKUPS, body)
    refused(answer, *MALFORMED)
    assert {field["pointer"] for field in answer.json()["errors"]} == {
        "/address",
        "/note",
        "/items/1/estimated_grams",
        "/items/1/material",
        "/position/lat",
        "/position/lon",
    }


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1", "/v2/pickups", "/v1/pickups/1/2/3", "/%00", "/problems/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_there_is_nothing_at_an_unknown_address(
    asking: Asking, quiet: Town, method: str, path: str
) -> None:
    answer = await asking.client.request(method, path, headers=asking.headers(quiet.resident))
    if method == "POST" and path.startswith("/problems/"):
        refused(answer, 405, "method_not_allowed")
    else:
        refused(answer, 404, "no_such_path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/me", "GET"),
        ("PUT", PICKUPS, "POST"),
        ("GET", "/v1/auth/codes", "POST"),
        ("POST", "/v1/materials", "GET"),
        ("PATCH", "/healthz", "GET, HEAD"),
        ("TRACE", PICKUPS, "POST"),
        ("BREW", PICKUPS, "POST"),
    ],
)
async def test_another_method_is_refused_and_told_which_would_do(
    asking: Asking, method: str, path: str, allowed: str
) -> None:
    answer = await asking.client.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert allowed in answer.headers["Allow"]


LANGUAGES = {
    "en": "en",
    "en-US,en;q=0.9": "en",
    "EN": "en",
    "id": "id",
    "id-ID,id;q=0.9,en;q=0.8": "id",
    "fr": "id",
    "fr-FR,en;q=0.5": "en",
    "": "id",
    "*": "id",
    ";;;,,,": "id",
    "\u00e9": "id",
}


async def in_language(
    asking: Asking, town: Town, accepted: str, body: dict[str, Any]
) -> httpx.Response:
    headers = asking.headers(town.resident).items()
    raw = [(name.encode(), value.encode()) for name, value in headers]
    raw.append((b"Accept-Language", accepted.encode()))
    return await asking.client.post(PICKUPS, json=body, headers=raw)


@pytest.mark.parametrize(("accepted", "language"), LANGUAGES.items())
async def test_a_refusal_is_in_the_words_of_the_caller(
    asking: Asking, quiet: Town, accepted: str, language: str
) -> None:
    light = listing(quiet, items=[item(estimated_grams=500)])
    answer = await in_language(asking, quiet, accepted, light)
    refused(answer, 409, "below_minimum_weight")
    said = {
        "en": "A pickup needs at least 1,000 grams.",
        "id": "Penjemputan minimal 1.000 gram.",
    }
    assert answer.json()["detail"].startswith(said[language])


@pytest.mark.parametrize(("accepted", "language"), [("en", "en"), ("id", "id"), ("fr", "id")])
async def test_what_is_said_of_a_field_is_in_the_words_of_the_caller(
    asking: Asking, quiet: Town, accepted: str, language: str
) -> None:
    bad = listing(quiet, address="", items=[], note="\u0000")
    answer = await in_language(asking, quiet, accepted, bad)
    refused(answer, *MALFORMED)
    said = {field["pointer"]: field["detail"] for field in answer.json()["errors"]}
    assert (
        said
        == {
            "en": {
                "/address": "String should have at least 1 character",
                "/items": "List should have at least 1 item after validation, not 0",
                "/note": "Control characters are not allowed.",
            },
            "id": {
                "/address": "Paling pendek 1 karakter.",
                "/items": "Paling sedikit 1 baris.",
                "/note": "Karakter kontrol tidak diperbolehkan.",
            },
        }[language]
    )


async def test_without_a_wish_the_language_is_indonesian(asking: Asking, town: Town) -> None:
    request = asking.client.build_request("GET", "/v1/me")
    del request.headers["Accept-Language"]
    answer = await asking.client.send(request)
    refused(answer, 401, "no_valid_token")
    assert answer.json()["detail"].startswith("Silakan masuk")
