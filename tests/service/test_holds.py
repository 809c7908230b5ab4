"""What is held can't be spent, and is settled or given back once."""

import pytest
from sqlalchemy.exc import DBAPIError

from models.ledger import TransferKind
from service.ledger import (
    BalanceTooLow,
    HoldAlreadyResolved,
    chart,
)
from tests.factories import Town
from tests.service.posting import credit, findings, hold, move, post, resolve, standing


async def test_what_is_held_can_not_be_spent(town: Town) -> None:
    await credit(town, 1_000)
    await hold(town, 700)
    assert await standing(town) == (300, 700)
    with pytest.raises(BalanceTooLow):
        await hold(town, 301)


async def test_a_hold_is_settled_once(town: Town) -> None:
    await credit(town, 1_000)
    held = await hold(town, 700)
    await resolve(town, held, 700, TransferKind.SETTLE)
    assert await standing(town) == (300, 0)
    for kind in (TransferKind.SETTLE, TransferKind.VOID):
        with pytest.raises(HoldAlreadyResolved):
            await resolve(town, held, 700, kind)
    assert await standing(town) == (300, 0)
    assert await findings(town) == []


async def test_a_partly_settled_hold_gives_the_rest_back(town: Town) -> None:
    await credit(town, 1_000)
    held = await hold(town, 700)
    await resolve(town, held, 200, TransferKind.SETTLE)
    assert await standing(town) == (800, 0)
    assert await findings(town) == []


async def test_a_voided_hold_gives_everything_back(town: Town) -> None:
    await credit(town, 1_000)
    await resolve(town, await hold(town, 700), 700, TransferKind.VOID)
    assert await standing(town) == (1_000, 0)


@pytest.mark.parametrize(
    ("amount", "kind"),
    [(701, TransferKind.SETTLE), (699, TransferKind.VOID), (701, TransferKind.VOID)],
)
async def test_a_resolution_fits_its_hold(town: Town, amount: int, kind: TransferKind) -> None:
    await credit(town, 1_000)
    held = await hold(town, 700)
    with pytest.raises(DBAPIError, match="does not fit its hold"):
        await resolve(town, held, amount, kind)
    assert await standing(town) == (300, 700)


async def test_a_resolution_is_between_the_accounts_of_its_hold(town: Town) -> None:
    await credit(town, 1_000)
    held = await hold(town, 700)
    with pytest.raises(DBAPIError, match="does not fit its hold"):
        await post(
            town,
            move(
                chart.available(town.resident.id),
                chart.CASH,
                700,
                kind=TransferKind.SETTLE,
                pending_id=held,
            ),
        )


async def test_a_posting_can_not_be_settled(town: Town) -> None:
    (posted,) = await credit(town, 700)
    with pytest.raises(DBAPIError, match="does not fit its hold"):
        await post(
            town,
            move(
                chart.PURCHASES,
                chart.available(town.resident.id),
                700,
                kind=TransferKind.SETTLE,
                pending_id=posted,
            ),
        )


async def test_holds_are_resolved_in_one_act(town: Town) -> None:
    available = chart.available(town.resident.id)
    await credit(town, 1_000)
    paid, back = await hold(town, 300), await hold(town, 200)
    sides = (available, chart.IN_TRANSIT)
    await post(
        town,
        move(*sides, 250, kind=TransferKind.SETTLE, pending_id=paid),
        move(*sides, 200, kind=TransferKind.VOID, pending_id=back),
        move(*sides, 50, kind=TransferKind.HOLD),
    )
    assert await standing(town) == (700, 50)
    assert await findings(town) == []


async def test_one_of_many_that_does_not_fit_its_hold_fails_them_all(town: Town) -> None:
    available = chart.available(town.resident.id)
    await credit(town, 1_000)
    held = await hold(town, 300)
    with pytest.raises(DBAPIError, match="does not fit its hold"):
        await post(
            town,
            move(chart.PURCHASES, available, 5),
            move(available, chart.IN_TRANSIT, 301, kind=TransferKind.SETTLE, pending_id=held),
        )
    assert await standing(town) == (700, 300)
