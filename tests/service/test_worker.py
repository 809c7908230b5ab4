"""The worker: people hear of what happened once, and a slow worker does no harm."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.event import Event
from models.idempotency import Answer
from models.pickup import Pickup, PickupStatus
from models.privacy import Purpose
from models.sign_in import SignInCode
from service import consents, events, payouts
from service.keys import Keys
from service.messages import Message, MessageNotSent
from service.worker import Worker
from tests import factories
from tests.factories import Town
from tests.service import sealing as sealed


@dataclass
class Outbox:
    """A messenger that keeps what it was given; the first few sends fail."""

    failures: list[MessageNotSent] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)

    async def close(self) -> None:
        return None


async def due_now(town: Town) -> None:
    async with town.database.transaction() as session:
        await session.exec(
            update(Event)
            .where(col(Event.bank_id) == town.bank_id, col(Event.done_at).is_(None))
            .values(due_at=utc_now() - timedelta(seconds=1))
        )


async def events_of(town: Town) -> list[Event]:
    async with town.database.reading() as session:
        query = select(Event).where(Event.bank_id == town.bank_id).order_by(col(Event.id))
        return list(await session.exec(query))


async def test_a_resident_hears_of_the_weighing_once(town: Town, keys: Keys) -> None:
    outbox = Outbox()
    worker = Worker(town.database, keys, outbox)
    await factories.earn(town, keys, 10_000)
    while await worker.handle_events([town.bank_id]):
        pass
    assert [message.kind for message in outbox.sent] == ["pickup_listed", "pickup_collected"]
    assert {message.to for message in outbox.sent} == {town.resident.phone}
    assert "Rp24.740" in outbox.sent[1].text
    assert await worker.handle_events([town.bank_id]) == 0


async def test_the_resident_is_told_the_handover_code(town: Town, keys: Keys) -> None:
    outbox = Outbox()
    pickup = await factories.list_pickup(town)
    await Worker(town.database, keys, outbox).handle_events([town.bank_id])
    assert keys.handover_code(pickup.id) in outbox.sent[0].text
    assert keys.handover_code(pickup.id) not in (await events_of(town))[0].body


async def test_what_could_not_be_sent_is_tried_again(town: Town, keys: Keys) -> None:
    outbox = Outbox([MessageNotSent("Busy.", retry=True)])
    worker = Worker(town.database, keys, outbox)
    await factories.list_pickup(town)
    await worker.handle_events([town.bank_id])
    assert outbox.sent == []
    (event,) = await events_of(town)
    assert (event.done_at, event.failure) == (None, "Busy.")
    assert event.due_at > utc_now()
    await due_now(town)
    await worker.handle_events([town.bank_id])
    assert len(outbox.sent) == 1


async def test_what_can_never_be_sent_is_not_tried_for_ever(town: Town, keys: Keys) -> None:
    outbox = Outbox([MessageNotSent("No such number.", retry=False)])
    await factories.list_pickup(town)
    await Worker(town.database, keys, outbox).handle_events([town.bank_id])
    (event,) = await events_of(town)
    assert event.done_at is not None


async def test_one_that_can_not_be_told_keeps_nobody_else_from_it(town: Town, keys: Keys) -> None:
    outbox = Outbox()
    async with town.database.transaction() as session:
        resident = town.resident.id
        await events.record(session, town.bank_id, "payout_paid", person_id=resident, body={})
    await factories.list_pickup(town)
    await Worker(town.database, keys, outbox).handle_events([town.bank_id])
    assert [message.kind for message in outbox.sent] == ["pickup_listed"]
    broken, told = await events_of(town)
    assert (broken.done_at, broken.failure) == (None, "KeyError")
    assert told.done_at is not None


async def test_a_taken_event_is_not_taken_again_until_its_lease_ends(town: Town) -> None:
    await factories.list_pickup(town)
    async with town.database.transaction() as session:
        assert len(await events.take(session, [town.bank_id], limit=10)) == 1
    async with town.database.transaction() as session:
        assert await events.take(session, [town.bank_id], limit=10) == []


async def test_a_worker_that_was_too_slow_can_not_finish_an_event(town: Town) -> None:
    await factories.list_pickup(town)
    async with town.database.transaction() as session:
        (slow,) = await events.take(session, [town.bank_id], limit=10)
    await due_now(town)
    async with town.database.transaction() as session:
        (quick,) = await events.take(session, [town.bank_id], limit=10)
    async with town.database.transaction() as session:
        assert await events.resolve(session, [(slow, "")]) == 0
        assert await events.resolve(session, [(quick, "")]) == 1


async def test_an_event_is_given_up_after_many_tries(town: Town) -> None:
    await factories.list_pickup(town)
    for _ in range(events.MAX_FENCE):
        await due_now(town)
        async with town.database.transaction() as session:
            assert len(await events.take(session, [town.bank_id], limit=10)) == 1
    await due_now(town)
    async with town.database.transaction() as session:
        assert await events.take(session, [town.bank_id], limit=10) == []


async def test_listings_end_when_their_window_has_passed(town: Town, keys: Keys) -> None:
    pickup = await factories.list_pickup(town)
    async with town.database.transaction() as session:
        await session.exec(
            update(Pickup)
            .where(col(Pickup.bank_id) == town.bank_id)
            .values(
                window_start=utc_now() - timedelta(hours=2),
                window_end=utc_now() - timedelta(hours=1),
            )
        )
    worker = Worker(town.database, keys, Outbox())
    await worker.sweep([town.bank_id])
    assert (await factories.reload(town, pickup)).status == PickupStatus.EXPIRED
    assert "pickup_expired" in [event.kind for event in await events_of(town)]
    assert (await notices_with_consent(town, keys, given=False)).count("pickup_expired") == 0


async def notices_with_consent(town: Town, keys: Keys, *, given: bool) -> list[str]:
    """What the resident is told once they said so to hearing of more than codes and receipts."""
    who = town.resident.id
    async with town.database.transaction() as session:
        await consents.give(session, who, Purpose.NOTICES, given=given, entered_by=who)
    outbox = Outbox()
    while await Worker(town.database, keys, outbox).handle_events([town.bank_id]):
        pass
    return [message.kind for message in outbox.sent]


async def test_what_is_no_code_and_no_receipt_goes_to_who_agreed(town: Town, keys: Keys) -> None:
    async with town.database.transaction() as session:
        who = town.resident.id
        await events.record(session, town.bank_id, "pickup_expired", person_id=who, body={})
    assert await notices_with_consent(town, keys, given=True) == ["pickup_expired"]


async def test_answers_are_forgotten_after_two_days(town: Town, keys: Keys) -> None:
    async with town.database.transaction() as session:
        for hours in (47, 49):
            session.add(
                Answer(
                    bank_id=town.bank_id,
                    person_id=town.resident.id,
                    key=f"{hours} hours",
                    request_hash="",
                    status=200,
                    body=json.dumps({}),
                    created_at=utc_now() - timedelta(hours=hours),
                )
            )
    await Worker(town.database, keys, Outbox()).sweep([town.bank_id])
    async with town.database.reading() as session:
        kept = await session.exec(select(Answer.key).where(Answer.bank_id == town.bank_id))
        assert list(kept) == ["47 hours"]


async def test_one_bank_whose_payouts_fail_keeps_no_other_from_its_seals(
    town: Town, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await factories.make_town(town.database)
    both, expired = [town.bank_id, other.bank_id], []

    async def fails_for_one(_session: AsyncSession, banks: list[UUID]) -> bool:
        if town.bank_id in banks:
            raise ZeroDivisionError
        expired.extend(banks)
        return False

    monkeypatch.setattr(payouts, "expire_next", fails_for_one)
    for one in (town, other):
        await sealed.act(one, 1)
        await sealed.turn(one)
    await Worker(town.database, keys, Outbox()).sweep(both)
    assert expired == [other.bank_id]
    assert [len(await sealed.seals(one)) for one in (town, other)] == [1, 1]


async def test_codes_that_count_nowhere_any_more_are_forgotten(town: Town, keys: Keys) -> None:
    """A day long tries count, and for 90 days from where a phone was signed in."""
    now, day, phone = utc_now(), timedelta(days=1), str(uuid4())
    ages = [(day * 0.9, False), (day * 1.1, False), (day * 1.1, True), (day * 91, True)]
    async with town.database.transaction() as session:
        for age, is_used in ages:
            at = now - age
            hashes: dict[str, Any] = {"phone_hash": phone, "address": "x", "code_hash": "x"}
            used_at = at if is_used else None
            session.add(SignInCode(**hashes, created_at=at, expires_at=at, used_at=used_at))
    await Worker(town.database, keys, Outbox()).sweep([town.bank_id])
    async with town.database.reading() as session:
        left = await session.exec(select(SignInCode).where(SignInCode.phone_hash == phone))
        assert {now - code.created_at for code in left} == {ages[0][0], ages[2][0]}
