"""How fast a book is sealed and checked, and how much memory that takes.

python3 run.py bench sealing [--transfers 300000] [--pages 3] [--engine sqlite|postgresql|both]
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert

from bench.support import processes
from bench.support.figures import figure
from models.bank import Bank
from models.base import new_id, utc_now
from models.ledger import Account, Journal, Page, Transfer, triggers
from service import sealing
from service.database import open_database, schema
from service.keys import load_keys
from service.settings import Settings

ACCOUNTS = 1_000
LINES = 4
"""Transfers of one act, as of a collect with three materials."""


class Measured(NamedTuple):
    """What one pass over the book took."""

    seconds: float
    cpu_s: float
    grown_mb: float


def main() -> None:
    options = _options()
    engines = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    for engine in engines:
        with (
            tempfile.TemporaryDirectory(prefix="jumpa-bench-") as name,
            processes.database(engine, Path(name)) as url,
        ):
            _measure(engine, url, Path(name), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench sealing", description=__doc__)
    parser.add_argument("--transfers", type=int, default=300_000)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    return parser.parse_args()


def _measure(engine: str, url: str, folder: Path, options: argparse.Namespace) -> None:
    bank_id = _fill(url, options.transfers // options.pages // LINES, options.pages)
    count = options.transfers // options.pages // LINES * LINES * options.pages
    # Each in a process of its own, whose memory holds nothing else.
    for name, work in (("seal", _seal), ("check", _check)):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            measured = pool.submit(work, url, folder, bank_id).result()
        figure(f"sealing_{engine}_{name}_per_s", count / measured.seconds, ">=100000")
        figure(f"sealing_{engine}_{name}_cpu_us", 1e6 * measured.cpu_s / count)
        figure(f"sealing_{engine}_{name}_grown_mb", measured.grown_mb)


def _fill(url: str, acts: int, pages: int) -> UUID:
    """A book whose counters stay empty: seals don't look at them, and triggers take their time."""
    schema.upgrade(url)
    engine = schema.sync_engine(url)
    with engine.begin() as connection:
        triggers.remove(connection)
        bank = Bank(name="Bench", lat=3.5, lon=98.6)
        _insert(connection, Bank, [bank.model_dump()])
        accounts = [new_id() for _ in range(ACCOUNTS)]
        opened = [Account(bank_id=bank.id, id=one, code=one.hex, unit="IDR") for one in accounts]
        _insert(connection, Account, [account.model_dump() for account in opened])
        random = Random(1)
        for page in range(1, pages + 2):
            row = {"bank_id": bank.id, "number": page, "day": utc_now().date()}
            _insert(connection, Page, [{**row, "opened_at": utc_now()}])
            if page <= pages:
                _write(connection, bank.id, page, acts, lambda: random.sample(accounts, 2))
        triggers.install(connection)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return bank.id


def _write(
    connection: Connection, bank_id: UUID, page: int, acts: int, pair: Callable[[], list[UUID]]
) -> None:
    journals, transfers = [], []
    for _ in range(acts):
        about, journal, at = new_id(), new_id(), utc_now()
        journals.append(
            {
                "bank_id": bank_id,
                "id": journal,
                "kind": "pickup",
                "about_id": about,
                "actor_id": None,
                "memo": "",
                "reverses_id": None,
                "page": page,
                "created_at": at,
            }
        )
        for line in range(LINES):
            debit, credit = pair()
            transfers.append(
                {
                    "bank_id": bank_id,
                    "id": new_id(),
                    "key": f"pickup:{about}:{line}",
                    "kind": "post",
                    "pending_id": None,
                    "journal_id": journal,
                    "debit_account_id": debit,
                    "debit_shard": 0,
                    "credit_account_id": credit,
                    "credit_shard": 0,
                    "amount": 1_000 + line,
                    "unit": "IDR",
                    "event_at": at,
                    "created_at": at,
                }
            )
    _insert(connection, Journal, journals)
    _insert(connection, Transfer, transfers)


def _insert(connection: Connection, table: type[Any], rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)


def _seal(url: str, folder: Path, bank_id: UUID) -> Measured:
    keys = load_keys(Settings(data_dir=folder))

    async def run() -> None:
        database = open_database(url)
        await sealing.seal(database, keys, [bank_id])
        await database.close()

    return _timed(lambda: asyncio.run(run()))


def _check(url: str, folder: Path, bank_id: UUID) -> Measured:
    keys = load_keys(Settings(data_dir=folder))

    def run() -> None:
        findings = sealing.check(url, [bank_id], keys.of_seals).findings
        if findings:
            raise SystemExit(f"A seal does not fit: {findings[0]}")

    return _timed(run)


def _timed(work: Callable[[], None]) -> Measured:
    before, cpu, began = _peak_mb(), time.process_time(), time.perf_counter()
    work()
    spent = time.process_time() - cpu
    return Measured(time.perf_counter() - began, spent, _peak_mb() - before)


def _peak_mb() -> float:
    """The most memory this process has had; unlike ru_maxrss, nothing of who started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
