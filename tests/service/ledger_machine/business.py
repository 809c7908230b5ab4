"""Acts of business through the services, beside a plain count of what each should leave.

Rupiah are counted where a resident's waste is bought outright; where its money is shared
when it is sold, sales has tests of its own, and here the sums, the floors and the replay
have to hold. Grams are counted everywhere.
"""

from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import Payout, PayoutMethod
from models.people import Person
from models.sale import Buyer
from service import corrections, ledger, payouts, pickups, station, weighing
from service.errors import Problem
from service.keys import Keys
from service.ledger import chart
from service.station import Unloaded
from service.weighing import Weighed
from tests import factories, selling
from tests.factories import PET, Town
from tests.service import sealing


@dataclass
class Count:
    """What should be where: rupiah by resident, grams on the vehicle and in the store."""

    available: dict[UUID, int] = field(default_factory=dict)
    pending: dict[UUID, int] = field(default_factory=dict)
    held: dict[UUID, int] = field(default_factory=dict)
    load: int = 0
    stock: int = 0
    cash: int = 0
    accepted: int = 0
    refused: int = 0


class Business:
    """One bank that settles in one way."""

    ACTS = (
        "bring", "fetch", "unload", "sell", "ask", "ask", "ask", "approve", "pay", "pay",
        "cancel", "correct", "close",
    )  # fmt: skip

    def __init__(self, town: Town, keys: Keys, buyer: Buyer, people: list[Person]) -> None:
        self.town = town
        nothing = {person.id: 0 for person in people}
        self.count = Count(dict(nothing), dict(nothing), dict(nothing))
        self._keys = keys
        self._buyer = buyer
        self._people = people
        self._payouts: list[Payout] = []
        self._approved: set[UUID] = set()
        self._brought: list[tuple[UUID, UUID, int, int]] = []
        self._shares = town.policy.settlement == "bagi_hasil"

    async def act(self, name: str, who: int, part: int, amount: int) -> None:
        """Do an act; if the product refuses it, nothing may have changed."""
        try:
            await getattr(self, name)(self._people[who], part, amount)
            self.count.accepted += 1
        except Problem:
            self.count.refused += 1
        await self._compare()

    async def bring(self, who: Person, _part: int, grams: int) -> None:
        """To the counter."""
        async with self.town.database.transaction() as session:
            brought, credited = await weighing.dropoff(
                session,
                self.town.bank_id,
                who.id,
                [Weighed(PET, "clean", grams, 0, "")],
                operator_id=self.town.operator.id,
            )
        self._brought.append((brought.id, who.id, grams, credited.credited_idr))
        self.count.stock += grams
        self.count.available[who.id] += credited.credited_idr

    async def fetch(self, who: Person, _part: int, grams: int) -> None:
        """At the door: available, or pending until the station confirms."""
        town = self.town
        asked = factories.a_listing(town, grams=grams)
        listing = replace(asked, resident_id=who.id, entered_by=who.id)
        async with town.database.transaction() as session:
            listed = (await pickups.list_waste(session, listing)).pickup
        pickup = await factories.claim_pickup(town, listed)
        weighed = [Weighed(PET, "clean", grams, 0, "")]
        credited = await factories.collect_pickup(town, self._keys, pickup, weighed)
        self.count.load += grams
        waits = town.policy.credit_when == "station"
        into = self.count.pending if waits else self.count.available
        into[who.id] += credited.credited_idr

    async def unload(self, _who: Person, _part: int, _amount: int) -> None:
        """Off the vehicle, as weighed at the doors."""
        everything = Unloaded(self.town.collector.id, None, None)
        async with self.town.database.transaction() as session:
            by = self.town.operator.id
            await station.receive(session, self.town.bank_id, everything, by=by)
        self.count.stock, self.count.load = self.count.stock + self.count.load, 0
        for who, waiting in self.count.pending.items():
            self.count.available[who] += waiting
            self.count.pending[who] = 0

    async def sell(self, _who: Person, part: int, amount: int) -> None:
        """A part of the store, sometimes more than there is."""
        grams = max(1, self.count.stock * part // 100)
        await selling.sell(self.town, self._buyer, grams, amount)
        assert grams <= self.count.stock, "more was sold than there was"
        self.count.stock -= grams
        self._brought.clear()
        if self._shares:
            await self._take_over()

    async def ask(self, who: Person, part: int, _amount: int) -> None:
        free = self.count.available[who.id]
        amount = max(1, free * part // 100)
        wanted = payouts.Request(self.town.bank_id, who.id, who.id, amount, PayoutMethod.CASH)
        async with self.town.database.transaction() as session:
            self._payouts.append(await payouts.request(session, wanted))
        assert amount <= free, "more was held than there was"
        self.count.available[who.id] -= amount
        self.count.held[who.id] += amount

    async def approve(self, _who: Person, part: int, _amount: int) -> None:
        payout = self._some_payout(part)
        async with self.town.database.transaction() as session:
            fresh = await _fresh(session, payout)
            await payouts.approve(session, fresh, by=self.town.treasurer.id)
        self._approved.add(payout.id)

    async def pay(self, _who: Person, part: int, _amount: int) -> None:
        """Pay what was approved; now and then what was not, which must be refused."""
        payout = self._some_payout(part)
        if payout.id not in self._approved and part < 90:
            await self.approve(_who, part, _amount)
        async with self.town.database.transaction() as session:
            fresh = await _fresh(session, payout)
            await payouts.pay_cash(session, fresh, by=self.town.treasurer.id, proof="kuitansi")
        self._payouts.remove(payout)
        self.count.held[payout.resident_id] -= payout.amount_idr
        self.count.cash -= payout.amount_idr

    async def cancel(self, _who: Person, part: int, _amount: int) -> None:
        payout = self._some_payout(part)
        async with self.town.database.transaction() as session:
            fresh = await _fresh(session, payout)
            await payouts.cancel(session, fresh, by=self.town.treasurer.id, reason="berubah")
        self._payouts.remove(payout)
        self.count.held[payout.resident_id] -= payout.amount_idr
        self.count.available[payout.resident_id] += payout.amount_idr

    async def correct(self, _who: Person, _part: int, _amount: int) -> None:
        """Take the last weighing at the counter back, if nothing was sold since."""
        if not self._brought:
            return
        brought_id, who, grams, credited = self._brought[-1]
        async with self.town.database.transaction() as session:
            act = await corrections.find_act(
                session, self.town.bank_id, journal_id=None, about_id=brought_id
            )
            await corrections.ask(
                session, self.town.bank_id, act, by=self.town.treasurer.id, reason="salah timbang"
            )
        self._brought.pop()
        self.count.stock -= grams
        self.count.available[who] -= credited

    async def close(self, _who: Person, _part: int, amount: int) -> None:
        """Count the drawer and close the day; a second time it is refused."""
        await sealing.close(self.town, amount)
        self.count.cash = amount

    async def is_sound(self) -> None:
        """The replay finds nothing, and every unit sums to zero."""
        async with self.town.database.reading() as session:
            result = await ledger.verify(session, [self.town.bank_id])
            rows = await ledger.trial_balance(session, self.town.bank_id)
        assert result.findings == []
        for unit in {row.unit for row in rows}:
            assert sum(row.balance for row in rows if row.unit == unit) == 0

    def _some_payout(self, part: int) -> Payout:
        if not self._payouts:
            raise payouts.PayoutNotOpen(status="requested")
        return self._payouts[part % len(self._payouts)]

    async def _take_over(self) -> None:
        """What residents got from a shared sale is as the ledger says; it is never less."""
        for person in self._people:
            available = (await self._standing(person)).available_idr
            assert available >= self.count.available[person.id]
            self.count.available[person.id] = available

    async def _compare(self) -> None:
        count = self.count
        for person in self._people:
            found = await self._standing(person)
            assert found.available_idr == count.available[person.id]
            assert found.pending_idr == count.pending[person.id]
            assert found.held_idr == count.held[person.id]
        places = {
            chart.load(self.town.collector.id, PET): count.load,
            chart.stock(PET): count.stock,
            chart.CASH: count.cash,
        }
        async with self.town.database.reading() as session:
            balances = await ledger.balances(session, self.town.bank_id, places)
        assert {place: balances.get(place, 0) for place in places} == places

    async def _standing(self, person: Person) -> ledger.Standing:
        async with self.town.database.reading() as session:
            return await ledger.standing(session, self.town.bank_id, person.id)


async def _fresh(session: AsyncSession, payout: Payout) -> Payout:
    query = select(Payout).where(Payout.bank_id == payout.bank_id, Payout.id == payout.id)
    return (await session.exec(query)).one()
