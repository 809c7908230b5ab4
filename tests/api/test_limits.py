"""How deep a request may go, and how long it may take."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from service.api.nesting import DEEPEST, MOST_VALUES, is_too_deep, is_too_much
from service.database import one_at_a_time
from service.settings import Settings
from tests.api.asking import Asking, done, listing, nothing_changes, refused
from tests.factories import Town, new_phone


def nested(deep: int) -> bytes:
    return b"[" * deep + b"]" * deep


@pytest.mark.parametrize(
    ("body", "too_deep"),
    [
        (b"", False),
        (nested(DEEPEST), False),
        (nested(DEEPEST + 1), True),
        (b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST, False),
        (b'{"a":' * (DEEPEST + 1) + b"1", True),
        (b"[" + b"[1]," * 1_000 + b"[1]]", False),
        (json.dumps({"note": "[" * 1_000}).encode(), False),
        (json.dumps({"note": '\\"' + "[" * 1_000}).encode(), False),
        # A parser gives such a text up where it begins, before any bracket.
        (b'"' + nested(DEEPEST + 1), False),
        (b"]" * 1_000 + nested(DEEPEST), False),
    ],
)
def test_only_brackets_within_brackets_count(body: bytes, too_deep: bool) -> None:
    assert is_too_deep(body) is too_deep


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def depth_of(value: object) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize("made", [b'\\"' * 400_000, b'"' + b"\\" * 900_001, b'"\\' * 400_001])
def test_a_text_without_an_end_is_looked_at_once(made: bytes) -> None:
    """Looked for anew from every quote it would take hours."""
    assert is_too_deep(b"{" * (DEEPEST + 1) + made)
    assert not is_too_deep(b'"' + b"{" * (DEEPEST + 1) + made[1:])


@given(JSON, st.integers(DEEPEST - 3, DEEPEST + 1), st.booleans())
def test_what_is_too_deep_is_what_a_parser_would_nest(
    value: object, more: int, ascii_only: bool
) -> None:
    for _ in range(more):
        value = [value]
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert is_too_deep(body) == (depth_of(value) > DEEPEST)


async def test_a_body_nested_too_deep_is_refused_by_where_it_is(
    asking: Asking, quiet: Town
) -> None:
    body = listing(quiet, note=json.loads(nested(DEEPEST)))
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.resident, "/v1/pickups", body)
    refused(answer, 422, "request_malformed", "")
    assert "nested" in answer.json()["errors"][0]["detail"]


async def test_a_field_that_is_not_known_is_named(asking: Asking, quiet: Town) -> None:
    async with nothing_changes(quiet):
        answer = await asking.post(quiet.resident, "/v1/pickups", listing(quiet, adress="Jl. X"))
    refused(answer, 422, "request_malformed", "/adress")
    body = listing(quiet, window={"start": None, "ends": None})
    refused(
        await asking.post(quiet.resident, "/v1/pickups", body),
        422,
        "request_malformed",
        "/window/ends",
    )


async def test_more_values_than_any_call_has_are_refused_together(
    asking: Asking, quiet: Town
) -> None:
    body = {f"a{number}": 0 for number in range(MOST_VALUES)}
    answer = await asking.post(quiet.resident, "/v1/pickups", body)
    assert len(answer.json()["errors"]) == 200, "no more is told of each"
    refused(
        await asking.post(quiet.resident, "/v1/pickups", body | {"more": 0}),
        422,
        "request_malformed",
        "",
    )


def test_commas_within_texts_are_no_values() -> None:
    assert not is_too_much(json.dumps([","] * MOST_VALUES).encode())
    assert is_too_much(json.dumps([0] * (MOST_VALUES + 1)).encode())


@asynccontextmanager
async def impatient(app: FastAPI) -> AsyncIterator[None]:
    """An application that gives up after the blink of an eye."""
    before = app.state.settings
    app.state.settings = Settings(request_s=0.02)
    yield
    app.state.settings = before


async def test_what_takes_too_long_is_given_up_and_nothing_is_done(
    app: FastAPI, asking: Asking, town: Town
) -> None:
    phone = new_phone()
    async with impatient(app), town.database.transaction() as session:
        await one_at_a_time(session, f"sign-in {phone}")
        answer = await asking.post(None, "/v1/auth/codes", {"phone": phone}, key=None)
    refused(answer, 503, "took_too_long")
    assert answer.headers["Retry-After"] == "5"
    done(await asking.post(None, "/v1/auth/codes", {"phone": phone}, key=None), 202)
    sent = [row for row in open_messages(app) if row["to"] == phone]
    assert len(sent) == 1


def open_messages(app: FastAPI) -> list[dict[str, str]]:
    path = app.state.parts.settings.data_dir / "messages.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
