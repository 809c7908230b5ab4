"""People decide: what moves balances, is moved once, and by somebody else above the limit."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Payout, PayoutStatus
from models.people import Person, Role
from models.reconciliation import (
    Action,
    CaseStatus,
    LineType,
    ReconciliationCase,
    StatementMatch,
)
from service import corrections, ledger, payouts, reconciliation, sealing
from service.database import Database
from service.ledger import chart
from service.reconciliation import (
    ActionDoesNotFit,
    CaseNotOpen,
    Days,
    Decision,
    MatchAlreadyUndone,
    MatchNotUndoable,
    OwnerNotTreasurer,
    OwnReconciliation,
    PayoutNotPaid,
    Standing,
)
from service.reconciliation.effects import at_stake_idr
from service.reconciliation.readers import Row
from tests.factories import Town, another, make_town
from tests.paid import GATEWAY, a_row, bring_in, lines_of, pay_through, sent_days_ago
from tests.races import slower_of
from tests.selling import balances
from tests.service.reconciliation.test_importing import cases, kinds, matches
from tests.service.sealing import TOMORROW, close, today

FLOAT, SUSPENSE = ("float:xendit", "IDR"), ("suspense", "IDR")


@pytest.fixture
async def generous(database: Database) -> Town:
    """A town in which one person may decide about any of these amounts."""
    return await make_town(database, correction_limit_idr=10_000_000)


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


async def test_a_top_up_comes_from_the_banks_own_account(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    topped = a_row(payout, LineType.IN, 500_000, external_id="t", gateway_id="", reference="")
    await bring_in(generous, [*lines_of(payout), topped])
    case = await the_case(generous)
    assert case.proposed_action == Action.TOP_UP
    await decide(generous, case, Action.TOP_UP, account="bca")
    assert (await balances(generous))["bank_account:bca", "IDR"] == -500_000
    assert (await standing(generous)).difference_idr == 0


def a_top_up(payout: Payout, amount_idr: int, external_id: str, **changes: Any) -> Row:
    """A gateway's line of money that came in just now."""
    told = {"external_id": external_id, "gateway_id": "", "reference": ""} | changes
    return a_row(payout, LineType.IN, amount_idr, after_s=3 * 86_400, **told)


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


async def test_a_wrong_decision_is_taken_back_and_its_exception_open_again(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await bring_in(town, [*lines_of(payout), a_top_up(payout, 500_000, "t")])
    before, case = await balances(town), await the_case(town)
    await decide(town, case, Action.TOP_UP, account="salah")
    async with town.database.transaction() as session:
        act = await corrections.find_act(session, town.bank_id, journal_id=None, about_id=case.id)
        await corrections.ask(
            session, town.bank_id, act, by=town.operator.id, reason="rekening lain"
        )
    assert await balances(town) == before
    again = await the_case(town)
    assert (again.line_id, again.kind, again.why) == (case.line_id, case.kind, case.why)
    assert await adds_up(town)
    assert (await decide(town, again, Action.TOP_UP, account="bca")).status == "resolved"


async def test_a_decision_that_matched_its_line_is_undone_with_the_match(generous: Town) -> None:
    town = generous
    await bring_in(town, changed(lines_of(await pay_through(town, 10_000)), amount_idr=-10_700))
    case = await the_case(town)
    await decide(town, case, Action.FEE)
    with pytest.raises(corrections.NotCorrectable):
        async with town.database.transaction() as session:
            act = await corrections.find_act(
                session, town.bank_id, journal_id=None, about_id=case.id
            )
            await corrections.ask(session, town.bank_id, act, by=town.operator.id, reason="salah")


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


async def test_above_the_limit_the_importer_does_not_decide(database: Database) -> None:
    town = await make_town(database, correction_limit_idr=700)
    payout = await pay_through(town, 10_000)
    rows = lines_of(payout)
    await bring_in(town, changed(rows, amount_idr=-10_701), by=town.treasurer)
    case = await the_case(town)
    with pytest.raises(OwnReconciliation):
        await decide(town, case, Action.FEE)
    assert (await decide(town, case, Action.FEE, by=town.operator)).status == "resolved"


def test_what_is_accepted_counts_as_much_as_what_is_matched() -> None:
    case = ReconciliationCase(
        bank_id=UUID(int=0),
        source=GATEWAY,
        holding="float",
        kind="late",
        why="after_its_day",
        expected_idr=9_000,
        found_idr=10_000,
        proposed_action=Action.ACCEPT,
        since=utc_now(),
        due_on=utc_now().date(),
    )
    stakes = {action: at_stake_idr(case, action) for action in Action}
    whole = {Action.MATCH, Action.ACCEPT, Action.REVERSE}
    assert {action for action in Action if stakes[action] == 10_000} == whole
    assert stakes[Action.WAIT] == 0
    assert {stakes[action] for action in Action if action not in whole} == {0, 1_000}


async def test_above_the_limit_the_importer_does_not_accept_either(database: Database) -> None:
    town = await make_town(database, correction_limit_idr=9_999)
    payout = await pay_through(town, 10_000, sent_at=sent_days_ago(5))
    await bring_in(town, lines_of(payout, after_s=3 * 86_400), by=town.treasurer)
    case = await the_case(town)
    with pytest.raises(OwnReconciliation):
        await decide(town, case, Action.ACCEPT)
    assert (await decide(town, case, Action.ACCEPT, by=town.operator)).status == "resolved"


async def test_up_to_the_limit_anybody_does(database: Database) -> None:
    town = await make_town(database, correction_limit_idr=700)
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=-10_700), by=town.treasurer)
    assert (await decide(town, await the_case(town), Action.FEE)).status == "resolved"


async def test_nobody_decides_about_their_own_payout(generous: Town) -> None:
    payout = await pay_through(generous, 10_000, resident=generous.treasurer)
    await bring_in(generous, changed(lines_of(payout), amount_idr=-10_001))
    with pytest.raises(OwnReconciliation):
        await decide(generous, await the_case(generous), Action.FEE)


async def test_above_the_limit_who_approved_a_payout_does_not_take_it_back(
    database: Database,
) -> None:
    town = await make_town(database, correction_limit_idr=700)
    payout = await pay_through(town, 10_000, approved_by=town.treasurer.id)
    back = a_row(payout, LineType.OUT_BACK, 10_000, external_id="back", after_s=7_200)
    await bring_in(town, [*lines_of(payout), back])
    case, other = await the_case(town), await another(town, Role.TREASURER)
    with pytest.raises(OwnReconciliation):
        await decide(town, case, Action.REVERSE)
    assert (await decide(town, case, Action.REVERSE, by=other)).status == "resolved"


async def test_a_treasurer_can_own_a_case_and_nobody_else(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=-10_700))
    case = await the_case(town)

    async def assign(whom: Person) -> None:
        async with town.database.transaction() as session:
            fresh = await session.merge(case)
            await reconciliation.assign(session, fresh, whom.id)

    await assign(town.treasurer)
    assert (await the_case(town)).owner_id == town.treasurer.id
    with pytest.raises(OwnerNotTreasurer):
        await assign(town.operator)


async def test_a_match_is_undone_with_what_it_moved(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000)
    await bring_in(town, changed(lines_of(payout), amount_idr=-10_700))
    before = await balances(town)
    await decide(town, await the_case(town), Action.SUSPENSE)
    (match,) = [match for match in await matches(town) if match.leg == "out"]
    await undo(town, match)
    assert await balances(town) == before
    case = await the_undone(town)
    assert (case.kind, case.why, case.found_idr) == ("unknown", "undone", 10_700)
    assert await adds_up(town)
    with pytest.raises(MatchAlreadyUndone):
        await undo(town, match)
    assert (await decide(town, case, Action.MATCH)).status == "resolved"


async def test_an_automatic_match_can_be_undone_and_made_again(generous: Town) -> None:
    town = generous
    await bring_in(town, lines_of(await pay_through(town, 10_000)))
    (match,) = [match for match in await matches(town) if match.leg == "out"]
    await undo(town, match)
    await decide(town, await the_undone(town), Action.MATCH)
    assert not await cases(town)
    assert len(await matches(town)) == 3
    (second,) = [match for match in await matches(town) if match.leg == "out"]
    await undo(town, second)
    assert len(await matches(town)) == 2


async def test_a_payout_whose_match_was_wrong_is_missing(generous: Town) -> None:
    town = generous
    payout = await pay_through(town, 10_000, sent_at=sent_days_ago(9))
    await bring_in(town, lines_of(payout))
    (match,) = [match for match in await matches(town) if match.leg == "out"]
    await undo(town, match)
    await decide(town, await the_undone(town), Action.SUSPENSE)
    # What later statements don't have either stays missing, once.
    await bring_in(town, lines_of(await pay_through(town, 1_000, sent_at=sent_days_ago(5))))
    missing = await the_case(town)
    assert (missing.kind, missing.payout_id) == ("missing_at_gateway", payout.id)
    assert (missing.expected_idr, missing.found_idr) == (10_000, 0)
    assert await adds_up(town)
    await bring_in(town, [a_row(payout, LineType.OUT, -10_000, external_id="it")])
    assert not await cases(town)
    assert await adds_up(town)


async def test_above_the_limit_the_importer_does_not_undo(database: Database) -> None:
    town = await make_town(database, correction_limit_idr=700)
    await bring_in(town, lines_of(await pay_through(town, 10_000)), by=town.treasurer)
    (match,) = [match for match in await matches(town) if match.leg == "out"]
    with pytest.raises(OwnReconciliation):
        await undo(town, match)
    await undo(town, match, town.operator)


async def test_a_payout_that_was_given_back_stays_so(generous: Town) -> None:
    payout = await pay_through(generous, 10_000)
    back = a_row(payout, LineType.OUT_BACK, 10_000, external_id="back", after_s=7_200)
    await bring_in(generous, [*lines_of(payout), back])
    await decide(generous, await the_case(generous), Action.REVERSE)
    (match,) = [match for match in await matches(generous) if match.leg == "out_back"]
    with pytest.raises(MatchNotUndoable):
        await undo(generous, match)
    assert len(await matches(generous)) == 4


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
