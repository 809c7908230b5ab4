"""Lines on the scale: what each is worth, how it is kept and told."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id
from models.weighing import Weighing
from service import events, prices
from service.errors import Forbidden
from service.ledger import Movement, Place, chart

_INSERT_LINES = insert(Weighing)
_TOLD = ("grams", "rejected_grams", "amount_idr")


class OwnWeighing(Forbidden):
    english = "Nobody weighs for themselves."
    indonesian = "Tidak boleh menimbang untuk diri sendiri."


@dataclass(frozen=True, slots=True)
class Weighed:
    """One line on the scale: grams taken, grams refused, and why."""

    material: str
    condition: str
    grams: int
    rejected_grams: int
    reason: str


class Worth(NamedTuple):
    """A price, and how many grams it is for."""

    price_idr: int
    grams_per_unit: int


@dataclass(frozen=True, slots=True)
class Credited:
    """What was weighed, line by line, and what the resident got for it."""

    lines: Sequence[dict[str, Any]]
    credited_idr: int
    fee_idr: int


def lines_of(
    bank_id: UUID, weighed: Sequence[Weighed], worths: Sequence[Worth]
) -> list[dict[str, Any]]:
    """Rows of weighings, each with its price and its amount in whole rupiah."""
    return [
        _line(bank_id, number, *pair)
        for number, pair in enumerate(zip(weighed, worths, strict=True))
    ]


def total_of(lines: Sequence[dict[str, Any]], column: str) -> int:
    """The sum of a column over all lines."""
    return sum(line[column] for line in lines)


def movements_of(
    key: str, resident_id: UUID, lines: Sequence[dict[str, Any]], *, onto: Callable[[str], Place]
) -> list[Movement]:
    """Rupiah into the passbook, and grams of each material from the household to a place."""
    total = total_of(lines, "amount_idr")
    credit = Movement(key, chart.PURCHASES, chart.available(resident_id), total)
    grams = [
        Movement(
            f"{key}:{line['line']}",
            debit=onto(line["material"]),
            credit=chart.source(resident_id, line["material"]),
            amount=line["grams"],
        )
        for line in lines
        if line["grams"]
    ]
    return [credit, *grams] if total else grams


async def save_lines(
    session: AsyncSession, lines: Sequence[dict[str, Any]], **origin: UUID
) -> None:
    """Keep the lines of a pickup or a drop-off."""
    connection = await session.connection()
    nobody = {"pickup_id": None, "dropoff_id": None}
    await connection.execute(_INSERT_LINES, [{**line, **nobody, **origin} for line in lines])


async def tell(
    session: AsyncSession,
    bank_id: UUID,
    kind: str,
    resident_id: UUID,
    about_id: UUID,
    lines: Sequence[dict[str, Any]],
) -> None:
    """Let the resident hear what was weighed."""
    body = {
        "about_id": str(about_id),
        **{column: total_of(lines, column) for column in _TOLD},
    }
    await events.record(session, bank_id, kind, person_id=resident_id, body=body)


def _line(bank_id: UUID, number: int, weighed: Weighed, worth: Worth) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "line": number,
        **asdict(weighed),
        "price_idr": worth.price_idr,
        "amount_idr": prices.amount_idr(worth.price_idr, weighed.grams, worth.grams_per_unit),
    }
