"""A running day: households whose waste is fetched, weighed, credited and paid, over HTTP.

Everybody repeats what got no answer with the same Idempotency-Key, as a phone does, until
there is one. What was answered is written down, to be looked for in the database.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from models.people import Person, Role
from service.keys import Keys
from tests import factories
from tests.api import asking
from tests.factories import PET, Town

_PAUSE_S = 0.01


class AnsweredWrongly(AssertionError):
    """A call that should have been answered 2xx or 503 got something else."""


@dataclass
class Told:
    """What the households were told: everything here was answered 2xx."""

    calls: dict[str, str] = field(default_factory=dict)
    """The idempotency key of every answered call, and what kind of call it was."""
    pickups: dict[UUID, str] = field(default_factory=dict)
    dropoffs: set[UUID] = field(default_factory=set)
    payouts: dict[UUID, str] = field(default_factory=dict)
    available: dict[UUID, int] = field(default_factory=dict)
    """Rupiah that each resident can ask for."""
    held: dict[UUID, int] = field(default_factory=dict)
    unanswered: int = 0
    """Times that a call was cut off."""
    put_off: int = 0
    """Times that a call was answered 503 or 507."""
    replayed: int = 0
    """Repeats of what had been committed without an answer."""

    def count(self, kind: str) -> int:
        return sum(1 for one in self.calls.values() if one == kind)


class Household:
    """One resident and one collector, who live one day's loop over and over."""

    def __init__(self, day: "Day", resident: Person, collector: Person) -> None:
        self._day = day
        self._resident = resident
        self._collector = collector
        day.told.available[resident.id] = day.told.held[resident.id] = 0

    async def live(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            act = self._day.chance.choice((self._pickup, self._pickup, self._dropoff, self._payout))
            await act()

    async def _pickup(self) -> None:
        day, told = self._day, self._day.told
        listed = await day.ask("list", self._resident, "/v1/pickups", asking.listing(day.town))
        pickup_id = UUID(listed["id"])
        told.pickups[pickup_id] = "open"
        await day.ask("claim", self._collector, f"/v1/pickups/{pickup_id}/claim", {})
        told.pickups[pickup_id] = "claimed"
        weighed = asking.handover(day.keys, pickup_id, weighings=[self._weighing()])
        answer = await day.ask(
            "collect", self._collector, f"/v1/pickups/{pickup_id}/collect", weighed
        )
        told.pickups[pickup_id] = "collected"
        told.available[self._resident.id] += answer["credited_idr"]

    async def _dropoff(self) -> None:
        day, told = self._day, self._day.told
        body = {"resident_id": str(self._resident.id), "weighings": [self._weighing()]}
        path = f"/v1/banks/{day.town.bank_id}/dropoffs"
        answer = await day.ask("dropoff", day.town.operator, path, body)
        told.dropoffs.add(UUID(answer["id"]))
        # The first one and every third: by chance a short day might have none.
        if len(told.dropoffs) % 3 == 1:
            wrong = {"about_id": answer["id"], "reason": "salah timbang"}
            corrections = f"/v1/banks/{day.town.bank_id}/corrections"
            await day.ask("correct", day.town.treasurer, corrections, wrong)
        else:
            told.available[self._resident.id] += answer["credited_idr"]

    async def _payout(self) -> None:
        day, told, mine = self._day, self._day.told, self._resident.id
        if told.available[mine] < 1_000:
            return
        amount = day.chance.randint(1_000, told.available[mine])
        body = asking.payout(day.town, amount)
        payout_id = UUID((await day.ask("payout", self._resident, "/v1/payouts", body))["id"])
        told.payouts[payout_id] = "requested"
        told.available[mine] -= amount
        told.held[mine] += amount
        if day.chance.random() < 0.2:
            await self._end(payout_id, "cancel", "cancelled", self._resident)
            told.available[mine] += amount
        else:
            await self._end(payout_id, "approve", "approved", day.town.treasurer)
            await self._end(payout_id, "pay-cash", "paid", day.town.treasurer)
        told.held[mine] -= amount

    async def _end(self, payout_id: UUID, verb: str, status: str, who: Person) -> None:
        await self._day.ask(verb, who, f"/v1/payouts/{payout_id}/{verb}", {})
        self._day.told.payouts[payout_id] = status

    def _weighing(self) -> dict[str, Any]:
        return asking.weighing(material=PET, grams=self._day.chance.randint(500, 9_000))


class Day:
    """A bank's day over HTTP, and all that was told to its people."""

    def __init__(self, town: Town, keys: Keys, http: httpx.AsyncClient, seed: int) -> None:
        self.town = town
        self.keys = keys
        self.told = Told()
        self.chance = random.Random(seed)
        self._http = http
        self._stop = asyncio.Event()
        self._clients: list[asyncio.Task[None]] = []

    async def begin(self, households: int) -> None:
        for _ in range(households):
            resident = await factories.another(self.town, Role.RESIDENT)
            collector = await factories.another(self.town, Role.COLLECTOR)
            household = Household(self, resident, collector)
            self._clients.append(asyncio.create_task(household.live(self._stop)))

    def check(self) -> None:
        """Raise what made a household give up."""
        for client in self._clients:
            if client.done():
                client.result()

    async def end(self) -> None:
        """Let everybody finish what they began."""
        self._stop.set()
        await asyncio.wait_for(asyncio.gather(*self._clients), 60)

    def abandon(self) -> None:
        for client in self._clients:
            client.cancel()

    async def ask(self, kind: str, who: Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask until there is an answer, always under the same key."""
        key = str(uuid4())
        answer = await self._try(who, path, body, key)
        while answer is None:
            await asyncio.sleep(_PAUSE_S)
            answer = await self._try(who, path, body, key)
        if not answer.is_success:
            raise AnsweredWrongly(f"{path} was answered {answer.status_code}: {answer.text}")
        self.told.calls[key] = kind
        self.told.replayed += "Idempotency-Replayed" in answer.headers
        found: dict[str, Any] = answer.json()
        return found

    async def _try(
        self, who: Person, path: str, body: dict[str, Any], key: str
    ) -> httpx.Response | None:
        headers = factories.bearer(self.keys, who) | {"Idempotency-Key": key}
        try:
            answer = await self._http.post(path, json=body, headers=headers)
        except httpx.TransportError:
            self.told.unanswered += 1
            return None
        if answer.status_code in (503, 507):
            assert answer.headers["Content-Type"] == "application/problem+json", answer.text
            self.told.put_off += 1
            return None
        return answer
