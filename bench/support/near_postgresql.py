"""Jobs in PostgreSQL: our cells, the optional index of points, and PostGIS beside them."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from bench.support.town import K, Row, own_cpu_ms
from routing.geo import Point, cell_of, metres_inside
from routing.nearest import About, Worth

_SCHEMA = """
CREATE EXTENSION postgis;
CREATE EXTENSION btree_gist;
CREATE TABLE pickup (id bigint PRIMARY KEY, bank_id text NOT NULL, status text NOT NULL,
  lat float8 NOT NULL, lon float8 NOT NULL, cell bigint NOT NULL, created_at float8 NOT NULL,
  place geography(point) GENERATED ALWAYS AS (
    ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) STORED)"""
_INDEXES = """
CREATE INDEX ix_open_cell ON pickup (bank_id, cell, lat, lon, created_at, id, status)
  WHERE status = 'open';
CREATE INDEX ix_open_created ON pickup (bank_id, created_at) WHERE status = 'open';
CREATE INDEX ix_open_point ON pickup USING gist (bank_id, point(lon, lat)) WHERE status = 'open';
CREATE INDEX ix_open_place ON pickup USING gist (place) WHERE status = 'open'"""
_COLUMNS = "pickup (id, bank_id, status, lat, lon, cell, created_at)"
_WITHIN = """
SELECT found.* FROM unnest(CAST(%(firsts)s AS bigint[]), CAST(%(lasts)s AS bigint[])) range(first, last)
 CROSS JOIN LATERAL (
       SELECT p.id, p.lat, p.lon, -p.created_at FROM pickup p
        WHERE p.cell BETWEEN range.first AND range.last
          AND p.bank_id = 'b' AND p.status = 'open'{worth} OFFSET 0) found"""
_FAR = "(p.lat - %(lat)s) * (p.lat - %(lat)s) + (p.lon - %(lon)s) * (p.lon - %(lon)s)"
_EDGE = f"\n          AND {_FAR} <= %(edge)s ^ 2"
_WORTH = f"""{_EDGE}
          AND {_FAR} <= (%(near)s + %(per_s)s * greatest(-p.created_at, 0)) ^ 2"""
_ABOUT = """
SELECT id, lat, lon, -created_at FROM pickup WHERE bank_id = 'b' AND status = 'open'
 ORDER BY point(lon, lat) <-> point(%s, %s) LIMIT %s"""
_OLDEST = """
SELECT id, lat, lon, -created_at FROM pickup
 WHERE bank_id = 'b' AND status = 'open' ORDER BY created_at, id LIMIT %s"""
_POSTGIS = """
SELECT id, lat, lon, -created_at FROM pickup WHERE bank_id = 'b' AND status = 'open'
 ORDER BY place <-> ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography LIMIT %s"""


def binaries_with_postgis() -> Path | None:
    """Those of Debian's newest PostgreSQL that has PostGIS, if one does."""
    found = Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    versions = sorted((path.parent.parent.name for path in found), key=float)
    return Path("/usr/lib/postgresql") / versions[-1] / "bin" if versions else None


class PostgreSQLJobs:
    """A store and a source; the statements are those of the product's board."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_SCHEMA)
        self._cursor = self._connection.cursor()
        self._times = Path(f"/proc/{self._connection.info.backend_pid}/schedstat")
        self.has_points = True

    def fill(self, rows: Iterator[tuple[Row, bool]]) -> None:
        with self._cursor.copy(f"COPY {_COLUMNS} FROM STDIN") as copy:
            for row, is_open in rows:
                copy.write_row(_values(row, "open" if is_open else "done"))
        self._connection.execute(_INDEXES)
        self._connection.execute("VACUUM ANALYZE pickup")

    def add(self, row: Row) -> None:
        sql = f"INSERT INTO {_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s)"
        self._cursor.execute(sql, _values(row, "open"))

    def close(self, number: int) -> None:
        self._cursor.execute("UPDATE pickup SET status = 'done' WHERE id = %s", (number,))

    def cpu_ms(self) -> float:
        return own_cpu_ms() + int(self._times.read_text().split()[0]) / 1e6

    async def within(self, ranges: list[tuple[int, int]], worth: Worth | None) -> Sequence[Row]:
        firsts, lasts = map(list, zip(*ranges, strict=True))
        bound = (worth._asdict() if worth else {}) | {"firsts": firsts, "lasts": lasts}
        asked = (_WORTH if worth.per_s else _EDGE) if worth else ""
        sql = _WITHIN.format(worth=asked)
        return self._cursor.execute(sql, bound).fetchall()

    async def about(self, here: Point, count: int) -> About[int]:
        if not self.has_points:
            return None
        asked = math.ceil(count / math.cos(math.radians(here.lat)))
        rows = self._cursor.execute(_ABOUT, (here.lon, here.lat, asked)).fetchall()
        _, lat, lon, _ = rows[-1]
        return rows, metres_inside(here, math.hypot(lat - here.lat, lon - here.lon))

    async def oldest(self, count: int) -> Sequence[Row]:
        return self._cursor.execute(_OLDEST, (count,)).fetchall()

    async def by_postgis(self, here: Point) -> list[int]:
        rows = self._cursor.execute(_POSTGIS, (here.lon, here.lat, K)).fetchall()
        return [row[0] for row in rows]


def _values(row: Row, status: str) -> tuple[object, ...]:
    number, lat, lon, age_s = row
    return number, "b", status, lat, lon, cell_of(Point(lat, lon)), -age_s
