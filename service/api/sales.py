"""Sales and what nobody buys."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.sale import Sale
from service import prices, sales
from service.api.access import CitySeesSums
from service.api.dependencies import (
    CurrentPage,
    Payer,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import OR_ZERO, Amount, Line, MaterialCode, Reason, Sent, UnusualConfirmed
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, said_of
from service.sales import LotSold

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["sales"], route_class=ActRoute)

HEAVIEST_BATCH_GRAMS = 1_000_000_000
"""A thousand tonnes: a shipload."""
BatchGrams = Annotated[int, Field(strict=True, gt=0, le=HEAVIEST_BATCH_GRAMS)]
MissingGrams = Annotated[int, Field(strict=True, ge=0, le=HEAVIEST_BATCH_GRAMS), OR_ZERO]


class SaleInput(Sent):
    """A batch of one material: `grams` by the buyer's scale, and `amount_idr` for all of it.

    `missing_grams` left the store with it and weren't found by that scale: moisture, or what the
    buyer deducts. Of lots they count as sold.
    """

    buyer_id: UUID
    material: MaterialCode
    grams: BatchGrams
    missing_grams: MissingGrams = 0
    amount_idr: Amount
    note: Line = ""
    unusual_confirmed: UnusualConfirmed = False

    @field_validator("missing_grams")
    @classmethod
    def _no_more_than_found(cls, missing: int, info: ValidationInfo) -> int:
        if missing > info.data.get("grams", missing):
            raise PydanticCustomError("more_missing", "No more is missing than was found.")
        return missing


class SaleView(BaseModel):
    """A sale and how its money was divided. `lot_grams` are of `grams` and `missing_grams`.

    `amount_idr` = `lots_idr` (to residents at their prices) + `residents_idr` and
    `collectors_idr` (their parts of what is beyond) + `kept_idr` (the bank's). One with
    `taken_back_at` was a mistake and counts no more: a correction of its id took it back.
    """

    id: UUID
    bank_id: UUID
    buyer_id: UUID
    policy_id: UUID
    material: str
    grams: int
    missing_grams: int
    amount_idr: int
    lot_grams: int
    lots_idr: int
    residents_idr: int
    collectors_idr: int
    kept_idr: int
    note: str
    sold_by: UUID
    sold_at: datetime
    taken_back_at: datetime | None


class LotSoldView(BaseModel):
    """What of a lot went with a sale: at the resident's price, and of what was beyond.

    With `taken_back_at` it is back in the lot, and the resident's money went back too.
    """

    lot_id: UUID
    resident_id: UUID
    collector_id: UUID | None
    pickup_id: UUID | None
    dropoff_id: UUID | None
    grams: int
    price_idr: int
    amount_idr: int
    share_idr: int
    taken_back_at: datetime | None


class LotSoldList(BaseModel):
    items: list[LotSoldView]
    next_cursor: str | None


class SoldView(SaleView):
    """A sale, and how many lots went with it: `GET …/sales/{sale_id}/lots` lists them."""

    lot_count: int


class SaleList(BaseModel):
    items: list[SaleView]
    next_cursor: str | None


class ResidueInput(Sent):
    material: MaterialCode
    grams: BatchGrams
    reason: Reason


class ResidueView(BaseModel):
    """Residue; a correction takes it back by its `id`."""

    id: UUID
    bank_id: UUID
    material: str
    grams: int
    reason: str


@router.post(
    "/sales",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        prices.UnknownMaterial,
        sales.StockTooLow,
        sales.UnusualSale,
    ),
)
async def sell(bank_id: UUID, body: SaleInput, caller: Payer, session: Session) -> SoldView:
    """Sell a batch out of the store.

    Residents' unsold lots go first, the oldest first: each is paid at the price the resident
    was promised, and what the sale brings beyond is shared by the rules in force. A sale that
    brings less pays each lot its part. What the lots don't cover was the bank's own. Lots are
    taken for the missing grams as well: none waits for ever for a buyer of what isn't there.
    """
    batch = sales.Batch(bank_id=bank_id, sold_by=caller.person_id, **body.model_dump())
    with said_of("/buyer_id", NoSuchThing):
        sale = await sales.sell(session, batch)
    return await _sold_view(session, sale)


@router.get("/sales", responses=documented(NoValidToken, NotAllowed, CitySeesSums))
async def list_sales(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> SaleList:
    """Sales and how their money was divided, newest first."""
    found = await sales.sales_of(session, bank_id, before=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(found)
    return SaleList(
        items=[SaleView(**sale.model_dump()) for sale in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.get(
    "/sales/{sale_id}", responses=documented(NoValidToken, NotAllowed, CitySeesSums, NoSuchThing)
)
async def sale(bank_id: UUID, sale_id: UUID, caller: Reader, session: ReadSession) -> SoldView:
    """One sale, and how its money was divided."""
    return await _sold_view(session, await sales.find_sale(session, bank_id, sale_id))


@router.get(
    "/sales/{sale_id}/lots",
    responses=documented(NoValidToken, NotAllowed, CitySeesSums, NoSuchThing),
)
async def list_lots_of_sale(
    bank_id: UUID, sale_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> LotSoldList:
    """The lots that went with a sale, first in first, and what each brought."""
    found = await sales.find_sale(session, bank_id, sale_id)
    lots = await sales.lots_of(session, found, after=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(lots)
    return LotSoldList(
        items=[_lot_view(sold) for sold in shown],
        next_cursor=cursor_of(last.lot.id) if last else None,
    )


@router.post(
    "/residue",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        prices.UnknownMaterial,
        sales.StockTooLow,
        sales.GoodsOfResidents,
    ),
)
async def throw_away(
    bank_id: UUID, body: ResidueInput, caller: Payer, session: Session
) -> ResidueView:
    """Take out of the store what nobody buys: the bank's own, never residents' unsold goods."""
    residue = sales.Residue(bank_id=bank_id, entered_by=caller.person_id, **body.model_dump())
    residue_id = await sales.throw_away(session, residue)
    return ResidueView(id=residue_id, bank_id=bank_id, **body.model_dump())


async def _sold_view(session: AsyncSession, sale: Sale) -> SoldView:
    lot_count = await sales.count_lots(session, sale)
    return SoldView(**sale.model_dump(), lot_count=lot_count)


def _lot_view(sold: LotSold) -> LotSoldView:
    origin = {"resident_id", "collector_id", "pickup_id", "dropoff_id", "price_idr"}
    part = sold.part.model_dump(
        include={"lot_id", "grams", "amount_idr", "share_idr", "taken_back_at"}
    )
    return LotSoldView(**sold.lot.model_dump(include=origin), **part)
