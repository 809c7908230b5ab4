"""Who is on the phone: one-time codes, and the tokens that they are exchanged for."""

from service.auth import recovery, second_factor
from service.auth.access import NoValidToken, access_token, read_access_token
from service.auth.addresses import TooManyFromHere
from service.auth.callers import STILL_SIGNED_IN, Grant, Identity, Outsider, caller_from, caller_of
from service.auth.codes import PHONE, CodeRequest, WrongCode, forget_old, request_code, take_back
from service.auth.devices import LONGEST_NAME, devices_of, end, end_all, name_of
from service.auth.limits import TooManyCodes, TooManyWrongCodes
from service.auth.phones import (
    CHANGED,
    NewPhone,
    NoPhoneOfBefore,
    PhoneNotProved,
    SecondFactorMissing,
    change_own_phone,
)
from service.auth.second_factor import (
    NoSecondFactor,
    SecondFactorExists,
    TooManySecondFactors,
    WrongSecondFactor,
)
from service.auth.signing_in import (
    Proof,
    SecondFactorNeeded,
    SessionEnded,
    Tokens,
    exchange_code,
    exchange_refresh_token,
)
from service.auth.terms import Terms

__all__ = [
    "CHANGED",
    "LONGEST_NAME",
    "PHONE",
    "STILL_SIGNED_IN",
    "CodeRequest",
    "Grant",
    "Identity",
    "NewPhone",
    "NoPhoneOfBefore",
    "NoSecondFactor",
    "NoValidToken",
    "Outsider",
    "PhoneNotProved",
    "Proof",
    "SecondFactorExists",
    "SecondFactorMissing",
    "SecondFactorNeeded",
    "SessionEnded",
    "Terms",
    "Tokens",
    "TooManyCodes",
    "TooManyFromHere",
    "TooManySecondFactors",
    "TooManyWrongCodes",
    "WrongCode",
    "WrongSecondFactor",
    "access_token",
    "caller_from",
    "caller_of",
    "change_own_phone",
    "devices_of",
    "end",
    "end_all",
    "exchange_code",
    "exchange_refresh_token",
    "forget_old",
    "name_of",
    "read_access_token",
    "recovery",
    "request_code",
    "second_factor",
    "take_back",
]
