"""At the counter: what a resident brings to the bank."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.price import Channel
from models.weighing import Dropoff
from service import ledger, prices
from service.ledger import Draft, chart
from service.weighing.lines import (
    Credited,
    OwnWeighing,
    Weighed,
    Worth,
    lines_of,
    movements_of,
    save_lines,
    tell,
    total_of,
)


async def dropoff(
    session: AsyncSession,
    bank_id: UUID,
    resident_id: UUID,
    weighed: Sequence[Weighed],
    *,
    operator_id: UUID,
) -> tuple[Dropoff, Credited]:
    """Credit what a resident brought to the bank, at today's drop-off prices."""
    if resident_id == operator_id:
        raise OwnWeighing
    now = utc_now()
    wanted = [(line.material, line.condition) for line in weighed]
    quotes = await prices.quotes(
        session, bank_id, Channel.DROPOFF, now, wanted, pointer="/weighings"
    )
    worths = [Worth(quote.price_idr, quote.grams_per_unit) for quote in quotes]
    lines = lines_of(bank_id, weighed, worths)
    total = total_of(lines, "amount_idr")
    brought = Dropoff(
        bank_id=bank_id,
        id=new_id(),
        resident_id=resident_id,
        entered_by=operator_id,
        credited_idr=total,
        created_at=now,
    )
    session.add(brought)
    await session.flush()
    await save_lines(session, lines, dropoff_id=brought.id)
    moves = movements_of(f"dropoff:{brought.id}", resident_id, lines, onto=chart.stock)
    draft = Draft("dropoff", moves, event_at=now, about_id=brought.id, actor_id=operator_id)
    await ledger.post(session, bank_id, draft)
    await tell(session, bank_id, "dropoff_weighed", resident_id, brought.id, lines)
    return brought, Credited(lines, total, 0)
