"""The audit over HTTP: a bank's for its treasurer, and everybody what was done with their data."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from models.audit import AuditEntry
from models.people import Role
from service import audit
from service.api.dependencies import CurrentPage, Reader, ReadSession, cursor_of
from service.api.errors import documented, language_of
from service.api.fields import Instant
from service.api.late import LateRoute
from service.audit import Told
from service.auth import NoValidToken
from service.errors import NotAllowed

router = APIRouter(prefix="/v1", tags=["audit"], route_class=LateRoute)


class EntryView(BaseModel):
    """One act, or the first look of a day at somebody's data. `actor_id` is null for the
    command line; `page` is the page of the book that it is sealed with."""

    id: UUID
    at: datetime
    act: str
    status: int
    actor_id: UUID | None
    on_behalf_of: UUID | None
    card_id: UUID | None
    about_kind: str
    about: str
    person_id: UUID | None = Field(description="Whose data it is about")
    address: str = Field(description="The network it came from: /24, or /48 of IPv6")
    device_id: UUID | None
    page: int


class EntryList(BaseModel):
    items: list[EntryView]
    next_cursor: str | None


class OwnEntryView(BaseModel):
    """What was done with my data. Who it was is told by role, and of officers by name.

    `address` and `device_id` are told of my own acts only.
    """

    id: UUID
    at: datetime
    bank_id: UUID | None
    act: str
    words: str = Field(description="The act in the language of the request")
    status: int
    about_kind: str
    about: str
    by_me: bool
    roles: list[Role] = Field(
        description="Of whoever acted, also if it ended since; none if it was me or the command line"
    )
    name: str
    assisted: bool = Field(description="Somebody acted for me")
    address: str
    device_id: UUID | None


class OwnEntryList(BaseModel):
    items: list[OwnEntryView]
    next_cursor: str | None


async def filters(
    person: Annotated[UUID | None, Query(description="Who acted, or whose data it is")] = None,
    about: Annotated[str | None, Query(max_length=64, description="An id, day or name")] = None,
    act: Annotated[str | None, Query(max_length=60, examples=["approve_payout"])] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Before this instant")] = None,
) -> audit.Wanted:
    return audit.Wanted(person, about, act, since, until)


@router.get("/banks/{bank_id}/audit", responses=documented(NoValidToken, NotAllowed))
async def entries(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    wanted: Annotated[audit.Wanted, Depends(filters)],
) -> EntryList:
    """Who did what in the bank, newest first, for its treasurer."""
    caller.act_in(bank_id)
    found = await audit.entries_of(
        session, bank_id, wanted, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return EntryList(
        items=[EntryView(**entry.model_dump()) for entry in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.get("/me/audit", responses=documented(NoValidToken))
async def about_me(
    request: Request, caller: Reader, session: ReadSession, page: CurrentPage
) -> OwnEntryList:
    """What was done with my data and by whom, and what I did with my account; newest first."""
    banks = {*caller.banks(), *await audit.banks_left(session, caller.person_id)}
    found = await audit.about_me(
        session, caller.person_id, list(banks), before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    language = language_of(request)
    return OwnEntryList(
        items=[_own_view(told, caller.person_id, language) for told in shown],
        next_cursor=cursor_of(last.entry.id) if last else None,
    )


def _own_view(told: Told, me: UUID, language: str) -> OwnEntryView:
    entry = told.entry
    in_bank = entry if isinstance(entry, AuditEntry) else None
    by_me = in_bank is None or in_bank.actor_id == me
    return OwnEntryView(
        id=entry.id,
        at=entry.at,
        bank_id=in_bank.bank_id if in_bank else None,
        act=entry.act,
        words=audit.in_words(entry.act, language),
        status=in_bank.status if in_bank else 200,
        about_kind=in_bank.about_kind if in_bank else "",
        about=in_bank.about if in_bank else "",
        by_me=by_me,
        roles=[Role(role) for role in told.roles],
        name=told.name,
        assisted=in_bank is not None and in_bank.on_behalf_of == me,
        address=entry.address if by_me else "",
        device_id=entry.device_id if by_me else None,
    )
