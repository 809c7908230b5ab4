"""The ledger against its limits, and against pgledger on the same PostgreSQL.

python3 run.py bench ledger [--pgledger PATH] [--seconds 2] [--rounds 3] [--history 1000000]
                            [--only postgresql|sqlite|history]
"""

import argparse
import asyncio
import multiprocessing
import sqlite3
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import uvloop
from sqlalchemy import event

from bench.support import history, processes
from bench.support.acts import Acts
from bench.support.figures import figure
from bench.support.grouping import Poster
from bench.support.history import Passbook
from bench.support.pgledger import PgLedger, scripts_in
from bench.support.rounds import CALLERS, Act, Speed, p99, race
from bench.support.rows import BareRows, bare_sqlite
from models.base import utc_now
from models.people import Role
from service import ledger
from service.database import Database, open_database, schema
from service.ledger import Draft, Movement, chart
from tests.counting import statements_of
from tests.factories import another, load_materials, make_town

ACCOUNTS = 5_000
SHORT = 1_000
LANES = CALLERS
"""Connections for postings alone: one a caller, as pgledger has them."""
MOST_WEIGHINGS_PER_S = 500
READS = 400


def main() -> None:
    options = _options()
    parts = {"postgresql": _postgresql, "sqlite": _sqlite}
    for name, part in parts.items():
        if options.only in (None, name):
            with (
                tempfile.TemporaryDirectory(prefix="jumpa-bench-") as folder,
                processes.database(name, Path(folder)) as url,
            ):
                schema.upgrade(url)
                uvloop.run(part(url, Path(folder), options))
    for engine in ("sqlite", "postgresql"):
        if options.only in (None, "history"):
            with (
                tempfile.TemporaryDirectory(prefix="jumpa-bench-") as folder,
                processes.database(engine, Path(folder)) as url,
            ):
                schema.upgrade(url)
                _history(engine, url, options.history)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench ledger", description=__doc__)
    parser.add_argument("--pgledger", type=Path, help="its pgledger.sql; without it, no comparison")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["postgresql", "sqlite", "history"])
    return parser.parse_args()


def _most(options: argparse.Namespace) -> int:
    """More weighings than will be done."""
    return int(MOST_WEIGHINGS_PER_S * options.seconds * (options.rounds + 1)) + 10 * CALLERS


async def _postgresql(url: str, folder: Path, options: argparse.Namespace) -> None:
    scripts = scripts_in(options.pgledger) if options.pgledger else []
    server = processes.postmaster(url)
    async with AsyncExitStack() as stack:
        database = open_database(url, pool_size=CALLERS)
        stack.push_async_callback(database.close)
        acts = await Acts.prepare(database, folder, accounts=ACCOUNTS, weighings=_most(options))
        await acts.weighing(0)
        raw = [await asyncpg.connect(url) for _ in range(CALLERS)]
        for connection in raw:
            stack.push_async_callback(connection.close)
        bare = BareRows(raw, acts.bank_id, acts.account_ids)
        await bare.prepare(acts.town.bank_id)
        alone, grouped = Poster(database, lanes=LANES, limit=1), Poster(database)
        contenders: dict[str, Act] = {
            "bare_random": bare.one,
            "random": acts.posting(alone),
            "hot": acts.posting(alone, hot=True),
            "grouped_random": acts.posting(grouped),
            "grouped_hot": acts.posting(grouped, hot=True),
            "ten": acts.posting(grouped, count=10),
            "bare_weighing": bare.weighing,
            "weighing": acts.weighing,
        }
        if scripts:
            peer = await PgLedger.install(raw, scripts, ACCOUNTS)
            contenders |= {
                "pgledger_random": peer.one(hot=False),
                "pgledger_hot": peer.one(hot=True),
                "pgledger_ten": peer.many(10),
            }
        found = await race(
            contenders,
            rounds=options.rounds,
            seconds=options.seconds,
            cpu_s=lambda: time.process_time() + processes.cpu_seconds(*server),
            warmed=lambda: raw[0].execute("ANALYZE"),
        )
    _say_postgresql(found)


def _say_postgresql(found: dict[str, Speed]) -> None:
    _say_speeds("postgresql", found)
    if "pgledger_random" in found:
        goals = (
            ("random", "random", 1.3),
            ("hot", "hot", 3),
            ("grouped_hot", "hot", 7),
            ("ten", "ten", 2.5),
        )
        for ours, theirs, goal in goals:
            ratio = found[ours].per_s / found[f"pgledger_{theirs}"].per_s
            figure(f"ledger_{ours}_of_pgledger", ratio, f">={goal}")
            spared = found[f"pgledger_{theirs}"].cpu_ms / found[ours].cpu_ms
            figure(f"ledger_{ours}_cpu_below_pgledger", spared)
    else:
        print("pgledger is not measured: its files are not given (--pgledger PATH)")
    slowest = found["grouped_hot"].p99_ms / found["grouped_random"].p99_ms
    figure("ledger_grouped_hot_p99_of_random", slowest, "<=1.5")
    figure("ledger_random_of_bare", found["random"].per_s / found["bare_random"].per_s)
    figure("ledger_grouped_of_bare", found["grouped_random"].per_s / found["bare_random"].per_s)
    weighing = found["weighing"].per_s / found["bare_weighing"].per_s
    figure("ledger_postgresql_weighing_of_bare", weighing, ">=0.35")


async def _sqlite(url: str, folder: Path, options: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        acts = {}
        for name in ("full", "normal"):
            path = folder / f"{name}.db"
            schema.upgrade(f"sqlite:///{path}")
            database = open_database(f"sqlite:///{path}")
            if name == "normal":
                event.listen(database.engine.sync_engine, "connect", _less_durable)
            stack.push_async_callback(database.close)
            acts[name] = await Acts.prepare(
                database, folder, accounts=ACCOUNTS, weighings=_most(options)
            )
        found = await race(
            {
                "bare": bare_sqlite(str(folder / "bare.db")),
                "grouped": acts["full"].posting(Poster(acts["full"].town.database)),
                "session": acts["full"].session_posting,
                "session_normal": acts["normal"].session_posting,
                "weighing": acts["full"].weighing,
            },
            rounds=options.rounds,
            seconds=options.seconds,
            cpu_s=time.process_time,
        )
    _say_speeds("sqlite", found)
    figure("ledger_sqlite_grouped_of_bare", found["grouped"].per_s / found["bare"].per_s, ">=0.75")
    figure("ledger_sqlite_session_per_s", found["session"].per_s, ">=1200")
    durable = found["session"].per_s / found["session_normal"].per_s
    figure("ledger_sqlite_full_of_normal", durable, ">=0.85")


def _less_durable(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


def _say_speeds(engine: str, found: dict[str, Speed]) -> None:
    for name, speed in found.items():
        figure(f"ledger_{engine}_{name}_per_s", round(speed.per_s))
        figure(f"ledger_{engine}_{name}_p99_ms", speed.p99_ms)
        figure(f"ledger_{engine}_{name}_cpu_ms", speed.cpu_ms)


def _history(engine: str, url: str, transfers: int) -> None:
    """A passbook with much behind it, and the replay of all of it."""
    books = asyncio.run(_new_passbooks(url, transfers))
    few = asyncio.run(_statements(url, books[1]))
    history.load(url, books)
    uvloop.run(_passbooks(engine, url, books))
    many = asyncio.run(_statements(url, books[0]))
    figure(f"ledger_{engine}_statements_per_posting", many)
    figure(f"ledger_{engine}_statements_grown", many - few, "=0")
    # In a process of its own, whose memory holds nothing else.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        seconds, grown_mb, replayed = pool.submit(_verify, url, books[0].bank_id).result()
    figure(f"ledger_{engine}_verify_per_s", round(replayed / seconds), ">=100000")
    figure(f"ledger_{engine}_verify_grown_mb", grown_mb)


async def _new_passbooks(url: str, transfers: int) -> list[Passbook]:
    """A long and a short one, of two residents of one bank."""
    database = open_database(url)
    async with database.transaction() as session:
        await load_materials(session)
    town = await make_town(database)
    other = await another(town, Role.RESIDENT)
    places = [chart.available(town.resident.id), chart.available(other.id)]
    async with database.transaction() as session:
        await ledger.open_accounts(session, town.bank_id, places)
    await database.close()
    long = Passbook(town.bank_id, town.resident.id, transfers)
    return [long, Passbook(town.bank_id, other.id, SHORT)]


async def _passbooks(engine: str, url: str, books: list[Passbook]) -> None:
    """Balance and last fifty lines, of the long passbook and of the short one in turn."""
    database = open_database(url)
    waits: list[list[float]] = [[], []]
    for number in range(READS):
        for book, taken in zip(books, waits, strict=True):
            began = time.perf_counter()
            await _read(database, book)
            if number >= READS // 10:
                taken.append(time.perf_counter() - began)
    await database.close()
    long, short = (1_000 * p99(taken) for taken in waits)
    figure(f"ledger_{engine}_passbook_p99_ms", long)
    figure(f"ledger_{engine}_passbook_p99_of_short", long / short, "<=2")


async def _read(database: Database, book: Passbook) -> None:
    async with database.reading() as session:
        await ledger.standing(session, book.bank_id, book.resident_id)
        lines = await ledger.passbook_lines(
            session, book.bank_id, book.resident_id, before=None, limit=50
        )
    assert len(lines) == 50


class _TakenBack(Exception):
    """Counting posted enough."""


async def _statements(url: str, book: Passbook) -> int:
    """How many statements a posting takes; it is taken back."""
    database = open_database(url)
    for _ in range(3):  # The first ones look the accounts up.
        with statements_of(database) as sent, suppress(_TakenBack):
            async with database.transaction() as session:
                await ledger.post(session, book.bank_id, _credit(book))
                raise _TakenBack
        count = len(sent)
    await database.close()
    return count


def _credit(book: Passbook) -> Draft:
    sides = (chart.PURCHASES, chart.available(book.resident_id))
    return Draft("bench", [Movement(f"bench:{uuid4()}", *sides, 1)], event_at=utc_now())


def _verify(url: str, bank_id: UUID) -> tuple[float, float, int]:
    """Seconds, megabytes by which the process grew, and transfers."""

    async def replay() -> int:
        database = open_database(url)
        async with database.reading() as session:
            found = await ledger.verify(session, [bank_id])
        await database.close()
        assert found.is_clean, found.findings[:3]
        return found.transfers

    before, began = _largest_mb(), time.perf_counter()
    transfers = asyncio.run(replay())
    return time.perf_counter() - began, _largest_mb() - before, transfers


def _largest_mb() -> float:
    """The largest this program was; what getrusage() says was that of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
