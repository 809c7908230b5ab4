"""Statements of gateways and banks over HTTP: brought in, listed, and how to read them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.reconciliation import ColumnMap, Holding, LineType, StatementImport
from service import banks, reconciliation
from service.api import idempotency
from service.api.access import admit
from service.api.dependencies import (
    Actor,
    CurrentIdentity,
    CurrentPage,
    CurrentParts,
    KeyHeader,
    Reader,
    ReadSession,
    Session,
    cursor_of,
    known,
)
from service.api.errors import documented
from service.api.fields import PLAIN, Sent
from service.api.files import FileRoute
from service.api.idempotency import ActRoute
from service.auth import NoValidToken, caller_of
from service.errors import NotAllowed
from service.members import Caller
from service.reconciliation import Columns, File, Imported, Plan

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["reconciliation"], route_class=ActRoute)
_files = APIRouter(prefix="/v1/banks/{bank_id}", tags=["reconciliation"], route_class=FileRoute)
PATH = "/v1/banks/[^/]+/statements"
"""Where a body may be larger."""
_NAME = r"^[a-z0-9][a-z0-9._-]*$"
_BODY = {
    "required": True,
    "content": {
        media_type: {"schema": {"type": "string", "format": "binary"}}
        for media_type in ("text/csv", "text/plain", "application/xml")
    },
}
SourceName = Annotated[str, Field(min_length=1, max_length=40, pattern=_NAME)]
_ColumnName = Annotated[str, Field(max_length=80), PLAIN]
_Word = Annotated[str, Field(min_length=1, max_length=40), PLAIN]


class ImportView(BaseModel):
    """One file that was brought in; `gateway` is the gateway or bank account it is of."""

    id: UUID
    gateway: str
    holding: Holding
    profile: str
    sha256: str
    first_at: datetime
    last_at: datetime
    opening_idr: int | None
    closing_idr: int | None
    line_count: int
    new_count: int
    imported_by: UUID
    imported_at: datetime
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    withdrawn_reason: str


class ImportList(BaseModel):
    items: list[ImportView]
    next_cursor: str | None


class ImportedView(BaseModel):
    """What became of a file. `matched` are its lines by rule, `exceptions` what was opened."""

    id: UUID | None
    gateway: str
    profile: str
    dry_run: bool
    line_count: int
    new_count: int
    known_count: int
    first_at: datetime
    last_at: datetime
    opening_idr: int | None
    closing_idr: int | None
    matched: dict[str, int]
    exceptions: dict[str, int]


class ColumnMapInput(Sent):
    """How a source writes its CSV: which column holds what, and how.

    A column is named as in its header; `#5` is the fifth, `a|b` whichever of both there is. Money
    is in `amount` with a sign, in `amount` with `marker` beside it, or in `debit` and `credit`.
    """

    name: SourceName
    booked_at: Annotated[_ColumnName, Field(min_length=1)]
    booked_time: _ColumnName = ""
    amount: _ColumnName = ""
    debit: _ColumnName = ""
    credit: _ColumnName = ""
    marker: _ColumnName = ""
    out_markers: Annotated[list[_Word], Field(max_length=20)] = ["DEBIT", "DB", "DR", "D"]  # noqa: RUF012  Pydantic copies it.
    positive_is_out: bool = False
    balance: _ColumnName = ""
    external_id: _ColumnName = ""
    gateway_id: _ColumnName = ""
    reference: _ColumnName = ""
    account_number: _ColumnName = ""
    line_type: _ColumnName = ""
    line_types: Annotated[dict[_Word, LineType], Field(max_length=50)] = {}  # noqa: RUF012  As above.
    currency: _ColumnName = ""
    separator: Annotated[str, Field(max_length=1, pattern=r"^[,;|\t]?$")] = ""
    decimal: Annotated[str, Field(max_length=1, pattern=r"^[.,]$")] = "."
    thousands: Annotated[str, Field(max_length=1, pattern=r"^[., ']?$")] = ","
    date_format: Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")] = ""
    zone: Annotated[str, Field(max_length=40)] = "Asia/Jakarta"
    ends_with: Annotated[list[_Word], Field(max_length=20)] = []  # noqa: RUF012  As above.
    holding: Holding = Holding.FLOAT

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if bool(self.amount) == bool(self.debit or self.credit):
            raise PydanticCustomError("amounts", "Name amount, or debit and credit.")
        if bool(self.debit) != bool(self.credit):
            raise PydanticCustomError("both_amounts", "Name both debit and credit.")
        if self.decimal == self.thousands:
            raise PydanticCustomError("signs", "Decimal and thousands signs must differ.")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise PydanticCustomError("zone", "There is no such time zone.") from None
        return self


class ColumnMapView(BaseModel):
    id: UUID
    name: str
    columns: dict[str, Any]
    entered_by: UUID
    created_at: datetime


class ColumnMapList(BaseModel):
    items: list[ColumnMapView]
    next_cursor: str | None


_SAME: dict[int | str, dict[str, Any]] = {
    200: {"model": ImportedView, "description": "Nothing was new, or a dry run"}
}
_Gateway = Annotated[
    str,
    Query(max_length=40, pattern=_NAME, description="The gateway or bank account it is of"),
]
_Profile = Annotated[
    str | None,
    Query(
        max_length=40,
        description="The column map to read CSV by; else the gateway's own, or the first that fits",
    ),
]


_DryRun = Annotated[bool, Query(description="Tell what would happen, and keep nothing")]


class Brought(NamedTuple):
    """A file that was read, and what it would change where that took long to find out."""

    bank: Bank
    file: File
    plan: Plan | None


async def read_in(
    request: Request,
    bank_id: UUID,
    who: CurrentIdentity,
    parts: CurrentParts,
    gateway: _Gateway,
    profile: _Profile = None,
) -> tuple[Bank, File]:
    """The file, read before any transaction: a large one takes seconds."""
    async with parts.database.reading() as session:
        await known(request, session, who)
        bank = await banks.get(session, bank_id)
        maps = await reconciliation.maps_of(session, bank_id)
        others = {*maps, *reconciliation.PROFILES, *parts.gateways_of(bank_id)}
        await reconciliation.check_known(session, bank_id, gateway, others)
    content = await request.body()
    read = await asyncio.to_thread(
        reconciliation.read_statement,
        content,
        gateway,
        maps,
        zone=bank.time_zone,
        profile=profile,
        now=utc_now(),
    )
    return bank, File(gateway, sha256(content).hexdigest(), read)


async def brought(
    came: Annotated[tuple[Bank, File], Depends(read_in)],
    parts: CurrentParts,
    *,
    dry_run: _DryRun = False,
) -> Brought:
    """What came; if it is large, it is matched before any transaction too."""
    bank, file = came
    plan = None
    if len(file.read.rows) >= reconciliation.MANY and not dry_run:
        async with parts.database.reading_long() as session:
            plan = await reconciliation.plan_of(session, bank, file)
    return Brought(bank, file, plan)


async def bringing(parts: CurrentParts, *, dry_run: _DryRun = False) -> AsyncIterator[AsyncSession]:
    """A session that writes, or beside the writers one that only reads."""
    database = parts.database
    async with database.reading_long() if dry_run else database.transaction() as session:
        yield session


_BringSession = Annotated[AsyncSession, Depends(bringing, scope="function")]


async def bringer(
    request: Request,
    who: CurrentIdentity,
    session: _BringSession,
    key: KeyHeader = None,
    *,
    dry_run: _DryRun = False,
) -> Caller:
    """Who brings a file in. A dry run is no act; the next may tell more."""
    if dry_run:
        return admit(request, await caller_of(session, who))
    return admit(request, await idempotency.begin(request, session, who, key))


@_files.post(
    "/statements",
    status_code=201,
    openapi_extra={"requestBody": _BODY},
    responses=_SAME
    | documented(
        NoValidToken,
        NotAllowed,
        reconciliation.StatementNotReadable,
        reconciliation.UnknownProfile,
        reconciliation.UnknownSource,
        reconciliation.StatementContradicts,
        reconciliation.StatementAlreadyImported,
    ),
)
async def bring_in(
    bank_id: UUID,
    came: Annotated[Brought, Depends(brought)],
    caller: Annotated[Caller, Depends(bringer)],
    session: _BringSession,
    answer: Response,
    *,
    dry_run: _DryRun = False,
) -> ImportedView:
    """Bring a gateway's report or a bank's statement in: CSV, MT940 or CAMT.053 (`camt.053`).

    All of it or nothing: what can't be read is named by line and column. The same file again,
    or one that overlaps, changes nothing about lines that are known. What is new is matched at
    once with our payouts; the rest are exceptions. At most 32 MB and 200,000 lines.
    """
    bank, file, plan = came
    if dry_run:
        done = await reconciliation.foresee(session, bank, file)
    else:
        done = await reconciliation.bring_in(session, bank, file, by=caller.person_id, plan=plan)
    if dry_run or not done.new_count:
        answer.status_code = 200
    return _imported(done, file, dry_run=dry_run)


@router.get("/statements", responses=documented(NoValidToken, NotAllowed))
async def list_imports(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> ImportList:
    """The files that were brought in, newest first."""
    found = await reconciliation.imports_of(
        session, bank_id, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return ImportList(
        items=[import_view(one) for one in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.post("/column-maps", status_code=201, responses=documented(NoValidToken, NotAllowed))
async def declare_map(
    bank_id: UUID, body: ColumnMapInput, caller: Actor, session: Session
) -> ColumnMapView:
    """Declare how a source writes its CSV. Of several maps of one name the newest is used."""
    spec = body.model_dump()
    name = spec.pop("name")
    declared = await reconciliation.declare(
        session, bank_id, name, Columns(**spec), by=caller.person_id
    )
    return _map_view(declared)


@router.get("/column-maps", responses=documented(NoValidToken, NotAllowed))
async def list_maps(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> ColumnMapList:
    """The column maps of this bank's own, newest first."""
    found = await reconciliation.declared_maps(
        session, bank_id, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return ColumnMapList(
        items=[_map_view(one) for one in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


def _imported(done: Imported, file: File, *, dry_run: bool) -> ImportedView:
    return ImportedView(**asdict(done), gateway=file.source, dry_run=dry_run)


def import_view(one: StatementImport) -> ImportView:
    """An import as it is shown."""
    values = one.model_dump(include=set(ImportView.model_fields))
    return ImportView(**values, gateway=one.source)


def _map_view(declared: ColumnMap) -> ColumnMapView:
    values = declared.model_dump(include=set(ColumnMapView.model_fields))
    return ColumnMapView(**values, columns=declared.spec)


router.routes.extend(_files.routes)
