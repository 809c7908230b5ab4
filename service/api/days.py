"""Days are closed, and opened again, over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from models.drawer import MAIN
from models.ledger import Day
from service import banks, closing, drawers, sealing
from service.api.city import is_for_city
from service.api.dependencies import (
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.drawers import Counted, Name
from service.api.errors import documented
from service.api.fields import MOST_LINES, Line, Sent
from service.api.fields import Day as DayInput
from service.api.idempotency import ActRoute
from service.api.passbooks import AccountView, account_view, sums_of
from service.api.pickups import ReasonInput
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.ledger import BookBusy
from service.sealing import ClosedDay

router = APIRouter(prefix="/v1", tags=["days"], route_class=ActRoute)

PathDay = Annotated[DayInput, Path(description="A day of business at the bank, YYYY-MM-DD")]


class InDrawerInput(Sent):
    """What lies in an officer's drawer."""

    drawer: Annotated[Name, Field(description="Any but `main`: that is counted_cash_idr")]
    counted_idr: Counted


class CloseInput(Sent):
    """What lies in the safe, `cash:main`, and in officers' drawers at the end of the day.

    Drawers in which nothing moved since they were last counted may be left out.
    """

    counted_cash_idr: Counted
    counts: Annotated[list[InDrawerInput], Field(max_length=MOST_LINES)] = []  # noqa: RUF012  Pydantic copies it.
    despite_unknown: Annotated[
        Line, Field(description="Why, if nobody knows how some payouts went")
    ] = ""

    @model_validator(mode="after")
    def _each_drawer_once(self) -> Self:
        names = [MAIN, *(count.drawer for count in self.counts)]
        if len(set(names)) < len(names):
            raise PydanticCustomError("drawer_twice", "Count each drawer once.")
        return self


class DrawerCountView(BaseModel):
    """What was counted in an officer's drawer as the day was closed."""

    drawer: str
    counted_idr: int
    difference_idr: int


class DayView(BaseModel):
    """A closed day; nobody closed it if it was simply over, and then nothing was counted.

    A day that was opened again and closed anew has another `version`; `reopened_by` and
    `reason` say how that came about. The versions before it stay as they were. `is_open_again`
    says that the day was opened again and its next version isn't closed yet. The city gets
    neither people and reasons nor the counts of officers' drawers.
    """

    day: date
    version: int
    last_page: int
    closed_by: UUID | None
    closed_at: datetime
    counted_cash_idr: int | None
    cash_difference_idr: int | None
    counts: list[DrawerCountView]
    despite_unknown: str
    reopened_by: UUID | None
    reopened_at: datetime | None
    reason: str
    sealed: bool
    is_open_again: bool


class ClosedView(DayView):
    """`ledger_cash_idr` is what the ledger said before the difference was posted.

    It is below 0 where more went out than was ever entered; the difference makes up for that.
    """

    ledger_cash_idr: int
    trial_balance: list[AccountView]
    sums: dict[str, int]


class ReopenedView(BaseModel):
    """A day that is open again. `version` is the one that was closed before."""

    day: date
    version: int
    first_page: int
    reason: str
    reopened_by: UUID
    reopened_at: datetime


class DayList(BaseModel):
    items: list[DayView]
    next_cursor: str | None


_MOST_VERSIONS = 512
"""How many versions of a day a cursor can tell apart."""
_FREELY = ("despite_unknown", "reason")
_COUNTED = set(DrawerCountView.model_fields)


@router.post(
    "/banks/{bank_id}/days/{day}/close",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        sealing.DayBeforeBook,
        sealing.DayClosed,
        sealing.DayNotBegun,
        sealing.EarlierDayOpen,
        closing.PayoutsUnknown,
        closing.DrawersNotCounted,
        drawers.DrawerClosed,
        BookBusy,
    ),
)
async def close_day(
    bank_id: UUID, day: PathDay, body: CloseInput, caller: Payer, session: Session
) -> ClosedView:
    """Close a day with the cash that was counted; what is posted from now on is of the next.

    A difference between count and ledger is posted on the day itself: of the safe to
    `cash_difference`, of a drawer to its own `drawer_difference:<name>`. As long as nobody knows
    how a payout of the last 24 hours went, the day is closed only with a reason, which is kept.
    The day's grams are at `/v1/banks/{bank_id}/mass-balance`.
    """
    bank = await banks.get(session, bank_id)
    counts = [closing.InDrawer(count.drawer, count.counted_idr) for count in body.counts]
    how = closing.Close(caller.person_id, body.counted_cash_idr, counts, body.despite_unknown)
    closed, counted = await closing.close(session, bank, day, how)
    again = await sealing.reopening_of(session, closed.day)
    return ClosedView(
        **_day(ClosedDay(closed.day, None, again, counted, is_open_again=False)),
        ledger_cash_idr=closed.ledger_cash_idr,
        trial_balance=[account_view(row) for row in closed.balances],
        sums=sums_of(closed.balances),
    )


@router.post(
    "/banks/{bank_id}/days/{day}/reopen",
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        sealing.DayNotClosed,
        sealing.NotTheNewestDay,
        sealing.OwnClose,
        BookBusy,
    ),
)
async def reopen_day(
    bank_id: UUID, day: PathDay, body: ReasonInput, caller: Payer, session: Session
) -> ReopenedView:
    """Open the day that was closed last again, as another treasurer than who closed it.

    What is posted from now on belongs to it, until it is closed anew as its next version, by
    a treasurer or two hours later by itself. What was posted since its close stays where it is.
    """
    bank = await banks.get(session, bank_id)
    opened = await sealing.reopen(session, bank, day, by=caller.person_id, reason=body.reason)
    return ReopenedView(**opened.model_dump(exclude={"bank_id"}))


@router.get("/banks/{bank_id}/days", responses=documented(NoValidToken, NotAllowed))
async def days(bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage) -> DayList:
    """Closed days, newest first."""
    found = await sealing.closed_days(
        session, bank_id, before=before_version(page.before_number), limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return DayList(
        items=[_view(closed, for_city=is_for_city(caller, bank_id)) for closed in shown],
        next_cursor=cursor_of_version(last.day) if last else None,
    )


def _view(closed: ClosedDay, *, for_city: bool) -> DayView:
    """A day; for the city without people, what was written or named freely, and the cash: two
    counts less each other are what one day was paid."""
    view = DayView(**_day(closed))
    hidden: dict[str, Any] = dict.fromkeys(("closed_by", "reopened_by", "counted_cash_idr"))
    hidden |= dict.fromkeys(_FREELY, "") | {"counts": []}
    return view.model_copy(update=hidden) if for_city else view


def before_version(number: int | None) -> tuple[date, int] | None:
    """The day and version that a cursor names."""
    if number is None:
        return None
    ordinal, version = divmod(number, _MOST_VERSIONS)
    return date.fromordinal(min(max(ordinal, 1), date.max.toordinal())), version


def cursor_of_version(day: Day) -> str:
    return cursor_of(day.day.toordinal() * _MOST_VERSIONS + day.version)


def _day(closed: ClosedDay) -> dict[str, Any]:
    again = closed.reopening
    return {
        **closed.day.model_dump(exclude={"bank_id"}),
        "counts": [one.model_dump(include=_COUNTED) for one in closed.counts],
        "reopened_by": again.reopened_by if again else None,
        "reopened_at": again.reopened_at if again else None,
        "reason": again.reason if again else "",
        "sealed": closed.seal is not None,
        "is_open_again": closed.is_open_again,
    }
