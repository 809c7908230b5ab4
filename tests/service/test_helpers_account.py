"""Money of somebody who is helped never goes to an account of whoever helps."""

import pytest

from models.base import utc_now
from models.payout import Destination
from models.people import Role
from service.payouts import HelpersAccount
from service.payouts.assisted import check_account
from tests.factories import Town, give, make_town, phone_of


@pytest.fixture
async def helper_of_two(town: Town) -> tuple[Town, Town]:
    """A town, and another where its operator was once paid to an account."""
    other = await make_town(town.database)
    await give(other, town.operator, Role.RESIDENT)
    async with town.database.transaction() as session:
        session.add(
            Destination(
                bank_id=other.bank_id,
                resident_id=town.operator.id,
                channel_code="BRI",
                account_number="5550001234",
                account_holder_name="Budi",
                usable_from=utc_now(),
                ended_at=utc_now(),
                entered_by=town.operator.id,
            )
        )
    return town, other


async def test_an_account_that_was_the_helpers_at_any_bank_is_refused(
    helper_of_two: tuple[Town, Town],
) -> None:
    town, other = helper_of_two
    async with town.database.reading() as session:
        with pytest.raises(HelpersAccount):
            await check_account(session, "5550001234", town.operator.id)
        with pytest.raises(HelpersAccount):
            await check_account(session, phone_of(town.operator), town.operator.id)
        await check_account(session, "5550001234", other.operator.id)
        await check_account(session, "5550001235", town.operator.id)
