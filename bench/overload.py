"""Four times as much is asked as can be answered: who gets in is served, nothing is lost.

python3 run.py bench overload [--engine sqlite] [--seconds 120] [--times 4]

Half of the requests list a pickup, half read a passbook. First one after the other, for the idle
server; then eight at a time, for how many it can answer a second; then as many a second as
`--times` that, whatever comes back. Everything that was answered 201 must be there afterwards,
once, and nothing else.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from bench.support import processes
from bench.support.figures import figure
from bench.support.rounds import p99
from bench.support.wire import Heard, Wire
from models.people import Role
from service.demo import town
from service.demo.codes import CodeFile

BANK = town.BANKS[0]
LISTING = {
    "bank_id": str(BANK.id),
    "address": "Jl. Diponegoro, Lubuk Pakam",
    "position": {"lat": BANK.position.lat, "lon": BANK.position.lon},
    "items": [{"material": "HVS", "condition": "clean", "estimated_grams": 2_500}],
}
_SHED = (429, 503)


@dataclass
class Load:
    """What was asked in one part of the run, and what came of it."""

    wire: Wire
    tokens: list[str]
    statuses: Counter[int] = field(default_factory=Counter)
    accepted_ms: list[float] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    unsaid: int = 0
    """Refusals that don't say when to come again."""

    async def one(self, number: int) -> None:
        began = time.perf_counter()
        heard = await self._ask(number)
        self.statuses[heard.status] += 1
        if heard.status in _SHED:
            self.unsaid += not heard.retry_after
            return
        self.accepted_ms.append((time.perf_counter() - began) * 1_000)
        if heard.status == 201:
            self.listed.append(json.loads(heard.body)["id"])

    async def _ask(self, number: int) -> Heard:
        headers = {"Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}"}
        if number % 2:
            return await self.wire.ask("GET", f"/v1/passbooks/{BANK.id}", headers, b"")
        headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        return await self.wire.ask("POST", "/v1/pickups", headers, json.dumps(LISTING).encode())


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            processes.database(options.engine, folder) as url,
            processes.product(url, folder) as (address, _),
        ):
            asyncio.run(_measure(address, folder, options))


async def _measure(address: str, folder: Path, options: argparse.Namespace) -> None:
    tokens = await _sign_in(address, folder)
    wire = Wire(urlsplit(address).port or 80)
    idle, full, flood = (Load(wire, tokens) for _ in range(3))
    for number in range(400):
        await idle.one(number)
    a_second = await _as_many_as_go(full, seconds=min(10, options.seconds))
    await _flood(flood, a_second * options.times, options.seconds)
    wire.close()
    figure("connections_opened", wire.opened)
    figure("accepted_p50_ms", sorted(flood.accepted_ms)[len(flood.accepted_ms) // 2])
    figure("accepted_p90_ms", sorted(flood.accepted_ms)[len(flood.accepted_ms) * 9 // 10])
    _tell(options, idle, a_second, flood)
    await _nothing_is_lost(address, tokens, [*idle.listed, *full.listed, *flood.listed])


async def _as_many_as_go(load: Load, *, seconds: float) -> float:
    """How many a second are answered, eight at a time."""
    ends = time.perf_counter() + seconds

    async def client(first: int) -> None:
        number = first
        while time.perf_counter() < ends:
            await load.one(number)
            number += 8

    await asyncio.gather(*(client(first) for first in range(8)))
    return len(load.accepted_ms) / seconds


async def _flood(load: Load, a_second: float, seconds: float) -> None:
    """Ask at this pace, however long answers take."""
    began, asked = time.perf_counter(), 0
    under_way: set[asyncio.Task[None]] = set()
    while (passed := time.perf_counter() - began) < seconds:
        while asked < passed * a_second:
            task = asyncio.create_task(load.one(asked))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            asked += 1
        await asyncio.sleep(0.002)
    await asyncio.gather(*under_way)
    figure("asked", asked)


def _tell(options: argparse.Namespace, idle: Load, a_second: float, flood: Load) -> None:
    shed = sum(flood.statuses[status] for status in _SHED)
    accepted = len(flood.accepted_ms)
    odd = sum(flood.statuses.values()) - shed - flood.statuses[200] - flood.statuses[201]
    figure(f"{options.engine}_answered_a_second_at_eight", a_second)
    figure(f"{options.engine}_idle_p99_ms", p99(idle.accepted_ms))
    figure(f"{options.engine}_flooded_p99_ms", p99(flood.accepted_ms))
    ratio = p99(flood.accepted_ms) / p99(idle.accepted_ms)
    figure(f"{options.engine}_flooded_p99_of_idle", ratio, "<=5")
    figure(f"{options.engine}_accepted_of_capacity", accepted / options.seconds / a_second)
    figure(f"{options.engine}_shed", shed)
    figure(f"{options.engine}_shed_without_retry_after", flood.unsaid, "<=0")
    figure(f"{options.engine}_answered_otherwise", odd, "<=0")


async def _nothing_is_lost(address: str, tokens: list[str], listed: list[str]) -> None:
    """Hold what was answered 201 against the lists of those who asked."""
    found: Counter[str] = Counter()
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:
        for token in tokens:
            found.update([one["id"] for one in await _pickups(http, token)])
    figure("lost", len(set(listed) - set(found)), "<=0")
    figure("unasked", len(set(found) - set(listed)), "<=0")
    figure("doubled", sum(times > 1 for times in found.values()), "<=0")


async def _pickups(http: httpx.AsyncClient, token: str) -> list[dict[str, Any]]:
    headers, found, cursor = {"Authorization": f"Bearer {token}"}, [], ""
    while True:
        path = f"/v1/pickups?limit=200{cursor}"
        page = (await http.get(path, headers=headers)).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def _sign_in(address: str, folder: Path) -> list[str]:
    read_code = CodeFile(folder / "messages.jsonl")
    residents = [one for one in town.with_role(Role.RESIDENT) if BANK.id in one.banks][:20]
    tokens = []
    async with httpx.AsyncClient(base_url=address) as http:
        for one in residents:
            await http.post("/v1/auth/codes", json={"phone": one.phone})
            proof = {"phone": one.phone, "code": await read_code(one.phone)}
            answer = (await http.post("/v1/auth/tokens", json=proof)).raise_for_status()
            tokens.append(answer.json()["access_token"])
    return tokens


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--times", type=float, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
