"""A statement of many lines matched with as many payouts: by itself, and through the database.

python3 run.py bench reconcile [--lines 10000 100000] [--engine sqlite|postgresql|both]

Each run is in a process of its own, so that its memory is. One in fifty payouts has a fault,
and what is found must be what was planted, with nothing besides.
"""

import argparse
import asyncio
import csv
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.support import processes
from bench.support.figures import figure
from models.bank import Bank, Policy
from models.base import new_id, table_of
from models.ledger import TransferKind
from models.payout import Payout, PayoutMethod, PayoutStatus
from models.people import Person
from models.reconciliation import LineType
from service import banks, ledger, reconciliation
from service.database import open_database, schema
from service.ledger import Draft, Movement, chart
from service.reconciliation import File
from service.reconciliation.facts import Line, Sent
from service.reconciliation.matching import Covered, reconcile
from service.reconciliation.readers import Read

GATEWAY = "xendit"
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
COVERED = Covered(FIRST, FIRST + timedelta(days=40))
AMOUNTS = (10_000, 20_000, 25_000, 50_000)
FAULTY = 50
_FAULTS = ("missing", "doubled", "amount", "foreign", "late")
_KINDS = {
    "missing": "missing_at_gateway",
    "doubled": "duplicate",
    "amount": "amount_differs",
    "foreign": "missing_here",
    "late": "late",
}
_SECONDS, _MEGABYTES = 10, 300
_HEADER = (
    *("Product ID", "Transaction ID", "Transaction Type", "Line Type", "Payment Channel"),
    *("Reference", "Currency", "Amount", "Balance", "Debit or Credit", "Created UTC ISO"),
)
_UNGUARDED = {
    "sqlite": ["DROP TRIGGER payout_begins"],
    "postgresql": ["SET LOCAL session_replication_role = replica"],
}
"""Lets rows in as they are, in a database of this measurement's own."""
Result = TypeVar("Result")


class Measured(NamedTuple):
    """Of one run: processor seconds (of the database server too), seconds, the most memory, and how much was found wrongly."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    wrong: int


def main() -> None:
    options = _options()
    engines = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    for way in ("pure", *engines):
        spent = {count: _measure(way, count) for count in options.lines}
        least, most = min(spent), max(spent)
        if least < most:
            grown = (spent[most] / most) / (spent[least] / least)
            figure(f"reconcile_{way}_cpu_a_line_grown", grown, "<=1.5")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench reconcile", description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    return parser.parse_args()


def _measure(way: str, count: int) -> float:
    """Measure, print what was found, and give back the processor seconds."""
    found = _alone(_pure, count) if way == "pure" else _through(way, count)
    name, goals = f"reconcile_{way}_{count}", count >= 100_000
    figure(f"{name}_cpu_s", found.cpu_s, f"<={_SECONDS}" if goals else "")
    figure(f"{name}_s", found.wall_s)
    figure(f"{name}_lines_per_cpu_s", count / found.cpu_s)
    figure(f"{name}_rss_mb", found.rss_mb, f"<={_MEGABYTES}" if goals else "")
    figure(f"{name}_wrong", found.wrong, "=0")
    return found.cpu_s


def _alone(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do it in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(work, *arguments).result()


def _measured(began: tuple[float, float], wrong: int) -> Measured:
    spent, wall = time.process_time() - began[0], time.perf_counter() - began[1]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(spent, wall, megabytes, wrong)


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


class Month:
    """So many lines and payouts, and how many faults of which kind are among them."""

    def __init__(self, count: int) -> None:
        self.chance = random.Random(count)
        self.payouts: list[Sent] = []
        self.lines: list[Line] = []
        self.planted: Counter[str] = Counter()
        for number in range(count):
            self._pay(number, count)
        self.chance.shuffle(self.lines)
        self.lines = [line._replace(number=at) for at, line in enumerate(self.lines, start=1)]

    def wrong(self, matched: int, found: Counter[str]) -> int:
        """How much of what was found was not planted, or the other way round."""
        differing = (found - self.planted) + (self.planted - found)
        return abs(matched - self.matched) + sum(differing.values())

    @property
    def matched(self) -> int:
        """How many lines are payouts without doubt."""
        faulty = ("duplicate", "amount_differs", "missing_here")
        return len(self.lines) - sum(self.planted[kind] for kind in faulty)

    def _pay(self, number: int, count: int) -> None:
        payout_id = UUID(int=(0x01900000000070008 << 60) + number)
        at = FIRST + timedelta(seconds=number * 28 * 86_400 // count)
        sent = Sent(
            id=payout_id,
            key=f"payout-{payout_id}",
            gateway_id=f"disb-{number}",
            gateway=GATEWAY,
            send_idr=self.chance.choice(AMOUNTS),
            fee_idr=0,
            account_number=f"08{number:010}",
            sent_at=at,
            status=PayoutStatus.PAID,
        )
        self.payouts.append(sent)
        line = _line(sent, at + timedelta(seconds=60))
        # Not at the edges, where what is missing may not be due.
        faulty = number % FAULTY == 0 and count // 10 <= number < count * 9 // 10
        fault = self.chance.choice(_FAULTS) if faulty else ""
        if fault:
            self.planted[_KINDS[fault]] += 1
        self.lines.extend(_with_fault(fault, line))
        if fault == "foreign":
            self.planted["missing_at_gateway"] += 1


def _with_fault(fault: str, line: Line) -> list[Line]:
    if fault == "missing":
        return []
    if fault == "doubled":
        return [line, line._replace(external_id="2" + line.external_id, gateway_id="")]
    if fault == "amount":
        return [line._replace(amount_idr=line.amount_idr - 1)]
    if fault == "foreign":
        return [line._replace(reference=f"payout-{new_id()}", gateway_id="", account_number="")]
    if fault == "late":
        later = line.booked_at + timedelta(days=3)
        return [line._replace(booked_at=later, booked_until=later)]
    return [line]


def _line(sent: Sent, at: datetime) -> Line:
    return Line(
        number=0,
        kind=LineType.OUT,
        external_id=f"txn-{sent.gateway_id}",
        occurrence=1,
        gateway_id=sent.gateway_id,
        reference=sent.key,
        account_number=sent.account_number,
        amount_idr=-sent.send_idr,
        booked_at=at,
        booked_until=at,
    )


def _pure(count: int) -> Measured:
    month = Month(count)
    began = _now()
    outcome = reconcile(GATEWAY, month.lines, month.payouts, COVERED)
    found = Counter(str(case.kind) for case in outcome.cases)
    return _measured(began, month.wrong(len(outcome.matches), found))


def _through(engine: str, count: int) -> Measured:
    """The whole act on a database that somebody else has filled."""
    with tempfile.TemporaryDirectory(prefix="jumpa-bench-") as name:
        report = Path(name) / "report.csv"
        with processes.database(engine, Path(name)) as url:
            prepared = _alone(_prepare, url, count, report)
            before = processes.cpu_seconds(*processes.postmaster(url))
            found: Measured = _alone(_import, url, report, *prepared)
            server = processes.cpu_seconds(*processes.postmaster(url)) - before
    return found._replace(cpu_s=found.cpu_s + server)


def _prepare(url: str, count: int, report: Path) -> tuple[UUID, UUID, int, Counter[str]]:
    """A bank with the payouts, and its gateway's report; what must be found in it."""
    schema.upgrade(url)
    month = Month(count)
    _write(month, report)
    bank_id, by = asyncio.run(_fill(url, month))
    return bank_id, by, month.matched, month.planted


async def _fill(url: str, month: Month) -> tuple[UUID, UUID]:
    database = open_database(url)
    try:
        async with database.transaction() as session:
            return await _a_bank(session, month)
    finally:
        await database.close()


def _write(month: Month, report: Path) -> None:
    with report.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for line in month.lines:
            ids = (line.gateway_id, line.external_id, "DISBURSEMENT", "TRANSACTION", "ID_DANA")
            at = line.booked_at.isoformat()
            writer.writerow([*ids, line.reference, "IDR", line.left_idr, "", "DEBIT", at])


def _import(
    url: str, report: Path, bank_id: UUID, by: UUID, matched: int, planted: Counter[str]
) -> Measured:
    read = reconciliation.read_statement(report.read_bytes(), GATEWAY, {}, zone="Asia/Jakarta")
    return asyncio.run(_imported(url, read, (bank_id, by), matched, planted))


async def _imported(
    url: str, read: Read, who: tuple[UUID, UUID], matched: int, planted: Counter[str]
) -> Measured:
    """Known lines looked for, new ones kept, matched, matches and cases written."""
    file = File(GATEWAY, sha256(b"").hexdigest(), read)
    database = open_database(url)
    try:
        async with database.reading() as session:
            bank = await banks.get(session, who[0])
        began = _now()
        async with database.transaction() as session:
            done = await reconciliation.bring_in(session, bank, file, by=who[1])
        found = Counter(done.exceptions)
        wrong = sum(((found - planted) + (planted - found)).values())
        return _measured(began, wrong + abs(sum(done.matched.values()) - matched))
    finally:
        await database.close()


async def _a_bank(session: AsyncSession, month: Month) -> tuple[UUID, UUID]:
    bank = Bank(name="Bank", lat=3.5, lon=98.8)
    await banks.create(session, bank, Policy(bank_id=bank.id))
    person = Person(phone="+6281200000000", name="Somebody")
    session.add(person)
    await session.flush()
    held = Movement("hold", chart.PURCHASES, chart.IN_TRANSIT, 1, TransferKind.HOLD)
    (hold_id,) = await ledger.post(session, bank.id, Draft("payout_hold", [held], FIRST))
    model = Payout(
        bank_id=bank.id,
        resident_id=person.id,
        entered_by=person.id,
        amount_idr=1,
        method=PayoutMethod.EWALLET,
        status=PayoutStatus.PAID,
        hold_id=hold_id,
        fee_idr=0,
    ).model_dump()
    connection = await session.connection()
    rows = [
        model
        | {name: getattr(sent, name) for name in ("id", "key", "gateway_id", "gateway", "sent_at")}
        | {"amount_idr": sent.send_idr, "account_number": sent.account_number}
        for sent in month.payouts
    ]
    # Paid long ago: how each came there is another measurement's.
    for statement in _UNGUARDED[connection.dialect.name]:
        await connection.exec_driver_sql(statement)
    await connection.execute(insert(table_of(Payout)), rows)
    return bank.id, person.id


if __name__ == "__main__":
    main()
