"""A phone number is changed by whose it is."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service import auth, members
from service.api import auditing
from service.api.auth import Phone, SecondFactorCode, address_of
from service.api.dependencies import CurrentDevice, CurrentParts, Owner, Session
from service.api.errors import documented
from service.api.fields import Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NotAllowed

router = APIRouter(prefix="/v1", tags=["people"], route_class=ActRoute)


_Code = Annotated[str, Field(min_length=1, max_length=12, examples=["123456"])]


class MyPhoneInput(Sent):
    """A new number with the code that `POST /v1/auth/codes` sent to it, and one sent to the old."""

    phone: Phone
    code: _Code
    code_of_before: _Code
    second_factor: SecondFactorCode | None = Field(
        default=None, description="Of whoever has set one up; or a recovery code"
    )


class PhoneView(BaseModel):
    phone: str


@router.post(
    "/me/phone",
    responses=documented(
        NoValidToken,
        NotAllowed,
        members.PhoneNotValid,
        auth.SecondFactorMissing,
        auth.NoPhoneOfBefore,
        auth.PhoneNotProved,
        auth.NoSecondFactor,
        auth.WrongSecondFactor,
        auth.TooManySecondFactors,
        members.PhoneTaken,
    ),
)
async def change_my_phone(
    body: MyPhoneInput,
    request: Request,
    _who: CurrentDevice,
    caller: Owner,
    session: Session,
    parts: CurrentParts,
) -> PhoneView:
    """Change my number, with codes that were sent to the old and to the new one. I stay signed in.

    The number of before is told, and signs in to this account no more.
    """
    if caller.withheld:
        raise members.SecondFactorNotGiven
    new = _new(body, request)
    await auth.change_own_phone(
        session, parts.keys, caller.person_id, new, second=body.second_factor
    )
    await auditing.note_own(request, session, caller.person_id, "change_my_phone")
    return PhoneView(phone=new.number)


def _new(body: MyPhoneInput, request: Request) -> auth.NewPhone:
    number = members.normal_phone(body.phone)
    return auth.NewPhone(number, body.code, body.code_of_before, address_of(request))
