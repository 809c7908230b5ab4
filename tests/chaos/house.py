"""A gateway's stand-in in a process of its own, which is killed and started again."""

import asyncio
import csv
import io
import json
import socket
import sys
from asyncio.subprocess import PIPE
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx

from service.standin.options import Options

_ROOT = Path(__file__).parents[2]
_COLUMNS = {"xendit": ("Amount", "Debit or Credit"), "iris": ("amount", "status")}


class House:
    """A stand-in, and what whoever runs it can do. Its socket is ours: nobody is refused."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listening.getsockname()[1])
        # It ends a connection that nobody used for a while, perhaps just when we use it again.
        unkept = httpx.Limits(max_keepalive_connections=0)
        address = f"http://127.0.0.1:{self.port}"
        self._http = httpx.AsyncClient(base_url=address, timeout=60, limits=unkept)
        self._process: asyncio.subprocess.Process | None = None
        self._asked = asyncio.Lock()
        """Nothing that we do there is to be cut off by our own kill."""

    def tell(self, callback_url: str) -> None:
        """Where its callbacks go, from its next start on."""
        self.options = replace(self.options, callback_url=callback_url)

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "service.standin"),
            cwd=_ROOT,
            stdin=PIPE,
            pass_fds=(self._listening.fileno(),),
        )
        assert self._process.stdin is not None
        told = asdict(self.options) | {
            "descriptor": self._listening.fileno(),
            "data_dir": str(self.options.data_dir),
        }
        self._process.stdin.write(f"{json.dumps(told)}\n".encode())

    async def kill(self) -> None:
        """SIGKILL, and the process is gone."""
        async with self._asked:
            if self._process is not None:
                self._process.kill()
                await self._process.wait()
                self._process = None

    async def close(self) -> None:
        await self.kill()
        await self._http.aclose()
        self._listening.close()

    async def advance(self, seconds: float) -> None:
        """Set its clock forward; all that is due by then has happened."""
        await self._do("clock", advance_s=seconds)

    async def top_up(self, amount_idr: int) -> None:
        await self._do("top-up", amount_idr=amount_idr)

    async def burst(self, count: int) -> None:
        """Answer so many calls with 429."""
        await self._do("burst", count=count)

    async def callbacks(self) -> dict[str, int]:
        """How many wait, were heard, were given up."""
        found: dict[str, int] = (await self._get("callbacks")).json()
        return found

    async def book(self) -> list[dict[str, Any]]:
        """Every payout that it has, with what it cost and gave back."""
        found: list[dict[str, Any]] = (await self._get("payouts")).json()
        return found

    async def report_idr(self) -> int:
        """What the lines of its own report, top-ups among them, come to."""
        text = (await self._get("report.csv")).text
        amount, side = _COLUMNS[self.options.gateway]
        total = 0
        for line in csv.DictReader(io.StringIO(text)):
            came_in = line[side].lower() == "credit"
            total += (1 if came_in else -1) * int(line[amount].removesuffix(".00"))
        return total

    async def _do(self, what: str, **wanted: object) -> None:
        async with self._asked:
            (await self._http.post(f"/standin/{what}", json=wanted)).raise_for_status()

    async def _get(self, what: str) -> httpx.Response:
        async with self._asked:
            answer = await self._http.get(f"/standin/{what}")
        return answer.raise_for_status()
