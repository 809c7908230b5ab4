"""Statements over HTTP: the passbook of some days as JSON, CSV or PDF."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from service import members, statements
from service.api.assisting import HelpingAdmitted
from service.api.dependencies import CurrentParts
from service.api.errors import accepted_language, documented
from service.api.fields import Day
from service.api.late import SlowRoute
from service.api.looks import note_looks
from service.api.passbooks import ResidentQuery
from service.assisting import CardNotValid
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.statements import Line, Statement

router = APIRouter(prefix="/v1/passbooks", tags=["passbook"], route_class=SlowRoute)
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9-]+")
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}, "application/pdf": {}}, "description": "As asked for"}
}
_Format = Literal["json", "csv", "pdf"]
_Language = Literal["id", "en"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which days, as what, in which language; None is for what the statement chooses."""

    days: tuple[date | None, date | None]
    file_format: _Format
    language: str | None


async def wanted_statement(
    request: Request,
    first_day: Annotated[
        Day | None, Query(alias="from", description="First day; else the first of that month")
    ] = None,
    last_day: Annotated[Day | None, Query(alias="to", description="Last day; else today")] = None,
    file_format: Annotated[_Format, Query(alias="format")] = "json",
    language: Annotated[
        _Language | None, Query(description="Else as Accept-Language says, else the resident's")
    ] = None,
) -> Wanted:
    return Wanted((first_day, last_day), file_format, language or accepted_language(request))


class StatementLineView(BaseModel):
    """`date` is the day of business in the book, `at` the instant when it happened."""

    number: int
    id: UUID
    date: date
    at: datetime
    in_idr: int
    out_idr: int
    balance_idr: int
    entered_by: str
    note: str
    journal_id: UUID
    corrects_journal_id: UUID | None
    corrected_by_journal_id: UUID | None


class StatementView(BaseModel):
    """opening_idr + in_idr - out_idr = closing_idr; `entered_by` are initials.

    While the last day isn't over in the bank's book, `closing_idr` is `provisional`.
    """

    bank_id: UUID
    bank_name: str
    resident_id: UUID
    name: str
    phone: str | None
    passbook_number: str
    language: str
    first_day: date
    last_day: date
    opening_idr: int
    in_idr: int
    out_idr: int
    closing_idr: int
    provisional: bool
    lines: list[StatementLineView]


@router.get(
    "/{bank_id}/statement",
    response_model=StatementView,
    responses=_FILES
    | documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        CardNotValid,
        statements.DaysBackwards,
        statements.TooManyDays,
        statements.StatementTooLong,
        statements.PdfNotInstalled,
    ),
)
async def statement(
    bank_id: UUID,
    request: Request,
    caller: HelpingAdmitted,
    parts: CurrentParts,
    wanted: Annotated[Wanted, Depends(wanted_statement)],
    resident_id: ResidentQuery = None,
) -> Response | StatementView:
    """The passbook from one day of business to another, with opening and closing balance.

    Who shows the resident's card may show it to them, or print it for them.
    At most 400 days and 1,000 lines. Lines stand in the order of the book, under the day on
    which they were written; a note says so if they happened on another. A day that is over
    gets no more lines. CSV comes in UTF-8 with a byte order mark, divided by semicolons in
    Indonesian and by commas in English; text that a spreadsheet would take for a formula
    begins with an apostrophe.
    """
    # Read first, print afterwards: a PDF takes longer than any transaction should.
    async with parts.database.reading() as session:
        whose = await members.whose(session, caller, bank_id, resident_id)
        found = await statements.read(
            session, bank_id, whose, wanted.days, language=wanted.language
        )
    await note_looks(request, parts, caller, "statement", [(bank_id, whose)])
    if wanted.file_format == "csv":
        return _file(found, statements.as_csv(found), "csv", "text/csv; charset=utf-8")
    if wanted.file_format == "pdf":
        return _file(found, await statements.as_pdf(found), "pdf", "application/pdf")
    return _view(found)


def _file(found: Statement, content: bytes, ending: str, media_type: str) -> Response:
    number = _NOT_IN_A_FILE_NAME.sub("-", found.passbook_number)
    name = f"passbook-{number}-{found.first_day}-{found.last_day}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _view(found: Statement) -> StatementView:
    return StatementView(
        bank_id=found.bank.id,
        bank_name=found.bank.name,
        resident_id=found.resident.id,
        name=found.resident.name,
        phone=found.resident.phone,
        passbook_number=found.passbook_number,
        language=found.language,
        first_day=found.first_day,
        last_day=found.last_day,
        opening_idr=found.opening_idr,
        in_idr=found.in_idr,
        out_idr=found.out_idr,
        closing_idr=found.closing_idr,
        provisional=found.provisional,
        lines=[_line_view(line) for line in found.lines],
    )


def _line_view(line: Line) -> StatementLineView:
    return StatementLineView(
        number=line.number,
        id=line.written.id,
        date=line.day,
        at=line.at,
        in_idr=line.in_idr,
        out_idr=line.out_idr,
        balance_idr=line.balance_idr,
        entered_by=line.entered_by,
        note=line.note,
        journal_id=line.written.journal_id,
        corrects_journal_id=line.written.corrects_id,
        corrected_by_journal_id=line.written.corrected_by_id,
    )
