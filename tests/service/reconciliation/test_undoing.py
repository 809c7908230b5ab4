"""A match and a decision are undone with all that they moved, once."""

import pytest

from models.reconciliation import (
    Action,
    LineType,
)
from service import corrections
from service.database import Database
from service.reconciliation import (
    MatchAlreadyUndone,
    MatchNotUndoable,
    OwnReconciliation,
)
from tests.factories import Town, make_town
from tests.paid import a_row, bring_in, lines_of, pay_through, sent_days_ago
from tests.selling import balances
from tests.service.reconciliation.deciding import (
    a_top_up,
    adds_up,
    changed,
    decide,
    the_case,
    the_undone,
    undo,
)
from tests.service.reconciliation.test_importing import cases, matches


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
