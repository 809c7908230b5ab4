"""A router that is dead, hangs, or talks nonsense costs little and spoils nothing."""

import json
import time
from dataclasses import dataclass

import httpx
import pytest

from routing.geo import Point
from routing.roads import Breaker, Estimate, Router, WithFallback
from routing.roads.osrm import Osrm
from tests.routing import lame

POINTS = [Point(3.59, 98.67), Point(3.60, 98.68), Point(3.58, 98.70)]
NEAR = [{"distance": 1.5}] * 3


def table(distances: object, durations: object, places: object = NEAR) -> bytes:
    answer = {"code": "Ok", "distances": distances, "durations": durations}
    return json.dumps(answer | {"sources": places, "destinations": places}).encode()


ROWS = [[0, 900.4, 800], [700, 0, 600], [500, 400, 0]]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_table_is_taken_over_with_its_holes_estimated() -> None:
    holed = [[0, None, 800], [700, 0, 600], [500, 400, 0]]
    async with lame.running(200, table(ROWS, holed)) as server, httpx.AsyncClient() as client:
        matrix = await WithFallback(Router(Osrm(server.url, client)), Estimate()).matrix(POINTS)
    assert matrix.estimated == [[False, True, False], [False] * 3, [False] * 3]
    assert matrix.metres[0][1] == Estimate().drive_between(POINTS[0], POINTS[1]).metres
    assert matrix.metres[0][2] == 800


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (503, b"busy"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b"\xff\xfe{"),
        (400, b'{"code": "InvalidQuery"}'),
        (200, table(ROWS[:2], ROWS)),
        (200, table([[0], [0], [0]], ROWS)),
        (200, table(ROWS, ROWS, NEAR[:2])),
        (200, table(ROWS, ROWS, [{}] * 3)),
        (200, table(None, ROWS)),
    ],
)
async def test_nonsense_leaves_the_estimate_and_counts_as_failure(status: int, body: bytes) -> None:
    breaker = Breaker(failures=1)
    async with lame.running(status, body) as server, httpx.AsyncClient() as client:
        router = Router(Osrm(server.url, client), breaker=breaker)
        matrix = await WithFallback(router, Estimate()).matrix(POINTS)
    assert matrix == await Estimate().matrix(POINTS)
    assert breaker.is_open


@pytest.mark.parametrize("bad", [-1, True, "12", 1e999])
async def test_a_cell_that_is_no_length_is_estimated(bad: object) -> None:
    rows = [[0, bad, 800], *ROWS[1:]]
    async with lame.running(200, table(rows, rows)) as server, httpx.AsyncClient() as client:
        matrix = await WithFallback(Router(Osrm(server.url, client)), Estimate()).matrix(POINTS)
    assert [cell for row in matrix.estimated for cell in row].count(True) == 1


@pytest.mark.parametrize("code", ["NoSegment", "TooBig"])
async def test_a_refused_block_is_estimated_and_the_router_is_not_blamed(code: str) -> None:
    body = json.dumps({"code": code}).encode()
    breaker = Breaker(failures=1)
    async with lame.running(400, body) as server, httpx.AsyncClient() as client:
        router = Router(Osrm(server.url, client), breaker=breaker)
        matrix = await WithFallback(router, Estimate()).matrix(POINTS)
    assert matrix == await Estimate().matrix(POINTS)
    assert breaker.is_open == (code == "TooBig")  # Not even one by one: wrongly set up.


async def test_a_hanging_router_costs_one_time_out_and_is_left_alone() -> None:
    async with lame.running(0) as server, httpx.AsyncClient() as client:
        roads = WithFallback(Router(Osrm(server.url, client), timeout_s=0.2), Estimate())
        begun = time.monotonic()
        first = await roads.matrix(POINTS)
        assert 0.15 < time.monotonic() - begun < 5
        assert first == await roads.matrix(POINTS) == await Estimate().matrix(POINTS)
        assert server.asked == 1


async def test_three_failures_open_one_probe_goes_through_and_closes() -> None:
    clock = Clock()
    async with lame.running(500) as server, httpx.AsyncClient() as client:
        router = Router(Osrm(server.url, client), breaker=Breaker(clock=clock))
        for _ in range(5):
            await router.table(POINTS)
        assert server.asked == 3
        clock.now = 30.0
        await router.table(POINTS)
        await router.table(POINTS)
        assert server.asked == 4
        clock.now, server.status, server.body = 60.0, 200, table(ROWS, ROWS)
        assert (await router.table(POINTS)).has_any
        assert not router.breaker.is_open


async def test_a_refusing_port_opens_at_once() -> None:
    async with lame.running() as server:
        url = server.url
    async with httpx.AsyncClient() as client:
        router = Router(Osrm(url, client))
        assert not (await router.table(POINTS)).has_any
        assert router.breaker.is_open
