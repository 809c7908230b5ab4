"""Money of somebody who is helped never goes to an account of whoever helps."""

import pytest

from models.base import utc_now
from models.payout import Destination
from models.people import Person, Role
from service.payouts import HelpersAccount
from service.payouts.assisted import check_account, is_in_name_of
from tests.factories import Town, give, make_town, new_phone, phone_of


def account(town: Town, number: str, holder: str = "Siti") -> Destination:
    """Where a resident of the town could be paid to."""
    return Destination(
        bank_id=town.bank_id,
        resident_id=town.resident.id,
        channel_code="BRI",
        account_number=number,
        account_holder_name=holder,
        usable_from=utc_now(),
        entered_by=town.operator.id,
    )


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
            await check_account(session, account(town, "5550001234"), town.operator.id)
        with pytest.raises(HelpersAccount):
            await check_account(session, account(town, phone_of(town.operator)), town.operator.id)
        await check_account(session, account(town, "5550001234"), other.operator.id)
        await check_account(session, account(town, "5550001235"), town.operator.id)


@pytest.mark.parametrize(
    ("holder", "helper", "resident", "refused"),
    [
        ("BUDI  SANTOSO", "Budi Santoso", "Nenek Ros", True),
        ("Nur'aini, S.E.", "Nuraini SE", "Nenek Ros", True),
        ("José Gomes", "Jose Gomes", "Nenek Ros", True),
        ("Siti Aminah", "Siti Aminah", "SITI AMINAH", False),
        ("Budi Santosa", "Budi Santoso", "Nenek Ros", False),
        ("...", "", "Nenek Ros", False),
    ],
)
def test_an_account_in_the_helpers_name_is_theirs(
    holder: str, helper: str, resident: str, refused: bool
) -> None:
    assert is_in_name_of(holder, helper, resident) == refused


async def test_an_account_in_the_helpers_name_is_refused(town: Town) -> None:
    helper = Person(phone=new_phone(), name="Budi Santoso")
    async with town.database.transaction() as session:
        session.add(helper)
        await session.flush()
        with pytest.raises(HelpersAccount):
            await check_account(session, account(town, "5550001235", "BUDI SANTOSO"), helper.id)
        await check_account(session, account(town, "5550001235", "Siti Aminah"), helper.id)
