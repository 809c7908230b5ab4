"""What was weighed at the doors of the pickups that are unloaded, and what they are worth."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.material import Material
from models.pickup import Pickup, PickupItem
from models.price import Channel
from models.weighing import Weighing
from service import banks, prices
from service.station.arithmetic import What, scaled
from service.weighing.crediting import Credit, credit_at_door


@dataclass(frozen=True, slots=True)
class Line:
    """Grams of one material and condition at the resident's price."""

    what: What
    grams: int
    price_idr: int
    grams_per_unit: int
    amount_idr: int

    def of(self, grams: int) -> "Line":
        """So many grams at the same price."""
        amount = prices.amount_idr(self.price_idr, grams, self.grams_per_unit)
        return self if grams == self.grams else replace(self, grams=grams, amount_idr=amount)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pickup with what counts as weighed, and the rules it was listed under."""

    pickup: Pickup
    policy: Policy
    lines: Sequence[Line]

    @property
    def credit(self) -> Credit:
        return credit_at_door(self.policy)

    @property
    def fee_idr(self) -> int:
        """What fetching it earns."""
        return self.policy.collector_fee_idr(self.grams, self.pickup.leg_m or 0)

    @property
    def amount_idr(self) -> int:
        return sum(line.amount_idr for line in self.lines)

    @property
    def grams(self) -> int:
        return sum(line.grams for line in self.lines)

    def grams_of(self, material: str) -> int:
        return sum(line.grams for line in self.lines if line.what.material == material)

    def in_common(self, counted: "Fetched") -> "Fetched":
        """The grams of each line that count whoever is right: door or station."""
        pairs = zip(self.lines, counted.lines, strict=False)
        return replace(self, lines=[a.of(min(a.grams, b.grams)) for a, b in pairs])

    def beyond(self, common: "Fetched") -> "Fetched":
        """The grams of each line on top of those in common; lines that are new as they are."""
        return self.less([line.grams for line in self.filled_up(common).lines])

    def filled_up(self, common: "Fetched") -> "Fetched":
        """What is in common, with 0 grams of the lines that are new."""
        new = [line.of(0) for line in self.lines[len(common.lines) :]]
        return replace(self, lines=[*common.lines, *new])

    def less(self, grams: Sequence[int]) -> "Fetched":
        """So many grams less of each line."""
        pairs = zip(self.lines, grams, strict=True)
        return replace(self, lines=[line.of(line.grams - less) for line, less in pairs])


async def at_doors(session: AsyncSession, pickups: Sequence[Pickup]) -> list[Fetched]:
    """The pickups of one bank as weighed at their doors, in the order of their ids."""
    lines = await _door_lines(session, pickups)
    found = []
    for pickup in sorted(pickups, key=lambda pickup: pickup.id):
        policy = await banks.policy_by_id(session, pickup.bank_id, pickup.policy_id)
        found.append(Fetched(pickup, policy, lines.get(pickup.id, [])))
    return found


async def at_station(
    session: AsyncSession, fetched: Sequence[Fetched], station: Mapping[What, int]
) -> list[Fetched]:
    """The same pickups as if the station's grams had been weighed at their doors."""
    flat = [line for one in fetched for line in one.lines]
    grams = iter(scaled([(line.what, line.grams) for line in flat], station))
    counted = [replace(one, lines=[line.of(next(grams)) for line in one.lines]) for one in fetched]
    new = [what for what in regraded(fetched, station) if station[what]]
    if new:
        (only,) = counted
        counted = [replace(only, lines=[*only.lines, *await _priced(session, only, station, new)])]
    return counted


def door_grams(fetched: Iterable[Fetched]) -> Counter[What]:
    """Grams at the doors by material and condition."""
    grams: Counter[What] = Counter()
    for one in fetched:
        for line in one.lines:
            grams[line.what] += line.grams
    return grams


def regraded(fetched: Iterable[Fetched], station: Mapping[What, int]) -> list[What]:
    """What the station weighed and no door did, in order."""
    door = door_grams(fetched)
    return [what for what, grams in station.items() if grams and not door[what]]


async def quote_regraded(
    session: AsyncSession, fetched: Fetched, weighed: Sequence[What]
) -> Mapping[tuple[str, str], prices.Quote]:
    """Prices for what the station found instead, as in force when the pickup was listed.

    Raises UnknownMaterial or MaterialNotBought, naming lines of /weighings.
    """
    pickup = fetched.pickup
    quotes = await prices.quotes(
        session, pickup.bank_id, Channel.PICKUP, pickup.created_at, weighed, pointer="/weighings"
    )
    return {(quote.material, quote.condition): quote for quote in quotes}


async def _priced(
    session: AsyncSession, fetched: Fetched, station: Mapping[What, int], new: Sequence[What]
) -> list[Line]:
    """Lines for what was re-graded: at the price locked in the listing if there is one."""
    quotes = await quote_regraded(session, fetched, new)
    locked = await _locked_prices(session, fetched.pickup)
    return [
        Line(
            what,
            0,
            locked.get(what, quotes[what].price_idr),
            quotes[what].grams_per_unit,
            0,
        ).of(station[what])
        for what in new
    ]


async def _locked_prices(session: AsyncSession, pickup: Pickup) -> dict[What, int]:
    query = select(PickupItem).where(
        PickupItem.bank_id == pickup.bank_id, PickupItem.pickup_id == pickup.id
    )
    items = await session.exec(query)
    return {What(item.material, item.condition): item.price_idr for item in items}


async def _door_lines(
    session: AsyncSession, pickups: Sequence[Pickup]
) -> dict[UUID | None, list[Line]]:
    query = (
        select(Weighing, Material.grams_per_unit)
        .join(Material, col(Material.code) == Weighing.material)
        .where(
            col(Weighing.bank_id).in_({pickup.bank_id for pickup in pickups}),
            col(Weighing.pickup_id).in_({pickup.id for pickup in pickups}),
        )
        .order_by(col(Weighing.pickup_id), col(Weighing.line))
    )
    rows = await session.exec(query)
    by_pickup = groupby(rows, key=lambda row: row[0].pickup_id)
    return {pickup_id: [_line(*row) for row in group] for pickup_id, group in by_pickup}


def _line(weighing: Weighing, grams_per_unit: int) -> Line:
    what = What(weighing.material, weighing.condition)
    return Line(what, weighing.grams, weighing.price_idr, grams_per_unit, weighing.amount_idr)
