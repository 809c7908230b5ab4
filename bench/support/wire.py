"""A client that costs nearly nothing, so that what is measured is the server."""

import asyncio
import time
from typing import NamedTuple

_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Heard(NamedTuple):
    """What came back: the status, the body, and whether it says when to come again."""

    status: int
    body: bytes
    retry_after: bool


_KEPT_S = 4.0
"""The server ends what nobody used for five seconds, perhaps just when it is used again."""


class Wire:
    """Connections that stay open, as many as are needed at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[_Pair] = []
        self._used: dict[asyncio.StreamWriter, float] = {}
        self.opened = 0

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Heard:
        """One request. Raises OSError or IncompleteReadError where the connection is lost."""
        pair = self._unused() or await self._connect()
        reader, writer = pair
        lines = [f"{method} {path} HTTP/1.1", "Host: jumpa", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        heard = Heard(int(head[9:12]), await reader.readexactly(length), "retry-after:" in head)
        self._free.append(pair)
        self._used[writer] = time.monotonic()
        return heard

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()

    def _unused(self) -> _Pair | None:
        while self._free:
            reader, writer = self._free.pop()
            if time.monotonic() - self._used.pop(writer) < _KEPT_S and not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> _Pair:
        self.opened += 1
        return await asyncio.open_connection("127.0.0.1", self._port)
