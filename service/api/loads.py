"""Loads: what collectors bring, and its second weighing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.material import Condition
from models.station import Decision, ReceivingStatus
from service import banks, ledger, prices, station, weighing
from service.api.dependencies import Payer, Reader, ReadSession, Session
from service.api.errors import documented
from service.api.fields import MOST_LINES, GramsOrNone, MaterialCode, Sent
from service.api.idempotency import ActRoute
from service.api.periods import CurrentPeriod
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, WaitsForOperator
from service.members import OFFICERS

router = APIRouter(prefix="/v1/banks/{bank_id}/loads", tags=["station"], route_class=ActRoute)

MOST_PICKUPS = 1_000


class OnScaleInput(Sent):
    """Grams of one material and condition; 0 says that nothing of it was there."""

    material: MaterialCode
    condition: Condition = Condition.CLEAN
    grams: GramsOrNone

    def on_scale(self) -> station.OnScale:
        return station.OnScale(station.What(self.material, self.condition), self.grams)


class ReceiveInput(Sent):
    """What is unloaded. Without `pickup_ids` all that is on the load; without `weighings`
    it is taken as weighed at the doors. What the weighings don't name was not there."""

    pickup_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_PICKUPS)] | None = None
    weighings: Annotated[list[OnScaleInput], Field(min_length=1, max_length=MOST_LINES)] | None = (
        None
    )

    def unloaded(self, collector_id: UUID) -> station.Unloaded:
        scales = None if self.weighings is None else [line.on_scale() for line in self.weighings]
        return station.Unloaded(collector_id, self.pickup_ids, scales)


class ComparedView(BaseModel):
    material: str
    condition: str
    door_grams: int
    station_grams: int


class ReceivingView(BaseModel):
    """A second weighing: settled within the tolerance, else disputed, and decided later."""

    id: UUID
    bank_id: UUID
    collector_id: UUID
    status: ReceivingStatus
    weighed: bool
    pickup_ids: list[UUID]
    lines: list[ComparedView]
    entered_by: UUID
    created_at: datetime
    decision: Decision | None
    reason: str
    decided_by: UUID | None
    decided_at: datetime | None


class LoadLineView(BaseModel):
    material: str
    condition: str
    grams: int


class WaitingView(BaseModel):
    id: UUID
    collected_at: datetime
    grams: int


class LoadView(BaseModel):
    """What a collector has on the vehicle. Of many pickups the oldest 200 are named."""

    collector_id: UUID
    lines: list[LoadLineView]
    pickup_count: int
    pickups: list[WaitingView]


class LoadList(BaseModel):
    items: list[LoadView]
    next_cursor: str | None


class BiasView(BaseModel):
    """A collector's door scale against the bank's. Below 0 the bank found less."""

    collector_id: UUID
    receivings: int
    door_grams: int
    station_grams: int
    difference_grams: int
    permille: int


class BiasList(BaseModel):
    items: list[BiasView]
    next_cursor: str | None


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_loads(bank_id: UUID, caller: Reader, session: ReadSession) -> LoadList:
    """What lies on each collector's vehicle; as a collector, on mine."""
    whose = None if caller.has(bank_id, *OFFICERS) else caller.person_id
    found = await station.on_vehicles(session, bank_id, collector_id=whose)
    return LoadList(items=[_load_view(load) for load in found], next_cursor=None)


@router.get("/bias", responses=documented(NoValidToken, NotAllowed))
async def list_biases(
    bank_id: UUID, caller: Reader, session: ReadSession, period: CurrentPeriod
) -> BiasList:
    """Per collector, the doors' grams against the bank's over the loads weighed again."""
    since, until = period.instants(await banks.get(session, bank_id))
    found = await station.biases(session, bank_id, since=since, until=until)
    return BiasList(items=[_bias_view(bias) for bias in found], next_cursor=None)


@router.post(
    "/{collector_id}/receive",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        station.LoadAlreadyReceived,
        station.NotOnThisLoad,
        station.ReceiveOneAtATime,
        weighing.OwnWeighing,
        prices.UnknownMaterial,
        prices.MaterialNotBought,
        ledger.BalanceTooLow,
        WaitsForOperator,
    ),
)
async def receive(
    bank_id: UUID,
    collector_id: UUID,
    caller: Payer,
    session: Session,
    body: ReceiveInput | None = None,
) -> ReceivingView:
    """Take a collector's load into the store.

    What agrees with the doors within the bank's tolerance is settled at once; the rest is a
    dispute that both sides see.
    """
    unloaded = (body or ReceiveInput()).unloaded(collector_id)
    return receiving_view(await station.receive(session, bank_id, unloaded, by=caller.person_id))


def receiving_view(received: station.Received) -> ReceivingView:
    """A second weighing as it is shown."""
    values = received.receiving.model_dump(include=set(ReceivingView.model_fields))
    return ReceivingView(
        **values, pickup_ids=list(received.pickup_ids), lines=_compared(received.lines)
    )


def _compared(lines: Sequence[station.Compared]) -> list[ComparedView]:
    return [
        ComparedView(**line.what._asdict(), door_grams=line.door, station_grams=line.station)
        for line in lines
    ]


def _load_view(load: station.Load) -> LoadView:
    return LoadView(
        collector_id=load.collector_id,
        lines=[LoadLineView(**what._asdict(), grams=grams) for what, grams in load.lines],
        pickup_count=load.pickup_count,
        pickups=[WaitingView(**pickup._asdict()) for pickup in load.pickups],
    )


def _bias_view(bias: station.Bias) -> BiasView:
    difference = bias.station_grams - bias.door_grams
    return BiasView(**bias._asdict(), difference_grams=difference, permille=bias.permille)
