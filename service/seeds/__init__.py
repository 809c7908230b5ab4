"""What every installation starts with: materials, districts, and a price list to begin from."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import District
from models.material import Condition, Material, Unit
from models.price import Channel

_FOLDER = Path(__file__).parent

_GRAMS_PER_LITRE = 920
_GRAMS_PER_PIECE = {"GALON": 750, "KACA-BTL": 400}
"""Nominal: a material that is sold by the piece needs its weight here."""

_UNITS = {"kg": Unit.KG, "pcs": Unit.PIECE, "liter": Unit.LITRE}
_PRICE_COLUMNS = ("td_median_2025_26", "list_60_items", "other_observed")
_PRICE = re.compile(r"(\d+)(?:-(\d+))?")

_LOWER_TIERS = {"PET-BNG-B": "PET-BNG-K", "PP-GLS-B": "PP-GLS-K", "KRD-BGS": "KRD-JLK"}
"""Materials that are bought dirty too, at the price of the lower tier of the same item."""


@dataclass(frozen=True, slots=True)
class SeedPrice:
    """What to start with for one material in one condition, fetched at the door."""

    material: str
    condition: Condition
    price_idr: int

    def at(self, channel: Channel) -> int:
        """The price in a channel: what is brought is worth 5 % more, as it costs no trip."""
        if channel == Channel.PICKUP:
            return self.price_idr
        to_the_ten = (self.price_idr * 105 + 500) // 1_000 * 10
        return max(to_the_ten, self.price_idr + 10) if self.price_idr >= 100 else to_the_ten


async def load_reference(session: AsyncSession) -> None:
    """Enter materials and districts, or bring them up to date; once more changes nothing."""
    await _upsert(session, Material, [_material(row) for row in _rows("materials.csv")])
    await _upsert(session, District, [_district(row) for row in _rows("districts.csv")])


@cache
def list_prices() -> list[SeedPrice]:
    """A price for every material that one was observed for, by material."""
    prices = {row["code"]: _observed_price(row) for row in _rows("materials.csv")}
    known = {code: price for code, price in prices.items() if price is not None}
    return [
        SeedPrice(code, condition, price) for code in known for condition, price in _of(code, known)
    ]


def _of(code: str, known: dict[str, int]) -> Iterator[tuple[Condition, int]]:
    if code.endswith("-K"):
        yield Condition.DIRTY, known[code]
        return
    yield Condition.CLEAN, known[code]
    if code in _LOWER_TIERS:
        # Nobody is paid more for leaving it dirty, whatever two sources say.
        yield Condition.DIRTY, min(known[code], known[_LOWER_TIERS[code]])


def _observed_price(row: dict[str, str]) -> int | None:
    """The first of the columns that holds a price; a range counts as its middle."""
    for column in _PRICE_COLUMNS:
        found = _PRICE.search(row[column])
        if found:
            low, high = found.group(1), found.group(2) or found.group(1)
            return (int(low) + int(high)) // 2
    return None


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _material(row: dict[str, str]) -> dict[str, Any]:
    # Where lists disagree on the unit ("kg/pcs", "kg or liter"), the first one counts.
    unit = _UNITS[re.split(r"/| or ", row["unit"])[0]]
    return {
        "code": row["code"],
        "name": row["name_id"],
        "aliases": row["aliases"],
        "group_name": row["group"],
        "sipsn_class": row["sipsn_class"],
        "unit": unit,
        "grams_per_unit": _grams_per_unit(row["code"], unit),
        "note": row["note"],
    }


def _grams_per_unit(code: str, unit: Unit) -> int:
    if unit == Unit.PIECE:
        return _GRAMS_PER_PIECE[code]
    return _GRAMS_PER_LITRE if unit == Unit.LITRE else 1_000


def _district(row: dict[str, str]) -> dict[str, Any]:
    return {
        "code": row["district_code"],
        "regency_code": row["regency_code"],
        "name": row["name"],
        "villages": int(row["villages"]),
    }


async def _upsert(
    session: AsyncSession, table: type[Material] | type[District], rows: list[dict[str, Any]]
) -> None:
    connection = await session.connection()
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = insert(table)
    changed = {column: statement.excluded[column] for column in rows[0] if column != "code"}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["code"], set_=changed), rows
    )
