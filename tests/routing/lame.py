"""A router that answers whatever it is told to, or nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Lame:
    """What it answers with, and how often it was asked. A status of 0 hangs."""

    url: str = ""
    status: int = 500
    body: bytes = b"{}"
    asked: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.status == 0:
                await reader.read()  # Until the other side gives up.
                return
            head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + self.body)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def running(status: int = 500, body: bytes = b"{}") -> AsyncIterator[Lame]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    lame = Lame(status=status, body=body)
    server = await asyncio.start_server(lame.serve, "127.0.0.1", 0)
    async with server:
        lame.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield lame
