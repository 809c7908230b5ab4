"""What the server says of itself: OpenAPI, the problems' pages, health and counters."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.api import titles
from service.api.description import summary_of
from service.errors import Problem
from service.prices.importing import PriceFileNotReadable
from service.takeover import MemberFileNotReadable
from tests.api.asking import Asking, done, operations
from tests.factories import Town

KEPT = {
    "POST /v1/auth/codes",
    "POST /v1/auth/tokens",
    "GET /v1/me",
    "PATCH /v1/me",
    "GET /v1/banks",
    "GET /v1/banks/{bank_id}/prices",
    "POST /v1/banks/{bank_id}/prices",
    "POST /v1/banks/{bank_id}/members",
    "POST /v1/pickups",
    "GET /v1/pickups",
    "GET /v1/pickups/{pickup_id}",
    "POST /v1/pickups/{pickup_id}/cancel",
    "GET /v1/jobs/nearest",
    "POST /v1/jobs/claim",
    "POST /v1/pickups/{pickup_id}/claim",
    "POST /v1/pickups/{pickup_id}/release",
    "POST /v1/pickups/{pickup_id}/arrive",
    "POST /v1/pickups/{pickup_id}/collect",
    "POST /v1/banks/{bank_id}/dropoffs",
    "GET /v1/passbooks/{bank_id}",
    "GET /v1/passbooks/{bank_id}/lines",
    "POST /v1/payouts",
    "GET /v1/payouts",
    "GET /v1/payouts/{payout_id}",
    "POST /v1/payouts/{payout_id}/cancel",
    "POST /v1/payouts/{payout_id}/approve",
    "POST /v1/payouts/{payout_id}/reject",
    "POST /v1/payouts/{payout_id}/pay-cash",
    "POST /v1/gateways/{gateway}/callbacks",
    "POST /v1/banks/{bank_id}/statements",
    "GET /v1/banks/{bank_id}/reconciliation",
    "POST /v1/reconciliation/{exception_id}/resolve",
    "GET /v1/banks/{bank_id}/ledger/trial-balance",
}
WITHOUT_A_KEY = {
    "POST /v1/auth/codes",
    "POST /v1/auth/tokens",
    "PATCH /v1/me",
    "DELETE /v1/me/devices/{device_id}",
    "POST /v1/me/sign-out",
    "POST /v1/me/consents",
    "POST /v1/me/phone",
    "POST /v1/me/deletion",
    # Their answers hold secrets, which are not to be remembered.
    "POST /v1/me/second-factor",
    "POST /v1/me/second-factor/confirm",
    "DELETE /v1/me/second-factor",
    "POST /v1/me/second-factor/recovery-codes",
    "POST /v1/banks/{bank_id}/members/{person_id}/cards",
    "POST /v1/banks/{bank_id}/join",
    "POST /v1/gateways/{gateway}/callbacks",
}
SLUG = re.compile(r"`(\w+)`")


@pytest.fixture
async def described(asking: Asking) -> dict[str, Any]:
    answer = await asking.get(None, "/openapi.json")
    description: dict[str, Any] = done(answer)
    return description


def references(node: object) -> set[str]:
    """Every $ref in a description."""
    if isinstance(node, dict):
        found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return found.union(*(references(child) for child in node.values()))
    if isinstance(node, list):
        return set().union(*(references(child) for child in node))
    return set()


async def test_every_promised_call_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert set(operations(described)) >= KEPT


async def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    names = {reference.removeprefix("#/components/schemas/") for reference in references(described)}
    assert names <= set(schemas)
    assert "ProblemView" in names


async def test_every_operation_has_a_name_and_words(described: dict[str, Any]) -> None:
    described_by_id = [each["operationId"] for each in operations(described).values()]
    assert len(set(described_by_id)) == len(described_by_id)
    for name, operation in operations(described).items():
        assert operation["description"], name


async def test_every_group_has_words_and_that_of_gateways_is_none_of_the_first(
    described: dict[str, Any],
) -> None:
    groups = [group["name"] for group in described["tags"]]
    assert {tag for each in operations(described).values() for tag in each["tags"]} == set(groups)
    assert all(group["description"] for group in described["tags"])
    assert (groups[:2], groups[-2:]) == (["sign-in", "people"], ["gateways", "system"])


async def test_a_summary_says_what_a_call_does_and_not_what_a_function_is_called(
    app: FastAPI, described: dict[str, Any]
) -> None:
    listed = operations(described)
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                summary = listed[f"{method} {route.path_format}"]["summary"]
                assert summary != route.name.replace("_", " ").title(), route.path
                assert 0 < len(summary) <= 90, summary


def test_a_summary_is_the_first_sentence_as_far_as_a_line_goes() -> None:
    assert summary_of("What is left. And more.") == "What is left"
    assert summary_of("Rp1.000 a\nday.") == "Rp1.000 a day"
    assert summary_of(f"Weigh it, as it is; {'then ' * 20}pay.") == "Weigh it, as it is"
    assert summary_of("word " * 40).endswith("word…")


async def test_what_changes_something_documents_the_idempotency_key(
    described: dict[str, Any],
) -> None:
    for name, operation in operations(described).items():
        headers = {
            parameter["name"]
            for parameter in operation.get("parameters", [])
            if parameter["in"] == "header"
        }
        expected = not name.startswith("GET ") and name not in WITHOUT_A_KEY
        assert ("Idempotency-Key" in headers) == expected, name


async def test_what_takes_few_files_at_a_time_says_so(described: dict[str, Any]) -> None:
    operation = operations(described)["POST /v1/banks/{bank_id}/statements"]
    assert "`too_busy`" in operation["responses"]["503"]["description"]


async def test_what_needs_a_token_says_so(described: dict[str, Any]) -> None:
    open_to_all = {
        name for name, operation in operations(described).items() if "security" not in operation
    }
    assert open_to_all & KEPT == {
        "POST /v1/auth/codes",
        "POST /v1/auth/tokens",
        "GET /v1/banks",
        "GET /v1/banks/{bank_id}/prices",
        "POST /v1/gateways/{gateway}/callbacks",
    }


async def test_every_documented_problem_has_a_page(
    asking: Asking, described: dict[str, Any]
) -> None:
    slugs = {
        slug
        for operation in operations(described).values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for slug in SLUG.findall(response["description"])
    }
    assert {"request_malformed", "pickup_already_claimed", "balance_too_low"} <= slugs
    for slug in sorted(slugs):
        page = await asking.get(None, f"/problems/{slug}")
        assert page.status_code == 200, slug
        assert page.headers["Content-Type"].startswith("text/html")


async def test_every_refusal_is_documented_as_a_problem(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and name.split()[1].startswith("/v1/"):
                (media_type,) = response["content"]
                assert media_type == "application/problem+json", (name, status)
                assert SLUG.findall(response["description"]), (name, status)


async def test_every_problem_has_a_page_in_both_languages(asking: Asking) -> None:
    answered_with = [each for each in Problem.family() if not each.__subclasses__()]
    overview = await asking.get(None, "/problems")
    for problem in answered_with:
        assert problem.english != Problem.english, problem
        assert problem.indonesian != Problem.indonesian, problem
        assert f'href="/problems/{problem.slug()}"' in overview.text
        page = await asking.get(None, f"/problems/{problem.slug()}")
        assert page.status_code == 200, problem


@pytest.mark.parametrize(
    ("language", "other", "title", "all_of_them"),
    [("id", "en", "Masalah", "Semua masalah"), ("en", "id", "Problems", "All problems")],
)
async def test_the_pages_of_problems_begin_with_the_callers_language(
    asking: Asking, language: str, other: str, title: str, all_of_them: str
) -> None:
    said = {"Accept-Language": language}
    overview = (await asking.client.get("/problems", headers=said)).text
    page = (await asking.client.get("/problems/no_such_path", headers=said)).text
    assert f"<h1>{title}</h1>" in overview
    assert f">{all_of_them}</a>" in page
    for one in (overview, page):
        assert one.startswith(f'<!doctype html><html lang="{language}">')
        assert one.index(f' lang="{language}"><b>') < one.index(f' lang="{other}"><b>')


def test_every_problem_has_a_title_of_its_own_in_both_languages() -> None:
    # Only the command line says these.
    slugs = {PriceFileNotReadable.slug(), MemberFileNotReadable.slug()}
    # Tests have problems of their own.
    ours = [each for each in Problem.family() if each.__module__.startswith("service.")]
    slugs |= {each.slug() for each in ours if not each.__subclasses__()}
    assert slugs - titles.INDONESIAN.keys() == set(), "without a title in service/api/titles.py"
    assert titles.INDONESIAN.keys() - slugs == set(), "a title of no problem"
    assert len(set(titles.INDONESIAN.values())) == len(titles.INDONESIAN)


async def test_a_title_comes_in_the_callers_language(asking: Asking) -> None:
    for language, title in (
        ("id", "Alamat tidak ada"),
        ("en", "No such path"),
        ("fr", "Alamat tidak ada"),
    ):
        answer = await asking.client.get("/v1/nowhere", headers={"Accept-Language": language})
        assert answer.json()["title"] == title
        assert title in (await asking.get(None, "/problems/no_such_path")).text


async def test_problems_that_every_call_can_meet_have_a_page(asking: Asking) -> None:
    for slug in (
        "no_such_path",
        "method_not_allowed",
        "body_too_large",
        "internal_error",
        "try_again_soon",
        "disk_full",
        "idempotency_key_missing",
        "idempotency_key_reused",
    ):
        assert (await asking.get(None, f"/problems/{slug}")).status_code == 200, slug


async def test_the_server_is_alive_and_ready(asking: Asking) -> None:
    assert done(await asking.get(None, "/healthz")) == {"status": "ok"}
    assert done(await asking.get(None, "/readyz"))["status"] == "ready"


async def test_requests_are_counted_by_route_and_status(asking: Asking, town: Town) -> None:
    path = f"/v1/passbooks/{town.bank_id}"
    done(await asking.get(town.resident, path))
    metrics = await asking.get(None, "/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    counted = 'method="GET",route="/v1/passbooks/{bank_id}",status="200"'
    assert f"jumpa_request_seconds_count{{{counted}}}" in metrics.text
    assert str(town.bank_id) not in metrics.text


async def test_the_description_can_be_read_in_a_browser(asking: Asking) -> None:
    docs = await asking.get(None, "/docs")
    assert docs.status_code == 200
    assert "/openapi.json" in docs.text


async def test_a_defect_is_answered_as_a_problem_without_its_inside(
    asking: Asking, app: FastAPI
) -> None:
    parts, app.state.parts = app.state.parts, None
    try:
        answer: httpx.Response = await asking.get(None, "/readyz")
    finally:
        app.state.parts = parts
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/internal_error"
    assert "NoneType" not in answer.text
