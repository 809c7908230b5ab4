"""What comes while others are worked on is worked on together, next.

Nobody waits for a group to fill: who comes when nothing is under way goes at once, alone. Only
while several come in a group, groups begin a moment apart, as two cost little more than one.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

MOST = 64
"""In a group."""
APART_S = 0.02
"""From the beginning of a group of several to that of the next, at least."""

_Asked = TypeVar("_Asked")
_Do = Callable[[Sequence[_Asked]], Awaitable[Sequence[bool]]]
_Waiting = tuple[_Asked, asyncio.Future[bool]]


class Lanes(Generic[_Asked]):
    """On each lane one group is under way at a time, and goes on if somebody gives up waiting."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[_Waiting[_Asked]]] = defaultdict(deque)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def ask(self, lane: str, asked: _Asked, do: _Do[_Asked]) -> bool:
        """Whether it was done with its group. If doing fails, none of the group was."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append((asked, done))
        if lane not in self._running:
            self._running[lane] = asyncio.create_task(self._run(lane, do))
        return await done

    async def _run(self, lane: str, do: _Do[_Asked]) -> None:
        loop = asyncio.get_running_loop()
        try:
            while group := self._next(self._waiting[lane]):
                began = loop.time()
                told = await _all_or_none(do, [asked for asked, _ in group])
                for (_, done), is_done in zip(group, told, strict=True):
                    if not done.done():
                        done.set_result(is_done)
                if len(group) > 1:
                    await asyncio.sleep(began + APART_S - loop.time())
        finally:
            del self._running[lane]

    def _next(self, waiting: deque[_Waiting[_Asked]]) -> list[_Waiting[_Asked]]:
        """Those that waited longest, of callers who still wait."""
        group: list[_Waiting[_Asked]] = []
        while waiting and len(group) < MOST:
            asked, done = waiting.popleft()
            if not done.done():
                group.append((asked, done))
        return group


async def _all_or_none(do: _Do[_Asked], asked: Sequence[_Asked]) -> Sequence[bool]:
    try:
        return await do(asked)
    except Exception:
        log.exception("group_failed")
        return [False] * len(asked)
