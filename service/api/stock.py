"""The store over HTTP: what lies in it, and counting it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.stock import StockCount
from service import prices, sales
from service.api.dependencies import Payer, Reader, ReadSession, Session
from service.api.errors import documented
from service.api.fields import Line, MaterialCode, Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NotAllowed
from service.ledger import BookBusy
from service.sales import Stored

router = APIRouter(prefix="/v1/banks/{bank_id}/stock", tags=["stock"], route_class=ActRoute)

FULLEST_STORE_GRAMS = 100_000_000_000
"""A hundred thousand tonnes of one material: more than any waste bank keeps."""
Counted = Annotated[int, Field(strict=True, ge=0, le=FULLEST_STORE_GRAMS)]


class StockCountInput(Sent):
    """What lies in the store of one material; 0 says that nothing is there."""

    material: MaterialCode
    counted_grams: Counted
    note: Line = ""


class StockCountView(BaseModel):
    """A count; `difference_grams` is what was counted less what the ledger said."""

    id: UUID
    material: str
    counted_grams: int
    difference_grams: int
    note: str
    counted_by: UUID
    counted_at: datetime


class StockView(BaseModel):
    """One material in the store, as the ledger says.

    `grams` = `residents_grams` (unsold lots, which wait for a buyer) + `own_grams`.
    """

    material: str
    grams: int
    residents_grams: int
    own_grams: int
    last_count: StockCountView | None


class StockList(BaseModel):
    items: list[StockView]


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_stock(bank_id: UUID, caller: Reader, session: ReadSession) -> StockList:
    """What the ledger says lies in the store, whose it is, and what was last counted.

    By material; one of which nothing is there and that was never counted is left out.
    """
    return StockList(items=[_view(stored) for stored in await sales.stock_of(session, bank_id)])


@router.post(
    "/counts",
    status_code=201,
    responses=documented(
        NoValidToken, NotAllowed, prices.UnknownMaterial, sales.GoodsOfResidents, BookBusy
    ),
)
async def count_stock(
    bank_id: UUID, body: StockCountInput, caller: Payer, session: Session
) -> StockCountView:
    """Count a material in the store; the ledger says from then on what was counted.

    What it differs by is posted to `stock_difference`. There is never less than residents' unsold
    goods, which can only be sold. A count that was wrong is followed by another.
    """
    found = sales.StockFound(bank_id, counted_by=caller.person_id, **body.model_dump())
    return _count_view(await sales.count_stock(session, found))


def _view(stored: Stored) -> StockView:
    return StockView(
        material=stored.material,
        grams=stored.grams,
        residents_grams=stored.residents_grams,
        own_grams=stored.own_grams,
        last_count=_count_view(stored.counted) if stored.counted else None,
    )


def _count_view(counted: StockCount) -> StockCountView:
    return StockCountView(**counted.model_dump(include=set(StockCountView.model_fields)))
