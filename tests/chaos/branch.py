"""A waste bank that pays through one gateway: its people, its payouts, its float."""

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from models.base import utc_now
from models.payout import Cause, GatewayFloat, Payout, PayoutMethod, PayoutStatus
from models.people import Person, Role
from service import ledger, payouts
from service.database import Database
from service.gateways import Reported, Stage
from service.ledger import Draft, Movement, chart
from service.standin import scenarios
from service.standin.options import Options
from tests import factories
from tests.chaos.house import House
from tests.chaos.network import BAD_CALLBACKS, BAD_CALLS, Line
from tests.factories import Town

EARNED_IDR = 10_000_000
SMALLEST_IDR, LARGEST_IDR = 30_000, 300_000
ORDINARY = "4321"
SCENARIOS: Mapping[str, int] = {
    ORDINARY: 40,
    scenarios.FAILS: 7,
    scenarios.FAILS_ONCE: 8,
    scenarios.COMES_BACK: 8,
    scenarios.NOT_ANSWERED: 6,
    scenarios.TOLD_TWICE: 6,
    scenarios.TOLD_FIRST: 6,
    scenarios.TOLD_FALSELY: 6,
    scenarios.NOT_COMPLIANT: 5,
    scenarios.ANSWERED_500: 8,
    scenarios.NOT_TOLD: 8,
}


_ENDED = ("", "SUCCEEDED", "completed", "FAILED", "COMPLIANCE_REJECTED", "failed", "rejected")


@dataclass
class Branch:
    """A bank, its gateway, and the lines between the two."""

    town: Town
    house: House
    calls: Line
    callbacks: Line
    second: Person
    """Another treasurer than who approves."""
    residents: Sequence[tuple[Person, str]]
    """Each with an account, whose last digits say what happens to payouts there."""

    @property
    def name(self) -> str:
        """What its gateway is called."""
        return str(self.house.options.gateway)

    @property
    def bank_id(self) -> UUID:
        return self.town.bank_id

    def table(self, port: int, timeout_s: float) -> str:
        """Its account in the file of gateways, reached at a port."""
        options = self.house.options
        path, keys = "", {"secret_key": options.key}
        if options.gateway == "iris":
            path = "/iris/api/v1"
            keys = {"creator_key": options.key, "approver_key": options.approver_key}
        facts = {
            "name": self.name,
            "kind": self.name,
            "url": f"http://127.0.0.1:{port}{path}",
            **keys,
            "callback_secret": options.callback_secret,
        }
        lines = [f'{name} = "{value}"' for name, value in facts.items()]
        lines += [
            f'banks = ["{self.bank_id}"]',
            f"fee_idr = {options.fee_idr}",
            f"timeout_s = {timeout_s}",
        ]
        return "\n".join(["[[account]]", *lines, ""])

    async def ask(self, chance: random.Random) -> None:
        """Somebody asks for a payout, and the treasurer agrees."""
        resident, account = chance.choice(self.residents)
        wanted = payouts.Request(
            self.bank_id,
            resident.id,
            resident.id,
            chance.randint(SMALLEST_IDR, LARGEST_IDR),
            PayoutMethod.BANK,
            "BCA",
            account,
            "Siti Aminah",
        )
        async with self.town.database.transaction() as session:
            payout = await payouts.request(session, wanted)
            await payouts.approve(session, payout, by=self.town.treasurer.id)

    async def top_up(self, amount_idr: int) -> None:
        """Money to the gateway, entered in the book; a queue that stands still goes on."""
        await self.house.top_up(amount_idr)
        await self._enter(amount_idr)

    async def decide(self) -> None:
        """A second treasurer looks into the gateway's own book for what nobody ends."""
        theirs = {one["key"]: one for one in await self.house.book()}
        for payout in await self.payouts():
            if payout.status in (PayoutStatus.UNKNOWN, PayoutStatus.SENT):
                found = theirs.get(payout.key, {"status": "", "lines": []})
                if found["status"] in _ENDED:
                    # Where the gateway's word came first, there is nothing left to decide.
                    with suppress(payouts.PayoutNotOpen):
                        await self._decide(payout, found)

    async def _decide(self, payout: Payout, found: Mapping[str, Any]) -> None:
        """What cost something was paid; if it says that it failed, it has come back since."""
        cost = -sum(line["amount_idr"] for line in found["lines"])
        async with self.town.database.transaction() as session:
            fresh = await factories.payout_in(session, payout)
            fresh.unknown_at = fresh.sent_at = utc_now() - payouts.DOUBT_FOR
            await session.flush()
            by, reason = self.second.id, "buku gerbang bayar"
            await payouts.decide(session, fresh, was_paid=cost > 0, by=by, reason=reason)
            if cost > 0 and found["status"] in ("failed", "REVERSED"):
                back = Reported(Stage.REVERSED, fresh.gateway_id)
                await payouts.settle(session, self.bank_id, fresh.id, back, Cause.REPORT, by)

    async def is_stopped(self) -> bool:
        query = select(GatewayFloat.gateway).where(
            GatewayFloat.bank_id == self.bank_id, col(GatewayFloat.stopped_at).is_not(None)
        )
        async with self.town.database.reading() as session:
            return (await session.exec(query)).first() is not None

    async def payouts(self) -> list[Payout]:
        """All there are, oldest first."""
        query = select(Payout).where(Payout.bank_id == self.bank_id).order_by(col(Payout.id))
        async with self.town.database.reading() as session:
            return list(await session.exec(query))

    async def newest(self) -> list[Payout]:
        """Some that are likely to be under way."""
        query = (
            select(Payout)
            .where(Payout.bank_id == self.bank_id)
            .order_by(col(Payout.id).desc())
            .limit(20)
        )
        async with self.town.database.reading() as session:
            return list(await session.exec(query))

    async def enter_first_float(self) -> None:
        """What the gateway holds from its first day on."""
        await self._enter(self.house.options.float_idr)

    async def _enter(self, amount_idr: int) -> None:
        source, by = chart.bank_account("bri"), self.town.treasurer.id
        entered = payouts.TopUp(self.name, source, amount_idr, "", by)
        async with self.town.database.transaction() as session:
            await payouts.top_up(session, self.bank_id, entered)


async def make_branch(
    database: Database,
    options: Options,
    *,
    residents: int,
    chance: random.Random,
    ends: Mapping[str, int] = SCENARIOS,
) -> Branch:
    """A bank whose residents have earned enough; nothing runs yet. `ends` says how often an
    account ends in what."""
    fee_by = chance.choice(("bank", "resident"))
    town = await factories.make_town(
        database, payout_fee_by=fee_by, payout_fee_permille=1_000, destination_waits_h=0
    )
    branch = Branch(
        town,
        House(options),
        Line(chance.randrange(10**6), BAD_CALLS),
        Line(chance.randrange(10**6), BAD_CALLBACKS),
        await factories.another(town, Role.TREASURER),
        await _residents(town, _accounts(residents, ends, chance)),
    )
    await branch.enter_first_float()
    return branch


def _accounts(count: int, ends: Mapping[str, int], chance: random.Random) -> list[str]:
    chosen = chance.choices(list(ends), list(ends.values()), k=count)
    return [f"{100_000 + number}{end}" for number, end in enumerate(chosen)]


async def _residents(town: Town, accounts: Sequence[str]) -> list[tuple[Person, str]]:
    async with town.database.transaction() as session:
        people = [
            await factories.add_person(session, town.bank_id, Role.RESIDENT) for _ in accounts
        ]
        moves = [
            Movement(f"earned:{one.id}", chart.PURCHASES, chart.available(one.id), EARNED_IDR)
            for one in people
        ]
        await ledger.post(session, town.bank_id, Draft("pickup", moves, event_at=utc_now()))
    return list(zip(people, accounts, strict=True))
