"""Reads what gateways write, as far as it is what they document."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}", re.ASCII)


def json_in(raw: bytes) -> object:
    """What the bytes hold, None if they are no JSON; numbers with a point become Decimal."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def object_in(raw: bytes) -> Mapping[str, object]:
    """The same, empty unless it is an object."""
    return as_object(json_in(raw))


def as_object(value: object) -> Mapping[str, object]:
    """The value itself, empty unless it is an object."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value itself, empty unless it is a list."""
    return value if isinstance(value, list) else []


def id_in(found: Mapping[str, object], name: str) -> str:
    """An id or a code; empty if it is missing or in no form that ids have."""
    value = found.get(name)
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _no_number(_text: str) -> object:
    raise ValueError("NaN and infinities are no JSON.")
