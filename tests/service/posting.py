"""Transfers of a town's resident: credited, held, resolved."""

from typing import Any
from uuid import UUID, uuid4

from models.base import utc_now
from models.ledger import TransferKind
from service import ledger
from service.ledger import (
    Draft,
    Movement,
    chart,
)
from service.ledger.chart import Place
from tests.factories import Town


def move(debit: Place, credit: Place, amount: int, *, key: str = "", **options: Any) -> Movement:
    return Movement(key or f"test:{uuid4()}", debit, credit, amount, **options)


async def post(town: Town, *moves: Movement) -> list[UUID]:
    async with town.database.transaction() as session:
        return await ledger.post(session, town.bank_id, Draft("test", moves, event_at=utc_now()))


async def credit(town: Town, amount: int) -> list[UUID]:
    return await post(town, move(chart.PURCHASES, chart.available(town.resident.id), amount))


async def hold(town: Town, amount: int) -> UUID:
    wanted = move(
        chart.available(town.resident.id), chart.IN_TRANSIT, amount, kind=TransferKind.HOLD
    )
    return (await post(town, wanted))[0]


async def resolve(town: Town, held: UUID, amount: int, kind: TransferKind) -> list[UUID]:
    return await post(
        town,
        move(
            chart.available(town.resident.id),
            chart.IN_TRANSIT,
            amount,
            kind=kind,
            pending_id=held,
        ),
    )


async def standing(town: Town) -> tuple[int, int]:
    async with town.database.reading() as session:
        found = await ledger.standing(session, town.bank_id, town.resident.id)
    return found.available_idr, found.held_idr


async def findings(town: Town) -> list[ledger.Finding]:
    async with town.database.reading() as session:
        return (await ledger.verify(session, [town.bank_id])).findings
