"""Ledger, payouts and statements side by side, day by day."""

from models.payout import PayoutStatus
from models.people import Role
from service import sealing
from tests.factories import Town, another
from tests.paid import bring_in, lines_of, pay_through, sent_days_ago
from tests.service.reconciliation.deciding import (
    standing,
    topped_up,
)
from tests.service.sealing import TOMORROW, close, today


async def test_ledger_payouts_and_statement_stand_side_by_side(generous: Town) -> None:
    town = generous
    paid = [await pay_through(town, amount) for amount in (10_000, 20_000)]
    sent = await pay_through(town, 30_000, status=PayoutStatus.SENT)
    whole = [row for payout in (*paid, sent) for row in lines_of(payout)]
    await bring_in(town, whole)
    found = await standing(town)
    assert (found.ledger.out_idr, found.ledger.in_idr) == (35_550, 0)
    assert (found.payouts.paid_count, found.payouts.paid_idr, found.payouts.fees_idr) == (
        2,
        30_000,
        5_550,
    )
    assert (found.payouts.in_transit_count, found.payouts.in_transit_idr) == (1, 32_775)
    assert (found.statement.line_count, found.statement.matched_count) == (9, 9)
    assert found.statement.out_idr == 68_325
    assert (found.difference_idr, found.early_idr, found.unexplained_idr) == (-32_775, 32_775, 0)


async def test_what_a_day_that_was_opened_again_got_is_not_the_next_days(generous: Town) -> None:
    town, day = generous, await today(generous)
    treasurer = await another(town, Role.TREASURER)
    await topped_up(town, 100)
    await close(town)
    await topped_up(town, 20)
    async with town.database.transaction() as session:
        await sealing.reopen(session, town.bank, day, by=treasurer.id, reason="tertinggal")
    await topped_up(town, 3)
    first, second = [(await standing(town, on=one)).ledger for one in (day, day + TOMORROW)]
    assert (first.opening_idr, first.in_idr, first.closing_idr) == (0, 103, 103)
    assert (second.opening_idr, second.in_idr, second.closing_idr) == (103, 20, 123)


async def test_the_balances_of_a_statement_prove_that_it_is_whole(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    at = 1_000_000
    rows = []
    for row in lines_of(payout):
        at += row.amount_idr
        rows.append(row._replace(balance_idr=at))
    await bring_in(generous, rows)
    found = (await standing(generous)).statement
    assert (found.opening_idr, found.closing_idr, found.adds_up) == (1_000_000, 987_225, True)
    more = await pay_through(generous, 5_000, sent_at=sent_days_ago(2))
    (gap,) = [row._replace(balance_idr=900_000) for row in lines_of(more)[:1]]
    await bring_in(generous, [gap])
    assert (await standing(generous)).statement.adds_up is False
