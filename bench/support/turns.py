"""One of several processes that claim by turns on one SQLite file, with bare statements.

It reads and writes what the product's claim does: the bank and its rules, what the collector
holds, the nearest open pickup; a route, and the pickup. What it is told comes on the command
line; the waits in milliseconds are printed as JSON.
"""

import json
import sqlite3
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.geo import Point, cell_ranges

BUSY_S = 5.0
DISCS_M = (60.0, 240.0, 960.0, 3_840.0)


def main() -> None:
    wanted = json.loads(sys.argv[1])
    connection = sqlite3.connect(wanted["path"], timeout=BUSY_S, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.row_factory = sqlite3.Row
    time.sleep(max(0.0, wanted["begin"] - time.time()))
    waits, until = [], time.perf_counter() + wanted["seconds"]
    while (asked := time.perf_counter()) < until:
        _begin(connection)
        _claim(connection, wanted)
        connection.execute("COMMIT")
        waits.append(1e3 * (time.perf_counter() - asked))
    print(json.dumps(waits))


def _begin(connection: sqlite3.Connection) -> None:
    """Who is starved even beyond the time-out asks again; it counts as one wait."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            continue
        return


def _claim(connection: sqlite3.Connection, wanted: dict[str, Any]) -> None:
    bank, collector, here = wanted["bank"], wanted["collector"], Point(*wanted["here"])
    now = datetime.now(UTC).replace(tzinfo=None)
    policy = connection.execute(
        "SELECT * FROM policy WHERE bank_id = ? AND valid_from <= ?"
        " ORDER BY valid_from DESC LIMIT 1",
        (bank, str(now)),
    ).fetchone()
    connection.execute("SELECT * FROM bank WHERE id = ?", (bank,)).fetchone()
    held = connection.execute(
        "SELECT count(*), sum(estimated_grams) FROM pickup WHERE bank_id = ?"
        " AND collector_id = ? AND status IN ('claimed', 'arrived') AND claimed_until > ?",
        (bank, collector, str(now)),
    ).fetchone()
    if held[0] >= policy["max_held_jobs"]:
        raise SystemExit("This collector holds too many jobs.")
    pickup = _nearest(connection, bank, here, now)
    route, until = uuid.uuid4().hex, str(now + timedelta(seconds=policy["lease_s"]))
    connection.execute(
        "INSERT INTO route (bank_id, id, collector_id, lat, lon, total_m, total_s, created_at)"
        " VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
        (bank, route, collector, *here, str(now)),
    )
    connection.execute(
        "UPDATE pickup SET status = 'claimed', collector_id = ?, claim_number = claim_number + 1,"
        " claimed_at = ?, claimed_until = ?, route_id = ?, route_sequence = 1, leg_m = 0"
        " WHERE bank_id = ? AND id = ? AND status = 'open'",
        (collector, str(now), until, route, bank, pickup),
    )


def _nearest(connection: sqlite3.Connection, bank: str, here: Point, now: datetime) -> str:
    for radius_m in DISCS_M:
        ranges = cell_ranges(here, radius_m)
        places = ",".join(["(?, ?)"] * len(ranges))
        found = connection.execute(
            f"SELECT p.* FROM (VALUES {places}) r CROSS JOIN pickup p"
            " WHERE p.bank_id = ? AND p.status = 'open' AND p.window_end > ?"
            " AND p.cell BETWEEN r.column1 AND r.column2"
            " ORDER BY (lat - ?) * (lat - ?) + (lon - ?) * (lon - ?) LIMIT 1",
            (
                *(bound for pair in ranges for bound in pair),
                bank,
                str(now),
                here.lat,
                here.lat,
                here.lon,
                here.lon,
            ),
        ).fetchone()
        if found is not None:
            return str(found["id"])
    raise SystemExit("There were too few jobs to claim.")


if __name__ == "__main__":
    main()
