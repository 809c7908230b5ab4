"""At the counter: what a resident brings to the bank."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.price import Channel
from models.weighing import Dropoff
from service import banks, ledger, lots, prices
from service.errors import Conflict
from service.ledger import Draft, chart
from service.lots import NewLot
from service.weighing.crediting import Credit, credit_at_bank, movements_of
from service.weighing.lines import (
    Credited,
    OwnWeighing,
    Weighed,
    Worth,
    credited,
    lines_of,
    save_lines,
    tell,
)
from service.weighing.unusual import check_usual


class TooLittleBrought(Conflict):
    english = "A drop-off needs at least {minimum_grams} grams."
    indonesian = "Setoran langsung minimal {minimum_grams} gram."


async def dropoff(
    session: AsyncSession,
    bank_id: UUID,
    resident_id: UUID,
    weighed: Sequence[Weighed],
    *,
    operator_id: UUID,
    unusual_confirmed: bool = False,
) -> tuple[Dropoff, Credited]:
    """Credit what a resident brought to the bank, at today's drop-off prices and rules.

    Raises OwnWeighing, TooLittleBrought, UnusualWeighing or a pricing problem.
    """
    if resident_id == operator_id:
        raise OwnWeighing
    now = utc_now()
    worths = await _worths(session, bank_id, weighed, now)
    policy = await banks.policy_of(session, bank_id)
    if sum(line.grams + line.rejected_grams for line in weighed) < policy.min_dropoff_grams:
        raise TooLittleBrought(minimum_grams=policy.min_dropoff_grams)
    check_usual(weighed, carried_grams=policy.max_held_grams, confirmed=unusual_confirmed)
    credit = credit_at_bank(policy)
    lines = lines_of(bank_id, weighed, worths)
    got = credited(lines, policy, credit)
    brought = Dropoff(
        bank_id=bank_id,
        id=new_id(),
        resident_id=resident_id,
        entered_by=operator_id,
        credited_idr=got.credited_idr,
        created_at=now,
    )
    session.add(brought)
    await session.flush()
    await save_lines(session, lines, dropoff_id=brought.id)
    moves = movements_of(
        f"dropoff:{brought.id}", resident_id, lines, onto=chart.stock, credit=credit
    )
    draft = Draft("dropoff", moves, event_at=now, about_id=brought.id, actor_id=operator_id)
    if credit is Credit.GOODS:
        await lots.keep(session, bank_id, _lots(brought, lines, worths))
    await ledger.post(session, bank_id, draft)
    await tell(session, "dropoff_weighed", resident_id, brought.id, lines, credit=credit)
    return brought, got


async def _worths(
    session: AsyncSession, bank_id: UUID, weighed: Sequence[Weighed], now: datetime
) -> list[Worth]:
    wanted = [(line.material, line.condition) for line in weighed]
    quotes = await prices.quotes(
        session, bank_id, Channel.DROPOFF, now, wanted, pointer="/weighings"
    )
    return [Worth(quote.price_idr, quote.grams_per_unit) for quote in quotes]


def _lots(
    brought: Dropoff, lines: Sequence[dict[str, Any]], worths: Sequence[Worth]
) -> list[NewLot]:
    return [
        NewLot(
            resident_id=brought.resident_id,
            collector_id=None,
            pickup_id=None,
            dropoff_id=brought.id,
            material=line["material"],
            condition=line["condition"],
            grams=line["grams"],
            price_idr=worth.price_idr,
            grams_per_unit=worth.grams_per_unit,
            weighed_at=brought.created_at,
        )
        for line, worth in zip(lines, worths, strict=True)
    ]
