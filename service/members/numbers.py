"""Numbers of passbooks, which come on paper, out of spreadsheets, and by word of mouth."""

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col

from models.people import Membership

LONGEST_NUMBER = 32


def normal_number(text: str | None) -> str | None:
    """A passbook's number whatever a spreadsheet made of it: `007` is `7`, `a-2` is `A-2`."""
    return (text.upper().replace(" ", "").lstrip("0") or "0") if text else None


def has_number(text: str) -> ColumnElement[bool]:
    """Whether a membership's passbook has this number, compared as normal_number() does."""
    number = col(Membership.passbook_number)
    closed_up = func.replace(func.upper(number), " ", "")
    # Nothing is left of a number that is all noughts.
    same = func.coalesce(func.nullif(func.ltrim(closed_up, "0"), ""), "0") == normal_number(text)
    # SQLite knows no other case than ASCII's; as it is written it is found anyway.
    return or_(number == text, number.is_not(None) & same)
