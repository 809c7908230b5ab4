"""What people of a bank decide about lines of a statement, and how its books stand then."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Payout
from models.people import Person
from models.reconciliation import (
    Action,
    LineType,
    ReconciliationCase,
    StatementMatch,
)
from service import ledger, payouts, reconciliation
from service.ledger import chart
from service.reconciliation import (
    Days,
    Decision,
    Standing,
)
from service.reconciliation.readers import Row
from tests.factories import Town
from tests.paid import GATEWAY, a_row
from tests.service.reconciliation.test_importing import cases

FLOAT, SUSPENSE = ("float:xendit", "IDR"), ("suspense", "IDR")


async def the_case(town: Town) -> ReconciliationCase:
    (case,) = await cases(town)
    return case


async def the_undone(town: Town) -> ReconciliationCase:
    """The case of a line whose match was undone; its payout has another."""
    (case,) = [case for case in await cases(town) if case.line_id]
    return case


def deciding(
    case: ReconciliationCase, action: Action, by: Person, **more: Any
) -> Callable[[AsyncSession], Awaitable[None]]:
    async def act(session: AsyncSession) -> None:
        query = select(ReconciliationCase).where(
            ReconciliationCase.bank_id == case.bank_id, ReconciliationCase.id == case.id
        )
        fresh = (await session.exec(query)).one()
        decision = Decision(action=action, reason="sudah dicek", by=by.id, **more)
        await reconciliation.resolve(session, fresh, decision)

    return act


async def decide(
    town: Town, case: ReconciliationCase, action: Action, *, by: Person | None = None, **more: Any
) -> ReconciliationCase:
    async with town.database.transaction() as session:
        await deciding(case, action, by or town.treasurer, **more)(session)
    async with town.database.reading() as session:
        query = select(ReconciliationCase).where(
            ReconciliationCase.bank_id == town.bank_id, ReconciliationCase.id == case.id
        )
        return (await session.exec(query)).one()


async def undo(town: Town, match: StatementMatch, by: Person | None = None) -> None:
    async with town.database.transaction() as session:
        await reconciliation.undo(
            session, town.bank, match.id, by=(by or town.treasurer).id, reason="keliru"
        )


async def topped_up(town: Town, amount_idr: int, *, gateway: str = GATEWAY) -> UUID:
    """Money that a treasurer sends to a gateway, and enters; its id."""
    entered = payouts.TopUp(gateway, chart.bank_account("bca"), amount_idr, "", town.treasurer.id)
    async with town.database.transaction() as session:
        return await payouts.top_up(session, town.bank_id, entered)


async def standing(town: Town, *, on: date | None = None) -> Standing:
    """As of one day of business, or of all there are."""
    begins, over = utc_now() - timedelta(days=40), utc_now() + timedelta(days=2)
    days = Days(on or begins.date(), on or over.date(), begins, over)
    async with town.database.reading() as session:
        found = await reconciliation.standings(session, town.bank_id, days)
    return next(one for one in found if one.source == GATEWAY)


async def adds_up(town: Town) -> bool:
    """Whether what the three ways differ by is what waits for somebody, to the rupiah."""
    async with town.database.reading() as session:
        verified = await ledger.trial_balance(session, town.bank_id)
    balanced = sum(row.balance for row in verified if row.unit == "IDR") == 0
    return balanced and (await standing(town)).unexplained_idr == 0


def changed(rows: list[Row], **changes: Any) -> list[Row]:
    return [rows[0]._replace(**changes), *rows[1:]]


def a_top_up(payout: Payout, amount_idr: int, external_id: str, **changes: Any) -> Row:
    """A gateway's line of money that came in just now."""
    told = {"external_id": external_id, "gateway_id": "", "reference": ""} | changes
    return a_row(payout, LineType.IN, amount_idr, after_s=3 * 86_400, **told)
