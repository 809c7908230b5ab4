"""The desk of reconciliation over HTTP: what agrees, what doesn't, and deciding it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.reconciliation import (
    Action,
    CaseKind,
    CaseStatus,
    ReconciliationCase,
    StatementLine,
)
from service import banks, ledger
from service import reconciliation as desk
from service.api.bank_statements import SourceName
from service.api.dependencies import (
    Actor,
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import Reason, Sent
from service.api.idempotency import ActRoute
from service.api.periods import CurrentPeriod, Period
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.ledger import MassOfDay
from service.members import Caller
from service.reconciliation import Days, Shown, Standing

router = APIRouter(prefix="/v1", tags=["reconciliation"], route_class=ActRoute)

_Source = Annotated[
    str | None, Query(max_length=40, description="Only this gateway or bank account")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days, and of which source; None is for all."""

    period: Period
    gateway: str | None

    def days(self, bank: Bank) -> Days:
        return Days(self.period.first, self.period.last, *self.period.instants(bank))


async def asked(period: CurrentPeriod, gateway: _Source = None) -> Asked:
    return Asked(period, gateway)


CurrentlyAsked = Annotated[Asked, Depends(asked)]


class ExceptionView(BaseModel):
    """Something that doesn't fit. `expected_idr` and `found_idr` are what left the account, by
    our book and by its statement; negative is what came in. `actions` are what can be done about
    it, the proposal first."""

    id: UUID
    gateway: str
    kind: CaseKind
    why: str
    status: CaseStatus
    payout_id: UUID | None
    statement_line_id: UUID | None
    external_id: str
    reference: str
    expected_idr: int
    found_idr: int
    age_days: int
    since: datetime
    opened_at: datetime
    due_on: date
    owner_id: UUID | None
    proposed_action: Action
    actions: list[Action]
    action: Action | None
    reason: str
    resolved_by: UUID | None
    ended_at: datetime | None
    transfer_id: UUID | None


class StandingView(BaseModel):
    """One gateway or bank account in three ways, in rupiah.

    `ledger_idr` and `statement_idr` are what came in less what left; `difference_idr` is
    `statement_idr` - `ledger_idr`, negative where more left by the statement than by our book.
    Two things explain that, each counted as what left: `exceptions_idr` by lines that wait as
    exceptions, `early_idr` by lines of payouts that are still on their way by our book. So
    `unexplained_idr` = `difference_idr` + `exceptions_idr` + `early_idr`. 0, or somebody has to
    look: negative is what left without explanation, positive what came in. `adds_up` says whether
    the statement's opening balance and its lines make its closing one; null where it tells none.
    """

    gateway: str
    ledger_opening_idr: int
    ledger_idr: int
    ledger_closing_idr: int
    paid_count: int
    paid_idr: int
    fees_idr: int
    reversed_idr: int
    in_transit_count: int
    in_transit_idr: int
    line_count: int
    matched_count: int
    statement_in_idr: int
    statement_out_idr: int
    statement_idr: int
    statement_opening_idr: int | None
    statement_closing_idr: int | None
    adds_up: bool | None
    exception_count: int
    exceptions_idr: int
    early_idr: int
    difference_idr: int
    unexplained_idr: int


class MassThreeWaysView(BaseModel):
    """One material in grams: weighed at doors, received at the station, sold; and where the rest is.

    door = on_loads + station + weighing_difference + balance; balance is 0, or something is wrong.
    """

    material: str
    door_grams: int
    station_grams: int
    sold_grams: int
    missing_grams: int
    residue_grams: int
    stock_difference_grams: int
    weighing_difference_grams: int
    on_loads_grams: int
    stock_grams: int
    balance_grams: int


class ReconciliationView(BaseModel):
    """`matched` counts the lines that were matched; `difference_idr` = `statement_idr` -
    `ledger_idr`, each what came in less what left, of all gateways shown."""

    matched: int
    matched_by_rule: dict[str, int]
    exceptions: list[ExceptionView]
    next_cursor: str | None
    ledger_idr: int
    statement_idr: int
    difference_idr: int
    gateways: list[StandingView]
    mass: list[MassThreeWaysView]


class DecisionInput(Sent):
    """What is to be done, and why. `account` is the bank's own account, for a `top_up`."""

    action: Action
    reason: Reason
    account: SourceName = "main"


class OwnerInput(Sent):
    owner_id: UUID


@router.get("/banks/{bank_id}/reconciliation", responses=documented(NoValidToken, NotAllowed))
async def reconciliation(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    of: CurrentlyAsked,
    page: CurrentPage,
    status: Annotated[
        Shown, Query(description="Which exceptions: those that wait, those that ended, or all")
    ] = Shown.WAITING,
) -> ReconciliationView:
    """Ledger, payouts and statements of some days side by side, and what doesn't fit.

    Exceptions stand under the day on which the money moved or should have, newest first. The
    ledger goes by days of business, statements by when lines were booked. The grams of the same
    days stand beside it: door, station, sold.
    """
    days = of.days(await banks.get(session, bank_id))
    wanted = desk.Wanted(days.begins, days.over, of.gateway, status)
    cases = await desk.cases_of(
        session, bank_id, wanted, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(cases)
    found = [
        one
        for one in await desk.standings(session, bank_id, days)
        if of.gateway in (None, one.source)
    ]
    by_rule = await desk.matched_by_rule(session, bank_id, days, of.gateway)
    mass = await ledger.mass_balance(session, bank_id, days.first, days.last)
    ledger_idr = sum(one.ledger.net_idr for one in found)
    statement_idr = sum(one.statement.net_idr for one in found)
    return ReconciliationView(
        matched=sum(one.statement.matched_count for one in found),
        matched_by_rule=dict(by_rule),
        exceptions=await _case_views(session, shown),
        next_cursor=cursor_of(last.id) if last else None,
        ledger_idr=ledger_idr,
        statement_idr=statement_idr,
        difference_idr=statement_idr - ledger_idr,
        gateways=[_standing_view(one) for one in found],
        mass=_mass_views(mass),
    )


@router.post(
    "/reconciliation/{exception_id}/resolve",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        desk.OwnReconciliation,
        desk.ActionDoesNotFit,
        desk.CaseNotOpen,
        desk.PayoutNotPaid,
        desk.AlreadyMatched,
        ledger.BalanceTooLow,
    ),
)
async def resolve(
    exception_id: UUID, body: DecisionInput, caller: Payer, session: Session
) -> ExceptionView:
    """Decide an exception, with a reason; what moves is one balanced act of the ledger.

    Above the bank's `correction_limit_idr` by somebody else than who imported the statement, or
    entered or approved the payout. `wait` only notes that the gateway was asked.
    """
    case = await _for_treasurer(session, caller, exception_id)
    decision = desk.Decision(body.action, body.reason, caller.person_id, body.account)
    await desk.resolve(session, case, decision)
    return (await _case_views(session, [case]))[0]


@router.post(
    "/reconciliation/{exception_id}/assign",
    responses=documented(
        NoValidToken, NotAllowed, NoSuchThing, desk.OwnerNotTreasurer, desk.CaseNotOpen
    ),
)
async def assign(
    exception_id: UUID, body: OwnerInput, caller: Actor, session: Session
) -> ExceptionView:
    """Make an exception some treasurer's to look into."""
    case = await _for_treasurer(session, caller, exception_id)
    await desk.assign(session, case, body.owner_id)
    return (await _case_views(session, [case]))[0]


async def _for_treasurer(
    session: AsyncSession, caller: Caller, exception_id: UUID
) -> ReconciliationCase:
    case = await desk.find(session, caller, exception_id)
    caller.act_in(case.bank_id)
    return case


async def _case_views(
    session: AsyncSession, cases: Sequence[ReconciliationCase]
) -> list[ExceptionView]:
    lines = await desk.lines_about(session, cases)
    return [_case_view(case, lines.get(case.line_id) if case.line_id else None) for case in cases]


def _case_view(case: ReconciliationCase, line: StatementLine | None) -> ExceptionView:
    values = case.model_dump(include=set(ExceptionView.model_fields))
    waits = case.status in (CaseStatus.OPEN, CaseStatus.WAITING)
    return ExceptionView(
        **values,
        gateway=case.source,
        statement_line_id=case.line_id,
        external_id=line.external_id if line else "",
        reference=line.reference if line else "",
        age_days=desk.age_days(case),
        actions=list(desk.allowed(case)) if waits else [],
    )


def _standing_view(found: Standing) -> StandingView:
    book, paid, statement = found.ledger, found.payouts, found.statement
    return StandingView(
        gateway=found.source,
        ledger_opening_idr=book.opening_idr,
        ledger_idr=book.net_idr,
        ledger_closing_idr=book.closing_idr,
        **paid._asdict(),
        line_count=statement.line_count,
        matched_count=statement.matched_count,
        statement_in_idr=statement.in_idr,
        statement_out_idr=statement.out_idr,
        statement_idr=statement.net_idr,
        statement_opening_idr=statement.opening_idr,
        statement_closing_idr=statement.closing_idr,
        adds_up=statement.adds_up,
        exception_count=found.open_count,
        exceptions_idr=found.open_idr,
        early_idr=found.early_idr,
        difference_idr=found.difference_idr,
        unexplained_idr=found.unexplained_idr,
    )


def _mass_views(days: list[MassOfDay]) -> list[MassThreeWaysView]:
    """The days of each material together; of the stock, what there was on the last one."""
    by_material: dict[str, list[MassOfDay]] = {}
    for day in days:
        by_material.setdefault(day.material, []).append(day)
    return [
        MassThreeWaysView(
            material=material,
            door_grams=sum(day.collected for day in of),
            station_grams=sum(day.received for day in of),
            sold_grams=sum(day.sold for day in of),
            missing_grams=sum(day.missing for day in of),
            residue_grams=sum(day.residue for day in of),
            stock_difference_grams=sum(day.stock_difference for day in of),
            weighing_difference_grams=sum(day.weighing_difference for day in of),
            on_loads_grams=sum(day.on_loads for day in of),
            stock_grams=of[-1].stock,
            balance_grams=sum(day.balance for day in of),
        )
        for material, of in sorted(by_material.items())
    ]
