"""Me, and the members of a bank."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Language, Membership, Person, Role
from service import banks, members, niks
from service.api import auditing
from service.api.auth import Phone
from service.api.dependencies import (
    Actor,
    CurrentPage,
    CurrentParts,
    Keyless,
    Owner,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import RequestMalformed, documented
from service.api.fields import OR_NOTHING, PLAIN, Name, Sent
from service.api.idempotency import ActRoute
from service.api.looks import CurrentLooks
from service.api.nik_tries import CurrentNiks, Niks, TooManyNiks
from service.auth import NoValidToken
from service.errors import FieldProblem, NoSuchThing, NotAllowed
from service.keys import Keys
from service.niks import NikNotValid, NikTaken

router = APIRouter(prefix="/v1", tags=["people"], route_class=ActRoute)
_Number = Annotated[str, Field(max_length=members.LONGEST_NUMBER, pattern=r"\S"), PLAIN]
_PartOfName = Annotated[str, Field(min_length=2, max_length=120, pattern=r"\S"), PLAIN]


class MembershipView(BaseModel):
    bank_id: UUID
    role: Role


class MeView(BaseModel):
    id: UUID
    phone: str | None
    name: str
    language: Language
    nik: str | None = Field(description="Whole, and shown to nobody else")
    memberships: list[MembershipView]


class MePatch(Sent):
    name: Name | None = None
    language: Language | None = None
    nik: Annotated[str, Field(max_length=32)] | None = Field(
        default=None, description="Never needed; empty takes it away again"
    )


class MemberInput(Sent):
    """Without a phone only a resident, by name: they get a card instead."""

    phone: Phone | None = None
    name: Annotated[str, Field(max_length=120, pattern=r"^$|\S"), PLAIN, OR_NOTHING] = ""
    role: Literal["resident", "collector"] = "resident"
    nik: Annotated[str, Field(max_length=32), OR_NOTHING] = Field(
        default="", description="Never needed"
    )


class MemberView(BaseModel):
    person_id: UUID
    phone: str | None
    name: str
    role: Role
    passbook_number: str | None
    created_at: datetime


class JoinedView(MemberView):
    is_new: Annotated[bool, Field(description="False for who had this part here already")]


class MemberList(BaseModel):
    items: list[MemberView]
    next_cursor: str | None


@router.get("/me", responses=documented(NoValidToken))
async def me(caller: Reader, session: ReadSession, parts: CurrentParts) -> MeView:
    """Who I am, and my part in each bank."""
    return _me(await _person(session, caller.person_id), caller, parts.keys)


@router.patch("/me", responses=documented(NoValidToken, NikNotValid, NikTaken, TooManyNiks))
async def change_me(
    *,
    body: MePatch,
    request: Request,
    caller: Owner,
    session: Session,
    parts: CurrentParts,
    given: CurrentNiks,
) -> MeView:
    """Change my name, the language I am written to in, or my NIK."""
    person = await _person(session, caller.person_id)
    person.name = person.name if body.name is None else body.name
    person.language = body.language or person.language
    session.add(person)
    await session.flush()
    if body.nik:
        await given.give(person, body.nik)
    elif body.nik is not None:
        await niks.remove(session, person)
    await auditing.note_own(request, session, caller.person_id, "change_me")
    return _me(person, caller, parts.keys)


@router.post(
    "/banks/{bank_id}/members",
    status_code=201,
    responses=documented(
        NoValidToken, NotAllowed, members.PhoneNotValid, NikNotValid, NikTaken, TooManyNiks
    ),
)
async def register(
    bank_id: UUID, body: MemberInput, caller: Actor, session: Session, given: CurrentNiks
) -> JoinedView:
    """Register a resident or collector at the counter; whoever is one already stays one."""
    if body.phone is None:
        person = await members.person_without_phone(session, name=_name_of(body))
    else:
        phone = members.normal_phone(body.phone)
        person = await members.person_by_phone(session, phone, name=body.name)
    parts_played = await members.roles_of(session, person.id)
    known_here = bank_id in parts_played
    # Of whom only other banks know, this bank's officers neither write nor learn anything.
    if known_here or not parts_played:
        await _complete(person, body, given)
    role = Role(body.role)
    joined = await members.register(session, bank_id, person, role, entered_by=caller.person_id)
    view = _joined_view(person, joined)
    # What another bank knows of a phone is not for this bank's officers to find out.
    return view if known_here else view.model_copy(update={"name": body.name})


async def _complete(person: Person, body: MemberInput, given: Niks) -> None:
    """Enter what isn't known of them yet."""
    if body.name and not person.name:
        person.name = body.name
        given.session.add(person)
    if body.nik and person.nik_hash is None:
        await given.give(person, body.nik)


@router.post(
    "/banks/{bank_id}/join", status_code=201, responses=documented(NoValidToken, NoSuchThing)
)
async def join(bank_id: UUID, caller: Keyless, session: Session) -> JoinedView:
    """Become a resident of a bank, to be fetched from and paid there."""
    bank = await banks.get(session, bank_id)
    caller.bank_id = bank.id
    person = await _person(session, caller.person_id)
    joined = await members.register(session, bank.id, person, Role.RESIDENT, entered_by=person.id)
    return _joined_view(person, joined)


async def sought(
    role: Role | None = None,
    phone: Annotated[str | None, Query(max_length=members.LONGEST_PHONE)] = None,
    passbook_number: Annotated[
        _Number | None,
        Query(description="Whole; `007` finds `7`, and the case of letters doesn't matter"),
    ] = None,
    name: Annotated[
        _PartOfName | None,
        Query(description="Any part of the name; the case of letters doesn't matter"),
    ] = None,
) -> members.Sought:
    known_by = members.normal_phone(phone) if phone else None
    return members.Sought(role, known_by, passbook_number, name)


@router.get("/banks/{bank_id}/members", responses=documented(NoValidToken, NotAllowed))
async def list_members(
    *,
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    looks: CurrentLooks,
    wanted: Annotated[members.Sought, Depends(sought)],
) -> MemberList:
    """The members of a bank, for its officers: all, or who is sought, by each that is given."""
    found = await members.members_of(
        session, bank_id, wanted, after=page.after_part, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    view = MemberList(
        items=[_member_view(*member) for member in shown],
        next_cursor=_cursor_after(last) if last else None,
    )
    await looks.note("member", [(bank_id, one.person_id) for one in view.items])
    return view


async def _person(session: AsyncSession, person_id: UUID) -> Person:
    person = (await session.exec(select(Person).where(Person.id == person_id))).first()
    if person is None:
        raise NoValidToken
    return person


def _me(person: Person, caller: members.Caller, keys: Keys) -> MeView:
    return MeView(
        id=person.id,
        phone=person.phone,
        name=person.name,
        language=Language(person.language),
        nik=niks.of(keys, person),
        memberships=[
            MembershipView(bank_id=bank_id, role=Role(role)) for bank_id, role in caller.memberships
        ],
    )


def _name_of(body: MemberInput) -> str:
    """The name by which somebody without a phone goes."""
    if body.role != "resident":
        english, indonesian = "A collector needs a phone.", "Pengepul perlu nomor telepon."
        raise RequestMalformed(FieldProblem("/phone", english, indonesian))
    if not body.name.strip():
        english = "Without a phone a name is needed."
        indonesian = "Tanpa nomor telepon, nama wajib diisi."
        raise RequestMalformed(FieldProblem("/name", english, indonesian))
    return body.name


def _cursor_after(member: members.Member) -> str:
    return cursor_of((member.person.id, Role(member.membership.role)))


def _member_view(person: Person, joined: Membership) -> MemberView:
    return MemberView(
        person_id=person.id,
        phone=person.phone,
        name=person.name,
        role=Role(joined.role),
        passbook_number=joined.passbook_number,
        created_at=joined.created_at,
    )


def _joined_view(person: Person, joined: members.Joined) -> JoinedView:
    view = _member_view(person, joined.membership)
    return JoinedView(**view.model_dump(), is_new=joined.is_new)
