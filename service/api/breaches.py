"""Breaches of personal data: entered by a treasurer, and from then on a clock runs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.base import utc_now
from models.privacy import Told
from service.api.dependencies import (
    Actor,
    CurrentPage,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import PLAIN, Instant, Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.privacy import breaches
from service.privacy.breaches import AlreadyTold, BreachNotPossible, Case, KnownAtNotPossible

router = APIRouter(prefix="/v1/banks/{bank_id}/breaches", tags=["privacy"], route_class=ActRoute)
MOST_PEOPLE = 1_000


class BreachInput(Sent):
    """Either people or the whole bank. Name nobody in the words: they can't be changed."""

    what: Annotated[str, Field(min_length=1, max_length=2_000), PLAIN]
    known_at: Instant | None = Field(default=None, description="Else now")
    person_ids: Annotated[list[UUID], Field(max_length=MOST_PEOPLE)] = Field(default=[])
    whole_bank: Annotated[bool, Field(strict=True)] = False


class NoticeInput(Sent):
    """Who is told, in which words; people get these as they stand."""

    told: Told
    text: Annotated[str, Field(min_length=1, max_length=1_000), PLAIN]


class NoticeView(BaseModel):
    told: Told
    text: str
    at: datetime


class BreachView(BaseModel):
    """People and the authority are to be told by `due_at`, 3 x 24 hours after `known_at`."""

    id: UUID
    what: str
    known_at: datetime
    due_at: datetime
    is_overdue: bool = Field(description="Somebody was told too late, or not yet")
    whole_bank: bool
    people: int = Field(description="How many were named")
    notices: list[NoticeView]


class BreachList(BaseModel):
    items: list[BreachView]
    next_cursor: str | None


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_breaches(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> BreachList:
    """The bank's register, newest first."""
    found = await breaches.of_banks(session, [bank_id], before=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(found)
    cursor = cursor_of(last.breach.id) if last else None
    return BreachList(items=[_view(case) for case in shown], next_cursor=cursor)


@router.post(
    "",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, BreachNotPossible, KnownAtNotPossible),
)
async def open_breach(
    bank_id: UUID, body: BreachInput, caller: Actor, session: Session
) -> BreachView:
    """Enter a breach. From then on the people and the authority have to be told in time."""
    report = breaches.Report(body.what, body.known_at, body.person_ids, body.whole_bank)
    return _view(await breaches.report(session, bank_id, report, by=caller.person_id))


@router.post(
    "/{breach_id}/notices",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, AlreadyTold),
)
async def notify_of_breach(
    bank_id: UUID, breach_id: UUID, body: NoticeInput, caller: Actor, session: Session
) -> BreachView:
    """Tell the people, who are sent the text; or note what the authority was told."""
    case = await breaches.find(session, bank_id, breach_id)
    return _view(await breaches.notify(session, case, body.told, body.text, by=caller.person_id))


def _view(case: Case) -> BreachView:
    breach = case.breach
    return BreachView(
        id=breach.id,
        what=breach.what,
        known_at=breach.known_at,
        due_at=breach.due_at,
        is_overdue=case.is_overdue(utc_now()),
        whole_bank=breach.whole_bank,
        people=len(case.people),
        notices=[
            NoticeView(told=Told(notice.told), text=notice.text, at=notice.at)
            for notice in case.notices
        ],
    )
