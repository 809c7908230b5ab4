"""Cash at the counter: out of the drawer of who pays it, and never more than is in it."""

import pytest

from models.payout import Payout, PayoutMethod, PayoutStatus
from service import drawers, payouts
from service.drawers import DrawerTooLow, Move
from service.ledger import chart
from tests.factories import payout_in
from tests.paying import Till


async def asked_and_approved(till: Till, amount_idr: int) -> Payout:
    whose = till.town.resident.id
    wanted = payouts.Request(till.town.bank_id, whose, whose, amount_idr, PayoutMethod.CASH)
    async with till.town.database.transaction() as session:
        payout = await payouts.request(session, wanted)
    return await till.approve(payout)


async def pay(till: Till, payout: Payout) -> None:
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, payout)
        await payouts.pay_cash(session, fresh, by=till.town.treasurer.id, proof="")


async def with_drawer(till: Till, amount_idr: int) -> None:
    """The treasurer has a drawer with so much in it."""
    town = till.town
    async with town.database.transaction() as session:
        await drawers.open_drawer(
            session, town.bank_id, "loket", officer_id=town.treasurer.id, by=town.treasurer.id
        )
        move = Move(town.bank_id, amount_idr, "", town.treasurer.id)
        await drawers.float_in(session, move, "loket")


async def test_who_has_no_drawer_pays_out_of_the_safe(till: Till) -> None:
    await pay(till, await asked_and_approved(till, 20_000))
    assert await till.balance(chart.CASH) == -20_000


async def test_who_has_a_drawer_pays_out_of_it(till: Till) -> None:
    await with_drawer(till, 50_000)
    await pay(till, await asked_and_approved(till, 20_000))
    assert await till.balance(chart.drawer("loket")) == 30_000
    assert await till.balance(chart.CASH) == -50_000


async def test_a_drawer_with_too_little_pays_nothing(till: Till) -> None:
    await with_drawer(till, 10_000)
    payout = await asked_and_approved(till, 20_000)
    with pytest.raises(DrawerTooLow):
        await pay(till, payout)
    assert (await till.state(payout)).status == PayoutStatus.APPROVED
    assert await till.balance(chart.drawer("loket")) == 10_000
