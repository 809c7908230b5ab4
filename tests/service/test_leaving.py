"""A part in a bank ends once what it brought is settled, and what is known of it stays known."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.event import Event
from models.people import Membership, Person, Role
from models.pickup import PickupStatus
from service import audit, claims, drawers, leaving, ledger, notices, plans, privacy
from service.errors import NoSuchThing, NotAllowed
from service.keys import Keys
from service.ledger import Draft, Movement, Place, chart
from service.privacy import breaches
from tests.factories import (
    Town,
    another,
    attached,
    change_pickup,
    claim_pickup,
    give,
    list_pickup,
    reload,
)
from tests.planning import worked
from tests.races import Act, slower_of
from tests.unloading import fetch


def ending(town: Town, who: Person, role: Role, by: Person | None = None) -> Act:
    return lambda session: leaving.end(
        session, town.bank_id, who.id, role, by=by.id if by else None
    )


async def end(town: Town, who: Person, role: Role) -> None:
    async with town.database.transaction() as session:
        await ending(town, who, role)(session)


async def ended_by_treasurer(town: Town, who: Person, role: Role) -> None:
    """The same with what the edge writes of it."""
    async with town.database.transaction() as session:
        await ending(town, who, role)(session)
        entry = audit.Entry(audit.END_PART, about_kind="role", about=role.value, person_id=who.id)
        await audit.write(session, town.bank_id, [entry])


async def parts_of(town: Town, who: Person) -> list[str]:
    async with town.database.reading() as session:
        query = select(Membership.role).where(Membership.person_id == who.id)
        return list(await session.exec(query.order_by(col(Membership.role))))


async def test_one_part_ends_and_the_others_stay(town: Town) -> None:
    await give(town, town.collector, Role.OPERATOR, Role.RESIDENT)
    await list_of_their_own(town)
    await end(town, town.collector, Role.COLLECTOR)
    assert await parts_of(town, town.collector) == ["operator", "resident"]
    with pytest.raises(NoSuchThing):
        await end(town, town.collector, Role.COLLECTOR)
    with pytest.raises(leaving.PassbookStays):
        await end(town, town.collector, Role.RESIDENT)


async def list_of_their_own(town: Town) -> None:
    """What a collector has as a resident is nothing of their part: waste, and money."""
    listed = await list_pickup(town)
    await change_pickup(town, listed.id, resident_id=town.collector.id)
    await owe(town, chart.available(town.collector.id))


async def owe(town: Town, place: Place) -> None:
    movement = Movement("", debit=chart.CASH, credit=place, amount=5_000)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("dropoff", [movement], utc_now()))


async def test_a_collectors_jobs_load_and_earnings_come_first(town: Town, keys: Keys) -> None:
    pickup = await claim_pickup(town, await list_pickup(town))
    with pytest.raises(privacy.JobsStillHeld):
        await end(town, town.collector, Role.COLLECTOR)
    await change_pickup(town, pickup.id, status=PickupStatus.CANCELLED)
    second = await another(town, Role.COLLECTOR)
    await owe(town, chart.earnings(second.id))
    with pytest.raises(privacy.MoneyNotPaidOut):
        await end(town, second, Role.COLLECTOR)
    await fetch(town, keys)
    with pytest.raises(privacy.LoadNotSettled):
        await end(town, town.collector, Role.COLLECTOR)


async def test_an_officers_drawer_is_closed_first_and_the_last_treasurer_stays(
    town: Town,
) -> None:
    await open_drawer(town)
    with pytest.raises(privacy.DrawerStillKept):
        await end(town, town.operator, Role.OPERATOR)
    with pytest.raises(privacy.LastTreasurer):
        await end(town, town.treasurer, Role.TREASURER)
    with pytest.raises(leaving.EndsOwnPart):
        await ending_own(town)
    async with town.database.transaction() as session:
        with pytest.raises(leaving.CityStays):
            await ending(town, town.city, Role.CITY, town.treasurer)(session)
    await end(town, town.city, Role.CITY)
    assert await parts_of(town, town.city) == []


async def ending_own(town: Town) -> None:
    async with town.database.transaction() as session:
        await ending(town, town.treasurer, Role.TREASURER, town.treasurer)(session)


async def open_drawer(town: Town) -> None:
    async with town.database.transaction() as session:
        await opening(town)(session)


def opening(town: Town, officer: Person | None = None) -> Act:
    whose = (officer or town.operator).id
    return lambda session: drawers.open_drawer(
        session, town.bank_id, whose.hex, officer_id=whose, by=town.treasurer.id
    )


async def test_of_two_treasurers_who_end_each_other_one_stays(town: Town) -> None:
    second = await another(town, Role.TREASURER)
    refusal = await slower_of(
        town,
        ending(town, second, Role.TREASURER, town.treasurer),
        ending(town, town.treasurer, Role.TREASURER, second),
    )
    assert isinstance(refusal, privacy.LastTreasurer)
    assert await parts_of(town, town.treasurer) == ["treasurer"]


async def test_nobody_claims_or_keeps_a_drawer_while_their_part_ends(town: Town) -> None:
    pickup = await list_pickup(town)

    async def claiming(session: AsyncSession) -> None:
        fresh = await attached(session, pickup)
        await claims.claim(session, fresh, town.collector.id)

    if town.database.writer is None:
        # SQLite's one writer reads who somebody is in the transaction of the act.
        refusal = await slower_of(town, ending(town, town.collector, Role.COLLECTOR), claiming)
        assert isinstance(refusal, NotAllowed)
    refusal = await slower_of(town, opening(town), ending(town, town.operator, Role.OPERATOR))
    assert isinstance(refusal, privacy.DrawerStillKept)
    third = await another(town, Role.OPERATOR)
    to_them = opening(town, third)
    assert isinstance(
        await slower_of(town, ending(town, third, Role.OPERATOR), to_them), NoSuchThing
    )


async def test_a_plan_gives_nothing_to_whose_part_ended(town: Town) -> None:
    pickup = await list_pickup(town)
    plan = await worked(town)
    await end(town, town.collector, Role.COLLECTOR)
    async with town.database.transaction() as session:
        fresh = await plans.find(session, town.bank_id, plan.id)
        applied = await plans.apply(session, fresh, by=town.operator.id)
    assert (applied.given, applied.not_open) == ([], [pickup.id])
    assert (await reload(town, pickup)).status == PickupStatus.OPEN


async def test_who_left_is_still_shown_told_of_and_forgotten(
    town: Town, keys: Keys, tmp_path: Path
) -> None:
    left = await another(town, Role.COLLECTOR)
    await list_pickup(town)
    await ended_by_treasurer(town, left, Role.COLLECTOR)
    report = breaches.Report("A list was lost", None, [left.id], whole_bank=False)
    async with town.database.transaction() as session:
        await breaches.report(session, town.bank_id, report, by=town.treasurer.id)
        assert await audit.banks_of(session, left.id) == [town.bank_id]
        assert await audit.banks_of(session, town.resident.id) == [town.bank_id]
        told = await privacy.export(session, keys, left)
        assert [row["kind"] for row in told["event"]] == ["part_ended"]
        await privacy.delete(session, keys, left.id, by=left.id, messages=tmp_path / "none")
        assert (await privacy.export(session, keys, left))["event"][0]["body"] == "{}"


def test_they_are_told_in_their_language(keys: Keys) -> None:
    said = json.dumps({"bank": "Bank Sampah Melati", "role": "treasurer"})
    event = Event(bank_id=uuid4(), kind="part_ended", body=said)
    people = [Person(phone="+6281", language=one) for one in ("id", "en")]
    texts = [told.text for one in people if (told := notices.notice_of(event, one, keys))]
    assert texts == [
        "Peran Anda di Bank Sampah Melati sudah diakhiri: bendahara. Bila keliru, hubungi bank sampah.",
        "Your part at Bank Sampah Melati was ended: treasurer. If that is a mistake, tell the waste"
        " bank.",
    ]
