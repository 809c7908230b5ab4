"""A day in the demo town, lived against a running server over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from models.people import Role
from service.demo import books, town
from service.demo.fleet import Fleet, Job, Vehicle
from service.demo.phones import CallFailed, Network, Phone, ReadCode
from service.demo.plan import Errand, errands, weighed, wish
from service.demo.tally import Summary, Tally, call_times

Watch = Callable[[str, int, int], None]
"""Told which part of the day it is, how much of it is done, and of how much."""
Act = Callable[[], Awaitable[None]]


class Scale(NamedTuple):
    """How large a day: deposits, clients at a time, and what chance begins with."""

    pickups: int
    clients: int = 8
    seed: int = 1


async def live(
    http: httpx.AsyncClient, read_code: ReadCode, scale: Scale, watch: Watch | None = None
) -> Summary:
    """Live the day and add it up. Raises CallFailed if not even the treasurer can sign in."""
    started = perf_counter()
    network = Network(http, read_code, Random(scale.seed))  # noqa: S311  A play.
    day = Day(network, scale, watch or _nobody_watches)
    # Alone at first: what fails here would fail for everybody.
    await day.phones[town.TREASURER].sign_in()
    await day.sign_in()
    await day.list_waste()
    await day.fetch()
    await day.pay_out()
    await day.check()
    return await day.summary(started)


@dataclass
class Day:
    """The parts of a day, to be lived one after the other."""

    network: Network
    scale: Scale
    watch: Watch
    tally: Tally = field(default_factory=Tally)
    jobs: dict[str, Job] = field(default_factory=dict)
    phones: dict[str, Phone] = field(init=False)
    errands: list[Errand] = field(init=False)
    accounts: dict[tuple[str, UUID], town.Townsperson] = field(init=False)
    """Who has to do with which bank today."""

    def __post_init__(self) -> None:
        self.phones = {one.phone: Phone(self.network, one.phone) for one in town.people()}
        self.errands = errands(self.scale.seed, self.scale.pickups)
        self.accounts = {(one.resident.phone, one.bank_id): one.resident for one in self.errands}

    async def sign_in(self) -> None:
        """Everybody who has something to do today."""
        numbers = {phone for phone, _ in self.accounts} | {town.OPERATOR}
        numbers |= {collector.phone for collector in town.with_role(Role.COLLECTOR)}
        await self._all("Sign in", [self.phones[number].sign_in for number in sorted(numbers)])

    async def list_waste(self) -> None:
        """Most is listed to be fetched; some is brought to the bank."""
        acts = [
            partial(self._bring if errand.is_brought else self._list, errand)
            for errand in self.errands
        ]
        await self._all("List waste", acts)

    async def fetch(self) -> None:
        """The collectors drive until there is nothing left."""
        listed = len(self.jobs)

        def tell() -> None:
            self.watch("Fetch", listed - len(self.jobs), listed)

        tell()
        vehicles = [self._vehicle(one) for one in town.with_role(Role.COLLECTOR)]
        fleet = Fleet(self.network, self.phones, self.jobs, self.tally, vehicles, tell)
        await fleet.fetch_all(self.scale.clients)
        if self.jobs:
            self.network.calls.fail("collect", f"{len(self.jobs)} pickups were never collected")

    async def pay_out(self) -> None:
        """Residents ask for cash, and the treasurer decides."""
        acts = [partial(self._payout, *account) for account in self.accounts.items()]
        await self._all("Pay out", acts)

    async def check(self) -> None:
        """What the passbooks say must be what the answers said."""
        await self._all("Check", [partial(self._check, *account) for account in self.accounts])

    async def summary(self, started: float) -> Summary:
        """The figures of the day."""
        treasurer, tally = self.phones[town.TREASURER], self.tally
        trial_balances = [await books.trial_balance(treasurer, bank) for bank in town.BANKS]
        materials = await treasurer.get("materials", "/v1/materials")
        names = {material["code"]: material["name"] for material in materials["items"]}
        return Summary(
            pickups=tally.pickups,
            dropoffs=tally.dropoffs,
            kilograms=[(code, names[code], n / 1000) for code, n in tally.grams.most_common()],
            rejected_kg=tally.rejected_grams / 1000,
            credited_idr=_total(tally.credited),
            fees_idr=tally.fees_idr,
            paid_idr=_total(tally.paid),
            payouts=dict(tally.payouts),
            driven_km=tally.driven_m / 1000,
            released=tally.released,
            wrong_codes=tally.wrong_codes,
            books=trial_balances,
            calls=call_times(self.network.calls.times_ms),
            failures=self.network.calls.failures,
            seconds=perf_counter() - started,
        )

    async def _all(self, part: str, acts: Sequence[Act]) -> None:
        """Do these with as many clients as the day has; what fails is noted, and passed by."""
        waiting = iter(acts)
        done = 0

        async def client() -> None:
            nonlocal done
            for act in waiting:
                with suppress(CallFailed):
                    await act()
                done += 1
                self.watch(part, done, len(acts))

        async with asyncio.TaskGroup() as group:
            for _ in range(self.scale.clients):
                group.create_task(client())

    async def _list(self, errand: Errand) -> None:
        resident = self.phones[errand.resident.phone]
        position = errand.resident.position
        answer = await resident.post(
            "list",
            "/v1/pickups",
            {
                "bank_id": str(errand.bank_id),
                "position": {"lat": position.lat, "lon": position.lon},
                "address": errand.resident.address,
                "items": _items(errand),
            },
        )
        self.jobs[answer.body["id"]] = Job(
            resident,
            self._luck(errand),
            code=answer.body["handover_code"],
            is_released=errand.is_released,
            has_wrong_code=errand.has_wrong_code,
        )

    async def _bring(self, errand: Errand) -> None:
        operator, number = self.phones[town.OPERATOR], errand.resident.phone
        bank = f"/v1/banks/{errand.bank_id}"
        members = await operator.get(
            "find a member", f"{bank}/members", phone=number, role=Role.RESIDENT
        )
        answer = await operator.post(
            "drop off",
            f"{bank}/dropoffs",
            {
                "resident_id": members["items"][0]["person_id"],
                "weighings": weighed(self._luck(errand), _items(errand)),
            },
        )
        self.tally.note_dropoff((number, str(errand.bank_id)), answer.body)

    async def _payout(self, account: tuple[str, UUID], resident: town.Townsperson) -> None:
        phone, bank_id = self.phones[resident.phone], str(account[1])
        wanted = wish(self.scale.seed, resident, account[1])
        book = await phone.get("passbook", f"/v1/passbooks/{bank_id}")
        amount = wanted.amount_idr(book["available_idr"])
        if amount < town.MIN_PAYOUT_IDR:
            return
        asked = await phone.post(
            "ask for a payout",
            "/v1/payouts",
            {"bank_id": bank_id, "amount_idr": amount, "method": "cash"},
        )
        ended = await self._end(phone, f"/v1/payouts/{asked.body['id']}", wanted.ends)
        self.tally.note_payout((resident.phone, bank_id), ended)

    async def _end(self, resident: Phone, payout: str, how: str) -> dict[str, Any]:
        treasurer = self.phones[town.TREASURER]
        if how == "cancelled":
            return (await resident.post("cancel a payout", f"{payout}/cancel")).body
        if how == "rejected":
            reason = {"reason": "Kas hari ini tidak cukup"}
            return (await treasurer.post("reject a payout", f"{payout}/reject", reason)).body
        await treasurer.post("approve a payout", f"{payout}/approve")
        proof = {"proof": f"Kuitansi {payout[-6:].upper()}"}
        return (await treasurer.post("pay in cash", f"{payout}/pay-cash", proof)).body

    async def _check(self, number: str, bank_id: UUID) -> None:
        account = (number, str(bank_id))
        credited, paid = self.tally.credited[account], self.tally.paid[account]
        phone = self.phones[number]
        await books.check_passbook(self.network, phone, account[1], credited, paid)

    def _vehicle(self, collector: town.Townsperson) -> Vehicle:
        (bank,) = (bank for bank in town.BANKS if bank.id in collector.banks)
        return Vehicle(self.phones[collector.phone], bank, bank.position)

    def _luck(self, errand: Errand) -> Random:
        return Random(f"{self.scale.seed}/{errand.number}")  # noqa: S311  A play.


def _items(errand: Errand) -> list[dict[str, Any]]:
    return [
        {"material": line.material, "condition": line.condition, "estimated_grams": line.grams}
        for line in errand.deposit
    ]


def _total(amounts: dict[tuple[str, str], dict[str, int]]) -> int:
    return sum(sum(by_origin.values()) for by_origin in amounts.values())


def _nobody_watches(_part: str, _done: int, _of: int) -> None:
    """For a day without a progress bar."""
