"""A top-up that was entered explains one line, and is taken back with what it explained."""

from models.reconciliation import (
    Action,
    LineType,
)
from service import corrections, ledger, reconciliation
from tests.factories import Town
from tests.paid import a_row, bring_in, lines_of, pay_through
from tests.selling import balances
from tests.service.reconciliation.deciding import (
    a_top_up,
    adds_up,
    decide,
    standing,
    the_case,
    topped_up,
)
from tests.service.reconciliation.test_importing import cases, kinds


async def test_a_top_up_comes_from_the_banks_own_account(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    topped = a_row(payout, LineType.IN, 500_000, external_id="t", gateway_id="", reference="")
    await bring_in(generous, [*lines_of(payout), topped])
    case = await the_case(generous)
    assert case.proposed_action == Action.TOP_UP
    await decide(generous, case, Action.TOP_UP, account="bca")
    assert (await balances(generous))["bank_account:bca", "IDR"] == -500_000
    assert (await standing(generous)).difference_idr == 0


async def test_a_top_up_that_was_entered_is_not_booked_again(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await topped_up(town, 1_000_000)
    before = await balances(town)
    await bring_in(town, [*lines_of(payout), a_top_up(payout, 1_000_000, "t")])
    case = await the_case(town)
    assert (case.kind, case.why, case.unexplained_idr) == ("missing_here", "topped_up", 0)
    assert reconciliation.allowed(case) == (Action.ACCEPT, Action.WAIT)
    assert await adds_up(town)
    await decide(town, case, Action.ACCEPT)
    assert await balances(town) == before
    found = await standing(town)
    assert (found.difference_idr, found.unexplained_idr) == (0, 0)


async def test_a_top_up_explains_one_line_whichever_file_it_is_in(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await topped_up(town, 500_000)
    lines = [a_top_up(payout, 500_000, name) for name in ("one", "two")]
    await bring_in(town, [*lines_of(payout), lines[0]])
    await bring_in(town, [lines[1]])
    assert await kinds(town) == [("missing_here", "topped_up"), ("missing_here", "not_ours")]
    assert (await cases(town))[1].proposed_action == Action.TOP_UP
    assert await adds_up(town)


async def test_what_was_taken_back_or_is_another_gateways_explains_nothing(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await topped_up(town, 500_000, gateway="other")
    top_up_id = await topped_up(town, 500_000)
    async with town.database.transaction() as session:
        act = await ledger.act_about(session, town.bank_id, top_up_id, ["float_top_up"])
        await ledger.reverse(session, town.bank_id, act, by=town.treasurer.id, reason="keliru")
    await bring_in(town, [*lines_of(payout), a_top_up(payout, 500_000, "t")])
    assert await kinds(town) == [("missing_here", "not_ours")]


async def test_a_wrong_top_up_is_taken_back_with_what_it_explained(generous: Town) -> None:
    town, before = generous, await balances(generous)
    top_up_id = await topped_up(town, 500_000)
    payout = await pay_through(town, 10_000)
    await bring_in(town, [*lines_of(payout), a_top_up(payout, 500_000, "t")])
    assert await kinds(town) == [("missing_here", "topped_up")]
    async with town.database.transaction() as session:
        act = await corrections.find_act(session, town.bank_id, journal_id=None, about_id=top_up_id)
        made = await corrections.ask(
            session, town.bank_id, act, by=town.operator.id, reason="tidak jadi dikirim"
        )
    assert made.status == "made"
    found = await balances(town)
    assert found.get(("bank_account:bca", "IDR")) == before.get(("bank_account:bca", "IDR"))
    case = await the_case(town)
    assert (case.why, case.unexplained_idr, case.proposed_action) == (
        *("not_ours", -500_000),
        Action.TOP_UP,
    )
    assert await adds_up(town)
