"""Lines on the scale: what each is worth, how it is kept and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy, Settlement
from models.base import new_id, table_of
from models.weighing import Weighing
from service import events, prices
from service.errors import Forbidden
from service.weighing.crediting import Credit

_LINES = insert(table_of(Weighing))
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
    """What was weighed, line by line, and what the resident got for it.

    `expected_idr` is the value at the resident's prices; `credited_idr` is what of it is in
    the passbook, pending or available: nothing as long as grams wait for their buyer.
    """

    lines: Sequence[dict[str, Any]]
    settlement: Settlement
    credited_idr: int
    expected_idr: int
    fee_idr: int


def credited(
    lines: Sequence[dict[str, Any]], policy: Policy, credit: Credit, *, fee_idr: int = 0
) -> Credited:
    """What these lines give their resident under these rules."""
    worth = total_of(lines, "amount_idr")
    in_rupiah = 0 if credit is Credit.GOODS else worth
    return Credited(lines, Settlement(policy.settlement), in_rupiah, worth, fee_idr)


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


async def save_lines(
    session: AsyncSession, lines: Sequence[dict[str, Any]], **origin: UUID
) -> None:
    """Keep the lines of a pickup or a drop-off."""
    connection = await session.connection()
    nobody = {"pickup_id": None, "dropoff_id": None}
    await connection.execute(_LINES, [{**line, **nobody, **origin} for line in lines])


async def tell(
    session: AsyncSession,
    kind: str,
    resident_id: UUID,
    about_id: UUID,
    lines: Sequence[dict[str, Any]],
    *,
    credit: Credit,
) -> None:
    """Let the resident hear what was weighed, and what they got for it."""
    body = {
        "about_id": str(about_id),
        **{column: total_of(lines, column) for column in _TOLD},
    }
    told = kind if credit is Credit.AVAILABLE else f"{kind}_{credit}"
    await events.record(session, lines[0]["bank_id"], told, person_id=resident_id, body=body)


def _line(bank_id: UUID, number: int, weighed: Weighed, worth: Worth) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "id": new_id(),
        "line": number,
        "material": weighed.material,
        "condition": weighed.condition,
        "grams": weighed.grams,
        "rejected_grams": weighed.rejected_grams,
        "reason": weighed.reason,
        "price_idr": worth.price_idr,
        "amount_idr": prices.amount_idr(worth.price_idr, weighed.grams, worth.grams_per_unit),
    }
