"""The API's description: what FastAPI knows of each route, and what holds for all of them."""

import re
import textwrap
import warnings
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning

from service.api import errors, reference
from service.api.dependencies import payer
from service.api.errors import (
    BodyTooLarge,
    IdempotencyKeyMissing,
    TooBusy,
    TryAgainSoon,
    documented,
)
from service.api.files import FileRoute
from service.errors import Problem

_LONGEST_SUMMARY = 90
_SENTENCE_END = re.compile(r"\.(?=\s|$)")
_CLAUSE_END = re.compile(r"[,;:](?= )")


def describe(app: FastAPI) -> None:
    """Put into it who may do what, the shape of problems, and those that any call may meet."""
    by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        with warnings.catch_warnings():
            # As FastAPI has it: what a body's parameter is called is no alias of a field.
            warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
            described = by_fastapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        if "ProblemView" not in schemas:
            _add_problems(schemas)
            _add_summaries(app, described)
            reference.describe(described)
            _add_answers(app, described)
        return described

    app.openapi = openapi  # type: ignore[method-assign]


def _add_problems(schemas: dict[str, Any]) -> None:
    model = errors.ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(model.pop("$defs", {}))
    schemas["ProblemView"] = model


def _add_summaries(app: FastAPI, described: dict[str, Any]) -> None:
    for route, operation in _operations(app, described):
        if operation.get("description"):
            operation["summary"] = summary_of(route.description)


def summary_of(docstring: str) -> str:
    """The first sentence of a docstring; of a long one, the clauses that fit into a line."""
    sentence = " ".join(_SENTENCE_END.split(docstring, maxsplit=1)[0].split())
    if len(sentence) <= _LONGEST_SUMMARY:
        return sentence
    ends = [found.start() for found in _CLAUSE_END.finditer(sentence, 0, _LONGEST_SUMMARY)]
    return (
        sentence[: ends[-1]]
        if ends
        else textwrap.shorten(sentence, _LONGEST_SUMMARY, placeholder="…")
    )


def _add_answers(app: FastAPI, described: dict[str, Any]) -> None:
    for route, operation in _operations(app, described):
        for problem in _of_any(route, operation):
            _add(operation["responses"], problem)


def _operations(
    app: FastAPI, described: dict[str, Any]
) -> Iterator[tuple[APIRoute, dict[str, Any]]]:
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, described["paths"][route.path_format][method.lower()]


def _of_any(route: APIRoute, operation: dict[str, Any]) -> Iterator[type[Problem]]:
    """What can happen to a request before anybody looks at what it asks for."""
    yield TryAgainSoon
    if getattr(route, "takes_place", False) or isinstance(route, FileRoute):
        yield TooBusy
    if "requestBody" in operation:
        yield BodyTooLarge
    if _depends_on_payer(route.dependant):
        yield IdempotencyKeyMissing


def _depends_on_payer(dependant: Dependant) -> bool:
    return any(one.call is payer or _depends_on_payer(one) for one in dependant.dependencies)


def _add(responses: dict[str, Any], problem: type[Problem]) -> None:
    status = errors.status_of(problem)
    told = responses.setdefault(str(status), documented(problem)[status])
    if f"`{problem.slug()}`" not in told["description"]:
        told["description"] += f", `{problem.slug()}`"
