"""My second factor: codes of an authenticator app, and recovery codes for when it is lost."""

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlmodel import select

from models.people import Person
from models.sign_in import Device
from service import auth
from service.api import auditing, qr
from service.api.auth import SecondFactorCode
from service.api.dependencies import (
    CurrentDevice,
    CurrentParts,
    Owner,
    Reader,
    ReadSession,
    Session,
)
from service.api.errors import documented
from service.api.fields import Sent
from service.api.late import LateRoute
from service.auth import NoValidToken, recovery, second_factor
from service.errors import NotAllowed

router = APIRouter(prefix="/v1/me/second-factor", tags=["sign-in"], route_class=LateRoute)

_PROVING = documented(
    NoValidToken, NotAllowed, auth.NoSecondFactor, auth.WrongSecondFactor, auth.TooManySecondFactors
)


class SecondFactorView(BaseModel):
    """Mine. `is_needed`: I am an officer here only with one; `was_given`: on this device."""

    is_on: bool
    is_needed: bool
    was_given: bool
    recovery_codes_left: int


class EnrolmentView(BaseModel):
    """What an authenticator app needs. It is shown once, and counts once confirmed."""

    secret: str
    uri: str
    qr_svg: str


class CodeInput(Sent):
    """A code of the app; in place of it, but for confirming, a recovery code."""

    code: SecondFactorCode


class RecoveryCodesView(BaseModel):
    """Each stands for the app once. They are shown now and never again."""

    recovery_codes: list[str]


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def look(who: CurrentDevice, caller: Reader, session: ReadSession) -> SecondFactorView:
    """Whether I have a second factor, and whether I need one."""
    query = select(Device.proved_at).where(Device.id == who.device_id)
    was_given = (await session.exec(query)).one() is not None
    return SecondFactorView(
        is_on=await second_factor.is_on(session, caller.person_id),
        is_needed=who.officers_prove and caller.is_officer,
        was_given=was_given,
        recovery_codes_left=await recovery.left(session, caller.person_id),
    )


@router.post(
    "", status_code=201, responses=documented(NoValidToken, NotAllowed, auth.SecondFactorExists)
)
async def set_up(
    _who: CurrentDevice, caller: Owner, session: Session, parts: CurrentParts
) -> EnrolmentView:
    """Begin to set up a second factor: tell this to an authenticator app, then confirm."""
    person = await session.get_one(Person, caller.person_id)
    account = person.phone or person.name or str(person.id)
    made = await second_factor.begin(session, parts.keys, person.id, account)
    return EnrolmentView(secret=made.secret, uri=made.uri, qr_svg=qr.drawn(made.uri).decode())


@router.post(
    "/confirm",
    responses=documented(
        NoValidToken,
        NotAllowed,
        auth.NoSecondFactor,
        auth.SecondFactorExists,
        auth.WrongSecondFactor,
        auth.TooManySecondFactors,
    ),
)
async def confirm(
    body: CodeInput,
    request: Request,
    who: CurrentDevice,
    _caller: Owner,
    session: Session,
    parts: CurrentParts,
) -> RecoveryCodesView:
    """Turn it on with a first code of the app. On this device it counts as given."""
    codes = await second_factor.confirm(session, parts.keys, who, body.code)
    await auditing.note_own(request, session, who.person_id, "confirm_second_factor")
    return RecoveryCodesView(recovery_codes=codes)


@router.delete("", status_code=204, responses=_PROVING)
async def take_off(
    body: CodeInput,
    request: Request,
    _who: CurrentDevice,
    caller: Owner,
    session: Session,
    parts: CurrentParts,
) -> None:
    """Take my second factor off, with a code of it."""
    await second_factor.prove(session, parts.keys, caller.person_id, body.code)
    await second_factor.take_off(session, caller.person_id)
    await auditing.note_own(request, session, caller.person_id, "take_off_second_factor")


@router.post("/recovery-codes", responses=_PROVING)
async def renew_recovery_codes(
    body: CodeInput,
    request: Request,
    _who: CurrentDevice,
    caller: Owner,
    session: Session,
    parts: CurrentParts,
) -> RecoveryCodesView:
    """New recovery codes; those of before work no more."""
    await second_factor.prove(session, parts.keys, caller.person_id, body.code)
    codes = await recovery.make(session, parts.keys, caller.person_id)
    await auditing.note_own(request, session, caller.person_id, "renew_recovery_codes")
    return RecoveryCodesView(recovery_codes=codes)
