"""Nothing is given back to somebody who is deleted, for nobody could be paid it."""

from pathlib import Path

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Person, Role
from models.sale import Sale
from service import payouts, privacy
from service.corrections import OwnerDeleted
from service.database import Database
from service.keys import Keys
from service.ledger import chart
from service.privacy import MoneyNotPaidOut
from tests.factories import Town, another, make_town
from tests.races import Act, slower_of
from tests.selling import a_buyer, balances, bring, sell, sharing_town, taking_back
from tests.service.test_corrections import LIMITED, agreeing, do, hand_over
from tests.service.test_races import asking


def deleting(keys: Keys, person: Person, messages: Path) -> Act:
    async def act(session: AsyncSession) -> None:
        await privacy.delete(session, keys, person.id, by=person.id, messages=messages)

    return act


async def mistyped(database: Database) -> tuple[Town, Person, Sale]:
    """A sale that brought Rp1: the neighbour's part is Rp0, and they own nothing any more."""
    town = await sharing_town(database, correction_limit_idr=10**9)
    neighbour = await another(town, Role.RESIDENT)
    await bring(town, 3_000)
    await bring(town, 2_000, resident=neighbour)
    return town, neighbour, await sell(town, await a_buyer(town), 5_000, 1)


@pytest.mark.parametrize("deleted_first", [True, False])
async def test_somebody_is_deleted_or_gets_their_goods_back(
    database: Database, keys: Keys, tmp_path: Path, *, deleted_first: bool
) -> None:
    town, neighbour, sale = await mistyped(database)
    before = await balances(town)
    acts = deleting(keys, neighbour, tmp_path / "none"), taking_back(town, sale.id)
    refusal = await slower_of(town, *(acts if deleted_first else acts[::-1]))
    assert isinstance(refusal, OwnerDeleted if deleted_first else MoneyNotPaidOut)
    assert (await balances(town) == before) is deleted_first


async def test_cash_that_a_deleted_person_was_paid_stays_paid(
    database: Database, keys: Keys, tmp_path: Path
) -> None:
    """Also if it was asked for before they were deleted."""
    town = await make_town(database, **LIMITED)
    await bring(town, 1_000)
    async with database.transaction() as session:
        payout = await payouts.request(session, asking(town, 2_600))
        await payouts.approve(session, payout, by=town.treasurer.id)
    await hand_over(town, payout)
    async with database.transaction() as session:
        asked = await taking_back(town, payout.id)(session)
    await do(town, deleting(keys, town.resident, tmp_path / "none"))
    with pytest.raises(OwnerDeleted):
        await do(town, agreeing(town, asked, by=town.operator.id))
    assert (chart.available(town.resident.id).code, "IDR") not in await balances(town)
