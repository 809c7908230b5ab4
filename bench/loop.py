"""The demo day over HTTP, and what one collect costs beside its bare rows.

python3 run.py bench loop [--pickups 2000] [--clients 8] [--engine sqlite|postgresql|both]
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from bench.support import bare, processes
from bench.support.bare import Collected
from bench.support.figures import figure
from models.people import Role
from service.demo import town
from service.demo.codes import CodeFile
from service.demo.day import Scale, live

ROUNDS = 4
_MATERIALS = ("PET-BNG-B", "KRD-BGS", "AL-KLG")


def main() -> None:
    options = _options()
    engines = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="jumpa-bench-") as name:
            folder = Path(name)
            with (
                processes.database(engine, folder) as url,
                processes.product(url, folder) as (address, pid),
            ):
                run = Run(engine, url, pid, options.pickups, options.clients)
                asyncio.run(_measure(run, folder, address))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench loop", description=__doc__)
    parser.add_argument("--pickups", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured, and how large."""

    engine: str
    url: str
    server: int
    pickups: int
    clients: int

    def figure(self, name: str, value: float, goal: str = "") -> None:
        figure(f"loop_{self.engine}_{name}", value, goal)

    def cpu_s(self) -> float:
        """CPU time of the server and of its database."""
        return processes.cpu_seconds(self.server) + self.database_cpu_s()

    async def settled(self) -> None:
        """Wait until the server rests: notices of what was done before are no part of a collect."""
        for _ in range(120):
            before = self.cpu_s()
            await asyncio.sleep(1)
            if self.cpu_s() - before < 0.05:
                return

    def database_cpu_s(self) -> float:
        return processes.cpu_seconds(*processes.postmaster(self.url))


async def _measure(run: Run, folder: Path, address: str) -> None:
    limits = httpx.Limits(max_connections=run.clients)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as http:
        read_code = CodeFile(folder / "messages.jsonl")
        await _day(run, http, read_code)
        await _collects(run, http, read_code)


async def _day(run: Run, http: httpx.AsyncClient, read_code: CodeFile) -> None:
    """The whole day: nothing fails, everything adds up, and how long claim and collect take."""
    before = run.cpu_s()
    summary = await live(http, read_code, Scale(run.pickups, run.clients))
    spent = run.cpu_s() - before
    calls = sum(call.count for call in summary.calls)
    for failure in summary.failures[:10]:
        print(f"failed {failure.call}: {failure.what}")
    off = sum(abs(value) for books in summary.books for value in books.sums.values())
    run.figure("pickups_collected", summary.pickups)
    run.figure("failed_calls", len(summary.failures), "=0")
    run.figure("trial_balance_off", off, "=0")
    run.figure("calls_per_s", calls / summary.seconds)
    run.figure("server_cpu_ms_per_call", 1000 * spent / calls)
    for call in summary.calls:
        if call.call in ("claim", "collect"):
            run.figure(f"{call.call}_p50_ms", call.p50_ms)
            run.figure(f"{call.call}_p99_ms", call.p99_ms)


async def _collects(run: Run, http: httpx.AsyncClient, read_code: CodeFile) -> None:
    """Collects alone, over HTTP and as bare rows, taking turns."""
    burst = await Burst.sign_in(http, read_code, run.clients)
    await burst.collect(await burst.claimed())
    http_cpu = http_s = bare_cpu = bare_s = 0.0
    count = 0
    for _ in range(ROUNDS):
        jobs = await burst.claimed()
        await run.settled()
        before, began = run.cpu_s(), time.perf_counter()
        await burst.collect(jobs)
        http_s += time.perf_counter() - began
        http_cpu += 1000 * (run.cpu_s() - before)
        model, others = jobs[0].collected, [job.collected for job in await burst.claimed()]
        await run.settled()
        spent, seconds = bare.collect_all(
            run.url, model, others, lambda: time.process_time() + run.database_cpu_s()
        )
        bare_cpu += 1000 * spent
        bare_s += seconds
        count += len(jobs)
    run.figure("collects_per_s", count / http_s)
    run.figure("bare_collects_per_s", count / bare_s)
    run.figure("collect_cpu_ms", http_cpu / count)
    run.figure("bare_cpu_ms", bare_cpu / count)
    run.figure("collect_cpu_of_bare", http_cpu / bare_cpu, "<=4")


class Job:
    """A claimed pickup, ready to be collected."""

    def __init__(self, pickup: dict[str, Any], collector: "Signed") -> None:
        self.collector = collector
        self.code = pickup["handover_code"]
        self.collected = Collected(
            pickup["id"], pickup["bank_id"], pickup["resident"]["id"], collector.person_id
        )


class Signed:
    """Somebody who is signed in."""

    def __init__(self, http: httpx.AsyncClient, token: str, person_id: str) -> None:
        self._http = http
        self._token = token
        self.person_id = person_id

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": str(uuid4())}
        answer = await self._http.post(path, json=body, headers=headers)
        if answer.status_code >= 400:
            raise SystemExit(f"{path} was answered {answer.status_code}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


class Burst:
    """The main bank's residents and collectors, who collect as fast as they can."""

    def __init__(
        self, residents: list[Signed], collectors: list[Signed], bank_id: str, clients: int
    ) -> None:
        self._residents = residents
        self._collectors = collectors
        self._bank_id = bank_id
        self._clients = clients

    @classmethod
    async def sign_in(cls, http: httpx.AsyncClient, read_code: CodeFile, clients: int) -> "Burst":
        bank = town.BANKS[0]

        async def signed(phone: str) -> Signed:
            await http.post("/v1/auth/codes", json={"phone": phone})
            proof = {"phone": phone, "code": await read_code(phone)}
            token = (await http.post("/v1/auth/tokens", json=proof)).json()["access_token"]
            me = await http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            return Signed(http, token, me.json()["id"])

        def of_bank(role: Role) -> list[str]:
            members = [one for one in town.with_role(role) if bank.id in one.banks]
            return [one.phone for one in members]

        residents = [await signed(phone) for phone in of_bank(Role.RESIDENT)[:20]]
        collectors = [await signed(phone) for phone in of_bank(Role.COLLECTOR)[:5]]
        return cls(residents, collectors, str(bank.id), clients)

    async def claimed(self) -> list[Job]:
        """A hundred pickups, twenty claimed by each collector; each pair meets the same way."""
        jobs: list[Job] = []
        for collector in self._collectors:
            for resident in self._residents:
                pickup = await resident.post("/v1/pickups", self._listing())
                await collector.post(f"/v1/pickups/{pickup['id']}/claim", {})
                jobs.append(Job(pickup, collector))
        return jobs

    async def collect(self, jobs: list[Job]) -> None:
        """Collect them all, so many at a time."""
        waiting = list(jobs)

        async def client() -> None:
            while waiting:
                job = waiting.pop()
                await job.collector.post(
                    f"/v1/pickups/{job.collected.pickup_id}/collect",
                    {
                        "handover_code": job.code,
                        "weighings": [
                            {"material": material, "condition": "clean", "grams": 2_500}
                            for material in _MATERIALS
                        ],
                    },
                )

        await asyncio.gather(*(client() for _ in range(self._clients)))

    def _listing(self) -> dict[str, Any]:
        bank = town.BANKS[0]
        return {
            "bank_id": self._bank_id,
            "address": "Jl. Diponegoro, Lubuk Pakam",
            "position": {"lat": bank.position.lat, "lon": bank.position.lon},
            "items": [
                {"material": material, "condition": "clean", "estimated_grams": 2_500}
                for material in _MATERIALS
            ],
        }


if __name__ == "__main__":
    main()
