"""What collectors have earned: a passbook of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from models.people import Role
from service import ledger, members, statements
from service.api.dependencies import CurrentPage, Reader, ReadSession, cursor_of
from service.api.errors import documented
from service.api.late import LateRoute
from service.api.looks import CurrentLooks
from service.api.passbooks import LineList, line_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.ledger import chart

router = APIRouter(prefix="/v1/earnings/{bank_id}", tags=["earnings"], route_class=LateRoute)

CollectorQuery = Annotated[UUID | None, Query(description="For officers: whose earnings")]


class EarningsView(BaseModel):
    """What can be paid to a collector, and what is on its way."""

    bank_id: UUID
    collector_id: UUID
    available_idr: int
    held_idr: int


@router.get("", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def earnings(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    looks: CurrentLooks,
    collector_id: CollectorQuery = None,
) -> EarningsView:
    """What a collector has earned by fetching, and by shares of sales, and not yet been paid."""
    whose = await members.whose(session, caller, bank_id, collector_id, role=Role.COLLECTOR)
    earned = await ledger.earned(session, bank_id, whose)
    await looks.note("earnings", [(bank_id, whose)])
    return EarningsView(bank_id=bank_id, collector_id=whose, **earned._asdict())


@router.get("/lines", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def earnings_lines(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    page: CurrentPage,
    looks: CurrentLooks,
    collector_id: CollectorQuery = None,
) -> LineList:
    """Each fee and share with the balance after it, newest first."""
    whose = await members.whose(session, caller, bank_id, collector_id, role=Role.COLLECTOR)
    found = await ledger.lines_of(
        session, bank_id, chart.earnings(whose), before=page.before_number, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    await looks.note("earnings", [(bank_id, whose)])
    return LineList(
        items=[line_view(line, statements.earned(line, "id")) for line in shown],
        next_cursor=cursor_of(last.version) if last else None,
    )
