"""The rules of a bank, through time."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from models.bank import CreditWhen, Policy, Settlement
from models.base import utc_now
from models.payout import FeeBy
from service import banks
from service.api.city import is_for_city
from service.api.dependencies import Actor, CurrentPage, Reader, ReadSession, Session, cursor_of
from service.api.errors import documented
from service.api.fields import HEAVIEST_LINE_GRAMS, LARGEST_PRICE_IDR, Instant, Sent
from service.api.idempotency import ActRoute
from service.auth import NoValidToken
from service.errors import NotAllowed

router = APIRouter(prefix="/v1", tags=["policies"], route_class=ActRoute)

LONGEST_WAY_M = 200_000
WEEK_S = 7 * 24 * 3_600
Rupiah = Annotated[int, Field(strict=True, ge=0, le=LARGEST_PRICE_IDR)]
Grams = Annotated[int, Field(strict=True, ge=0, le=HEAVIEST_LINE_GRAMS)]
Metres = Annotated[int, Field(strict=True, ge=0, le=LONGEST_WAY_M)]
Permille = Annotated[int, Field(strict=True, ge=0, le=1_000)]


class PolicyInput(Sent):
    """The rules that change, and from when on; without an instant: now. The rest stays."""

    valid_from: Instant | None = None
    service_radius_m: Annotated[Metres, Field(gt=0)] | None = None
    min_pickup_grams: Grams | None = None
    min_dropoff_grams: Grams | None = None
    min_payout_idr: Annotated[Rupiah, Field(gt=0)] | None = None
    age_floor_m: Annotated[float, Field(strict=True, gt=0, le=LONGEST_WAY_M)] | None = None
    age_tau_s: Annotated[float, Field(strict=True, ge=0, le=52 * WEEK_S)] | None = None
    max_held_jobs: Annotated[int, Field(strict=True, gt=0, le=1_000)] | None = None
    max_held_grams: Annotated[int, Field(strict=True, gt=0, le=10 * HEAVIEST_LINE_GRAMS)] | None = (
        None
    )
    lease_s: Annotated[int, Field(strict=True, gt=0, le=WEEK_S)] | None = None
    road_factor: Annotated[float, Field(strict=True, ge=1, le=20)] | None = None
    road_extra_m: Annotated[float, Field(strict=True, ge=0, le=10_000)] | None = None
    road_speed_kmh: Annotated[float, Field(strict=True, gt=0, le=200)] | None = None
    fee_per_stop_idr: Rupiah | None = None
    fee_per_kg_idr: Rupiah | None = None
    fee_per_km_idr: Rupiah | None = None
    fee_free_m: Metres | None = None
    fee_floor_idr: Rupiah | None = None
    settlement: Settlement | None = None
    credit_when: CreditWhen | None = None
    tolerance_permille: Permille | None = None
    tolerance_grams: Grams | None = None
    residents_permille: Permille | None = None
    collectors_permille: Permille | None = None
    correction_limit_idr: Annotated[int, Field(strict=True, ge=0, le=10**12)] | None = None
    payout_expires_h: Annotated[int, Field(strict=True, gt=0, le=365 * 24)] | None = None
    payout_fee_by: FeeBy | None = None
    payout_fee_permille: Permille | None = None
    payout_weekday: Annotated[int, Field(strict=True, ge=0, le=7)] | None = None
    destination_waits_h: Annotated[int, Field(strict=True, ge=0, le=30 * 24)] | None = None
    cash_needs_code: StrictBool | None = None
    assisted_payout_limit_idr: Annotated[int, Field(strict=True, ge=0, le=10**12)] | None = None


class PolicyView(BaseModel):
    """Rules as they are from `valid_from` until the next ones begin.

    Who entered them is not for the city.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    bank_id: UUID
    valid_from: datetime
    service_radius_m: int
    min_pickup_grams: int
    min_dropoff_grams: int
    min_payout_idr: int
    age_floor_m: float
    age_tau_s: float
    max_held_jobs: int
    max_held_grams: int
    lease_s: int
    road_factor: float
    road_extra_m: float
    road_speed_kmh: float
    fee_per_stop_idr: int
    fee_per_kg_idr: int
    fee_per_km_idr: int
    fee_free_m: int
    fee_floor_idr: int
    settlement: Settlement
    credit_when: CreditWhen
    tolerance_permille: int
    tolerance_grams: int
    residents_permille: int
    collectors_permille: int
    correction_limit_idr: int
    payout_expires_h: int
    payout_fee_by: FeeBy
    payout_fee_permille: int
    payout_weekday: int
    destination_waits_h: int
    cash_needs_code: bool
    assisted_payout_limit_idr: int
    entered_by: UUID | None
    created_at: datetime


class PolicyList(BaseModel):
    items: list[PolicyView]
    next_cursor: str | None


@router.get("/banks/{bank_id}/policies", responses=documented(NoValidToken, NotAllowed))
async def list_policies(
    bank_id: UUID, caller: Reader, session: ReadSession, page: CurrentPage
) -> PolicyList:
    """The rules of a bank through time, the last to begin first; some may begin later."""
    found = await banks.policies_of(session, bank_id, before=page.before_id, limit=page.limit + 1)
    shown, last = page.cut(found)
    return PolicyList(
        items=[_view(policy, for_city=is_for_city(caller, bank_id)) for policy in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )


@router.post(
    "/banks/{bank_id}/policies",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        banks.PastRules,
        banks.RulesUnchanged,
        banks.RulesExist,
        banks.PartsTooLarge,
    ),
)
async def change_rules(
    bank_id: UUID, body: PolicyInput, caller: Actor, session: Session
) -> PolicyView:
    """Set rules that begin now or later; what isn't named stays as it is in force by then.

    What was listed before keeps its settlement and its fee; the tolerance of a second
    weighing and the parts of a sale are those of the moment. Rules that were entered to
    begin later still stay as they were entered.
    """
    changes = body.model_dump(exclude={"valid_from"}, exclude_none=True)
    new = await banks.change_rules(
        session,
        bank_id,
        changes,
        valid_from=body.valid_from or utc_now(),
        entered_by=caller.person_id,
    )
    return PolicyView.model_validate(new)


def _view(policy: Policy, *, for_city: bool) -> PolicyView:
    view = PolicyView.model_validate(policy)
    return view.model_copy(update={"entered_by": None}) if for_city else view
