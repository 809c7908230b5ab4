"""How deep a JSON body goes and how much is in it, found out before it is parsed."""

import re

from service.errors import FieldProblem

DEEPEST = 16
"""Brackets within brackets; what is understood goes five deep."""
NESTED_TOO_DEEP = FieldProblem(
    "",
    f"The body is nested more than {DEEPEST} deep.",
    f"Isi permintaan bersarang lebih dari {DEEPEST} tingkat.",
)
MOST_VALUES = 20_000
"""Several times what the longest list that is understood has in all its lines."""
TOO_MANY_VALUES = FieldProblem(
    "",
    f"The body has more than {MOST_VALUES} values.",
    f"Isi permintaan memuat lebih dari {MOST_VALUES} nilai.",
)
# Possessive, and a text without an end goes to the end: looked at once, however it is made.
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def is_too_deep(body: bytes) -> bool:
    """Whether brackets stand deeper than anything that is understood; texts don't count."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_TEXT.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def is_too_much(body: bytes) -> bool:
    """Whether there are more values than anything that is understood has; texts don't count.

    Each field that isn't known is a problem to tell of, which takes far longer than reading it.
    """
    if body.count(b",") < MOST_VALUES:
        return False
    return _TEXT.sub(b"", body).count(b",") >= MOST_VALUES
