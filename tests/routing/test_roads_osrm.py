"""Against a real OSRM on the roads of Monaco."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from routing.geo import Point
from routing.roads import Estimate, Prefetched, Router, Table, WithFallback
from routing.roads.osrm import Osrm
from tests.routing import osrm

MONACO = [
    Point(43.7311, 7.4197),
    Point(43.7384, 7.4246),
    Point(43.7403, 7.4286),
    Point(43.7347, 7.4206),
    Point(43.7440, 7.4330),
    Point(43.7480, 7.4380),
    Point(43.7300, 7.4160),
]
AT_SEA = Point(43.70, 7.50)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with osrm.needed_server() as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as opened:
        yield opened


async def measured(server: Osrm, points: list[Point]) -> Table:
    table = Table.of(points)
    await server.fill(table)
    return table


async def test_drives_are_those_osrm_gives_for_each_route(
    address: str, client: httpx.AsyncClient
) -> None:
    table = await measured(Osrm(address, client), MONACO)
    a, b = MONACO[0], MONACO[4]
    route = f"{address}/route/v1/driving/{a.lon},{a.lat};{b.lon},{b.lat}?overview=false"
    own = (await client.get(route)).json()["routes"][0]
    drive = table.cells[0][4]
    assert drive is not None
    assert drive.metres == pytest.approx(own["distance"], abs=1)
    assert drive.seconds == pytest.approx(own["duration"], abs=1)


async def test_one_way_streets_make_there_and_back_differ(
    address: str, client: httpx.AsyncClient
) -> None:
    cells = (await measured(Osrm(address, client), MONACO)).cells
    assert any(cells[a][b] != cells[b][a] for a in range(7) for b in range(a))


@pytest.mark.parametrize("block", [2, 3, 5])
async def test_small_blocks_join_to_the_same_table(
    address: str, client: httpx.AsyncClient, block: int
) -> None:
    whole = await measured(Osrm(address, client), MONACO)
    joined = await measured(Osrm(address, client, block=block), MONACO)
    assert joined.has_any
    assert joined.cells == whole.cells


async def test_rows_and_columns_can_be_chosen(address: str, client: httpx.AsyncClient) -> None:
    roads = WithFallback(Router(Osrm(address, client, block=3)), Estimate())
    every = await roads.matrix(MONACO)
    some = await roads.matrix(MONACO, sources=[2], targets=[6, 0, 2])
    assert some.metres == [[every.metres[2][6], every.metres[2][0], 0]]
    assert some.estimated == [[False, False, False]]


async def test_only_the_cells_of_a_stop_at_sea_are_estimated(
    address: str, client: httpx.AsyncClient
) -> None:
    points = [*MONACO[:3], AT_SEA]
    matrix = await WithFallback(Router(Osrm(address, client)), Estimate()).matrix(points)
    guess = await Estimate().matrix(points)
    assert matrix.source == "router"
    assert matrix.estimated == [[(a == 3) != (b == 3) for b in range(4)] for a in range(4)]
    assert matrix.metres[3] == guess.metres[3]
    assert matrix.metres[0][1] != guess.metres[0][1]


async def test_what_was_measured_earlier_needs_no_network(
    address: str, client: httpx.AsyncClient
) -> None:
    table = await measured(Osrm(address, client), MONACO[:3])
    later = await Prefetched(table.measured(), Estimate()).matrix([MONACO[1], MONACO[2], MONACO[5]])
    drive = table.cells[1][2]
    assert drive is not None
    assert (later.metres[0][1], later.seconds[0][1]) == drive
    assert later.estimated[0] == [False, False, True]
