"""A gateway that says what it is told to say, and payouts on their way to it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from models.base import utc_now
from models.payout import Payout, PayoutMethod, PayoutMove
from models.people import Person
from service import ledger, payouts
from service.gateways import (
    Answer,
    Channel,
    Finding,
    Gateway,
    GatewayNotReached,
    Missing,
    NamesNotTold,
    NotGenuine,
    Notice,
    NotReadable,
    Order,
    Reported,
    Stage,
)
from service.ledger import chart
from service.payouts import Sender, upkeep
from tests.factories import Town, payout_in

FEE_IDR = 2_775
RICH = 10**9
BCA = Channel("BCA", "BCA", False, 1, 250_000_000, FEE_IDR)
DANA = Channel("DANA", "DANA", True, 10_000, 20_000_000, 1_000)
BOTH = (BCA, DANA)
TOKEN = "token-of-tests"


def taken(order: Order) -> Reported:
    """The gateway accepts it."""
    return Reported(Stage.SENT, f"disb-{order.key[-12:]}")


def said(stage: Stage, order: Order, failure: str = "", *, try_again: bool = False) -> Reported:
    return Reported(stage, taken(order).gateway_id, failure, try_again)


@dataclass
class ScriptedGateway:
    """Answers as its script says, and else accepts; remembers what it was asked."""

    name: str = "gate"
    answers: list[Answer | Exception | Stage] = field(default_factory=list)
    findings: list[Finding | Exception | Stage] = field(default_factory=list)
    sent: list[Order] = field(default_factory=list)
    asked: list[Order] = field(default_factory=list)
    balance: int | None = RICH
    holders: dict[str, str | None] | None = None
    held: asyncio.Event | None = None
    offered: Sequence[Channel] = BOTH

    async def channels(self) -> Sequence[Channel]:
        return self.offered

    async def send(self, order: Order) -> Answer:
        self.sent.append(order)
        if self.held is not None:
            await self.held.wait()
        answer = _next(self.answers, order)
        assert not isinstance(answer, Missing)
        return answer

    async def find(self, order: Order) -> Finding:
        self.asked.append(order)
        if not self.findings:
            is_known = any(one.key == order.key for one in self.sent)
            return taken(order) if is_known else Missing(may_send=True)
        finding = _next(self.findings, order)
        assert not hasattr(finding, "retry_after_s")
        return finding

    async def balance_idr(self) -> int:
        if self.balance is None:
            raise GatewayNotReached("down")
        return self.balance

    async def holder_of(self, channel_code: str, account_number: str) -> str | None:
        if self.holders is None:
            raise NamesNotTold
        return self.holders.get(account_number)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if headers.get("x-token") != TOKEN:
            raise NotGenuine
        return self.read_notice(body)

    def read_notice(self, body: bytes) -> Notice:
        try:
            told = json.loads(body)
            report = Reported(Stage(told["stage"]), told["gateway_id"], told.get("failure", ""))
            return Notice(told["key"], told["gateway_id"], told.get("amount_idr"), report)
        except (ValueError, KeyError, TypeError):
            raise NotReadable from None

    async def close(self) -> None:
        """Nothing is open."""


def _next(
    script: list[Answer | Exception | Stage] | list[Finding | Exception | Stage], order: Order
) -> Answer | Finding:
    line = script.pop(0) if script else Stage.SENT
    if isinstance(line, Exception):
        raise line
    return said(line, order) if isinstance(line, Stage) else line


@dataclass
class OneGateway:
    """An installation with one gateway, for every bank, if no others are put beside it."""

    gateway: ScriptedGateway = field(default_factory=ScriptedGateway)
    shared: bool = False
    others: list[Gateway] = field(default_factory=list)

    def is_shared(self, name: str) -> bool:
        return self.shared

    def of(self, bank_id: UUID) -> list[Gateway]:
        return [self.gateway, *self.others]

    def named(self, name: str) -> Gateway | None:
        return next((one for one in (self.gateway, *self.others) if one.name == name), None)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Till:
    """A town that pays through a scripted gateway."""

    town: Town
    gateways: OneGateway = field(default_factory=OneGateway)

    @property
    def gateway(self) -> ScriptedGateway:
        return self.gateways.gateway

    @property
    def sender(self) -> Sender:
        """A worker that knows nothing from before."""
        return Sender(self.town.database, self.gateways)

    async def open(self) -> None:
        """The bank knows its channels, as after a round of upkeep."""
        async with self.town.database.transaction() as session:
            await upkeep.replace_channels(session, self.town.bank_id, "gate", BOTH)

    async def ask(
        self,
        amount_idr: int = 50_000,
        *,
        by: Person | None = None,
        channel: str = "BCA",
        account: str = "1234567890",
    ) -> Payout:
        """A transfer that the resident, or somebody, asked for."""
        who = by or self.town.resident
        method = PayoutMethod.EWALLET if channel == "DANA" else PayoutMethod.BANK
        wanted = payouts.Request(
            self.town.bank_id, who.id, who.id, amount_idr, method, channel, account, "Siti Aminah"
        )
        async with self.town.database.transaction() as session:
            return await payouts.request(session, wanted)

    async def approve(self, payout: Payout) -> Payout:
        async with self.town.database.transaction() as session:
            fresh = await payout_in(session, payout)
            await payouts.approve(session, fresh, by=self.town.treasurer.id)
        return fresh

    async def approved(self, amount_idr: int = 50_000, *, channel: str = "BCA") -> Payout:
        account = "+6281234567890" if channel == "DANA" else "1234567890"
        return await self.approve(await self.ask(amount_idr, channel=channel, account=account))

    async def work(self, rounds: int = 1) -> None:
        """So many rounds of a worker, each when everything is due again."""
        for _ in range(rounds):
            await self.make_due()
            await self.sender.send_due([self.town.bank_id])

    async def make_due(self) -> None:
        async with self.town.database.transaction() as session:
            await session.exec(
                update(Payout)
                .where(col(Payout.bank_id) == self.town.bank_id, col(Payout.due_at).is_not(None))
                .values(due_at=utc_now())
            )

    async def state(self, payout: Payout) -> Payout:
        async with self.town.database.reading() as session:
            return await payout_in(session, payout)

    async def statuses(self, payout: Payout) -> list[str]:
        """Every state it was in."""
        query = (
            select(PayoutMove.to_status)
            .where(PayoutMove.bank_id == payout.bank_id, PayoutMove.payout_id == payout.id)
            .order_by(col(PayoutMove.number))
        )
        async with self.town.database.reading() as session:
            return list(await session.exec(query))

    async def standing(self) -> tuple[int, int]:
        """What the resident can ask for, and what is held."""
        async with self.town.database.reading() as session:
            found = await ledger.standing(session, self.town.bank_id, self.town.resident.id)
        return found.available_idr, found.held_idr

    async def balance(self, place: ledger.Place) -> int:
        async with self.town.database.reading() as session:
            return (await ledger.balances(session, self.town.bank_id, [place])).get(place, 0)

    async def float_idr(self) -> int:
        return await self.balance(chart.float("gate"))
