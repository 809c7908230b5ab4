"""Weighings that came with a wrong handover code: kept, counted, and decided by an operator."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.pickup import Pickup
from models.weighing import HandoverAttempt
from service import events, members
from service.errors import Conflict
from service.weighing.lines import Weighed


class WrongHandoverCode(Conflict):
    english = (
        "This is not the code of this pickup. Tries left: {tries_left}."
        " After the last one an operator decides; the weighing is kept."
    )
    indonesian = (
        "Kode serah terima salah. Sisa percobaan: {tries_left}."
        " Setelah itu operator yang memutuskan; hasil timbang disimpan."
    )
    keeps_changes = True


class HandoverCodeLocked(Conflict):
    english = "The code was wrong too often. The weighing is kept; an operator decides."
    indonesian = "Kode terlalu sering salah. Hasil timbang disimpan; operator yang memutuskan."


async def evidence(session: AsyncSession, pickup: Pickup) -> list[HandoverAttempt]:
    """The weighings of a pickup that came with a wrong code, newest first."""
    query = (
        select(HandoverAttempt)
        .where(
            HandoverAttempt.bank_id == pickup.bank_id,
            HandoverAttempt.pickup_id == pickup.id,
        )
        .order_by(col(HandoverAttempt.id).desc())
    )
    return list(await session.exec(query))


def weighed_in(attempt: HandoverAttempt) -> list[Weighed]:
    """The lines that were sent with a wrong code."""
    return [Weighed(**line) for line in json.loads(attempt.weighings)]


async def refuse_code(
    session: AsyncSession,
    pickup: Pickup,
    collector_id: UUID,
    weighed: Sequence[Weighed],
    at: datetime,
) -> None:
    """Count the try, keep the weighing, and refuse.

    Raises WrongHandoverCode, or HandoverCodeLocked if no try was left.
    """
    counted = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == pickup.bank_id,
            col(Pickup.id) == pickup.id,
            col(Pickup.claim_number) == pickup.claim_number,
            col(Pickup.code_tries) < Pickup.MAX_CODE_TRIES,
        )
        .values(code_tries=Pickup.code_tries + 1)
        .returning(col(Pickup.code_tries))
    )
    row = counted.first()
    if row is None:
        raise HandoverCodeLocked
    session.add(
        HandoverAttempt(
            bank_id=pickup.bank_id,
            pickup_id=pickup.id,
            collector_id=collector_id,
            claim_number=pickup.claim_number,
            weighings=json.dumps([asdict(line) for line in weighed]),
            collected_at=at,
        )
    )
    tries_left = Pickup.MAX_CODE_TRIES - row[0]
    if not tries_left:
        await _tell_officers(session, pickup, weighed)
    raise WrongHandoverCode(tries_left=tries_left)


async def _tell_officers(session: AsyncSession, pickup: Pickup, weighed: Sequence[Weighed]) -> None:
    """A collector stands at a door, and nothing goes on until one of them decides."""
    grams = sum(line.grams for line in weighed)
    body = {"pickup_id": str(pickup.id), "grams": grams}
    officers = await members.holders_of(session, pickup.bank_id, *members.OFFICERS)
    if officers:
        told = [(officer, body) for officer in officers]
        await events.record_each(session, pickup.bank_id, "pickup_waits_for_decision", told)
