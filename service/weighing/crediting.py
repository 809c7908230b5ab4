"""What a weighing gives its resident, by the rules of the bank: rupiah or grams."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.bank import CreditWhen, Policy, Settlement
from service.ledger import Movement, Place, chart

Lines = Sequence[dict[str, Any]]


class Credit(StrEnum):
    AVAILABLE = "available"
    """Rupiah that can be paid out at once."""
    PENDING = "pending"
    """Rupiah that wait for the second weighing."""
    GOODS = "goods"
    """Grams that stay the resident's until their batch is sold."""


def credit_at_door(policy: Policy) -> Credit:
    """What a pickup gives, by the rules it was listed under."""
    at_station = policy.credit_when == CreditWhen.STATION
    return Credit.PENDING if at_station and not _shares(policy) else credit_at_bank(policy)


def credit_at_bank(policy: Policy) -> Credit:
    """What a drop-off gives: it needs no second weighing."""
    return Credit.GOODS if _shares(policy) else Credit.AVAILABLE


def movements_of(
    key: str, resident_id: UUID, lines: Lines, *, onto: Callable[[str], Place], credit: Credit
) -> list[Movement]:
    """The resident's credit, and grams of each material from the household to a place."""
    weighed = [line for line in lines if line["grams"]]
    custody = [
        Movement(
            f"{key}:{line['line']}",
            debit=onto(line["material"]),
            credit=chart.source(resident_id, line["material"]),
            amount=line["grams"],
        )
        for line in weighed
    ]
    if credit is Credit.GOODS:
        return custody + _goods(key, resident_id, weighed)
    return _rupiah(key, resident_id, lines, credit) + custody


def _shares(policy: Policy) -> bool:
    return policy.settlement == Settlement.SHARED


def _rupiah(key: str, resident_id: UUID, lines: Lines, credit: Credit) -> list[Movement]:
    onto = chart.pending if credit is Credit.PENDING else chart.available
    total = sum(line["amount_idr"] for line in lines)
    return [Movement(key, chart.PURCHASES, onto(resident_id), total)] if total else []


def _goods(key: str, resident_id: UUID, weighed: Lines) -> list[Movement]:
    return [
        Movement(
            f"{key}:{line['line']}:goods",
            debit=chart.goods_held(line["material"]),
            credit=chart.goods(resident_id, line["material"]),
            amount=line["grams"],
        )
        for line in weighed
    ]
