"""How deep a JSON body goes, found out before it is parsed."""

import re

from service.errors import FieldProblem

DEEPEST = 16
"""Brackets within brackets; what is understood goes five deep."""
NESTED_TOO_DEEP = FieldProblem(
    "",
    f"The body is nested more than {DEEPEST} deep.",
    f"Isi permintaan bersarang lebih dari {DEEPEST} tingkat.",
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
