"""A phone number is given to somebody who had none, or changed by whose it is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service import auth, members
from service.api import auditing
from service.api.auth import Phone, SecondFactorCode, address_of
from service.api.dependencies import Actor, CurrentDevice, CurrentParts, Owner, Session
from service.api.errors import documented
from service.api.fields import Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1", tags=["people"], route_class=ActRoute)


class PhoneInput(Sent):
    """A number with the code that `POST /v1/auth/codes` sent to it."""

    phone: Phone
    code: Annotated[str, Field(min_length=1, max_length=12, examples=["123456"])]


class MyPhoneInput(PhoneInput):
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
    """Change my number, with the code that was sent to the new one. I stay signed in.

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


@router.post(
    "/banks/{bank_id}/members/{person_id}/phone",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        members.PhoneNotValid,
        auth.PhoneNotProved,
        auth.ChangesPhoneThemselves,
        members.PhoneTaken,
    ),
)
async def give_phone(  # noqa: PLR0913  One parameter a part of the request.
    *,
    bank_id: UUID,
    person_id: UUID,
    body: PhoneInput,
    request: Request,
    caller: Actor,
    session: Session,
    parts: CurrentParts,
) -> PhoneView:
    """Enter the number of a resident who had none, with the code that they read out at the counter."""
    caller.act_in(bank_id)
    new = _new(body, request)
    await auth.give_phone(session, parts.keys, caller, person_id, new)
    caller.on_behalf_of = person_id
    return PhoneView(phone=new.number)


def _new(body: PhoneInput, request: Request) -> auth.NewPhone:
    return auth.NewPhone(members.normal_phone(body.phone), body.code, address_of(request))
