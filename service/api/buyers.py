"""Buyers, what they owe and what they pay."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.sale import Buyer
from service import drawers, members, sales
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
from service.api.fields import Amount, Line, Name, Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed
from service.sales import Owing

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["sales"], route_class=ActRoute)

Drawer = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9-]+$")]


class BuyerInput(Sent):
    name: Name
    phone: Annotated[Line, Field(max_length=members.LONGEST_PHONE)] = ""
    note: Line = ""


class BuyerView(BaseModel):
    """A buyer. `owes_idr` is what was sold less what was paid.

    Below 0 they have paid ahead, `paid_ahead_idr`: the next sale to them takes from it.
    """

    id: UUID
    bank_id: UUID
    name: str
    phone: str
    note: str
    owes_idr: int
    paid_ahead_idr: int
    created_at: datetime


class BuyerList(BaseModel):
    items: list[BuyerView]
    next_cursor: str | None


class PaymentInput(Sent):
    """Money from a buyer, and the drawer that it went into."""

    amount_idr: Amount
    drawer: Drawer = "main"
    note: Line = ""


class PaymentView(BaseModel):
    """A payment, and what the buyer owes after it; a correction takes it back by its `id`."""

    id: UUID
    buyer_id: UUID
    amount_idr: int
    drawer: str
    owes_idr: int
    paid_ahead_idr: int


@router.post(
    "/buyers",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, members.PhoneNotValid, sales.BuyerExists),
)
async def enter_buyer(
    bank_id: UUID, body: BuyerInput, caller: Actor, session: Session
) -> BuyerView:
    """Enter somebody the bank sells to."""
    phone = members.normal_phone(body.phone) if body.phone else ""
    buyer = Buyer(
        bank_id=bank_id,
        name=body.name.strip(),
        phone=phone,
        note=body.note,
        entered_by=caller.person_id,
    )
    return _buyer_view(Owing(await sales.add_buyer(session, buyer), 0))


@router.get("/buyers", responses=documented(NoValidToken, NotAllowed))
async def list_buyers(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> BuyerList:
    """Buyers with what each still owes, newest first."""
    found = await sales.buyers_of(session, bank_id, before=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(found)
    return BuyerList(
        items=[_buyer_view(owing) for owing in shown],
        next_cursor=cursor_of(last.buyer.id) if last else None,
    )


@router.post(
    "/buyers/{buyer_id}/payments",
    status_code=201,
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, drawers.DrawerClosed),
)
async def take_payment(
    bank_id: UUID, buyer_id: UUID, body: PaymentInput, caller: Payer, session: Session
) -> PaymentView:
    """A buyer pays cash, what they owe or ahead: what is beyond is told as `paid_ahead_idr`."""
    buyer = await sales.find_buyer(session, bank_id, buyer_id)
    payment = sales.Payment(body.amount_idr, body.drawer, body.note, caller.person_id)
    payment_id, owing = await sales.pay(session, buyer, payment)
    return PaymentView(
        id=payment_id,
        buyer_id=buyer.id,
        amount_idr=body.amount_idr,
        drawer=body.drawer,
        owes_idr=owing.owes_idr,
        paid_ahead_idr=owing.paid_ahead_idr,
    )


def _buyer_view(owing: Owing) -> BuyerView:
    shown = {"id", "bank_id", "name", "phone", "note", "created_at"}
    return BuyerView(
        **owing.buyer.model_dump(include=shown),
        owes_idr=owing.owes_idr,
        paid_ahead_idr=owing.paid_ahead_idr,
    )
