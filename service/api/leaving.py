"""Parts in a bank that end, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel

from models.base import utc_now
from models.people import Role
from service import leaving
from service.api.dependencies import Actor, Session
from service.api.errors import documented
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.leaving import CityStays, EndsOwnPart, PassbookStays
from service.privacy import (
    DrawerStillKept,
    JobsStillHeld,
    LastTreasurer,
    LoadNotSettled,
    MoneyNotPaidOut,
)

router = APIRouter(
    prefix="/v1/banks/{bank_id}/members/{person_id}/parts", tags=["people"], route_class=ActRoute
)
_OPEN_THINGS = (JobsStillHeld, LoadNotSettled, MoneyNotPaidOut, LastTreasurer, DrawerStillKept)


class EndedView(BaseModel):
    """A part that is over."""

    bank_id: UUID
    person_id: UUID
    role: Role
    ended_at: datetime


@router.delete(
    "/{role}",
    responses=documented(
        *(NoValidToken, NotAllowed, NoSuchThing, PassbookStays, CityStays, EndsOwnPart),
        *_OPEN_THINGS,
    ),
)
async def end_part(
    bank_id: UUID,
    person_id: UUID,
    role: Annotated[Role, Path(description="Operator, treasurer or collector")],
    caller: Actor,
    session: Session,
) -> EndedView:
    """End somebody's part in the bank, as its treasurer: of who left, or was entered by mistake.

    It counts with their next request. Other parts stay, and it can be given again. They are told.
    Nobody ends their own, the last treasurer stays, and what the part brought is settled first:
    a collector's jobs, load and earnings, an officer's open drawer. What somebody may do by a
    city's own sign-in is no part of this list and ends there.
    """
    await leaving.end(session, bank_id, person_id, role, by=caller.person_id)
    return EndedView(bank_id=bank_id, person_id=person_id, role=role, ended_at=utc_now())
