"""What a collector and a city are shown, field by field: a new field fails until somebody decides."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from models.people import Role
from service.api.access import TABLE, act_of
from service.api.dependencies import Parts
from service.keys import Keys
from tests.api.asking import Asking
from tests.api.house import full_house
from tests.api.test_access import ask, nothing_is_kept
from tests.api.views import PERSONAL, SEEN


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models of an answer, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for inner in get_args(annotation):
        yield from models_in(inner)


def name_of(model: type[BaseModel]) -> str:
    """Two views may have one name, in different files."""
    return f"{model.__module__.rpartition('.')[2]}.{model.__name__}"


def views_of(app: FastAPI, role: Role) -> dict[str, set[str]]:
    """The fields of everything that a role is answered with of others; what anybody gets left
    out, and what is told to everybody of themselves."""
    found: dict[str, set[str]] = {}
    for route in app.router.routes:
        if not isinstance(route, APIRoute) or is_own(route.path):
            continue
        if role in TABLE[act_of(route)].roles:
            for model in models_in(route.response_model):
                found.setdefault(name_of(model), set()).update(model.model_fields)
    return found


def is_own(path: str) -> bool:
    return path == "/v1/me" or path.startswith("/v1/me/")


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.CITY])
def test_every_field_was_decided_on(app: FastAPI, role: Role) -> None:
    assert views_of(app, role) == SEEN[role]


def test_what_is_personal_is_named_for_what_it_is() -> None:
    """The decision beside each field is of a field that is there."""
    for role, fields in PERSONAL.items():
        for name in fields:
            model, _, field = name.rpartition(".")
            assert field in SEEN[role][model], name


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_person_is_in_anything_that_a_city_reads(
    app: FastAPI, asking: Asking, parts: Parts, keys: Keys
) -> None:
    house = await full_house(parts.database, asking, keys)
    town = house.town
    people = [getattr(town, role) for role in Role if role is not Role.CITY]
    secrets = {str(person.id) for person in people} | {person.phone for person in people}
    secrets |= {house.things["buyer_id"], "Diponegoro", "Somebody"}
    read = 0
    with nothing_is_kept(app, parts):
        for act, row in TABLE.items():
            if Role.CITY in row.roles and act.startswith("GET") and not is_own(act.split()[1]):
                answer = await ask(asking, act, house, town.city)
                assert answer.status_code == 200, act
                assert not [secret for secret in secrets if secret in answer.text], act
                read += 1
    assert read == 4
