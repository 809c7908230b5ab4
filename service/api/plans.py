"""A day's routes for several vehicles, over HTTP."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from models.plan import Plan, PlanStatus
from routing.plan import Why
from service import banks, plans
from service.api.dependencies import (
    Actor,
    CurrentPage,
    PictureLanguage,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import documented
from service.api.fields import HEAVIEST_LINE_GRAMS, Day, Position, Sent, Window
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed

router = APIRouter(prefix="/v1/banks/{bank_id}/plans", tags=["plans"], route_class=ActRoute)
_REFUSALS = (NoValidToken, NotAllowed, NoSuchThing)


class VehicleInput(Sent):
    """A collector with a vehicle; without a start they begin at the bank."""

    collector_id: UUID
    start: Position | None = None
    shift: Window
    capacity_grams: Annotated[int, Field(strict=True, gt=0, le=10 * HEAVIEST_LINE_GRAMS)]
    max_trips: Annotated[int, Field(strict=True, ge=1, le=20)] = 3

    def ask(self) -> plans.VehicleAsk:
        return plans.VehicleAsk(
            collector_id=self.collector_id,
            start=self.start.point() if self.start else None,
            shift_start=self.shift.start,
            shift_end=self.shift.end,
            capacity_grams=self.capacity_grams,
            max_trips=self.max_trips,
        )


class PlanInput(Sent):
    """Who drives on which day; without `pickup_ids`, whatever is open then.

    `nearest_first` is there always. `pyvrp` drives less, where the extra is installed, the
    more so the longer `budget_s` lets it search. Every stop takes `service_s` at the door,
    and emptying a vehicle at the bank `unload_s`.
    """

    day: Day | None = None
    vehicles: Annotated[list[VehicleInput], Field(min_length=1, max_length=plans.MOST_VEHICLES)]
    planner: Literal["nearest_first", "pyvrp"] = "nearest_first"
    budget_s: Annotated[int, Field(strict=True, ge=1, le=300)] = 10
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0
    service_s: Annotated[int, Field(strict=True, ge=0, le=7_200)] = 360
    unload_s: Annotated[int, Field(strict=True, ge=0, le=14_400)] = 900
    pickup_ids: Annotated[list[UUID], Field(min_length=1, max_length=plans.MOST_STOPS)] | None = (
        None
    )


class VisitView(BaseModel):
    """A stop: when the vehicle arrives, begins after any wait, and leaves."""

    pickup_id: UUID
    sequence: int
    arrival: datetime
    begin: datetime
    departure: datetime
    leg_m: int
    load_grams: int


class TripView(BaseModel):
    """From where the vehicle stands, through the visits, to the bank."""

    starts: datetime
    ends: datetime
    grams: int
    total_m: int
    visits: list[VisitView]


class VehicleView(BaseModel):
    collector_id: UUID
    trips: list[TripView]


class UnservedView(BaseModel):
    """A stop that is left out: too heavy for every vehicle, not to be reached in time, or
    not worth it beside all the others."""

    pickup_id: UUID
    why: Why


class PlanView(BaseModel):
    """A plan: how far the work is, and once it is done, who drives where.

    `roads` says where distances come from: `estimate` from straight lines, or a router.
    """

    id: UUID
    bank_id: UUID
    day: str
    status: PlanStatus
    planner: str
    progress: float
    failure: str
    total_m: int | None = None
    total_s: int | None = None
    roads: str | None = None
    vehicles: list[VehicleView] | None = None
    unserved: list[UnservedView] | None = None
    entered_by: UUID
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    applied_at: datetime | None


class PlanLine(BaseModel):
    """A plan as a list shows it."""

    id: UUID
    day: str
    status: PlanStatus
    planner: str
    progress: float
    created_at: datetime


class PlanList(BaseModel):
    items: list[PlanLine]
    next_cursor: str | None


class AppliedView(BaseModel):
    """The routes that collectors have now, the stops that are theirs, and those that somebody
    fetches already or nobody can fetch any more."""

    route_ids: list[UUID]
    given: list[UUID]
    not_open: list[UUID]


@router.post(
    "",
    status_code=201,
    responses=documented(
        *_REFUSALS,
        plans.NotTheirCollector,
        plans.WrongShift,
        plans.NothingToPlan,
        plans.TooManyStops,
        plans.PlannerNotInstalled,
    ),
)
async def ask(bank_id: UUID, body: PlanInput, caller: Actor, session: Session) -> PlanView:
    """Ask for a day's routes. They are worked out in the background: look, or listen, again."""
    wanted = plans.Ask(
        bank_id=bank_id,
        entered_by=caller.person_id,
        vehicles=[vehicle.ask() for vehicle in body.vehicles],
        **body.model_dump(exclude={"vehicles"}),
    )
    return _view(await plans.create(session, wanted))


@router.get("", responses=documented(NoValidToken, NotAllowed))
async def list_plans(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> PlanList:
    """The plans of a bank, newest first."""
    found = await plans.of_bank(session, bank_id, before=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(found)
    return PlanList(
        items=[PlanLine(**_facts(plan, PlanLine)) for plan in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.get(
    "/{plan_id}.geojson",
    response_class=Response,
    responses=documented(*_REFUSALS, plans.PlanNotDone)
    | {200: {"content": {"application/geo+json": {}}}},
)
async def geojson(bank_id: UUID, plan_id: UUID, caller: Reader, session: ReadSession) -> Response:
    """A plan as GeoJSON: a line for each trip, a point for each visit and each left out."""
    body = json.dumps(plans.geojson_of(await plans.find(session, bank_id, plan_id)))
    return Response(body, media_type="application/geo+json")


@router.get(
    "/{plan_id}.svg",
    response_class=Response,
    responses=documented(*_REFUSALS, plans.PlanNotDone) | {200: {"content": {"image/svg+xml": {}}}},
)
async def picture(
    bank_id: UUID,
    plan_id: UUID,
    caller: Reader,
    session: ReadSession,
    language: PictureLanguage,
) -> Response:
    """A plan as a picture, one colour a vehicle. No names."""
    plan = await plans.find(session, bank_id, plan_id)
    drawn = plans.picture_of(plan, await banks.get(session, bank_id), language)
    return Response(drawn, media_type="image/svg+xml")


@router.get("/{plan_id}", responses=documented(*_REFUSALS))
async def get_plan(bank_id: UUID, plan_id: UUID, caller: Reader, session: ReadSession) -> PlanView:
    """One plan, with its routes once it is done."""
    return _view(await plans.find(session, bank_id, plan_id))


@router.post("/{plan_id}/cancel", responses=documented(*_REFUSALS, plans.PlanEnded))
async def cancel(bank_id: UUID, plan_id: UUID, caller: Actor, session: Session) -> PlanView:
    """Stop a plan that isn't done. One that is being worked out ends within seconds."""
    plan = await plans.find(session, bank_id, plan_id)
    await plans.cancel(session, plan)
    return _view(plan)


@router.post(
    "/{plan_id}/apply",
    responses=documented(*_REFUSALS, plans.PlanNotDone, plans.PlanAlreadyApplied),
)
async def apply(bank_id: UUID, plan_id: UUID, caller: Actor, session: Session) -> AppliedView:
    """Give the stops to their collectors: what is still open is claimed for them."""
    plan = await plans.find(session, bank_id, plan_id)
    applied = await plans.apply(session, plan, by=caller.person_id)
    caller.touched += [("plan", plan.id), *(("pickup", one) for one in applied.given)]
    return AppliedView(
        route_ids=list(applied.route_ids),
        given=list(applied.given),
        not_open=list(applied.not_open),
    )


def _view(plan: Plan) -> PlanView:
    return PlanView(**_facts(plan, PlanView), **_routes(plan.result) if plan.result else {})


def _facts(plan: Plan, view: type[BaseModel]) -> dict[str, Any]:
    facts = plan.model_dump(include=set(view.model_fields))
    return facts | {"day": plan.day.isoformat(), "progress": plan.progress_permille / 1000}


def _routes(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "total_m": result["metres"],
        "total_s": result["seconds"],
        "roads": result["roads"],
        "unserved": result["unserved"],
        "vehicles": [
            VehicleView(
                collector_id=vehicle["collector_id"],
                trips=[_trip(trip) for trip in vehicle["trips"]],
            )
            for vehicle in result["vehicles"]
        ],
    }


def _trip(trip: dict[str, Any]) -> TripView:
    visits = [
        VisitView(sequence=number, **visit) for number, visit in enumerate(trip["visits"], start=1)
    ]
    return TripView(
        starts=trip["starts"],
        ends=trip["ends"],
        grams=trip["grams"],
        total_m=trip["metres"],
        visits=visits,
    )
