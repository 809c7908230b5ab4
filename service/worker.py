"""What happens without anybody asking: notices go out, old claims come back, windows close."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select

from models.bank import Bank
from models.base import utc_now
from models.event import Event
from models.idempotency import Answer
from models.people import Person
from models.privacy import Purpose
from service import auth, claims, consents, events, months, payouts, pickups, privacy, sealing
from service.database import Database
from service.keys import Keys
from service.messages import MessageNotSent, Messenger
from service.notices import OPTIONAL, notice_of
from service.pausing import pause

log = logging.getLogger(__name__)

BATCH = 25
PAUSE_S = 1.0
SWEEP_EVERY_S = 15.0
ANSWERS_KEPT = timedelta(hours=48)
PLACES_KEPT = timedelta(days=30)


class Worker:
    """Takes due events with a lease, does them, and sweeps; any number may run."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        messenger: Messenger,
        *,
        places_kept: timedelta = PLACES_KEPT,
    ) -> None:
        self._database = database
        self._keys = keys
        self._messenger = messenger
        self._places_kept = places_kept

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop. What fails is logged and tried again."""
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        while not stop.is_set():
            try:
                handled = await self.handle_events()
                if loop.time() >= next_sweep:
                    await self.sweep()
                    next_sweep = loop.time() + SWEEP_EVERY_S
            except Exception:
                log.exception("worker_round_failed")
                handled = 0
            # A full batch means that more are waiting. Else a pause, so that a busy bank's
            # notices go out a batch at a time and not one by one.
            if handled < BATCH:
                await pause(stop, PAUSE_S)

    async def handle_events(self, bank_ids: list[UUID] | None = None) -> int:
        """Take one batch of due events and tell people; how many were taken."""
        banks = await self._banks() if bank_ids is None else bank_ids
        if not await self._anything_due(banks):
            return 0
        async with self._database.transaction() as session:
            taken = await events.take(session, banks, limit=BATCH)
        if taken:
            await self._handle(taken)
        return len(taken)

    async def sweep(self, bank_ids: list[UUID] | None = None) -> None:
        """Put lapsed claims and unapproved payouts back, end listings whose window passed,
        forget old answers, places and codes."""
        banks = await self._banks() if bank_ids is None else bank_ids
        await _guarded(self._put_back, banks)
        await _guarded(self._expire_payouts, banks)
        await _guarded(self._forget_places, banks)
        await _guarded(self._keep_months, banks)
        await _guarded(self._forget_codes, [])
        await self.seal(banks)

    async def _put_back(self, banks: list[UUID]) -> None:
        async with self._database.transaction() as session:
            await claims.sweep(session, banks)
            await pickups.expire(session, banks)
            await session.exec(
                delete(Answer).where(
                    col(Answer.bank_id).in_(banks),
                    col(Answer.created_at) < utc_now() - ANSWERS_KEPT,
                )
            )

    async def _forget_places(self, banks: list[UUID]) -> None:
        """A batch a sweep: there are more sweeps in a day than pickups."""
        await privacy.forget_old(self._database, banks, utc_now() - self._places_kept)

    async def _keep_months(self, banks: list[UUID]) -> None:
        await months.keep_due(self._database, banks)

    async def _forget_codes(self, _banks: list[UUID]) -> None:
        """Of everybody: a code belongs to no bank."""
        async with self._database.transaction() as session:
            await auth.forget_old(session)

    async def _expire_payouts(self, banks: list[UUID]) -> None:
        while await self._expire_a_payout(banks):
            pass

    async def seal(self, banks: list[UUID]) -> None:
        """Turn pages, close the days that are over, and seal what is final."""
        await sealing.turn_due(self._database, banks)
        await sealing.close_overdue(self._database, banks)
        await sealing.seal(self._database, self._keys, banks)
        await sealing.seal_days(self._database, self._keys, banks)

    async def _expire_a_payout(self, banks: list[UUID]) -> bool:
        async with self._database.transaction() as session:
            return await payouts.expire_next(session, banks)

    async def _handle(self, taken: list[Event]) -> None:
        """Tell whom it concerns, outside of any transaction; then note how it went."""
        people = await self._people({event.person_id for event in taken})
        agreeing = await self._agreeing(taken)
        loop = asyncio.get_running_loop()
        until = loop.time() + events.LEASE.total_seconds() / 2
        # Who can't be told within the lease is left for whoever takes them next.
        told = [
            (event, await self._tell(event, people, agreeing))
            for event in taken
            if loop.time() < until
        ]
        async with self._database.transaction() as session:
            await events.resolve(session, told)

    async def _people(self, ids: set[UUID | None]) -> dict[UUID | None, Person]:
        async with self._database.reading() as session:
            found = await session.exec(select(Person).where(col(Person.id).in_(ids)))
            return {person.id: person for person in found}

    async def _agreeing(self, taken: list[Event]) -> set[UUID]:
        """Who of them agreed to hear of what is neither a code nor a receipt."""
        whose = {event.person_id for event in taken if event.kind in OPTIONAL and event.person_id}
        if not whose:
            return set()
        async with self._database.reading() as session:
            return await consents.those_who_agree(session, whose, Purpose.NOTICES)

    async def _tell(
        self, event: Event, people: dict[UUID | None, Person], agreeing: set[UUID]
    ) -> str:
        """Send the notice of an event; why that failed, if it is worth another try."""
        try:
            person = people.get(event.person_id)
            if event.kind in OPTIONAL and event.person_id not in agreeing:
                return ""
            message = notice_of(event, person, self._keys) if person else None
            if message is not None:
                await self._messenger.send(message)
        except MessageNotSent as error:
            log.warning("notice_not_sent %s retry=%s", event.kind, error.retry)
            return str(error) if error.retry else ""
        except Exception as error:
            # One that can't be told must not keep the others from being told.
            log.exception("notice_failed %s", event.kind)
            return type(error).__name__
        return ""

    async def _banks(self) -> list[UUID]:
        async with self._database.reading() as session:
            return list(await session.exec(select(Bank.id)))

    async def _anything_due(self, banks: list[UUID]) -> bool:
        """A look that takes no writer's turn."""
        query = (
            select(Event.id)
            .where(
                col(Event.bank_id).in_(banks),
                col(Event.done_at).is_(None),
                col(Event.due_at) <= utc_now(),
                col(Event.fence) < events.MAX_FENCE,
            )
            .limit(1)
        )
        async with self._database.reading() as session:
            return (await session.exec(query)).first() is not None


async def _guarded(do: Callable[[list[UUID]], Awaitable[None]], banks: list[UUID]) -> None:
    """Do it for all banks at once; if that fails, for each by itself, so that one fails alone."""
    try:
        await do(banks)
    except Exception:
        log.exception("sweep_failed")
        if len(banks) > 1:
            for bank_id in banks:
                await _guarded(do, [bank_id])
