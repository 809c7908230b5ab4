"""My data: what I agreed to, all of it to take with me, and its end."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.people import Person
from models.privacy import Purpose
from service import consents, members, privacy
from service.api import auditing
from service.api.dependencies import (
    Actor,
    Admitted,
    CurrentParts,
    Owner,
    Parts,
    Reader,
    ReadSession,
    Session,
)
from service.api.errors import documented, language_of
from service.api.fields import Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.consents import CATALOGUE, ConsentNeededForService, Standing
from service.errors import NoSuchThing, NotAllowed
from service.privacy import (
    DeletesThemselves,
    DrawerStillKept,
    LastTreasurer,
    LoadNotSettled,
    MoneyNotPaidOut,
    PickupNotEnded,
)

router = APIRouter(prefix="/v1", tags=["privacy"], route_class=ActRoute)
_OPEN_THINGS = (MoneyNotPaidOut, PickupNotEnded, LoadNotSettled, LastTreasurer, DrawerStillKept)
_MEMBER = "/banks/{bank_id}/members/{person_id}"
_PAGES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}}, "description": "As asked for"}
}


class ConsentInput(Sent):
    purpose: Purpose
    given: Annotated[bool, Field(strict=True)]


class ConsentView(BaseModel):
    """`given` is null if nobody was asked, and false as well if the words have changed since."""

    purpose: Purpose
    text: str = Field(description="What is agreed to, in the language of the request")
    version: int
    is_needed: bool = Field(description="Without it the service can't be given")
    given: bool | None
    at: datetime | None
    entered_by_other: bool = Field(description="An officer entered it, for who can't")


class ConsentList(BaseModel):
    items: list[ConsentView]


class DeletionInput(Sent):
    """Deleting can't be undone, so it is confirmed in so many words."""

    confirm: Literal["delete my account", "hapus akun saya"]


class DeletionView(BaseModel):
    deleted_at: datetime


@router.get("/me/consents", responses=documented(NoValidToken))
async def my_consents(request: Request, caller: Reader, session: ReadSession) -> ConsentList:
    """What my data is used for, and what I said to each purpose."""
    return await _standing(request, session, caller.person_id)


@router.post("/me/consents", responses=documented(NoValidToken, ConsentNeededForService))
async def give_my_consent(
    body: ConsentInput, request: Request, caller: Owner, session: Session, parts: CurrentParts
) -> ConsentList:
    """Agree to a purpose, or take that back. What I said before stays in the history."""
    me = caller.person_id
    await consents.give(session, me, body.purpose, given=body.given, entered_by=me)
    await auditing.note_own(request, session, me, "give_my_consent")
    return await _standing(request, session, me)


@router.get(f"{_MEMBER}/consents", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def member_consents(
    bank_id: UUID, person_id: UUID, request: Request, caller: Reader, session: ReadSession
) -> ConsentList:
    """What a resident of the bank agreed to, for its officers."""
    await members.whose(session, caller, bank_id, person_id)
    return await _standing(request, session, person_id)


@router.post(
    f"{_MEMBER}/consents",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, ConsentNeededForService),
)
async def give_consent(
    bank_id: UUID,
    person_id: UUID,
    body: ConsentInput,
    request: Request,
    caller: Actor,
    session: Session,
) -> ConsentList:
    """Enter what a resident said at the counter; it stays marked as entered by an officer."""
    await members.whose(session, caller, bank_id, person_id)
    by = caller.person_id
    await consents.give(session, person_id, body.purpose, given=body.given, entered_by=by)
    return await _standing(request, session, person_id)


@router.get("/me/export", responses=documented(NoValidToken) | _PAGES)
async def export_me(
    request: Request,
    caller: Admitted,
    parts: CurrentParts,
    file_format: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> Response:
    """All that is kept of me, table by table: as JSON, or as a page to read."""
    async with parts.database.reading_long() as session:
        person = await _person(session, caller.person_id)
        told = await privacy.export(session, parts.keys, person)
        zone = await privacy.zone_of(session, person.id)
        banks = await privacy.bank_names(session, told) if file_format == "html" else {}
    async with parts.database.transaction() as session:
        await auditing.note_own(request, session, caller.person_id, "export_me")
    if file_format == "html":
        return HTMLResponse(privacy.as_page(told, language_of(request), utc_now(), zone, banks))
    return JSONResponse({"person_id": str(person.id), "tables": told})


@router.post("/me/deletion", responses=documented(NoValidToken, *_OPEN_THINGS))
async def delete_me(
    body: DeletionInput, request: Request, caller: Owner, session: Session, parts: CurrentParts
) -> DeletionView:
    """Delete my account. What was weighed and paid stays in the books, and not whose it was."""
    await auditing.note_own(request, session, caller.person_id, "delete_me")
    return await _delete(session, parts, caller.person_id, by=caller.person_id)


@router.post(
    f"{_MEMBER}/deletion",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, DeletesThemselves, *_OPEN_THINGS),
)
async def delete_person(
    bank_id: UUID, person_id: UUID, caller: Actor, session: Session, parts: CurrentParts
) -> DeletionView:
    """Delete a resident who has no phone and asks for it at the counter."""
    caller.act_in(bank_id)
    await privacy.check_may_delete(session, caller, person_id)
    caller.on_behalf_of = person_id
    return await _delete(session, parts, person_id, by=caller.person_id)


async def _delete(
    session: AsyncSession, parts: Parts, person_id: UUID, *, by: UUID
) -> DeletionView:
    await privacy.delete(session, parts.keys, person_id, by=by, messages=_messages(parts))
    return DeletionView(deleted_at=utc_now())


def _messages(parts: Parts) -> Path:
    return parts.settings.data_dir / privacy.MESSAGES


async def _person(session: AsyncSession, person_id: UUID) -> Person:
    return (await session.exec(select(Person).where(Person.id == person_id))).one()


async def _standing(request: Request, session: AsyncSession, person_id: UUID) -> ConsentList:
    language = language_of(request)
    found = await consents.of(session, person_id)
    return ConsentList(items=[_view(one, person_id, language) for one in found])


def _view(standing: Standing, person_id: UUID, language: str) -> ConsentView:
    purpose, last = standing
    text = CATALOGUE[purpose]
    return ConsentView(
        purpose=purpose,
        text=text.words(language),
        version=text.version,
        is_needed=purpose is Purpose.SERVICE,
        given=standing.is_given if last else None,
        at=last.at if last else None,
        entered_by_other=last is not None and last.entered_by != person_id,
    )
