"""Banks and wallets by our codes, and what each gateway calls them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["xendit", "iris"]

_FILE = Path(__file__).with_name("coverage.csv")


@dataclass(frozen=True, slots=True)
class Covered:
    """A bank or wallet that residents have accounts at.

    Limits are in rupiah a payout, and hold where the gateway doesn't tell its own; the
    shortest and longest account numbers are in digits, as written nationally.
    """

    code: str
    name: str
    is_wallet: bool
    codes: Mapping[Kind, str]
    minimum_idr: int
    maximum_idr: int
    shortest: int
    longest: int


@cache
def covered() -> Mapping[str, Covered]:
    """Every bank and wallet, by our code."""
    with _FILE.open(newline="", encoding="utf-8") as file:
        return {row["code"]: _covered(row) for row in csv.DictReader(file)}


@cache
def covered_by(kind: Kind) -> Mapping[str, Covered]:
    """Those that a gateway pays to, by the gateway's code."""
    return {one.codes[kind]: one for one in covered().values() if kind in one.codes}


def _covered(row: Mapping[str, str]) -> Covered:
    kinds: tuple[Kind, ...] = ("xendit", "iris")
    return Covered(
        code=row["code"],
        name=row["name"],
        is_wallet=row["is_wallet"] == "yes",
        codes={kind: row[kind] for kind in kinds if row[kind]},
        minimum_idr=int(row["minimum_idr"]),
        maximum_idr=int(row["maximum_idr"]),
        shortest=int(row["shortest"]),
        longest=int(row["longest"]),
    )
