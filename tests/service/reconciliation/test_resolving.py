"""People decide: what moves balances, and is moved once."""

import pytest

from models.payout import PayoutStatus
from models.people import Role
from models.reconciliation import (
    Action,
    CaseStatus,
    LineType,
)
from service import reconciliation
from service.reconciliation import (
    ActionDoesNotFit,
    CaseNotOpen,
    PayoutNotPaid,
)
from tests.factories import Town, another
from tests.paid import a_row, bring_in, lines_of, pay_through, sent_days_ago
from tests.races import slower_of
from tests.selling import balances
from tests.service.reconciliation.deciding import (
    FLOAT,
    SUSPENSE,
    adds_up,
    changed,
    decide,
    deciding,
    standing,
    the_case,
)
from tests.service.reconciliation.test_importing import cases, kinds, matches


@pytest.mark.parametrize("amount_idr", [-10_700, -9_300])
@pytest.mark.parametrize(
    ("action", "account"),
    [
        (Action.SUSPENSE, "suspense"),
        (Action.FEE, "fees"),
        (Action.WRITE_OFF, "written_off"),
    ],
)
async def test_what_differs_moves_to_where_the_decision_says(
    generous: Town, amount_idr: int, action: Action, account: str
) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=amount_idr))
    before = await balances(town)
    assert await adds_up(town)
    case = await decide(town, await the_case(town), action)
    after = await balances(town)
    moved = -amount_idr - 10_000
    assert after[FLOAT] - before[FLOAT] == -moved
    assert after.get((account, "IDR"), 0) - before.get((account, "IDR"), 0) == moved
    assert (case.status, case.action, case.resolved_by) == ("resolved", action, town.treasurer.id)
    assert case.transfer_id is not None
    assert ("out", "person") in [(match.leg, match.rule) for match in await matches(town)]
    assert (await standing(town)).difference_idr == 0
    assert await adds_up(town)


async def test_a_payment_that_was_doubled_waits_in_suspense(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    again = a_row(payout, LineType.OUT, -10_000, external_id="again", gateway_id="again")
    await bring_in(generous, [*lines_of(payout), again])
    assert await adds_up(generous)
    await decide(generous, await the_case(generous), Action.SUSPENSE)
    assert (await balances(generous))[SUSPENSE] == 10_000
    assert (await standing(generous)).difference_idr == 0


async def test_a_payout_that_came_back_is_the_residents_again(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    back = a_row(payout, LineType.OUT_BACK, 10_000, external_id="back", after_s=7_200)
    await bring_in(generous, [*lines_of(payout), back])
    assert await adds_up(generous)
    await decide(generous, await the_case(generous), Action.REVERSE)
    assert (await balances(generous))[f"available:{generous.resident.id}", "IDR"] == -10_000
    assert ("out_back", "person") in [(match.leg, match.rule) for match in await matches(generous)]
    assert (await standing(generous)).difference_idr == 0
    again = a_row(payout, LineType.OUT_BACK, 10_000, external_id="again", after_s=9_000)
    await bring_in(generous, [again])
    assert await kinds(generous) == [("duplicate", "again")]


async def test_only_a_paid_payout_comes_back(generous: Town) -> None:
    old = sent_days_ago(9)
    await pay_through(generous, 10_000, sent_at=old, status=PayoutStatus.SENT)
    await bring_in(
        generous, lines_of(await pay_through(generous, 1_000, sent_at=sent_days_ago(10)))
    )
    await bring_in(generous, lines_of(await pay_through(generous, 1_000, sent_at=sent_days_ago(5))))
    case = await the_case(generous)
    assert (case.kind, case.found_idr) == ("missing_at_gateway", 0)
    assert await adds_up(generous)
    for action in (Action.REVERSE, Action.SUSPENSE):
        with pytest.raises(PayoutNotPaid):
            await decide(generous, case, action)
    assert (await the_case(generous)).status == CaseStatus.OPEN


async def test_parts_are_matched_by_a_person_without_money(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    rows = lines_of(payout)
    parts = [
        rows[0]._replace(amount_idr=-4_000),
        rows[0]._replace(amount_idr=-6_000, external_id="rest"),
    ]
    await bring_in(generous, [*parts, *rows[1:]])
    assert await adds_up(generous)
    for case in await cases(generous):
        assert (await decide(generous, case, Action.MATCH)).transfer_id is None
    legs = sorted(match.leg for match in await matches(generous))
    assert legs == ["fee", "out", "out:2", "vat"]
    assert (await standing(generous)).difference_idr == 0


async def test_a_proposal_becomes_a_match_when_somebody_says_so(generous: Town) -> None:
    payout = await pay_through(generous, 10_000, fee_idr=0)
    bare = a_row(payout, LineType.OUT, -10_000, reference="TRSF", gateway_id="", external_id="x")
    await bring_in(generous, [bare._replace(account_number=payout.account_number)])
    case = await the_case(generous)
    assert (case.why, case.proposed_action) == ("looks_like", Action.MATCH)
    await decide(generous, case, Action.MATCH)
    ((leg, payout_id),) = [(match.leg, match.payout_id) for match in await matches(generous)]
    assert (leg, payout_id) == ("out", payout.id)


async def test_where_nothing_differs_there_is_nothing_to_top_up(generous: Town) -> None:
    payout = await pay_through(generous, 10_000, fee_idr=0)
    bare = a_row(payout, LineType.OUT, -10_000, reference="TRSF", gateway_id="", external_id="x")
    await bring_in(generous, [bare._replace(account_number=payout.account_number)])
    case = await the_case(generous)
    assert reconciliation.allowed(case) == (Action.MATCH, Action.ACCEPT, Action.WAIT)
    with pytest.raises(ActionDoesNotFit):
        await decide(generous, case, Action.TOP_UP)


async def test_a_line_that_is_no_payout_of_ours_can_not_be_matched(town: Town) -> None:
    await bring_in(
        town,
        [
            a_row(
                await pay_through(town, 10_000),
                LineType.OUT,
                -5,
                reference="",
                gateway_id="",
                external_id="x",
            )
        ],
    )
    with pytest.raises(ActionDoesNotFit):
        await decide(town, (await cases(town))[0], Action.MATCH)


async def test_waiting_keeps_a_case_open(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=-10_700))
    case = await decide(town, await the_case(town), Action.WAIT)
    assert (case.status, case.reason, case.resolved_by) == ("waiting", "sudah dicek", None)
    assert (await decide(town, case, Action.FEE)).status == "resolved"
    with pytest.raises(CaseNotOpen):
        await decide(town, case, Action.FEE)


async def test_of_two_who_decide_one_does(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=-10_700))
    case, other = await the_case(town), await another(town, Role.TREASURER)
    refusal = await slower_of(
        town,
        deciding(case, Action.FEE, town.treasurer),
        deciding(case, Action.SUSPENSE, other),
    )
    assert isinstance(refusal, CaseNotOpen)
    found = await balances(town)
    assert SUSPENSE not in found
    assert (await standing(town)).difference_idr == 0
