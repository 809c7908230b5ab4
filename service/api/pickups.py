"""Pickups: listed, looked at, cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from models.material import Condition
from models.people import Person, Role
from models.pickup import PickupStatus
from models.station import ReceivingStatus
from routing.geo import Point, about
from routing.geocode import GeocodingFailed
from service import households, members, pickups, prices
from service.api.assisting import HelpingActor
from service.api.dependencies import (
    Actor,
    CurrentIdentity,
    CurrentPage,
    CurrentParts,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import RequestMalformed, documented
from service.api.fields import (
    MOST_LINES,
    OR_NOTHING,
    PLAIN,
    Grams,
    MaterialCode,
    Position,
    Reason,
    Sent,
    Window,
)
from service.api.idempotency import ActRoute
from service.api.looks import CurrentLooks
from service.assisting import CardNotValid
from service.auth import NoValidToken
from service.errors import FieldProblem, NoSuchThing, NotAllowed, WaitsForOperator, said_of
from service.keys import Keys
from service.members import OFFICERS, Caller

router = APIRouter(prefix="/v1/pickups", tags=["pickups"], route_class=ActRoute)


class ItemInput(Sent):
    material: MaterialCode
    condition: Condition = Condition.CLEAN
    estimated_grams: Grams


class PickupInput(Sent):
    """What is to be fetched. An officer names the resident; a resident lists for themselves.

    The position may be left out where the server looks addresses up.
    """

    bank_id: UUID
    resident_id: UUID | None = None
    position: Position | None = None
    address: Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S"), PLAIN]
    window: Window | None = None
    items: Annotated[list[ItemInput], Field(min_length=1, max_length=MOST_LINES)]
    note: Annotated[str, Field(max_length=500), PLAIN, OR_NOTHING] = ""


class ItemView(BaseModel):
    line: int
    material: str
    condition: str
    estimated_grams: int
    price_idr: int


class WindowView(BaseModel):
    start: datetime
    end: datetime


class ResidentView(BaseModel):
    id: UUID
    name: str
    phone: str | None


class PickupView(BaseModel):
    """A pickup. `handover_code` is told to its resident only, and once to who lists for them.

    `received` is how far its second weighing is, null as long as it is on the load. For its
    collector `resident` is null, and address and note are empty, once the day at the bank on
    which they weighed is over, or the pickup ended without that; the position is then rounded
    as on the board.
    `arrived_off_m` is for officers: how far from here the collector said to be on arriving,
    or else on weighing.
    """

    id: UUID
    bank_id: UUID
    status: PickupStatus
    resident: ResidentView | None
    assisted: bool
    position: Position
    address: str
    area: str
    window: WindowView
    items: list[ItemView]
    note: str
    estimated_grams: int
    estimate_idr: int
    handover_code: str | None
    handover_tries: int
    waits_for_decision: bool
    collector_id: UUID | None
    claimed_until: datetime | None
    arrived_at: datetime | None
    arrived_off_m: int | None
    collected_at: datetime | None
    credited_idr: int | None
    received: ReceivingStatus | None
    ended_reason: str
    created_at: datetime


class PickupPage(BaseModel):
    items: list[PickupView]
    next_cursor: str | None


class ReasonInput(Sent):
    reason: Reason


async def located(body: PickupInput, _who: CurrentIdentity, parts: CurrentParts) -> Point:
    """Where the waste is: as given, or looked up before any transaction begins."""
    if body.position is not None:
        return body.position.point()
    if parts.geocoder is None:
        raise _no_position("A position is needed.", "Posisi wajib diisi.")
    try:
        found = await parts.geocoder.locate(body.address)
    except GeocodingFailed:
        found = None
    if found is None:
        raise _no_position(
            "The address was not found; give a position.",
            "Alamat tidak ditemukan; berikan posisinya.",
        )
    return found


@router.post(
    "",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        pickups.OutsideServiceArea,
        pickups.BelowMinimumWeight,
        pickups.WindowNotPossible,
        prices.UnknownMaterial,
        prices.MaterialNotBought,
        CardNotValid,
    ),
)
async def list_waste(
    body: PickupInput,
    position: Annotated[Point, Depends(located)],
    caller: HelpingActor,
    session: Session,
    parts: CurrentParts,
) -> PickupView:
    """Put waste on the board. Its prices are locked from now on."""
    with said_of("/resident_id", NoSuchThing):
        resident_id = await members.whose(session, caller, body.bank_id, body.resident_id)
    listing = pickups.Listing(
        bank_id=body.bank_id,
        resident_id=resident_id,
        entered_by=caller.person_id,
        position=position,
        address=body.address,
        window_start=body.window.start if body.window else None,
        window_end=body.window.end if body.window else None,
        items=[
            pickups.Listed(item.material, item.condition, item.estimated_grams)
            for item in body.items
        ],
        note=body.note,
    )
    where = "/address" if body.position is None else "/position"
    with said_of(where, pickups.OutsideServiceArea):
        shown = await pickups.list_waste(session, listing)
    # An officer who lists for somebody without a phone is told the code once, to hand it over.
    return pickup_view(shown, caller, parts.keys, is_new=True)


@router.get("", responses=documented(NoValidToken))
async def list_pickups(  # noqa: PLR0913  One parameter a part of the request.
    *,
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    page: CurrentPage,
    looks: CurrentLooks,
    status: PickupStatus | None = None,
    waits_for_decision: bool = False,
) -> PickupPage:
    """My listings, the jobs I hold or did, and as an officer those of my bank; newest first."""
    wanted = pickups.Wanted(status, waits_for_decision, page.before_id, page.limit + 1)
    found = await pickups.visible(session, caller, wanted)
    cut, last = page.cut(found)
    shown = await pickups.shown(session, cut)
    view = PickupPage(
        items=[pickup_view(one, caller, parts.keys) for one in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )
    await looks.note("pickup", _residents(view.items))
    return view


@router.get("/{pickup_id}", responses=documented(NoValidToken, NotAllowed, NoSuchThing))
async def get_pickup(
    pickup_id: UUID, caller: Reader, session: ReadSession, parts: CurrentParts, looks: CurrentLooks
) -> PickupView:
    """One pickup that concerns me."""
    pickup = await pickups.find_own(session, caller, pickup_id)
    (shown,) = await pickups.shown(session, [pickup])
    view = pickup_view(shown, caller, parts.keys)
    await looks.note("pickup", _residents([view]))
    return view


@router.post(
    "/{pickup_id}/cancel",
    responses=documented(
        NoValidToken, NotAllowed, NoSuchThing, pickups.PickupAlreadyEnded, WaitsForOperator
    ),
)
async def cancel(
    pickup_id: UUID, body: ReasonInput, caller: Actor, session: Session, parts: CurrentParts
) -> PickupView:
    """Take a listing back, until it is collected."""
    pickup = await pickups.find_own(session, caller, pickup_id)
    roles = (Role.RESIDENT,) if pickup.resident_id == caller.person_id else OFFICERS
    caller.act_in(pickup.bank_id, *roles)
    await pickups.cancel(session, pickup, by=caller.person_id, reason=body.reason)
    (shown,) = await pickups.shown(session, [pickup])
    return pickup_view(shown, caller, parts.keys)


def pickup_view(
    shown: pickups.Shown, caller: Caller, keys: Keys, *, is_new: bool = False
) -> PickupView:
    """What this caller sees of a pickup."""
    pickup = shown.pickup
    told = is_new or pickup.resident_id == caller.person_id
    values: dict[str, Any] = pickup.model_dump(include=set(PickupView.model_fields))
    is_officer = caller.has(pickup.bank_id, *OFFICERS)
    if not is_officer:
        values["arrived_off_m"] = None
    if households.hides_household(caller, pickup, is_past=shown.is_past):
        values |= {"address": "", "note": ""}
        resident, place = None, about(Point(pickup.lat, pickup.lon))
    else:
        resident, place = _resident_view(shown.resident), Point(pickup.lat, pickup.lon)
    return PickupView(
        **values,
        resident=resident,
        assisted=pickup.entered_by != pickup.resident_id,
        position=Position(lat=place.lat, lon=place.lon),
        window=WindowView(start=pickup.window_start, end=pickup.window_end),
        items=[ItemView(**item.model_dump()) for item in shown.items],
        handover_code=keys.handover_code(pickup.id) if told else None,
        handover_tries=pickup.code_tries,
        received=ReceivingStatus(shown.received) if shown.received else None,
        waits_for_decision=pickup.waits_for_decision,
    )


def _residents(views: Sequence[PickupView]) -> list[tuple[UUID, UUID]]:
    """Bank and resident of those whose resident is shown."""
    return [(one.bank_id, one.resident.id) for one in views if one.resident]


def _resident_view(resident: Person) -> ResidentView:
    return ResidentView(id=resident.id, name=resident.name, phone=resident.phone)


def _no_position(english: str, indonesian: str) -> RequestMalformed:
    return RequestMalformed(FieldProblem("/position", english, indonesian))
