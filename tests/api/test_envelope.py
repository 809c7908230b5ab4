"""What goes with every answer, and what the log says of it."""

import io
import logging
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from models.base import utc_now
from models.event import Event
from service.api.dependencies import Parts
from service.app import create_app
from service.keys import Keys
from service.observing import configure
from service.settings import Settings
from tests.api.asking import Asking, done, handover, listing, refused
from tests.factories import Town

LOCKED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("path", ["/v1/banks?lat=3.5&lon=98.8", "/healthz", "/nowhere", "/v1/me"])
async def test_every_answer_is_dressed(asking: Asking, path: str) -> None:
    headers = (await asking.get(None, path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == LOCKED
    assert re.fullmatch("[0-9a-f]{16}", headers["X-Request-Id"])
    assert headers.get("Cache-Control") == ("no-store" if path.startswith("/v1/") else None)
    assert "Access-Control-Allow-Origin" not in headers
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [("proxy-0123.abc", True), ("short", False), ("a" * 65, False), ("a b c d e f", False)],
)
async def test_a_proxys_number_is_kept_if_it_is_one(asking: Asking, given: str, kept: bool) -> None:
    answer = await asking.client.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is kept


async def test_the_pages_run_no_script_but_their_own(asking: Asking) -> None:
    docs = await asking.get(None, "/docs")
    policy = docs.headers["Content-Security-Policy"]
    assert policy.startswith(LOCKED)
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}=';", policy)
    problems = await asking.get(None, "/problems")
    assert "script-src" not in problems.headers["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in problems.headers["Content-Security-Policy"]


async def _ask_with(parts: Parts, headers: dict[str, str], **settings: Any) -> httpx.Response:
    own = parts.settings.model_copy(update=settings)
    app = create_app(own)
    app.state.parts = replace(parts, settings=own)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as http:
        return await http.get("/healthz", headers=headers)


@pytest.mark.parametrize(("origin", "is_let_in"), [("https://a.id", True), ("https://b.id", False)])
async def test_only_named_pages_may_call(parts: Parts, origin: str, is_let_in: bool) -> None:
    answer = await _ask_with(parts, {"Origin": origin}, cors_origins="https://a.id https://c.id")
    assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is is_let_in


async def test_in_production_browsers_stay_with_tls(parts: Parts) -> None:
    answer = await _ask_with(parts, {}, environment="production")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.parametrize("given", ["*", "a.id", "https://a.id,https://b.id", "https://a.id/x"])
def test_an_origin_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        Settings(cors_origins=given)


async def test_a_server_whose_worker_is_behind_is_not_ready(
    parts: Parts, asking: Asking, town: Town
) -> None:
    done(await asking.post(town.resident, "/v1/pickups", listing(town)), 201)
    late = update(Event).where(col(Event.bank_id) == town.bank_id, col(Event.done_at).is_(None))
    async with town.database.transaction() as session:
        await session.exec(late.values(due_at=utc_now() - timedelta(hours=1)))
    ready = done(await asking.get(None, "/readyz"))
    assert ready["status"] == "ready"
    assert ready["outbox_lag_s"] >= 3_600
    strict = parts.settings.model_copy(update={"ready_lag_s": 600})
    app = create_app(strict)
    app.state.parts = replace(parts, settings=strict)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://jumpa"
    ) as http:
        refused(await http.get("/readyz"), 503, "try_again_soon")


async def test_the_log_of_a_whole_pickup_names_nobody(parts: Parts, town: Town, keys: Keys) -> None:
    """With every line there is, those of the libraries too."""
    app = create_app(parts.settings.model_copy(update={"access_log": True}))
    app.state.parts = parts
    kept, level, stream = logging.root.handlers[:], logging.root.level, io.StringIO()
    configure("json", stream)
    logging.root.setLevel(logging.DEBUG)
    try:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as http:
            await _fetch_a_pickup(Asking(http, keys), town, keys)
    finally:
        logging.root.handlers[:] = kept
        logging.root.setLevel(level)
    said = stream.getvalue()
    assert said.count("answered POST /v1/pickups") >= 3
    for personal in (
        town.resident.phone,
        "Diponegoro",
        "Pagar hijau",
        "3.56",
        "98.87",
        town.resident.name,
    ):
        assert str(personal) not in said


async def _fetch_a_pickup(asking: Asking, town: Town, keys: Keys) -> None:
    pickup = done(await asking.post(town.resident, "/v1/pickups", listing(town)), 201)
    here = {"lat": 3.56, "lon": 98.87}
    done(await asking.get(town.collector, "/v1/jobs/nearest", **here))
    path = f"/v1/pickups/{pickup['id']}"
    done(await asking.post(town.collector, f"{path}/claim"))
    body = handover(keys, UUID(pickup["id"]))
    done(await asking.post(town.collector, f"{path}/collect", body))
    assert (await asking.post(town.collector, f"{path}/collect", body)).status_code == 409
