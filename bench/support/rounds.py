"""Contenders take turns in short rounds, so that what else goes on hits them all alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import NamedTuple

CALLERS = 32
Act = Callable[[int], Awaitable[int]]
"""Does one act for a caller, given by number; how many transfers that were."""


class Speed(NamedTuple):
    """How fast a contender is: transfers (or acts) a second, the slowest hundredth of the
    waits, and processor time of clients and database for one."""

    per_s: float
    p99_ms: float
    cpu_ms: float


async def race(
    contenders: Mapping[str, Act],
    *,
    rounds: int,
    seconds: float,
    cpu_s: Callable[[], float],
    warmed: Callable[[], Awaitable[object]] | None = None,
) -> dict[str, Speed]:
    """The median of each contender's rounds, after one to warm up that isn't counted."""
    for act in contenders.values():
        await _round(act, seconds, cpu_s)
    if warmed is not None:
        await warmed()
    found: dict[str, list[Speed]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)[:: 1 if number % 2 else -1]
        for name in names:
            found[name].append(await _round(contenders[name], seconds, cpu_s))
    return {name: Speed(*map(median, zip(*speeds, strict=True))) for name, speeds in found.items()}


async def _round(act: Act, seconds: float, cpu_s: Callable[[], float]) -> Speed:
    """All callers, each with one act after another, for so long."""
    done, waits = 0, []
    began, spent = time.perf_counter(), cpu_s()

    async def caller(number: int) -> None:
        nonlocal done
        while (asked := time.perf_counter()) < began + seconds:
            count = await act(number)
            done += count
            waits.append(time.perf_counter() - asked)

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    seconds = time.perf_counter() - began
    return Speed(done / seconds, 1_000 * p99(waits), 1_000 * (cpu_s() - spent) / done)


def p99(values: list[float]) -> float:
    """The value that one in a hundred exceeds."""
    return sorted(values)[int(0.99 * len(values))]
