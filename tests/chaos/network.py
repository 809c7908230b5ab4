"""The network between the product and its gateways, with somebody who keeps cutting it.

A line takes one request a connection, and something happens to it: its fate. Everything is
on this machine, and what lies between the two ends is never read, only its length.
"""

import asyncio
import random
import re
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_HEARD = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_PATIENCE_S = 15


class Exchange:
    """One request on its way, and who waits for the answer."""

    def __init__(
        self, to_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._to_port = to_port
        self._reader = reader
        self._writer = writer
        self._request = b""

    async def read(self) -> bool:
        """Take in the whole request; False if it was cut off before its end."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await self._reader.readexactly(int(length[1]) if length else 0)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return False
        # The answer ends where the connection does, so nobody has to read its head.
        self._request = head.replace(b"\r\n", b"\r\nconnection: close\r\n", 1) + body
        return True

    async def forward(self) -> bytes:
        """The answer of the other end; nothing, or a part of it, if that end was killed."""
        heard = b""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._to_port)
                try:
                    writer.write(self._request)
                    await writer.drain()
                    heard = await reader.read(-1)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        return heard

    async def answer(self, words: bytes = _HEARD) -> None:
        """Tell who asked, if that one still listens."""
        with suppress(ConnectionError):
            self._writer.write(words)
            await self._writer.drain()
        self._writer.close()

    async def left_alone(self) -> None:
        """Wait until nobody listens any more."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._reader.read(1)


Fate = Callable[[Exchange], Awaitable[None]]


async def whole(exchange: Exchange) -> None:
    """As a network should be: whoever stops waiting is seen to have gone."""
    forwarding = asyncio.create_task(exchange.forward())
    leaving = asyncio.create_task(exchange.left_alone())
    try:
        await asyncio.wait({forwarding, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if forwarding.done():
            await exchange.answer(forwarding.result())
    finally:
        for one in (forwarding, leaving):
            one.cancel()
        await asyncio.gather(forwarding, leaving, return_exceptions=True)


async def cut_before(_exchange: Exchange) -> None:
    """The request gets nowhere."""


async def cut_after(exchange: Exchange) -> None:
    """The request is done, and its answer lost."""
    await exchange.forward()


async def cut_within(exchange: Exchange) -> None:
    """Half an answer."""
    answer = await exchange.forward()
    await exchange.answer(answer[: len(answer) // 2])


async def slow(exchange: Exchange) -> None:
    """Some time later, in time for most."""
    await asyncio.sleep(random.uniform(0.05, 0.3))
    await whole(exchange)


async def late(exchange: Exchange) -> None:
    """The request arrives when nobody waits for its answer any more."""
    await exchange.left_alone()
    await exchange.forward()


async def lost(exchange: Exchange) -> None:
    """Whoever told it believes that it was heard."""
    await exchange.answer()


async def doubled(exchange: Exchange) -> None:
    await exchange.forward()
    await whole(exchange)


async def held_back(exchange: Exchange) -> None:
    """Others overtake it, and whoever told it doesn't know."""
    await exchange.answer()
    await asyncio.sleep(random.uniform(0.2, 4.0))
    await exchange.forward()


BAD_CALLS: Mapping[Fate, int] = {
    whole: 78,
    cut_before: 5,
    cut_after: 5,
    cut_within: 3,
    slow: 6,
    late: 3,
}
"""How often what happens to a question to a gateway, and to its answer."""
BAD_CALLBACKS: Mapping[Fate, int] = {
    whole: 58,
    cut_before: 6,
    cut_after: 8,
    slow: 4,
    lost: 8,
    doubled: 8,
    held_back: 8,
}
CALM: Mapping[Fate, int] = {whole: 1}


class Line:
    """A way from a port of its own to another one."""

    def __init__(self, seed: int, fates: Mapping[Fate, int]) -> None:
        self.fates = fates
        self.to_port = 0
        self.port = 0
        self.met: Counter[str] = Counter()
        """How many exchanges met which fate."""
        self._chance = random.Random(seed)
        self._listening: socket.socket | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self._listening.setblocking(False)
        self.port = int(self._listening.getsockname()[1])
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Refuse connections; what is under way goes on."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    async def outage(self, seconds: float) -> None:
        """Nobody is reached for a while."""
        self.met["outage"] += 1
        self.close()
        await asyncio.sleep(seconds)
        self.open()

    async def calm(self) -> None:
        """Nothing happens any more, and what was held back has arrived."""
        self.fates = CALM
        if self._under_way:
            await asyncio.wait(list(self._under_way))

    async def abandon(self) -> None:
        """Cut everything off, for good."""
        self.close()
        # Whoever was only just let in begins first, so that everything is closed by its owner.
        await asyncio.sleep(0)
        for one in self._under_way:
            one.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _accept(self) -> None:
        assert self._listening is not None
        with suppress(BlockingIOError, ConnectionError):
            came, _ = self._listening.accept()
            task = asyncio.create_task(self._take(came))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _take(self, came: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=came)
        try:
            exchange = Exchange(self.to_port, reader, writer)
            if await exchange.read():
                (fate,) = self._chance.choices(list(self.fates), list(self.fates.values()))
                self.met[fate.__name__] += 1
                await fate(exchange)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
