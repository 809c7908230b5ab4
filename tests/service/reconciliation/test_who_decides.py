"""Above its bank's limit an amount is decided about by somebody else than whoever brought it in."""

from uuid import UUID

import pytest

from models.base import utc_now
from models.people import Person, Role
from models.reconciliation import (
    Action,
    LineType,
    ReconciliationCase,
)
from service import reconciliation
from service.database import Database
from service.reconciliation import (
    OwnerNotTreasurer,
    OwnReconciliation,
)
from service.reconciliation.effects import at_stake_idr
from tests.factories import Town, another, make_town
from tests.paid import GATEWAY, a_row, bring_in, lines_of, pay_through, sent_days_ago
from tests.service.reconciliation.deciding import (
    changed,
    decide,
    the_case,
)


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
