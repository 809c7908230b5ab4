"""Sending: what is due goes out through its gateway, several at a time, each of them once.

Nothing waits for a gateway inside a transaction. A payout is leased and counts as sent
before the call; what the call brought is written down after it. Whoever dies in between
leaves a payout that is asked about before it is sent again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from models.bank import Bank
from models.base import utc_now
from models.payout import Cause, Payout, PayoutStatus
from service.database import Database
from service.gateways import (
    Answer,
    Gateway,
    GatewayNotReached,
    Gateways,
    Missing,
    Order,
    Refused,
    Unknown,
)
from service.gateways.failures import FLOAT_TOO_LOW, NOT_SET_UP
from service.pausing import pause
from service.payouts import callbacks, floats, queue, upkeep
from service.payouts.queue import WORKED_ON, Task

log = logging.getLogger(__name__)

IN_FLIGHT = 8
PAUSE_S = 1.0
GATHERED_S = 0.02
UPKEEP_EVERY_S = 600.0
BALANCE_KNOWN_S = 15.0


class Sender:
    """Sends what is due and asks about what is under way; any number may run."""

    def __init__(self, database: Database, gateways: Gateways) -> None:
        self._database = database
        self._gateways = gateways
        self._purse = _Purse()
        self._under_way: dict[asyncio.Task[None], str] = {}
        """What is being worked on, with the gateway that it waits for."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop. What fails is logged and tried again."""
        looking = asyncio.create_task(self._look_after(stop))
        while not stop.is_set():
            try:
                begun = await self.begin_due()
            except Exception:
                log.exception("sending_failed")
                begun = 0
            if not begun:
                await self.until_free(stop)
        await asyncio.gather(looking, *self._under_way)

    async def send_due(self, banks: Sequence[UUID] | None = None) -> int:
        """Take a batch of what is due and work on all of it at once; how many."""
        tasks = await self._take(banks, {})
        await asyncio.gather(*(self._work(task) for task in tasks))
        return len(tasks)

    async def begin_due(self, banks: Sequence[UUID] | None = None) -> int:
        """Begin what is due, as far as its gateway has room beside what is under way; how many.

        Each gateway has IN_FLIGHT places of its own, so that one that doesn't answer keeps
        nobody waiting but those who are paid through it.
        """
        tasks = await self._take(banks, Counter(self._under_way.values()))
        for task in tasks:
            working = asyncio.create_task(self._work(task))
            self._under_way[working] = task.payout.gateway
            working.add_done_callback(self._under_way.pop)
        return len(tasks)

    async def until_free(self, stop: asyncio.Event) -> None:
        """Wait until something has ended, and no longer than until the next look."""
        if not self._under_way:
            await pause(stop, PAUSE_S)
            return
        ended, _ = await asyncio.wait(
            self._under_way, timeout=PAUSE_S, return_when=asyncio.FIRST_COMPLETED
        )
        if ended:
            # Others end at about the same time, and a few are taken as cheaply as one.
            await asyncio.sleep(GATHERED_S)

    async def _look_after(self, stop: asyncio.Event) -> None:
        """What goes on beside the payouts: channels, callbacks that wait, names to check."""
        loop = asyncio.get_running_loop()
        next_upkeep = loop.time()
        while not stop.is_set():
            try:
                if loop.time() >= next_upkeep:
                    next_upkeep = loop.time() + UPKEEP_EVERY_S
                    await upkeep.refresh_channels(self._database, self._gateways)
                    async with self._database.transaction() as session:
                        await callbacks.forget_old(session)
                await callbacks.handle_waiting(self._database, self._gateways)
                await upkeep.check_names(self._database, self._gateways)
            except Exception:
                log.exception("looking_after_failed")
            await pause(stop, PAUSE_S)

    async def _take(self, banks: Sequence[UUID] | None, under_way: Mapping[str, int]) -> list[Task]:
        async with self._database.reading() as session:
            found = list(await session.exec(select(Bank.id))) if banks is None else list(banks)
            # A look that takes no writer's turn.
            due = select(Payout.id).where(
                col(Payout.bank_id).in_(found),
                col(Payout.due_at) <= utc_now(),
                col(Payout.status).in_(WORKED_ON),
                col(Payout.gateway).not_in(queue.full(under_way, IN_FLIGHT)),
            )
            if (await session.exec(due.limit(1))).first() is None:
                return []
        async with self._database.transaction() as session:
            return await queue.take(session, found, IN_FLIGHT, under_way)

    async def _work(self, task: Task) -> None:
        try:
            answer, cause = await self._call(task)
            async with self._database.transaction() as session:
                await queue.record(session, task, answer, cause)
        except Exception:
            # Its lease runs out, and then it is asked about.
            log.exception("payout_not_worked %s", task.payout.id)

    async def _call(self, task: Task) -> tuple[Answer, Cause]:
        gateway = self._gateways.named(task.payout.gateway)
        if gateway is None:
            log.error("gateway_missing %s", task.payout.gateway)
            return _not_set_up(task), Cause.WORKER
        if not task.must_ask:
            return await self._send(gateway, task.payout), Cause.ANSWER
        found = await _safely(gateway.find(order_of(task.payout)))
        if not isinstance(found, Missing):
            return found, Cause.QUERY
        if not found.may_send or task.payout.status == PayoutStatus.PAID:
            return Unknown("The gateway doesn't know it, and it can't be sent again."), Cause.QUERY
        return await self._send(gateway, task.payout), Cause.ANSWER

    async def _send(self, gateway: Gateway, payout: Payout) -> Answer:
        if not await self._is_covered(gateway, payout):
            return Refused(FLOAT_TOO_LOW, try_again=True, float_empty=True)
        return await _safely(gateway.send(order_of(payout)))

    async def _is_covered(self, gateway: Gateway, payout: Payout) -> bool:
        """Whether there is enough, as far as is known; the gateway has the last word."""
        if self._gateways.is_shared(gateway.name):
            async with self._database.reading() as session:
                left = await floats.left_of(session, payout)
            # What the others have put in is not this bank's to send.
            if left < 0:
                return False
        needed = payout.send_idr + payout.fee_idr
        if self._purse.spend(gateway.name, needed):
            return True
        try:
            balance = await gateway.balance_idr()
        except GatewayNotReached:
            return True
        self._purse.fill(gateway.name, balance)
        async with self._database.transaction() as session:
            await floats.note(session, payout.bank_id, gateway.name, balance)
        return self._purse.spend(gateway.name, needed)


def order_of(payout: Payout) -> Order:
    """What a gateway is told of a payout: the same whenever it is told."""
    return Order(
        key=payout.key,
        channel_code=payout.channel_code,
        account_number=payout.account_number,
        account_holder_name=payout.account_holder_name,
        amount_idr=payout.send_idr,
        description="Pencairan bank sampah",
        gateway_id=payout.gateway_id,
        first_sent_at=payout.asked_at,
        was_paid=payout.status == PayoutStatus.PAID,
    )


def _not_set_up(task: Task) -> Answer:
    """Nothing is certain of what was sent while the gateway was still set up."""
    if task.must_ask:
        return Unknown("Its gateway isn't set up any more.")
    return Refused(NOT_SET_UP, try_again=True, retry_after_s=3_600)


class _Purse:
    """What each gateway held when it was last asked, less what went out since."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, int]] = {}

    def fill(self, gateway: str, balance_idr: int) -> None:
        self._left[gateway] = (asyncio.get_running_loop().time() + BALANCE_KNOWN_S, balance_idr)

    def spend(self, gateway: str, needed_idr: int) -> bool:
        until, left = self._left.get(gateway, (0.0, 0))
        if left < needed_idr or until < asyncio.get_running_loop().time():
            return False
        self._left[gateway] = (until, left - needed_idr)
        return True


Said = TypeVar("Said")


async def _safely(call: Awaitable[Said]) -> Said | Unknown:
    """What a gateway says; if its adapter stumbles, nobody knows what was sent."""
    try:
        return await call
    except Exception as error:
        log.exception("gateway_failed")
        return Unknown(type(error).__name__)
