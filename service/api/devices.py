"""The devices I am signed in on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service import auth
from service.api import auditing
from service.api.auth import terms_of
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
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1/me", tags=["sign-in"], route_class=LateRoute)


class DeviceView(BaseModel):
    """A device; it was last used when it last got new tokens."""

    id: UUID
    name: str
    signed_in_at: datetime
    last_used_at: datetime
    is_this_one: bool


class DeviceList(BaseModel):
    items: list[DeviceView]


class SignOutInput(Sent):
    everywhere: Annotated[bool, Field(strict=True)] = False


@router.get("/devices", responses=documented(NoValidToken, NotAllowed))
async def list_devices(
    who: CurrentDevice, caller: Reader, session: ReadSession, parts: CurrentParts
) -> DeviceList:
    """The devices I am signed in on, the last used first; at most 100."""
    found = await auth.devices_of(session, terms_of(parts), caller.person_id)
    return DeviceList(
        items=[
            DeviceView(
                id=device.id,
                name=device.name,
                signed_in_at=device.created_at,
                last_used_at=device.last_used_at,
                is_this_one=device.id == who.device_id,
            )
            for device in found
        ]
    )


@router.delete(
    "/devices/{device_id}", status_code=204, responses=documented(NoValidToken, NoSuchThing)
)
async def end_device(device_id: UUID, request: Request, caller: Owner, session: Session) -> None:
    """Sign one of my devices out. Its tokens are refused from now on."""
    await auditing.note_own(request, session, caller.person_id, "end_device")
    await auth.end(session, caller.person_id, device_id)


@router.post("/sign-out", status_code=204, responses=documented(NoValidToken, NotAllowed))
async def sign_out(
    request: Request,
    who: CurrentDevice,
    caller: Owner,
    session: Session,
    body: SignOutInput | None = None,
) -> None:
    """Sign out here, or with `everywhere` on all my devices."""
    await auditing.note_own(request, session, caller.person_id, "sign_out")
    if body is not None and body.everywhere:
        await auth.end_all(session, caller.person_id)
    else:
        await auth.end(session, caller.person_id, who.device_id)
