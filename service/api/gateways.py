"""Ways to pay out, the money that lies at gateways, and what gateways tell by themselves."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import MAIN
from models.payout import Destination, FeeBy, NameCheck, PayoutMethod
from service import banks, drawers, members, payouts
from service.api.dependencies import CurrentParts, Parts, Payer, Reader, ReadSession, Session
from service.api.errors import BodyTooLarge, documented
from service.api.fields import LARGEST_AMOUNT_IDR, PLAIN, Amount, Line, Sent
from service.api.idempotency import ActRoute
from service.api.late import VitalRoute
from service.api.looks import CurrentLooks
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, said_of
from service.ledger import Place, chart
from service.payouts import FloatView

router = APIRouter(prefix="/v1", tags=["payouts"], route_class=ActRoute)
# Money that arrived is noted however busy everybody is.
callbacks = APIRouter(prefix="/v1/gateways", tags=["gateways"], route_class=VitalRoute)

LARGEST_CALLBACK = 65_536
PathGateway = Annotated[str, Path(max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_-]+$"), PLAIN]


class OfferView(BaseModel):
    """A way to be paid. `hurdle` is empty where it is open for this amount."""

    model_config = ConfigDict(from_attributes=True)

    method: PayoutMethod
    channel_code: str
    name: str
    gateway: str
    fee_idr: int
    fee_by: FeeBy
    receives_idr: int
    minimum_idr: int
    maximum_idr: int
    hurdle: str


class OfferList(BaseModel):
    """Open ways first, the cheapest of them first; cash costs nothing."""

    items: list[OfferView]


class DestinationView(BaseModel):
    """Where transfers go unless another destination is named."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    channel_code: str
    account_number: str
    account_holder_name: str
    name_check: NameCheck
    usable_from: datetime
    created_at: datetime


class FloatItem(BaseModel):
    """A bank's money at a gateway.

    `ledger_idr` is our book, `gateway_idr` what the gateway said at `gateway_at` (empty where
    several banks share the account), and `under_way_idr` what was sent and isn't settled. Nothing is sent while `stopped_at` is set.
    """

    model_config = ConfigDict(from_attributes=True)

    gateway: str
    ledger_idr: int
    under_way_idr: int
    gateway_idr: int | None
    gateway_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str


class ToppedUpItem(FloatItem):
    """A float after a top-up; `top_up_id` is the `about_id` of a correction, if it was wrong."""

    top_up_id: UUID


class FloatList(BaseModel):
    items: list[FloatItem]


class TopUpInput(Sent):
    """Money that was sent to a gateway, out of a cash drawer or an account at a bank."""

    amount_idr: Amount
    drawer: Name | None = None
    bank_account: Name | None = None
    memo: Line = ""

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if (self.drawer is None) == (self.bank_account is None):
            raise PydanticCustomError("one_source", "Name either a drawer or a bank account.")
        return self

    async def source(self, session: AsyncSession, bank_id: UUID) -> Place:
        if self.drawer is not None:
            if self.drawer != MAIN:
                # A name that nobody has ever kept cash under is a mistake in typing.
                await drawers.keeper_of(session, bank_id, self.drawer)
            return await drawers.at(session, bank_id, self.drawer)
        return chart.bank_account(str(self.bank_account))


@router.get("/banks/{bank_id}/payout-channels", responses=documented(NoValidToken, NoSuchThing))
async def list_channels(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    amount_idr: Annotated[int, Query(gt=0, le=LARGEST_AMOUNT_IDR)],
) -> OfferList:
    """Every way to be paid an amount: fee, who bears it, limits, and what arrives."""
    policy = await banks.policy_of(session, bank_id)
    found = await payouts.offers(session, bank_id, policy, amount_idr)
    return OfferList(items=[OfferView.model_validate(offer) for offer in found])


@router.get(
    "/passbooks/{bank_id}/destination", responses=documented(NoValidToken, NotAllowed, NoSuchThing)
)
async def get_destination(
    bank_id: UUID,
    caller: Reader,
    session: ReadSession,
    looks: CurrentLooks,
    resident_id: Annotated[UUID | None, Query()] = None,
) -> DestinationView:
    """Where a resident's transfers go. Officers see the last digits of the account."""
    whose = await members.whose(session, caller, bank_id, resident_id)
    found = await payouts.destination_of(session, bank_id, whose)
    if found is None:
        raise NoSuchThing(thing="destination")
    view = _destination_view(found, is_own=whose == caller.person_id)
    await looks.note("destination", [(bank_id, whose)])
    return view


@router.get("/banks/{bank_id}/floats", responses=documented(NoValidToken, NotAllowed))
async def list_floats(
    bank_id: UUID, caller: Reader, session: ReadSession, parts: CurrentParts
) -> FloatList:
    """What lies at each gateway of the bank, by our book and by its own word."""
    found = await payouts.floats_of(session, bank_id, parts.gateways_of(bank_id))
    return FloatList(items=[_float_view(parts, one) for one in found])


@router.post(
    "/banks/{bank_id}/floats/{gateway}/top-ups",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        payouts.NoSuchGateway,
        NoSuchThing,
        drawers.DrawerClosed,
        drawers.DrawerTooLow,
    ),
)
async def top_up(
    bank_id: UUID,
    gateway: PathGateway,
    body: TopUpInput,
    caller: Payer,
    session: Session,
    parts: CurrentParts,
) -> ToppedUpItem:
    """Enter money that was sent to a gateway; a queue that waited for it goes on."""
    _require(parts, bank_id, gateway)
    source = await body.source(session, bank_id)
    entered = payouts.TopUp(gateway, source, body.amount_idr, body.memo, caller.person_id)
    with said_of("/amount_idr", drawers.DrawerTooLow), drawers.paid_out_of(source):
        top_up_id = await payouts.top_up(session, bank_id, entered)
    view = _float_view(parts, (await payouts.floats_of(session, bank_id, [gateway]))[0])
    return ToppedUpItem(**view.model_dump(), top_up_id=top_up_id)


@router.post(
    "/banks/{bank_id}/floats/{gateway}/resume",
    responses=documented(NoValidToken, NotAllowed, payouts.NoSuchGateway, payouts.QueueNotStopped),
)
async def resume(
    bank_id: UUID, gateway: PathGateway, caller: Payer, session: Session, parts: CurrentParts
) -> FloatItem:
    """Let a queue go on that stopped because there was too little money."""
    _require(parts, bank_id, gateway)
    await payouts.resume(session, bank_id, gateway, by=caller.person_id)
    return _float_view(parts, (await payouts.floats_of(session, bank_id, [gateway]))[0])


@callbacks.post(
    "/{gateway}/callbacks",
    status_code=204,
    responses=documented(payouts.GatewayUnknown, payouts.CallbackNotGenuine, BodyTooLarge),
)
async def receive(gateway: PathGateway, request: Request, parts: CurrentParts) -> Response:
    """For gateways: verified, kept raw, and answered at once. The same again does nothing."""
    body = await request.body()
    if parts.gateways is None:
        raise payouts.GatewayUnknown
    if len(body) > LARGEST_CALLBACK:
        raise BodyTooLarge(most_bytes=LARGEST_CALLBACK)
    headers = {name.lower(): value for name, value in request.headers.items()}
    await payouts.receive(parts.database, parts.gateways, parts.lanes, gateway, headers, body)
    return Response(status_code=204)


def _require(parts: Parts, bank_id: UUID, gateway: str) -> None:
    if gateway not in parts.gateways_of(bank_id):
        raise payouts.NoSuchGateway


def _float_view(parts: Parts, one: FloatView) -> FloatItem:
    view = FloatItem.model_validate(one)
    if parts.gateways and parts.gateways.is_shared(one.gateway):
        view.gateway_idr = view.gateway_at = None
    return view


def _destination_view(destination: Destination, *, is_own: bool) -> DestinationView:
    view = DestinationView.model_validate(destination)
    if not is_own:
        view.account_number = payouts.masked(view.account_number)
    return view
