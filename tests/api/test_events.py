"""The event stream: one's own events as they happen, and nobody else's."""

from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI

from models.base import id_at, instant_of, new_id, utc_now
from models.event import Event
from models.people import Person, Role
from models.plan import PlanStatus
from service import events, plans
from service.api.dependencies import Parts
from service.app import create_app
from service.database import Database
from service.keys import Keys
from service.settings import Settings
from tests.api.asking import Asking, refused
from tests.api.streaming import Told, following
from tests.factories import Town, another, list_pickup, make_town
from tests.planning import asked


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    made = create_app(parts.settings)
    made.state.parts = parts
    return made


async def happen(town: Town, person: Person, kind: str = "pickup_collected") -> str:
    """Record an event of this person; its id."""
    async with town.database.transaction() as session:
        before = id_at(utc_now() - timedelta(seconds=1))
        await events.record(session, town.bank_id, kind, person_id=person.id, body={"grams": 5})
        found = await events.since(session, [town.bank_id], person.id, before, limit=100)
        return str(found[-1].id)


async def test_what_happens_is_told(app: FastAPI, keys: Keys, town: Town) -> None:
    async with following(app, keys, town.resident) as stream:
        pickup = await list_pickup(town)
        told = await stream.next()
    assert told.kind == "pickup_listed"
    assert told.data is not None
    assert told.data["pickup_id"] == str(pickup.id)
    assert told.data["bank_id"] == str(town.bank_id)
    assert told.id is not None
    assert abs(instant_of(UUID(told.id)) - utc_now()) < timedelta(minutes=1)


async def test_nobody_hears_of_anybody_else(app: FastAPI, keys: Keys, town: Town) -> None:
    other = await another(town, Role.RESIDENT)
    async with following(app, keys, other) as stream:
        await happen(town, town.resident)
        await happen(town, other, "goods_sold")
        assert (await stream.next()).kind == "goods_sold"
        assert stream.messages.empty()


async def test_who_left_the_bank_hears_nothing(
    app: FastAPI, keys: Keys, town: Town, database: Database
) -> None:
    elsewhere = await make_town(database)
    async with following(app, keys, town.resident) as stream:
        # An event of this person at a bank that they have no part in.
        await happen(elsewhere, town.resident)
        await happen(town, town.resident, "goods_sold")
        assert (await stream.next()).kind == "goods_sold"


async def test_it_goes_on_after_the_last_that_was_heard(
    app: FastAPI, keys: Keys, town: Town
) -> None:
    first, second, third = [await happen(town, town.resident) for _ in range(3)]
    async with following(app, keys, town.resident, after=first) as stream:
        assert [(await stream.next()).id for _ in range(2)] == [second, third]


async def test_one_that_was_committed_late_is_told_after_all(
    app: FastAPI, keys: Keys, town: Town
) -> None:
    early = new_id()
    last = await happen(town, town.resident)
    async with following(app, keys, town.resident, after=last) as stream:
        async with town.database.transaction() as session:
            session.add(
                Event(bank_id=town.bank_id, id=early, kind="late", person_id=town.resident.id)
            )
        assert (await stream.next()).id == str(early)


async def test_more_than_a_batch_comes_once_and_in_order(
    app: FastAPI, keys: Keys, town: Town
) -> None:
    begun = str(id_at(utc_now() - timedelta(hours=1)))
    ids = [new_id() for _ in range(250)]
    async with town.database.transaction() as session:
        for made in ids:
            session.add(Event(bank_id=town.bank_id, id=made, kind="x", person_id=town.resident.id))
    async with following(app, keys, town.resident, after=begun) as stream:
        assert [(await stream.next()).id for _ in ids] == list(map(str, ids))
        await happen(town, town.resident, "afterwards")
        assert (await stream.next()).kind == "afterwards"


async def test_what_is_older_than_a_week_is_not_told(app: FastAPI, keys: Keys, town: Town) -> None:
    old = id_at(utc_now() - timedelta(days=8))
    async with town.database.transaction() as session:
        session.add(Event(bank_id=town.bank_id, id=old, kind="old", person_id=town.resident.id))
    now = await happen(town, town.resident)
    async with following(app, keys, town.resident, after=str(UUID(int=0))) as stream:
        assert (await stream.next()).id == now


async def test_a_sign_of_life_says_where_to_go_on(app: FastAPI, keys: Keys, town: Town) -> None:
    async with following(app, keys, town.resident) as stream:
        await happen(town, town.resident)
        await stream.next()
        (beat,) = stream.beats
    assert abs(instant_of(UUID(beat)) - utc_now()) < timedelta(seconds=30)


async def test_officers_hear_how_far_a_plan_is(app: FastAPI, keys: Keys, town: Town) -> None:
    await list_pickup(town)
    plan = await asked(town)
    async with following(app, keys, town.treasurer) as stream:
        assert progress(await stream.next()) == (str(plan.id), "queued", 0.0)
        async with town.database.transaction() as session:
            taken = await plans.records.take(session, [town.bank_id])
            assert taken is not None
            await plans.records.go_on(session, taken, 250)
        assert progress(await stream.next()) == (str(plan.id), "running", 0.25)
        async with town.database.transaction() as session:
            await plans.records.end(session, taken, PlanStatus.FAILED, failure="no way")
        assert progress(await stream.next()) == (str(plan.id), "failed", 0.25)


async def test_a_plan_that_ended_meanwhile_is_told_once(
    app: FastAPI, keys: Keys, town: Town
) -> None:
    before = str(id_at(utc_now()))
    await list_pickup(town)
    plan = await asked(town)
    await plans.Desk(town.database).work_one([town.bank_id])
    async with following(app, keys, town.treasurer, after=before) as stream:
        assert progress(await stream.next()) == (str(plan.id), "done", 1.0)
        await happen(town, town.treasurer, "afterwards")
        assert (await stream.next()).kind == "afterwards"


async def test_who_plans_nothing_hears_of_no_plan(app: FastAPI, keys: Keys, town: Town) -> None:
    await list_pickup(town)
    await asked(town)
    async with following(app, keys, town.collector) as stream:
        await happen(town, town.collector)
        assert (await stream.next()).kind == "pickup_collected"


async def test_who_hangs_up_frees_the_place(app: FastAPI, keys: Keys, town: Town) -> None:
    async with following(app, keys, town.resident):
        assert app.state.streams.open == 1
    assert app.state.streams.open == 0


async def test_no_connection_is_held_between_two_looks(
    app: FastAPI, keys: Keys, town: Town
) -> None:
    async with following(app, keys, town.resident) as stream:
        await happen(town, town.resident)
        await stream.next()
        pool = town.database.reader.pool
        assert pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_stream_ends_in_time(parts: Parts, keys: Keys, town: Town) -> None:
    app = create_app(Settings(data_dir=parts.settings.data_dir, event_stream_s=0.01))
    short = Parts(app.state.settings, parts.database, keys, parts.messenger, None)
    app.state.parts = short
    async with following(app, keys, town.resident) as stream:
        await stream.ends()


async def test_streams_end_when_the_server_stops(app: FastAPI, keys: Keys, town: Town) -> None:
    async with following(app, keys, town.resident) as stream:
        app.state.streams.stopping.set()
        await stream.ends()


async def test_nobody_has_a_fourth_stream(
    app: FastAPI, asking: Asking, keys: Keys, town: Town
) -> None:
    async with (
        following(app, keys, town.resident),
        following(app, keys, town.resident),
        following(app, keys, town.resident),
        following(app, keys, town.operator) as others,
        following(app, keys, town.resident) as fourth,
    ):
        assert (others.status.result(), fourth.status.result()) == (200, 429)


async def test_a_process_has_so_many_streams(parts: Parts, keys: Keys, town: Town) -> None:
    app = create_app(Settings(data_dir=parts.settings.data_dir, event_streams=1))
    app.state.parts = parts
    async with (
        following(app, keys, town.resident),
        following(app, keys, town.operator) as second,
    ):
        assert second.status.result() == 429


async def test_strangers_and_nonsense_are_refused(asking: Asking, town: Town) -> None:
    refused(await asking.get(None, "/v1/events"), 401, "no_valid_token")
    answer = await asking.client.get(
        "/v1/events", headers=asking.headers(town.resident) | {"Last-Event-ID": "yesterday"}
    )
    refused(answer, 422, "request_malformed")


def progress(told: Told) -> tuple[str, str, float]:
    assert (told.kind, told.id) == ("plan_progress", None)
    assert told.data is not None
    return told.data["plan_id"], told.data["status"], told.data["progress"]
