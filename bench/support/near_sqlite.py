"""Jobs in SQLite: our cells, and its R*Tree beside them."""

import heapq
import math
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache

from bench.support.town import FAR_M, K, Row, own_cpu_ms
from routing.geo import EARTH_RADIUS_M, Point, cell_of, metres_from
from routing.nearest import Worth

_SCHEMA = """
CREATE TABLE pickup (id INTEGER PRIMARY KEY, bank_id TEXT NOT NULL, status TEXT NOT NULL,
  lat REAL NOT NULL, lon REAL NOT NULL, cell INTEGER NOT NULL, created_at REAL NOT NULL);
CREATE INDEX ix_open_cell ON pickup (bank_id, cell, lat, lon, created_at, status)
  WHERE status = 'open';
CREATE INDEX ix_open_created ON pickup (bank_id, created_at) WHERE status = 'open';
CREATE VIRTUAL TABLE tree USING rtree(id, south, north, west, east);"""
_WITHIN = """
SELECT p.id, p.lat, p.lon, -p.created_at FROM (VALUES {ranges}) range CROSS JOIN pickup p
 WHERE p.bank_id = 'b' AND p.status = 'open' AND p.cell BETWEEN range.column1 AND range.column2"""
_FAR = "(p.lat - {lat}) * (p.lat - {lat}) + (p.lon - {lon}) * (p.lon - {lon})"
_REACH = "({near} + {per_s} * max(-p.created_at, 0))"
_EDGE = f"\n   AND {_FAR} <= {{edge}} * {{edge}}"
_WORTH = f"{_EDGE}\n   AND {_FAR} <= {_REACH} * {_REACH}"
_OLDEST = """
SELECT id, lat, lon, -created_at FROM pickup
 WHERE bank_id = 'b' AND status = 'open' ORDER BY created_at, id LIMIT ?"""
_TREE = """
SELECT p.id, p.lat, p.lon, p.created_at FROM tree t JOIN pickup p ON p.id = t.id
 WHERE t.south <= ? AND t.north >= ? AND t.west <= ? AND t.east >= ?"""


@cache
def _within(ranges: int, bounds_of_worth: int) -> str:
    """The statement for so many ranges, and none, three or all of the bounds of a Worth."""
    sql = _WITHIN.format(ranges=",".join(["(?,?)"] * ranges))
    sql += {0: "", 3: _EDGE}.get(bounds_of_worth, _WORTH)
    return sql.format(**{name: f"?{2 * ranges + n}" for n, name in enumerate(Worth._fields, 1)})


class SQLiteJobs:
    """A store and a source; the statements are those of the product's board."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.executescript(_SCHEMA)

    def fill(self, rows: Iterator[tuple[Row, bool]]) -> None:
        self._connection.execute("BEGIN")
        for row, is_open in rows:
            self._insert(row, "open" if is_open else "done")
        self._connection.execute("COMMIT")

    def add(self, row: Row) -> None:
        self._insert(row, "open")

    def close(self, number: int) -> None:
        self._connection.execute("UPDATE pickup SET status = 'done' WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM tree WHERE id = ?", (number,))

    def cpu_ms(self) -> float:
        return own_cpu_ms()

    async def within(self, ranges: list[tuple[int, int]], worth: Worth | None) -> Sequence[Row]:
        bounds: list[float] = [bound for pair in ranges for bound in pair]
        if worth is not None:
            bounds += worth if worth.per_s else worth[:3]
        sql = _within(len(ranges), len(bounds) - 2 * len(ranges))
        return self._connection.execute(sql, bounds).fetchall()

    async def about(self, here: Point, count: int) -> None:
        return None

    async def oldest(self, count: int) -> Sequence[Row]:
        return self._connection.execute(_OLDEST, (count,)).fetchall()

    async def by_tree(self, here: Point) -> list[int]:
        """A box in the R*Tree that grows until it holds enough and nothing outside is nearer."""
        radius_m, metres = 100.0, metres_from(here)
        while True:
            rows = self._connection.execute(_TREE, _box(here, radius_m)).fetchall()
            near = heapq.nsmallest(K, ((metres(row[1], row[2]), row[0]) for row in rows))
            if radius_m >= FAR_M or (len(near) == K and near[-1][0] <= radius_m):
                return [row_id for _, row_id in near]
            radius_m *= 3

    def _insert(self, row: Row, status: str) -> None:
        number, lat, lon, age_s = row
        values = (number, "b", status, lat, lon, cell_of(Point(lat, lon)), -age_s)
        self._connection.execute("INSERT INTO pickup VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        if status == "open":
            box = (number, lat, lat, lon, lon)
            self._connection.execute("INSERT INTO tree VALUES (?, ?, ?, ?, ?)", box)


def _box(here: Point, radius_m: float) -> tuple[float, float, float, float]:
    """North, south, east and west of a disc; not for poles and 180 degrees, where no job is."""
    reach = radius_m / EARTH_RADIUS_M
    up = math.degrees(reach) * 1.001
    across = math.degrees(math.asin(math.sin(reach) / math.cos(math.radians(here.lat)))) * 1.001
    return here.lat + up, here.lat - up, here.lon + across, here.lon - across
