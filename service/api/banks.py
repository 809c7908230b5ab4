"""Banks near me, what they buy, and at which prices."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import col, select

from models.bank import Settlement
from models.base import utc_now
from models.material import Condition, Material
from models.price import Channel
from routing.geo import Point, shown_metres
from service import banks, prices
from service.api.dependencies import Actor, CurrentPage, ReadSession, Session, cursor_of
from service.api.errors import documented
from service.api.fields import (
    LARGEST_PRICE_IDR,
    Instant,
    MaterialCode,
    Position,
    Sent,
    UnusualConfirmed,
    position_of,
)
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1", tags=["banks"], route_class=ActRoute)

Lat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
Lon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]


class BankView(BaseModel):
    id: UUID
    name: str
    kind: str
    address: str
    position: Position
    distance_m: int
    served: bool
    hours: str
    time_zone: str
    settlement: Settlement
    service_radius_m: int
    min_pickup_grams: int
    min_dropoff_grams: int
    min_payout_idr: int


class BankList(BaseModel):
    items: list[BankView]
    next_cursor: str | None


class PriceView(BaseModel):
    material: str
    name: str
    unit: str
    grams_per_unit: int
    condition: str
    price_idr: int
    valid_from: datetime


class PriceList(BaseModel):
    items: list[PriceView]


class PriceInput(Sent):
    """A price for one unit of a material; null ends the buying. Without an instant: now."""

    material: MaterialCode
    condition: Condition = Condition.CLEAN
    channel: Channel
    price_idr: Annotated[int, Field(strict=True, ge=0, le=LARGEST_PRICE_IDR)] | None
    valid_from: Instant | None = None


class PricesInput(Sent):
    items: Annotated[list[PriceInput], Field(min_length=1, max_length=500)]
    unusual_confirmed: UnusualConfirmed = False


class PricesEntered(BaseModel):
    entered: int


class MaterialView(BaseModel):
    code: str
    name: str
    aliases: list[str]
    group: str
    sipsn_class: str
    unit: str
    grams_per_unit: int
    note: str


class MaterialList(BaseModel):
    items: list[MaterialView]


@router.get("/banks", responses=documented())
async def near_me(session: ReadSession, page: CurrentPage, lat: Lat, lon: Lon) -> BankList:
    """Waste banks, nearest first."""
    here = Point(lat, lon)
    skip = page.before_number or 0
    found = await banks.nearest(session, here, limit=page.limit + 1, skip=skip)
    more = len(found) > page.limit
    return BankList(
        items=[_bank_view(near, here) for near in found[: page.limit]],
        next_cursor=cursor_of(skip + page.limit) if more else None,
    )


@router.get("/banks/{bank_id}/prices", responses=documented(NoSuchThing))
async def price_list(
    bank_id: UUID,
    session: ReadSession,
    channel: Channel = Channel.PICKUP,
    at: Annotated[Instant | None, Query()] = None,
) -> PriceList:
    """The price list in force, now or at an instant."""
    await banks.get(session, bank_id)
    found = await prices.in_force(session, bank_id, channel, at or utc_now())
    return PriceList(items=[PriceView(**quote._asdict()) for quote in found])


@router.post(
    "/banks/{bank_id}/prices",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        prices.UnknownMaterial,
        prices.UnusualPrice,
        prices.PastPrice,
        prices.PriceExists,
    ),
)
async def enter_prices(
    bank_id: UUID, body: PricesInput, caller: Actor, session: Session
) -> PricesEntered:
    """Enter prices that begin now or later, all or none. What was in force stays on record."""
    now = utc_now()
    new = [
        prices.NewPrice(
            item.material, item.condition, item.channel, item.price_idr, item.valid_from or now
        )
        for item in body.items
    ]
    await prices.add(
        session,
        bank_id,
        new,
        entered_by=caller.person_id,
        unusual_confirmed=body.unusual_confirmed,
    )
    return PricesEntered(entered=len(new))


@router.get("/materials", responses=documented())
async def materials(
    session: ReadSession, q: Annotated[str, Query(max_length=60)] = ""
) -> MaterialList:
    """Materials with the names people use for them; `q` looks in all of these."""
    found = await session.exec(select(Material).order_by(col(Material.code)))
    wanted = q.strip().lower()
    return MaterialList(
        items=[
            _material_view(material)
            for material in found
            if wanted in f"{material.code} {material.name} {material.aliases}".lower()
        ]
    )


def _bank_view(near: banks.Nearby, here: Point) -> BankView:
    bank, policy = near.bank, near.policy
    return BankView(
        id=bank.id,
        name=bank.name,
        kind=bank.kind,
        address=bank.address,
        position=position_of(bank),
        distance_m=shown_metres(here, Point(bank.lat, bank.lon)),
        served=near.distance_m <= policy.service_radius_m,
        hours=bank.hours,
        time_zone=bank.time_zone,
        settlement=Settlement(policy.settlement),
        service_radius_m=policy.service_radius_m,
        min_pickup_grams=policy.min_pickup_grams,
        min_dropoff_grams=policy.min_dropoff_grams,
        min_payout_idr=policy.min_payout_idr,
    )


def _material_view(material: Material) -> MaterialView:
    return MaterialView(
        code=material.code,
        name=material.name,
        aliases=[alias.strip() for alias in material.aliases.split(";") if alias.strip()],
        group=material.group_name,
        sipsn_class=material.sipsn_class,
        unit=material.unit,
        grams_per_unit=material.grams_per_unit,
        note=material.note,
    )
