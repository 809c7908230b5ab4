"""The board, claims, routes and plans on real roads; and with a router that is dead."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from models.privacy import Purpose
from routing.geo import Point, about
from routing.roads import Router
from routing.roads.osrm import Osrm
from service import consents, plans
from service.api.dependencies import Parts
from service.database import Database
from tests.api.asking import Asking, done
from tests.factories import Town, list_pickup, make_town
from tests.planning import an_ask, asked, found
from tests.routing import lame, osrm

BANK = Point(43.7384, 7.4246)
DOORS = [
    Point(43.7401, 7.4266),
    Point(43.7347, 7.4206),
    Point(43.7310, 7.4150),
    Point(43.7440, 7.4310),
    Point(43.7365, 7.4190),
]
HERE = {"lat": BANK.lat, "lon": BANK.lon}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with osrm.needed_server() as url:
        yield url


@pytest.fixture
async def roads(address: str, app: FastAPI, parts: Parts, asking: Asking) -> AsyncIterator[Router]:
    """The application with a router; `asking` comes first, for it sets the parts."""
    async with httpx.AsyncClient() as client:
        router = Router(Osrm(address, client), timeout_s=10.0)
        app.state.parts = replace(parts, router=router)
        yield router


@pytest.fixture
async def monaco(database: Database) -> Town:
    town = await make_town(database, at=BANK)
    for door in DOORS:
        await list_pickup(town, at=door)
    who = town.collector.id
    async with database.transaction() as session:
        # Else it is rounded where they begin.
        await consents.give(session, who, Purpose.LOCATION, given=True, entered_by=who)
    return town


async def drives(router: Router) -> list[int]:
    """Metres by road from the bank to what may be told of each door."""
    table = await router.table([BANK, *map(about, DOORS)], sources=[0], targets=range(1, 6))
    return [cell.metres for cell in table.cells[0] if cell is not None]


async def test_the_board_ranks_by_road(asking: Asking, monaco: Town, roads: Router) -> None:
    jobs = done(await asking.get(monaco.collector, "/v1/jobs/nearest", **HERE))["items"]
    assert [job["road_m"] for job in jobs] == sorted(await drives(roads))
    assert not any(job["road_is_estimate"] for job in jobs)
    assert " by road" in jobs[0]["why"]["text"]
    straight = [job["distance_m"] for job in jobs]
    assert straight != sorted(straight)


async def test_a_claim_is_driven_by_road(asking: Asking, monaco: Town, roads: Router) -> None:
    wish = {"position": HERE, "max_jobs": 5}
    route = done(await asking.post(monaco.collector, "/v1/jobs/claim", wish), 201)["route"]
    order = [Point(**stop["position"]) for stop in route["stops"]]
    table = await roads.table([BANK, *order, BANK])
    assert table.cells[0][1] is not None
    legs = [table.cells[n][n + 1] for n in range(6)]
    measured = [leg.metres for leg in legs if leg is not None]
    assert [stop["leg_m"] for stop in route["stops"]] == measured[:-1]
    assert route["total_m"] == sum(measured)
    again = done(await asking.get(monaco.collector, f"/v1/routes/{route['id']}"))
    assert [halt["leg_m"] for halt in again["halts"]] == measured
    assert again["start_is_rounded"] is False


async def test_one_more_job_is_put_in_by_road(asking: Asking, monaco: Town, roads: Router) -> None:
    wish = {"position": HERE, "max_jobs": 4}
    route = done(await asking.post(monaco.collector, "/v1/jobs/claim", wish), 201)["route"]
    (left,) = done(await asking.get(monaco.collector, "/v1/jobs/nearest", **HERE))["items"]
    path = f"/v1/routes/{route['id']}/insertion"
    more = done(await asking.get(monaco.collector, path, pickup_id=left["pickup_id"]))
    order = [Point(**stop["position"]) for stop in route["stops"]]
    table = await roads.table([BANK, *order, Point(**left["position"]), BANK])

    def length(stops: list[int]) -> int:
        legs = [table.cells[a][b] for a, b in zip([0, *stops], [*stops, 6], strict=True)]
        return sum(leg.metres for leg in legs if leg is not None)

    before = length([1, 2, 3, 4])
    places = [[*range(1, n + 1), 5, *range(n + 1, 5)] for n in range(5)]
    assert more["added_m"] in [length(stops) - before for stops in places]


async def test_a_plan_is_driven_by_road(monaco: Town, roads: Router) -> None:
    plan = await asked(monaco, an_ask(monaco))
    await plans.Desk(monaco.database, roads).work_one([monaco.bank_id])
    result = (await found(monaco, plan.id)).result
    assert result is not None
    assert result["roads"] == "router"


async def test_a_dead_router_costs_a_moment_once(
    app: FastAPI, parts: Parts, asking: Asking, monaco: Town
) -> None:
    async with lame.running(status=0) as dead, httpx.AsyncClient() as client:
        router = Router(Osrm(dead.url, client), timeout_s=0.1)
        app.state.parts = replace(parts, router=router)
        for _ in range(3):
            jobs = done(await asking.get(monaco.collector, "/v1/jobs/nearest", **HERE))["items"]
            assert len(jobs) == 5
            assert all(job["road_is_estimate"] for job in jobs)
        wish = {"position": HERE, "max_jobs": 5}
        route = done(await asking.post(monaco.collector, "/v1/jobs/claim", wish), 201)["route"]
        assert len(route["stops"]) == 5
        assert (await asking.get(monaco.collector, f"/v1/routes/{route['id']}")).status_code == 200
        assert dead.asked == 1


@pytest.mark.parametrize("body", [{}, {"position": {"lat": 91, "lon": 0}}, {"max_jobs": 1}])
async def test_a_malformed_claim_is_refused_once(
    asking: Asking, monaco: Town, roads: Router, body: object
) -> None:
    answer = await asking.post(monaco.collector, "/v1/jobs/claim", body)
    assert answer.status_code == 422
    pointers = [field["pointer"] for field in answer.json()["errors"]]
    assert len(pointers) == len(set(pointers)) > 0
    assert roads.breaker.lets_through()
