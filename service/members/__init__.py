"""People, and what they may do in which bank."""

from service.members.callers import OFFICERS, Caller, SecondFactorNotGiven, ShownCard
from service.members.changing import PhoneTaken, change_phone
from service.members.joining import (
    Joined,
    insert_once,
    number_of,
    person_by_phone,
    person_row,
    person_without_phone,
    register,
)
from service.members.numbers import LONGEST_NUMBER, normal_number
from service.members.phones import LONGEST_PHONE, PhoneNotValid, normal_phone
from service.members.reading import (
    Member,
    Sought,
    collectors_among,
    find_by_phone,
    group_roles,
    hold_person,
    holders_of,
    is_officer,
    members_of,
    resident_of,
    roles_of,
)
from service.members.whose import whose, whose_card

__all__ = [
    "LONGEST_NUMBER",
    "LONGEST_PHONE",
    "OFFICERS",
    "Caller",
    "Joined",
    "Member",
    "PhoneNotValid",
    "PhoneTaken",
    "SecondFactorNotGiven",
    "ShownCard",
    "Sought",
    "change_phone",
    "collectors_among",
    "find_by_phone",
    "group_roles",
    "hold_person",
    "holders_of",
    "insert_once",
    "is_officer",
    "members_of",
    "normal_number",
    "normal_phone",
    "number_of",
    "person_by_phone",
    "person_row",
    "person_without_phone",
    "register",
    "resident_of",
    "roles_of",
    "whose",
    "whose_card",
]
