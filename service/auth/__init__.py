"""Who is on the phone: one-time codes, and the tokens that they are exchanged for."""

from service.auth.access import NoValidToken, access_token, person_of_access_token
from service.auth.addresses import TooManyFromHere
from service.auth.codes import (
    CodeRequest,
    TooManyCodes,
    TooManyWrongCodes,
    WrongCode,
    request_code,
    take_back,
)
from service.auth.signing_in import (
    SessionEnded,
    Tokens,
    exchange_code,
    exchange_refresh_token,
)
from service.auth.terms import Terms

__all__ = [
    "CodeRequest",
    "NoValidToken",
    "SessionEnded",
    "Terms",
    "Tokens",
    "TooManyCodes",
    "TooManyFromHere",
    "TooManyWrongCodes",
    "WrongCode",
    "access_token",
    "exchange_code",
    "exchange_refresh_token",
    "person_of_access_token",
    "request_code",
    "take_back",
]
