"""Takes out of a text what says who somebody is, how to reach them, and where they are.

The code writes no such thing into a log. What libraries quote in an error may hold one all
the same, so every line goes through here.
"""

import re

_MASKS = (
    # What pydantic says of a value that it refuses, whatever the value is.
    (re.compile(r"input_value=.*?, input_type=", re.DOTALL), "input_value=…, input_type="),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), r"\1 [token]"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[e-mail]"),
    (re.compile(r"(?<![\w-])(?:\+?62|0)[\s-]?8\d(?:[\s-]?\d){6,10}(?![\w-])"), "[phone]"),
    (re.compile(r"(?<![\w-])\d{9,}(?![\w-])"), "[number]"),
    (re.compile(r"(?i)\b(lat|lon|latitude|longitude)(\W{1,4}?)-?\d+(?:\.\d+)?"), r"\1\2[place]"),
    (re.compile(r"-?\d{1,3}\.\d{3,}\s*,\s*-?\d{1,3}\.\d{3,}"), "[place]"),
)
_SAID = _MASKS[3:5]
_NIK = (re.compile(r"(?<!\d)\d{16}(?!\d)"), "[number]")


def without_numbers(text: str) -> str:
    """What somebody wrote down for good, with e-mails, phones and NIKs taken out.

    For what is sealed, or can't be changed any more. References of a bank stay.
    """
    for pattern, mask in (*_SAID, _NIK):
        text = pattern.sub(mask, text)
    return text


def without_people(text: str) -> str:
    """The text with phones, accounts, NIKs, e-mails, tokens and positions masked."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text
