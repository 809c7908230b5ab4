"""Collectors on their way: they claim, drive, weigh, and empty the vehicle at the bank."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from routing.geo import Point
from service.demo import town
from service.demo.phones import CallFailed, Network, Phone
from service.demo.plan import weighed
from service.demo.tally import Account, Tally

CAPACITY_GRAMS = 400_000
_NEARLY_FULL_GRAMS = 40_000
_MOST_JOBS = 5


@dataclass
class Job:
    """A listing as its resident knows it, and what is going to happen at the door."""

    resident: Phone
    random: Random
    code: str = ""
    is_released: bool = False
    has_wrong_code: bool = False
    is_ours: bool = True
    """Listed today by us; other people's listings may hold surprises that aren't failures."""


@dataclass
class Vehicle:
    """A collector with a tricycle: where it is, and how much still goes on it."""

    phone: Phone
    bank: town.TownBank
    position: Point
    left_grams: int = CAPACITY_GRAMS
    way_home_m: int = 0

    @property
    def is_empty(self) -> bool:
        return self.left_grams == CAPACITY_GRAMS

    def unload(self) -> int:
        """Empty it at the bank; the metres driven to get there."""
        driven_m, self.way_home_m = self.way_home_m, 0
        self.left_grams, self.position = CAPACITY_GRAMS, self.bank.position
        return driven_m


@dataclass
class Fleet:
    """All vehicles, and by pickup the jobs not yet done. A vehicle that finds nothing rests."""

    network: Network
    phones: dict[str, Phone]
    jobs: dict[str, Job]
    tally: Tally
    vehicles: list[Vehicle]
    on_collected: Callable[[], None]
    _ready: asyncio.Queue[Vehicle | None] = field(default_factory=asyncio.Queue)
    _resting: list[Vehicle] = field(default_factory=list)

    async def fetch_all(self, clients: int) -> None:
        """Drive until every vehicle rests."""
        for vehicle in self.vehicles:
            await self._finish_what_is_held(vehicle)
            self._ready.put_nowait(vehicle)
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._drive(clients))

    async def _drive(self, clients: int) -> None:
        while (vehicle := await self._ready.get()) is not None:
            if await self._trip(vehicle):
                self._ready.put_nowait(vehicle)
                continue
            self._resting.append(vehicle)
            if len(self._resting) == len(self.vehicles):
                for _ in range(clients):
                    self._ready.put_nowait(None)

    def _wake(self, bank: town.TownBank) -> None:
        """There is a job again that another collector has given back."""
        for vehicle in [one for one in self._resting if one.bank == bank]:
            self._resting.remove(vehicle)
            self._ready.put_nowait(vehicle)

    async def _finish_what_is_held(self, vehicle: Vehicle) -> None:
        """A day that was broken off leaves jobs in collectors' hands."""
        for status in ("claimed", "arrived"):
            with suppress(CallFailed):
                held = await vehicle.phone.get("my jobs", "/v1/pickups", status=status, limit=200)
                for pickup in held["items"]:
                    await self._stop(vehicle, pickup["id"], pickup["position"])

    async def _trip(self, vehicle: Vehicle) -> bool:
        """One drive with up to five stops. False if there is nothing to fetch."""
        try:
            route = await _claim(vehicle)
        except CallFailed:
            return False
        if route is None:
            had_load = not vehicle.is_empty
            self.tally.driven_m += vehicle.unload()
            return had_load
        for stop in route["stops"]:
            self.tally.driven_m += stop["leg_m"]
            with suppress(CallFailed):
                await self._stop(vehicle, stop["pickup_id"], stop["position"])
        vehicle.way_home_m = route["total_m"] - sum(stop["leg_m"] for stop in route["stops"])
        if vehicle.left_grams < _NEARLY_FULL_GRAMS:
            self.tally.driven_m += vehicle.unload()
        return True

    async def _stop(self, vehicle: Vehicle, pickup_id: str, position: dict[str, float]) -> None:
        vehicle.position = Point(**position)
        job = self.jobs.get(pickup_id)
        if job is not None and job.is_released:
            await self._give_back(vehicle, pickup_id, "Ban bocor")
            job.is_released = False
            self.tally.released += 1
            self._wake(vehicle.bank)
            return
        allow = () if job else ("claim_expired",)
        arrived = await vehicle.phone.post(
            "arrive", f"/v1/pickups/{pickup_id}/arrive", {"position": position}, allow=allow
        )
        if not arrived.problem:
            await self._weigh(vehicle, arrived.body, job or await self._adopt(arrived.body))

    async def _weigh(self, vehicle: Vehicle, pickup: dict[str, Any], job: Job | None) -> None:
        if job is None:
            await self._give_back(vehicle, pickup["id"], "Bukan warga kota demo")
            return
        weighings = weighed(job.random, pickup["items"])
        if job.has_wrong_code:
            await self._collect(vehicle, pickup, job, weighings, code=_mistyped(job.code))
        answer = await self._collect(vehicle, pickup, job, weighings, code=job.code)
        if answer:
            vehicle.left_grams -= sum(line["grams"] for line in weighings)
            vehicle.left_grams = max(vehicle.left_grams, 1)
            account: Account = (job.resident.number, pickup["bank_id"])
            self.tally.note_pickup(account, answer)
            if self.jobs.pop(pickup["id"], None):
                self.on_collected()

    async def _collect(
        self,
        vehicle: Vehicle,
        pickup: dict[str, Any],
        job: Job,
        weighings: list[dict[str, Any]],
        *,
        code: str,
    ) -> dict[str, Any]:
        """Hand over with a code; nothing if it was to be refused, and was."""
        is_wrong = code != job.code
        allow = ("wrong_handover_code",) if is_wrong else ()
        if not job.is_ours:
            allow = (*allow, "handover_code_locked")
        answer = await vehicle.phone.post(
            "collect with a wrong code" if is_wrong else "collect",
            f"/v1/pickups/{pickup['id']}/collect",
            {
                "handover_code": code,
                "weighings": weighings,
                "position": pickup["position"],
            },
            allow=allow,
        )
        if is_wrong and not answer.problem:
            raise self.network.calls.fail("collect", "A wrong handover code was accepted.")
        self.tally.wrong_codes += is_wrong
        return answer.body

    async def _adopt(self, pickup: dict[str, Any]) -> Job | None:
        """Somebody of the town listed it by hand, or on a day that was broken off."""
        phone = self.phones.get(pickup["resident"]["phone"])
        if phone is None:
            return None
        told = await phone.get("my pickup", f"/v1/pickups/{pickup['id']}")
        random = Random(pickup["id"])  # noqa: S311  A play.
        return Job(phone, random, code=told["handover_code"], is_ours=False)

    async def _give_back(self, vehicle: Vehicle, pickup_id: str, reason: str) -> None:
        await vehicle.phone.post("release", f"/v1/pickups/{pickup_id}/release", {"reason": reason})


async def _claim(vehicle: Vehicle) -> dict[str, Any] | None:
    """A route with the best jobs that still fit; None if there are none."""
    answer = await vehicle.phone.post(
        "claim",
        "/v1/jobs/claim",
        {
            "position": {"lat": vehicle.position.lat, "lon": vehicle.position.lon},
            "max_jobs": _MOST_JOBS,
            "capacity_grams": vehicle.left_grams,
        },
        allow=("no_open_pickup",),
    )
    route: dict[str, Any] | None = answer.body.get("route")
    return route


def _mistyped(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
