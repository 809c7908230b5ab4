"""The mass balance over HTTP."""

from datetime import date, timedelta
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from service import banks, ledger, sales
from service.api.city import is_for_city, month_together, whole_months
from service.api.dependencies import LongReadSession, Reader
from service.api.errors import documented
from service.api.late import LateRoute
from service.api.periods import CurrentPeriod, Period
from service.auth import NoValidToken
from service.errors import NotAllowed
from service.months import FEWEST

router = APIRouter(prefix="/v1/banks/{bank_id}", tags=["ledger"], route_class=LateRoute)


class MassView(BaseModel):
    """One material on one day of business, in grams.

    `collected_grams` = `on_loads_grams` (how much more lies on vehicles) + `received_grams`
    (into the store) + `weighing_difference_grams` (lost between two scales) +
    `balance_grams`, which is 0 or something is wrong. What was received and not sold, thrown
    away, missing on a buyer's scale (`missing_grams`) or found missing by a count
    (`stock_difference_grams`, negative if more was there) is `stock_grams` at the end of the day,
    after the stock of the day before. What was sold or thrown away by mistake counts against the
    day on which it was taken back.
    """

    day: date
    material: str
    collected_grams: int
    on_loads_grams: int
    received_grams: int
    weighing_difference_grams: int
    sold_grams: int | None
    missing_grams: int | None
    residue_grams: int
    stock_difference_grams: int | None
    stock_grams: int | None
    load_grams: int | None
    balance_grams: int


class MassList(BaseModel):
    """Days of officers or months of a city: nothing in `items` is not always no waste.

    For a city `shown_until` is the last day of the last month that is over and all of whose days
    are closed, and `fewest_people` how many have to be behind a line; both are null for officers.
    """

    items: list[MassView]
    next_cursor: str | None
    shown_until: date | None = None
    fewest_people: int | None = None


@router.get("/mass-balance", responses=documented(NoValidToken, NotAllowed))
async def mass_balance(
    bank_id: UUID, caller: Reader, session: LongReadSession, period: CurrentPeriod
) -> MassList:
    """Where each material's grams went, day by day, by the ledger alone; oldest first.

    A day on which a material did not move has no line. The city gets a line a month, under its
    last day, of the months that lie whole within these days and are closed (`shown_until`); what
    fewer than five people (`fewest_people`) brought is left out, of stocks nothing is said, and
    neither is it of what was sold and what counts of the store found, if it was the goods of one
    to four people, or if of residents' goods an earlier month's sale was taken back.
    """
    if is_for_city(caller, bank_id):
        return await _by_month(session, bank_id, period)
    found = await ledger.mass_balance(session, bank_id, period.first, period.last)
    return MassList(items=[_view(line) for line in found], next_cursor=None)


async def _by_month(session: AsyncSession, bank_id: UUID, period: Period) -> MassList:
    bank = await banks.get(session, bank_id)
    open_day = await _first_open_day(session, bank)
    views = []
    for month in whole_months(period.first, period.last, open_day):
        days = await ledger.mass_balance(session, bank_id, *month)
        people = await ledger.givers(session, bank_id, *month)
        sellers = await sales.sellers(session, bank_id, *month)
        views += [
            _view(line).model_copy(update=not_for_city(sellers.get(line.material, 0)))
            for line in month_together(days, month[1])
            if people.get(line.material, 0) >= FEWEST
        ]
    return MassList(
        items=views,
        next_cursor=None,
        shown_until=open_day.replace(day=1) - timedelta(days=1),
        fewest_people=FEWEST,
    )


async def _first_open_day(session: AsyncSession, bank: Bank) -> date:
    """The first day that still runs, or whose page is still open: its figures may yet change.

    Whoever looked at them twice would see what a single household did in between.
    """
    page = await ledger.open_page(session, bank.id)
    return min(page.day, banks.day_at(bank, utc_now()))


def not_for_city(sellers: int) -> dict[str, None]:
    """What a city isn't told of a month: stocks, nor how much was sold of the goods of few.

    Whoever sees that the store is empty would have it from all else that went in and out.
    """
    sold = ["sold_grams", "missing_grams", "stock_difference_grams"] if 0 < sellers < FEWEST else []
    return dict.fromkeys(["stock_grams", "load_grams", *sold])


def _view(line: ledger.MassOfDay) -> MassView:
    grams = line._asdict()
    day, material = grams.pop("day"), grams.pop("material")
    return MassView(
        day=day, material=material, **{f"{name}_grams": amount for name, amount in grams.items()}
    )
