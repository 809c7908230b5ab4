"""Cash drawers over HTTP."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import MAIN, Drawer
from models.people import Role
from service import drawers
from service.api.dependencies import (
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import LARGEST_AMOUNT_IDR, Amount, Line, Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.drawers import Held, Move, Outside
from service.errors import NoSuchThing, NotAllowed
from service.ledger import BookBusy, chart
from service.members import Caller

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["drawers"], route_class=ActRoute)

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
PathName = Annotated[
    str,
    Path(max_length=40, pattern=r"^[a-z0-9-]+$", description="A drawer's name; `main` is the safe"),
]
Counted = Annotated[int, Field(strict=True, ge=0, le=LARGEST_AMOUNT_IDR)]
_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing)


class DrawerInput(Sent):
    """A drawer for one officer, who pays out of it from then on."""

    name: Name
    officer_id: UUID


class FloatInput(Sent):
    amount_idr: Amount
    memo: Line = ""


class SafeInput(FloatInput):
    """Money between the safe and outside: a bank account, or the owner's pocket (`capital`)."""

    outside: Outside
    account: Annotated[
        Name | None, Field(description="The bank account's short name, such as `bri`")
    ] = None

    @model_validator(mode="after")
    def _account_of_a_bank(self) -> Self:
        if (self.account is None) == (self.outside == Outside.BANK_ACCOUNT):
            raise PydanticCustomError("account", "Name an account for bank_account, and only then.")
        return self


class DrawerCountInput(Sent):
    """What lies in the drawer."""

    counted_idr: Counted
    memo: Line = ""


class CountView(BaseModel):
    """A count; `difference_idr` is what was counted less what the ledger said, which is more
    than all that was counted where the ledger was below 0."""

    id: UUID
    drawer: str
    counted_idr: int
    difference_idr: int
    memo: str
    counted_by: UUID
    counted_at: datetime


class DrawerView(BaseModel):
    """A drawer. The safe, `main`, is in no single officer's keeping.

    `ledger_idr` is below 0 where more went out than was ever entered: what lay in the safe when
    the book began is entered with `safe/put-in`, and what can't be explained by a count.
    """

    name: str
    officer_id: UUID | None
    opened_at: datetime | None
    closed_at: datetime | None
    ledger_idr: int
    last_count: CountView | None


class DrawerList(BaseModel):
    items: list[DrawerView]


class MovedView(BaseModel):
    """A move that was posted, and what the ledger says is in the drawer now."""

    id: UUID
    drawer: str
    amount_idr: int
    ledger_idr: int


class DrawerLineView(BaseModel):
    """One line of a drawer; `amount_idr` is below 0 for what went out."""

    id: UUID
    at: datetime
    day: date
    kind: str
    memo: str
    amount_idr: int
    about_id: UUID | None
    actor_id: UUID | None
    journal_id: UUID


class DrawerLineList(BaseModel):
    items: list[DrawerLineView]
    next_cursor: str | None


@router.post(
    "/drawers",
    status_code=201,
    responses=documented(*_REFUSALS, drawers.DrawerNameTaken, drawers.OfficerHasDrawer),
)
async def open_drawer(
    bank_id: UUID, body: DrawerInput, caller: Payer, session: Session
) -> DrawerView:
    """Open an empty drawer for an officer, who pays cash out of it instead of the safe.

    It can't hold less than nothing.
    """
    drawer = await drawers.open_drawer(
        session, bank_id, body.name, officer_id=body.officer_id, by=caller.person_id
    )
    return _view(Held(drawer.name, 0, drawer, None))


@router.get("/drawers", responses=documented(NoValidToken, NotAllowed))
async def list_drawers(bank_id: UUID, caller: Reader, session: ReadSession) -> DrawerList:
    """The safe and all drawers: what the ledger says is in them, and what was last counted."""
    return DrawerList(items=[_view(held) for held in await drawers.drawers_of(session, bank_id)])


@router.get("/drawers/{name}/lines", responses=documented(*_REFUSALS))
async def lines(
    bank_id: UUID, name: PathName, caller: Reader, session: ReadSession, page: CurrentPage
) -> DrawerLineList:
    """What went into a drawer and out of it, newest first."""
    await drawers.keeper_of(session, bank_id, name)
    found = await drawers.lines_of(
        session, bank_id, chart.cash(name), before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    return DrawerLineList(
        items=[DrawerLineView(**line._asdict()) for line in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.post(
    "/drawers/{name}/float-in",
    status_code=201,
    responses=documented(*_REFUSALS, drawers.DrawerClosed, drawers.DrawerNeverOpened),
)
async def float_in(
    bank_id: UUID, name: PathName, body: FloatInput, caller: Payer, session: Session
) -> MovedView:
    """Carry money out of the safe into an officer's drawer."""
    await _opened(session, bank_id, name)
    move_id = await drawers.float_in(session, _move(bank_id, body, caller), name)
    return await _moved(session, bank_id, move_id, name, body)


@router.post(
    "/drawers/{name}/float-out",
    status_code=201,
    responses=documented(
        *_REFUSALS, drawers.DrawerClosed, drawers.DrawerTooLow, drawers.SafeIntoItself
    ),
)
async def float_out(
    bank_id: UUID, name: PathName, body: FloatInput, caller: Payer, session: Session
) -> MovedView:
    """Carry money out of a drawer back into the safe: its officer, or a treasurer."""
    await _act_for_drawer(session, caller, bank_id, name)
    move_id = await drawers.float_out(session, _move(bank_id, body, caller), name)
    return await _moved(session, bank_id, move_id, name, body)


@router.post(
    "/drawers/{name}/count",
    status_code=201,
    responses=documented(*_REFUSALS, drawers.DrawerClosed, BookBusy),
)
async def count(
    bank_id: UUID, name: PathName, body: DrawerCountInput, caller: Payer, session: Session
) -> CountView:
    """Count a drawer: its officer, or a treasurer, who alone counts the safe.

    What it differs by is posted to `drawer_difference:<name>`, of the safe to `cash_difference`.
    """
    await _act_for_drawer(session, caller, bank_id, name)
    found = drawers.Count(name, body.counted_idr, caller.person_id, body.memo)
    counted = await drawers.count(session, bank_id, found)
    return CountView(**counted.model_dump(include=set(CountView.model_fields)))


@router.post(
    "/drawers/{name}/close",
    responses=documented(
        *_REFUSALS, drawers.DrawerClosed, drawers.DrawerNotEmpty, drawers.DrawerNeverOpened
    ),
)
async def close(bank_id: UUID, name: PathName, caller: Payer, session: Session) -> DrawerView:
    """Close an empty drawer; its officer pays out of the safe again."""
    drawer = await _opened(session, bank_id, name)
    return _view(Held(name, 0, await drawers.close(session, drawer, by=caller.person_id), None))


@router.post("/safe/put-in", status_code=201, responses=documented(NoValidToken, NotAllowed))
async def put_in(bank_id: UUID, body: SafeInput, caller: Payer, session: Session) -> MovedView:
    """Put money into the safe that was drawn from a bank account or brought by the owner."""
    move = _move(bank_id, body, caller)
    move_id = await drawers.put_in(session, move, body.outside, body.account or "")
    return await _moved(session, bank_id, move_id, MAIN, body)


@router.post("/safe/take-out", status_code=201, responses=documented(NoValidToken, NotAllowed))
async def take_out(bank_id: UUID, body: SafeInput, caller: Payer, session: Session) -> MovedView:
    """Take money out of the safe, to a bank account or back to the owner."""
    move = _move(bank_id, body, caller)
    move_id = await drawers.take_out(session, move, body.outside, body.account or "")
    return await _moved(session, bank_id, move_id, MAIN, body)


async def _act_for_drawer(session: AsyncSession, caller: Caller, bank_id: UUID, name: str) -> None:
    """Let a treasurer act on any drawer, and another officer on the one in their keeping."""
    drawer = await drawers.keeper_of(session, bank_id, name)
    if drawer is None or drawer.officer_id != caller.person_id:
        caller.act_in(bank_id, Role.TREASURER)


async def _opened(session: AsyncSession, bank_id: UUID, name: str) -> Drawer:
    drawer = await drawers.keeper_of(session, bank_id, name)
    if drawer is None:
        raise drawers.DrawerNeverOpened(drawer=name)
    return drawer


def _move(bank_id: UUID, body: FloatInput, caller: Caller) -> Move:
    return Move(bank_id, body.amount_idr, body.memo, caller.person_id)


async def _moved(
    session: AsyncSession, bank_id: UUID, move_id: UUID, name: str, body: FloatInput
) -> MovedView:
    held = await drawers.held_in(session, bank_id, name)
    return MovedView(id=move_id, drawer=name, amount_idr=body.amount_idr, ledger_idr=held)


def _view(held: Held) -> DrawerView:
    drawer, counted = held.drawer, held.counted
    return DrawerView(
        name=held.name,
        officer_id=drawer.officer_id if drawer else None,
        opened_at=drawer.opened_at if drawer else None,
        closed_at=drawer.closed_at if drawer else None,
        ledger_idr=held.ledger_idr,
        last_count=CountView(**counted.model_dump(include=set(CountView.model_fields)))
        if counted
        else None,
    )
