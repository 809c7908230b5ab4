"""Two at once over one correction: of each pair one happens, and the book adds up."""

from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models.correction import CorrectionStatus
from models.people import Role
from service import corrections, ledger, payouts
from service.corrections import CorrectionNotOpen
from service.database import Database
from service.keys import Keys
from service.ledger import AlreadyReversed, BalanceTooLow
from tests import factories
from tests.factories import Town, earn, make_town
from tests.races import Act, slower_of
from tests.service.test_corrections import (
    LIMITED,
    agreeing,
    ask,
    balances,
    drop,
    newest_journal,
    refusing,
    state_of,
)
from tests.service.test_races import asking


@pytest.mark.parametrize("agree_first", [True, False])
async def test_of_agreeing_and_refusing_one_counts(
    database: Database, *, agree_first: bool
) -> None:
    town = await make_town(database, **LIMITED)
    await drop(town)
    asked = await ask(town, await newest_journal(town))
    acts = [agreeing(town, asked), refusing(town, asked)]
    refusal = await slower_of(town, *(acts if agree_first else acts[::-1]))
    assert isinstance(refusal, CorrectionNotOpen)
    state = CorrectionStatus.MADE if agree_first else CorrectionStatus.REFUSED
    assert (await state_of(town, asked)).status == state
    assert ((await balances(town)) == {}) is agree_first


async def test_of_two_who_agree_one_does(database: Database) -> None:
    town = await make_town(database, **LIMITED)
    other = await factories.another(town, Role.OPERATOR)
    await drop(town)
    asked = await ask(town, await newest_journal(town))
    refusal = await slower_of(town, agreeing(town, asked), agreeing(town, asked, by=other.id))
    assert isinstance(refusal, CorrectionNotOpen)
    assert (await state_of(town, asked)).decided_by == town.treasurer.id
    assert await balances(town) == {}


@pytest.mark.parametrize("kind", ["pickup", "dropoff"])
async def test_of_two_who_correct_one_act_one_does(town: Town, keys: Keys, kind: str) -> None:
    await (earn(town, keys) if kind == "pickup" else drop(town))
    journal = await newest_journal(town)

    def correcting(by: UUID) -> Act:
        async def act(session: AsyncSession) -> None:
            found = await ledger.act_of(session, town.bank_id, journal)
            await corrections.ask(session, town.bank_id, found, by=by, reason="salah")

        return act

    refusal = await slower_of(town, correcting(town.operator.id), correcting(town.treasurer.id))
    assert isinstance(refusal, AlreadyReversed)
    assert await balances(town) == {}


async def test_of_correcting_and_spending_one_happens(town: Town, keys: Keys) -> None:
    earned = await earn(town, keys)
    journal = await newest_journal(town)

    async def correct(session: AsyncSession) -> None:
        found = await ledger.act_of(session, town.bank_id, journal)
        await corrections.ask(session, town.bank_id, found, by=town.operator.id, reason="salah")

    async def spend(session: AsyncSession) -> None:
        await payouts.request(session, asking(town, earned))

    assert isinstance(await slower_of(town, correct, spend), BalanceTooLow)
    assert await balances(town) == {}
