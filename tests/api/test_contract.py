"""Whatever is sent, the answer is one that the description has, and never a 500.

Requests are made up from the description by schemathesis, about things that are there.
`JUMPA_FUZZ=50` makes more of them.
"""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings

from models.people import Person, Role
from service.api.dependencies import Parts
from tests import migrated
from tests.api.asking import Asking
from tests.api.house import House, full_house
from tests.api.test_access import nothing_is_kept

if TYPE_CHECKING:
    from schemathesis import Case

WANTED = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
}
REQUESTS = int(os.environ.get("JUMPA_FUZZ", "6"))
"""Of each call; the roles take turns, and nobody is one of them."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_answer_is_described(
    app: FastAPI, asking: Asking, parts: Parts, beside: Parts | None
) -> None:
    """On both engines in one test, since making a request up takes longer than answering it."""
    # Every worker imports this file, and only one needs what takes a second to import.
    from schemathesis import openapi  # noqa: PLC0415
    from schemathesis.core.result import Ok  # noqa: PLC0415

    operations = list(openapi.from_dict(app.openapi()).get_all_operations())
    made = [made_up(operation.ok()) for operation in operations if isinstance(operation, Ok)]
    assert len(made) == len(operations)
    await expect_described(app, asking, parts, made)
    if beside is None:
        pytest.skip("NO POSTGRESQL: half of the answers are not looked at")
    app.state.parts = beside
    await expect_described(app, asking, beside, made)


@pytest.fixture
async def beside(
    request: pytest.FixtureRequest, postgresql_url: str | None, parts: Parts
) -> AsyncIterator[Parts | None]:
    """The same parts on a database of PostgreSQL, if there is one."""
    if postgresql_url is None:
        yield None
        return
    template = request.getfixturevalue("postgresql_template")
    with migrated.copy_of(template) as url:
        async with migrated.opened(url) as database:
            yield replace(parts, database=database)


async def expect_described(
    app: FastAPI, asking: Asking, parts: Parts, made: "list[list[Case[Any]]]"
) -> None:
    """Send all of it, about the things of a house, in turn in everybody's name."""
    house = await full_house(parts.database, asking, parts.keys)
    callers = [*(getattr(house.town, role) for role in Role), None]
    found: list[str] = []
    statuses = set()
    with nothing_is_kept(app, parts):
        for number, case in ((number, case) for cases in made for number, case in enumerate(cases)):
            answer = await send(asking, case, house, callers[number % len(callers)])
            found += wrong(case, answer)
            statuses.add(answer.status_code)
    assert found == []
    assert statuses >= {200, 201, 400, 401, 403, 404, 422}


def made_up(operation: Any) -> "list[Case[Any]]":
    """Requests that the description allows, the same in every run."""
    made: list[Case[Any]] = []

    @seed(1)
    @settings(
        max_examples=REQUESTS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def make(case: "Case[Any]") -> None:
        made.append(case)

    make()
    return made


async def send(
    asking: Asking, case: "Case[Any]", house: House, who: Person | None
) -> httpx.Response:
    """Send it about the things of the house, with a key where one is needed."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = house.things.get(name, case.path_parameters[name])
    wanted = case.as_transport_kwargs(base_url="http://jumpa")
    headers = dict(wanted["headers"] or {}) | (asking.headers(who) if case.body else {})
    headers |= {"Authorization": asking.headers(who)["Authorization"]} if who else {}
    return await asking.client.request(
        wanted["method"],
        wanted["url"],
        params=wanted.get("params"),
        json=wanted.get("json"),
        content=wanted.get("data"),
        headers={name: value for name, value in headers.items() if value is not None},
    )


def wrong(case: "Case[Any]", answer: httpx.Response) -> Iterator[str]:
    """What the description doesn't have of an answer."""
    try:
        case.validate_response(answer, checks=checks())
    except BaseExceptionGroup as group:
        for error in group.exceptions:
            yield f"{case.method} {case.path}: {answer.status_code} {error} {case.body!r}"


def checks() -> list[Any]:
    from schemathesis.checks import CHECKS, load_all_checks  # noqa: PLC0415  As above.

    load_all_checks()
    return [check for check in CHECKS.get_all() if check.__name__ in WANTED]
