"""A day of payouts on which everything goes wrong."""

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import ColumnElement, func, update
from sqlmodel import col, select

from models.base import utc_now
from models.payout import UNDER_WAY, GatewayCallback, Payout, PayoutStatus
from service.database import Database
from tests.chaos.branch import Branch
from tests.chaos.network import Line
from tests.crash.processes import Processes

FIRST_FLOAT_IDR = 5_000_000
OPEN = (PayoutStatus.REQUESTED, PayoutStatus.APPROVED, *UNDER_WAY)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much goes wrong. The seed makes the same choices again, if not the same moments."""

    url: str
    folder: Path
    seed: int
    payouts: int
    kills: int
    residents: int = 40
    """Of each bank."""


@dataclass
class Outcome:
    """What happened to everybody."""

    statuses: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """What happened on the lines, and to the processes."""
    top_ups: int = 0
    forged: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """What became of callbacks that were let in."""


class Day:
    """The people and processes of one day."""

    def __init__(self, plan: Plan, database: Database, branches: Sequence[Branch]) -> None:
        self.plan = plan
        self.database = database
        self.branches = branches
        self.outcome = Outcome()
        self.chance = random.Random(plan.seed)
        self._over = asyncio.Event()

    async def live(self, running: Processes) -> None:
        """Ask for payouts while everything goes wrong; at the end nothing does any more."""
        troubles = [
            asyncio.create_task(self._kill(running)),
            asyncio.create_task(self._treasurer()),
            asyncio.create_task(self._forger(running.address)),
            *(asyncio.create_task(self._weather(one)) for one in self.branches),
        ]
        try:
            await asyncio.gather(*(self._ask(branch) for branch in self.branches))
            await troubles[0]
            await self._mostly_sent()
            self._over.set()
            await asyncio.gather(*troubles[1:])
        finally:
            for one in troubles:
                one.cancel()
        for line in self._lines():
            await line.calm()
            self.outcome.met.update(line.met)
        await running.supervise()
        await running.ready()

    async def _ask(self, branch: Branch) -> None:
        for _ in range(self.plan.payouts // len(self.branches)):
            await branch.ask(self.chance)
            await asyncio.sleep(0)

    async def _kill(self, running: Processes) -> None:
        """Server, worker or stand-in; mostly it comes back before the next is killed."""
        victims = self.chance.choices(
            [*running.roles, "stand-in"], [4] * len(running.roles) + [1], k=self.plan.kills
        )
        for victim in victims:
            await self._worked_on(self.chance.randint(3, 12))
            self.outcome.met[f"kill of {victim}"] += 1
            if victim == "stand-in":
                house = self.chance.choice(self.branches).house
                await house.kill()
                await house.start()
            else:
                await running.kill(victim)
                await running.start(victim)
            if self.chance.random() < 0.7:
                await running.ready()
            await let_time_go_by(self)

    async def _worked_on(self, moves: int) -> None:
        """Wait until payouts have moved so often, so that no kill hits idle processes."""
        query = select(func.sum(Payout.moves)).where(
            col(Payout.bank_id).in_([one.bank_id for one in self.branches])
        )
        enough = None
        for _ in range(60):
            async with self.database.reading() as session:
                moved = (await session.exec(query)).one() or 0
            enough = moved + moves if enough is None else enough
            if moved >= enough:
                return
            await asyncio.sleep(0.05)

    async def _mostly_sent(self) -> None:
        """The trouble goes on until nearly everything met some of it, or long enough."""
        waiting = col(Payout.status) == PayoutStatus.APPROVED
        for _ in range(120 + self.plan.payouts):
            if await count(self, waiting) < self.plan.payouts // 20:
                return
            await asyncio.sleep(0.5)
            # Pauses after a refusal double up to many minutes, and nobody here has as long.
            await let_time_go_by(self)

    async def _treasurer(self) -> None:
        """Looks now and then whether a float ran dry."""
        while not await self._is_over_in(0.7):
            await self.fill_floats()

    async def fill_floats(self) -> None:
        for branch in self.branches:
            if await branch.is_stopped():
                self.outcome.top_ups += 1
                await branch.top_up(FIRST_FLOAT_IDR)

    async def _weather(self, branch: Branch) -> None:
        """Short outages of the network, and more calls than the gateway takes."""
        while not await self._is_over_in(self.chance.uniform(0.3, 1.2)):
            if self.chance.random() < 0.4:
                await branch.house.burst(self.chance.randint(1, 6))
            else:
                line = self.chance.choice((branch.calls, branch.callbacks))
                await line.outage(self.chance.uniform(0.05, 0.4))

    async def _forger(self, address: str) -> None:
        """Somebody without the secret tells that payouts were paid, or failed."""
        async with httpx.AsyncClient(base_url=address, timeout=5) as http:
            while not await self._is_over_in(0.25):
                branch = self.chance.choice(self.branches)
                if known := await branch.newest():
                    await self._forge(http, branch, self.chance.choice(known))

    async def _forge(self, http: httpx.AsyncClient, branch: Branch, payout: Payout) -> None:
        paid = self.chance.random() < 0.5
        told: dict[str, object] = {
            "reference_no": payout.gateway_id or "unknown",
            "amount": f"{payout.send_idr}.00",
            "status": "completed" if paid else "failed",
        }
        headers = {"iris-signature": secrets.token_hex(64)}
        if branch.name == "xendit":
            data = {
                "id": payout.gateway_id or "disb-unknown",
                "reference_id": payout.key,
                "amount": payout.send_idr,
                "status": "SUCCEEDED" if paid else "FAILED",
            }
            told = {"event": "payout.succeeded", "data": data}
            headers = {"x-callback-token": secrets.token_hex(16)}
        try:
            path = f"/v1/gateways/{branch.name}/callbacks"
            answer = await http.post(path, content=json.dumps(told), headers=headers)
        except httpx.TransportError:
            return
        assert answer.status_code in (401, 503), answer.text
        self.outcome.forged += answer.status_code == 401

    async def _is_over_in(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _lines(self) -> list[Line]:
        return [line for one in self.branches for line in (one.calls, one.callbacks)]


async def let_time_go_by(day: Day, *more: PayoutStatus) -> None:
    """Leases end, pauses are over, and callbacks that came too early are looked at again."""
    banks, now = [one.bank_id for one in day.branches], utc_now()
    async with day.database.transaction() as session:
        await session.exec(
            update(Payout)
            .where(
                col(Payout.bank_id).in_(banks),
                col(Payout.status).in_([*OPEN, *more]),
                col(Payout.due_at) > now,
            )
            .values(due_at=now)
        )
        await session.exec(
            update(GatewayCallback)
            .where(col(GatewayCallback.handled_at).is_(None))
            .values(due_at=now)
        )


async def count(day: Day, which: ColumnElement[bool]) -> int:
    banks = [one.bank_id for one in day.branches]
    query = select(func.count()).where(col(Payout.bank_id).in_(banks), which)
    async with day.database.reading() as session:
        return (await session.exec(query)).one()
