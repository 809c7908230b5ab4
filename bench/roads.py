"""What a dead or hanging OSRM costs: the first answer, and later ones against the estimate.

Goal: the first answer within 1.2 seconds, later ones at most 1.1 times the estimate alone.
"""

import asyncio
import random
import socket
import statistics
import time

import httpx

from routing.geo import Point
from routing.roads import DistanceProvider, Estimate, Router, WithFallback
from routing.roads.osrm import Osrm

_ROUNDS = 200


def main() -> None:
    asyncio.run(_measure())


async def _measure() -> None:
    chance = random.Random(1)
    points = [Point(3.5 + chance.random() / 5, 98.6 + chance.random() / 5) for _ in range(22)]
    print("OSRM that     first answer s   later / estimate alone (CPU, median)")
    with socket.socket() as unused, socket.create_server(("127.0.0.1", 0)) as silent:
        unused.bind(("127.0.0.1", 0))  # Bound but not listening: it refuses.
        for name, place in (("refuses", unused), ("hangs", silent)):
            await _row(name, f"http://127.0.0.1:{place.getsockname()[1]}", points)


async def _row(name: str, url: str, points: list[Point]) -> None:
    async with httpx.AsyncClient() as client:
        roads = WithFallback(Router(Osrm(url, client)), Estimate())
        begun = time.perf_counter()
        answer = await roads.matrix(points)
        first_s = time.perf_counter() - begun
        assert answer == await Estimate().matrix(points)
        ratios = []
        for _ in range(_ROUNDS):
            alone = await _cpu(Estimate(), points)
            ratios.append(await _cpu(roads, points) / alone)
    print(f"{name:<13} {first_s:>14.3f}   {statistics.median(ratios):.3f}")


async def _cpu(provider: DistanceProvider, points: list[Point]) -> float:
    begun = time.process_time()
    await provider.matrix(points)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
