"""The lines of statements over HTTP, with what they were matched with, and undoing either."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from models.reconciliation import LineType, StatementMatch
from service import banks, ledger
from service import reconciliation as desk
from service.api.bank_statements import ImportView, import_view
from service.api.dependencies import CurrentPage, Payer, Reader, ReadSession, Session, cursor_of
from service.api.errors import documented
from service.api.idempotency import ActRoute
from service.api.pickups import ReasonInput
from service.api.reconciliation import CurrentlyAsked
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.reconciliation import LineShown, MatchState

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["reconciliation"], route_class=ActRoute)


class MatchView(BaseModel):
    """A line found to be one side (`leg`) of a payout; by a `rule`, or by a person."""

    id: UUID
    statement_line_id: UUID
    payout_id: UUID
    leg: str
    rule: str
    matched_by: UUID | None
    matched_at: datetime
    undone_by: UUID | None
    undone_at: datetime | None
    undone_reason: str


class LineView(BaseModel):
    """A line of a statement. `amount_idr` is what came in, negative what left; `raw` is as it stood
    in the file."""

    id: UUID
    gateway: str
    import_id: UUID
    external_id: str
    line_type: LineType
    gateway_id: str
    reference: str
    amount_idr: int
    balance_idr: int | None
    booked_at: datetime
    raw: str
    matches: list[MatchView]


class LineList(BaseModel):
    items: list[LineView]
    next_cursor: str | None


@router.get("/statement-lines", responses=documented(NoValidToken, NotAllowed))
async def list_lines(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    of: CurrentlyAsked,
    page: CurrentPage,
    status: Annotated[MatchState, Query()] = MatchState.ALL,
) -> LineList:
    """The lines of statements, with the payouts that they were found to be; newest import first."""
    days = of.days(await banks.get(session, bank_id))
    wanted = desk.Booked(days.begins, days.over, of.gateway, status)
    found = await desk.lines_of(
        session, bank_id, wanted, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return LineList(
        items=[_line_view(one) for one in shown],
        next_cursor=cursor_of(last.line.id) if last else None,
    )


@router.post(
    "/statement-matches/{match_id}/undo",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        desk.OwnReconciliation,
        desk.MatchAlreadyUndone,
        desk.MatchNotUndoable,
        ledger.BalanceTooLow,
    ),
)
async def undo(
    bank_id: UUID, match_id: UUID, body: ReasonInput, caller: Payer, session: Session
) -> MatchView:
    """Undo a match that was wrong, with what it moved; it stays on record, and its line is an
    exception again."""
    bank = await banks.get(session, bank_id)
    return _match_view(
        await desk.undo(session, bank, match_id, by=caller.person_id, reason=body.reason)
    )


@router.post(
    "/statements/{import_id}/withdraw",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        desk.StatementWithdrawn,
        desk.StatementDecided,
    ),
)
async def withdraw(
    bank_id: UUID, import_id: UUID, body: ReasonInput, caller: Payer, session: Session
) -> ImportView:
    """Withdraw a file that should not have come in. It stays on record; its lines match and count
    no more, its exceptions are cleared, and the right file may follow.

    Refused while a decision about it has moved money: undo that first.
    """
    caller.act_in(bank_id)
    bank = await banks.get(session, bank_id)
    return import_view(
        await desk.withdraw(session, bank, import_id, by=caller.person_id, reason=body.reason)
    )


def _line_view(shown: LineShown) -> LineView:
    values = shown.line.model_dump(include=set(LineView.model_fields))
    matches = [_match_view(match) for match in shown.matches]
    return LineView(**values, gateway=shown.line.source, matches=matches)


def _match_view(match: StatementMatch) -> MatchView:
    values = match.model_dump(include=set(MatchView.model_fields))
    return MatchView(**values, statement_line_id=match.line_id)
