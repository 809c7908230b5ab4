"""Everything that can be sent has an end: texts, lists, numbers, in bodies and in addresses.

Nor does any body take a field that isn't known.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.api.asking import operations

Node = dict[str, Any]
FIXED = {"uuid", "date", "binary"}
"""Formats that say how long a text is, and a file, which has a limit of its own."""


@pytest.fixture(scope="module")
def described(app: FastAPI) -> Node:
    return app.openapi()


def schemas(described: Node) -> Iterator[tuple[str, Node]]:
    """Where something is sent, and what it may be."""
    for act, operation in operations(described).items():
        for parameter in operation.get("parameters", []):
            yield f"{act} {parameter['name']}", parameter["schema"]
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{act} {media_type}", body["schema"]


def endless(described: Node, schema: Node, place: str) -> Iterator[str]:
    """The places in a schema that take more and more."""
    if reference := schema.get("$ref"):
        yield from endless(described, described["components"]["schemas"][reference[21:]], place)
    for other in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        yield from endless(described, other, place)
    kind = schema.get("type")
    if kind == "string" and not is_bounded(schema):
        yield place
    if kind == "array":
        yield from [] if "maxItems" in schema else [place]
        yield from endless(described, schema["items"], f"{place}[]")
    if kind in ("integer", "number") and not (has_floor(schema) and has_ceiling(schema)):
        yield place
    if kind == "object":
        yield from of_object(described, schema, place)


def of_object(described: Node, schema: Node, place: str) -> Iterator[str]:
    if "additionalProperties" not in schema:
        yield f"{place}.(a field that isn't known)"
    for name, each in schema.get("properties", {}).items():
        yield from endless(described, each, f"{place}.{name}")
    if extra := schema.get("additionalProperties"):
        yield from [] if "maxProperties" in schema else [place]
        yield from endless(described, extra, f"{place}.*")


def is_bounded(schema: Node) -> bool:
    said = {"maxLength", "enum", "const"} & schema.keys()
    return bool(said) or schema.get("format") in FIXED


def has_floor(schema: Node) -> bool:
    return bool({"minimum", "exclusiveMinimum", "enum", "const"} & schema.keys())


def has_ceiling(schema: Node) -> bool:
    return bool({"maximum", "exclusiveMaximum", "enum", "const"} & schema.keys())


def test_all_that_can_be_sent_has_an_end(described: Node) -> None:
    found = [
        place for where, schema in schemas(described) for place in endless(described, schema, where)
    ]
    assert found == []
