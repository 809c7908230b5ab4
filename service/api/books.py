"""The bookkeeper's pack over HTTP."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from service import banks, bookkeeping
from service.api.dependencies import Admitted, CurrentParts, Parts
from service.api.errors import documented, language_of
from service.api.fields import Day
from service.api.late import SlowRoute
from service.api.periods import EARLIEST, LATEST, Period, checked
from service.auth import NoValidToken
from service.bookkeeping import Part, Span
from service.errors import NotAllowed

router = APIRouter(prefix="/v1/banks/{bank_id}/books", tags=["bookkeeping"], route_class=SlowRoute)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": _XLSX}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}, _XLSX: {}}, "description": "The pack"}
}
_DOCUMENTED = _FILES | documented(NoValidToken, NotAllowed, bookkeeping.PackTooLong)
_Format = Literal["csv", "xlsx"]
_Day = Annotated[
    Day, Path(ge=EARLIEST, le=LATEST, description="A day of business at the bank, YYYY-MM-DD")
]
_Part = Annotated[Part | None, Query(description="Only this table, without a title")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose books somebody wants, and as what."""

    bank_id: UUID
    parts: Sequence[Part]
    language: str


async def asked(request: Request, bank_id: UUID, _caller: Admitted, part: _Part = None) -> Asked:
    parts = [part] if part else list(Part)
    return Asked(bank_id, parts, language_of(request))


_Asked = Annotated[Asked, Depends(asked)]


@router.get("/{day}.{file_format}", response_class=Response, responses=_DOCUMENTED)
async def books_of_day(
    of: _Asked, parts: CurrentParts, day: _Day, file_format: _Format
) -> Response:
    """The books of a day: journal, trial balance, payouts, exceptions, counts of cash, of officers'
    drawers and of the store.

    As CSV with one table below the other, or as XLSX with a sheet each, in the language of
    `Accept-Language`. With `part` one table alone, the same file whatever the language, divided by
    commas, for another program. Text that a spreadsheet would take for a formula begins with an apostrophe. Nobody's
    name, phone or account number is in it.
    """
    return await _answer(of, parts, checked(day, day, "/day"), file_format)


@router.get("/{first}/{last}.{file_format}", response_class=Response, responses=_DOCUMENTED)
async def books_of_days(
    of: _Asked, parts: CurrentParts, first: _Day, last: _Day, file_format: _Format
) -> Response:
    """The books from one day to another, both included: at most a year, 100,000 rows a table."""
    return await _answer(of, parts, checked(first, last, "/last"), file_format)


async def _answer(of: Asked, parts: Parts, period: Period, file_format: _Format) -> Response:
    # Read first, write the file afterwards: that takes longer than any transaction should.
    async with parts.database.reading() as session:
        bank = await banks.get(session, of.bank_id)
    span = Span(period.first, period.last, *period.instants(bank))
    async with parts.database.reading_long() as session:
        pack = await bookkeeping.read(session, bank, span, of.parts)
    write = bookkeeping.as_csv if file_format == "csv" else bookkeeping.as_xlsx
    content = await asyncio.to_thread(write, pack, of.language)
    name = f"books-{pack.first}-{pack.last}.{file_format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_MEDIA_TYPES[file_format], headers=headers)
