"""Limits that a driver's bare statements set: of a collect, the rows it writes; of any act, a commit.

One transaction a collect, as over HTTP. The ledger's triggers are part of the database and
run in both.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg

from models.base import new_id
from service.ledger.chart import Place, chart

Row = dict[str, Any]
_TABLES = ("weighing", "ledger_journal", "ledger_transfer", "event", "idempotency", "audit_entry")


class Collected:
    """A pickup that was collected, and one like it that is still to be."""

    def __init__(self, pickup_id: str, bank_id: str, resident_id: str, collector_id: str) -> None:
        self.pickup_id = UUID(pickup_id)
        self.bank_id = UUID(bank_id)
        self.resident_id = UUID(resident_id)
        self.collector_id = UUID(collector_id)


_OPEN_PAGE = "(SELECT max(number) FROM ledger_page WHERE bank_id = {})"
"""The page that the model stands on may be turned by now."""


def collect_all(
    url: str, model: Collected, others: Sequence[Collected], cpu_s: Callable[[], float]
) -> tuple[float, float]:
    """Seconds of CPU time, by `cpu_s`, and on the clock to collect all the others.

    Each is written with the rows that the model's collect left.
    """
    connection, native, mark = _connect(url)
    rows = _rows_of(connection, native, mark, model)
    planned = [_acts(rows, native, mark, model, other) for other in others]
    began, began_cpu = time.perf_counter(), cpu_s()
    for acts in planned:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if isinstance(connection, sqlite3.Connection) else "BEGIN")
        for statement, many in acts:
            cursor.executemany(statement, many)
        cursor.execute("COMMIT")
    # Before the connection is closed: what a backend used is counted late once it has gone.
    spent = (cpu_s() - began_cpu, time.perf_counter() - began)
    connection.close()
    return spent


def commits(url: str, count: int, per_s: int) -> list[float]:
    """Seconds of each of so many transactions of one small row, at even distances."""
    connection, _, mark = _connect(url)
    connection.execute("CREATE TABLE bare_commit (number BIGINT)")
    waited, began = [], time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number / per_s - time.perf_counter()))
        start = time.perf_counter()
        connection.execute(f"INSERT INTO bare_commit VALUES ({mark})", (number,))
        waited.append(time.perf_counter() - start)
    connection.execute("DROP TABLE bare_commit")
    connection.close()
    return waited


def _connect(url: str) -> tuple[Any, Callable[[UUID], Any], str]:
    if url.startswith("sqlite"):
        plain = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            plain.execute(f"PRAGMA {pragma}")
        return plain, lambda value: value.hex, "?"
    return psycopg.connect(url, autocommit=True), lambda value: value, "%s"


def _rows_of(
    connection: Any, native: Callable[[UUID], Any], mark: str, model: Collected
) -> dict[str, list[Row]]:
    """What the model's collect wrote, by table."""
    bank, pickup = native(model.bank_id), native(model.pickup_id)
    journal = (
        f"SELECT id FROM ledger_journal WHERE bank_id = {mark} AND about_id = {mark}"
        " AND kind = 'pickup'"
    )
    wanted = {
        "weighing": (f"bank_id = {mark} AND pickup_id = {mark}", (bank, pickup)),
        "ledger_journal": (f"bank_id = {mark} AND id IN ({journal})", (bank, bank, pickup)),
        "ledger_transfer": (
            f"bank_id = {mark} AND journal_id IN ({journal})",
            (bank, bank, pickup),
        ),
        "event": (
            f"bank_id = {mark} AND kind = 'pickup_collected' AND body LIKE {mark}",
            (bank, f"%{model.pickup_id}%"),
        ),
        "idempotency": (
            f"bank_id = {mark} AND body LIKE {mark}",
            (bank, f'{{"id":"{model.pickup_id}","status":"collected"%'),
        ),
        "audit_entry": (
            f"bank_id = {mark} AND about = {mark} AND act = 'collect_pickup'",
            (bank, str(model.pickup_id)),
        ),
    }
    found = {}
    for table in _TABLES:
        condition, bound = wanted[table]
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM {table} WHERE {condition}", bound)
        names = [column[0] for column in cursor.description]
        found[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if not found[table]:
            raise SystemExit(f"The model's collect left no row in {table}.")
    return found


def _acts(
    rows: dict[str, list[Row]],
    native: Callable[[UUID], Any],
    mark: str,
    model: Collected,
    other: Collected,
) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """The statements that collect another pickup as the model was collected."""
    total = sum(row["amount_idr"] for row in rows["weighing"])
    update = (
        f"UPDATE pickup SET status = 'collected', collected_at = {mark}, claimed_until = NULL,"
        f" credited_idr = {mark} WHERE bank_id = {mark} AND id = {mark}"
        " AND status IN ('claimed', 'arrived')"
    )
    at = rows["ledger_transfer"][0]["event_at"]
    keys = (native(other.bank_id), native(other.pickup_id))
    acts = [(update, [(at, total, *keys)])]
    journal = native(new_id())
    accounts = _accounts(rows["weighing"], native, model, other)
    for table in _TABLES:
        made = [_like(row, native, accounts, journal, other, model) for row in rows[table]]
        for row in made:
            if "page" in row:
                row["page"] = keys[0]
        columns = ", ".join(f'"{name}"' for name in made[0])
        marks = ", ".join(_OPEN_PAGE.format(mark) if name == "page" else mark for name in made[0])
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        acts.append((statement, [tuple(row.values()) for row in made]))
    return acts


def _accounts(
    weighings: list[Row], native: Callable[[UUID], Any], model: Collected, other: Collected
) -> dict[Any, Any]:
    """Which account of the other stands for which of the model."""

    def places(one: Collected) -> list[Place]:
        found = [chart.available(one.resident_id), chart.earnings(one.collector_id)]
        for row in weighings:
            found.append(chart.source(one.resident_id, row["material"]))
            found.append(chart.load(one.collector_id, row["material"]))
        return [*found, chart.PURCHASES, chart.COLLECTOR_FEES]

    pairs = zip(places(model), places(other), strict=True)
    return {native(a.id_in(model.bank_id)): native(b.id_in(other.bank_id)) for a, b in pairs}


def _like(
    row: Row,
    native: Callable[[UUID], Any],
    accounts: dict[Any, Any],
    journal: Any,
    other: Collected,
    model: Collected,
) -> Row:
    """A row like this one, about the other pickup."""
    made = dict(row)
    made["bank_id"] = native(other.bank_id)
    if "id" in made:
        made["id"] = journal if "about_id" in made else native(new_id())
    for name in ("pickup_id", "about_id"):
        if made.get(name) is not None:
            made[name] = native(other.pickup_id)
    if "journal_id" in made:
        made["journal_id"] = journal
        made["key"] = made["key"].replace(str(model.pickup_id), str(other.pickup_id))
        for side in ("debit", "credit"):
            made[f"{side}_account_id"] = accounts[made[f"{side}_account_id"]]
            made[f"{side}_shard"] = random.randrange(16) if made[f"{side}_shard"] else 0
    if "about" in made:
        made["about"], made["person_id"] = str(other.pickup_id), native(other.resident_id)
    return made | _begun(made)


def _begun(row: Row) -> Row:
    """What a row says that is new with every collect."""
    if "request_hash" in row:
        return {"key": str(uuid4())}
    return {"done_at": None, "fence": 0} if "done_at" in row else {}
