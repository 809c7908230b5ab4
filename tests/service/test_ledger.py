"""What the ledger posts, and what it refuses."""

import pytest
from sqlalchemy.exc import DBAPIError

from models.base import utc_now
from models.ledger import TransferKind
from service import ledger
from service.database import Database
from service.ledger import (
    AlreadyPosted,
    BalanceTooLow,
    accounts,
    chart,
)
from service.ledger.chart import HOT_SHARDS, Place
from tests.counting import statements_of
from tests.factories import Town
from tests.service.posting import credit, findings, hold, move, post, resolve, standing


async def test_a_transfer_moves_both_accounts_and_sums_to_zero(town: Town) -> None:
    await credit(town, 12_500)
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
    by_code = {row.code: row.balance for row in rows}
    assert by_code["purchases"] == 12_500
    assert by_code[f"available:{town.resident.id}"] == -12_500
    assert sum(by_code.values()) == 0
    assert await findings(town) == []


async def test_the_trial_balance_of_an_instant_leaves_later_transfers_out(town: Town) -> None:
    await credit(town, 1_000)
    between = utc_now()
    await credit(town, 500)
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id, at=between)
    assert {row.code: row.balance for row in rows}["purchases"] == 1_000


async def test_nobody_is_overdrawn(town: Town) -> None:
    await credit(town, 1_000)
    with pytest.raises(BalanceTooLow):
        await post(town, move(chart.available(town.resident.id), chart.IN_TRANSIT, 1_001))
    assert await standing(town) == (1_000, 0)
    assert await findings(town) == []


async def test_one_key_is_posted_once(town: Town) -> None:
    again = move(chart.PURCHASES, chart.available(town.resident.id), 100, key="once")
    await post(town, again)
    with pytest.raises(AlreadyPosted):
        await post(town, again)
    assert await standing(town) == (100, 0)


async def test_all_transfers_of_an_act_are_posted_or_none(town: Town) -> None:
    with pytest.raises(BalanceTooLow):
        await post(
            town,
            move(chart.PURCHASES, chart.available(town.resident.id), 100),
            move(chart.available(town.resident.id), chart.IN_TRANSIT, 101),
        )
    assert await standing(town) == (0, 0)
    assert await findings(town) == []


async def test_what_comes_later_in_an_act_does_not_pay_for_what_came_before(town: Town) -> None:
    available = chart.available(town.resident.id)
    earn, spend = (
        move(chart.PURCHASES, available, 100),
        move(available, chart.CASH, 100),
    )
    with pytest.raises(BalanceTooLow):
        await post(town, spend, earn)
    assert await standing(town) == (0, 0)
    await post(town, earn, spend)
    assert await standing(town) == (0, 0)
    assert await findings(town) == []


async def test_an_act_may_touch_an_account_many_times(town: Town) -> None:
    available = chart.available(town.resident.id)
    amounts = [100, 20, 3]
    await post(town, *(move(chart.PURCHASES, available, amount) for amount in amounts))
    async with town.database.reading() as session:
        lines = await ledger.passbook_lines(
            session, town.bank_id, town.resident.id, before=None, limit=10
        )
    assert [line.balance_idr for line in reversed(lines)] == [100, 120, 123]
    assert await findings(town) == []


async def test_a_unit_is_the_same_on_both_sides(town: Town) -> None:
    with pytest.raises(DBAPIError):
        await post(town, move(chart.PURCHASES, chart.source(town.resident.id, "PET-BNG-B"), 100))


async def test_lines_of_the_passbook_carry_the_running_balance(town: Town) -> None:
    await credit(town, 1_000)
    held = await hold(town, 400)
    await resolve(town, held, 400, TransferKind.SETTLE)
    async with town.database.reading() as session:
        lines = await ledger.passbook_lines(
            session, town.bank_id, town.resident.id, before=None, limit=10
        )
        older = await ledger.passbook_lines(
            session, town.bank_id, town.resident.id, before=lines[0].version, limit=10
        )
    assert [(line.amount_idr, line.balance_idr) for line in lines] == [(-400, 600), (1_000, 1_000)]
    assert older == lines[1:]


@pytest.mark.parametrize("amount", [0, -5])
async def test_amounts_are_more_than_nothing(town: Town, amount: int) -> None:
    with pytest.raises(DBAPIError, match="amount"):
        await credit(town, amount)


async def test_an_account_opens_empty(town: Town) -> None:
    place = Place("nowhere")
    async with town.database.transaction() as session:
        await ledger.open_accounts(session, town.bank_id, [place])
        await ledger.open_accounts(session, town.bank_id, [place])
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
    assert [row.balance for row in rows if row.code == "nowhere"] == [0]


async def test_statements_of_a_posting_do_not_grow_with_history(
    town: Town, database: Database
) -> None:
    await credit(town, 1)
    await credit(town, 1)
    with statements_of(database) as few:
        await credit(town, 1)
    for _ in range(30):
        await credit(town, 1)
    with statements_of(database) as many:
        await credit(town, 1)
    assert len(many) == len(few) <= 4


async def test_only_busy_accounts_without_a_floor_are_spread_over_rows(town: Town) -> None:
    """And on PostgreSQL alone: SQLite has one writer."""
    busy, quiet, floored = chart.cash("laci"), chart.SALES, chart.available(town.resident.id)
    async with town.database.transaction() as session:
        shards = await ledger.open_accounts(session, town.bank_id, [busy, quiet, floored])
    of_busy = 1 if town.database.is_sqlite else HOT_SHARDS
    assert [shards[place.id_in(town.bank_id)] for place in (busy, quiet, floored)] == [
        of_busy,
        1,
        1,
    ]


async def test_of_a_banks_accounts_only_those_that_are_asked_for_are_read(town: Town) -> None:
    await credit(town, 1)
    one = chart.available(town.resident.id)
    async with town.database.transaction() as session:
        connection = await session.connection()
        accounts.forget(connection)
        await accounts.shards_of(connection, town.bank_id, [one])
        known = accounts._known[accounts._engine_of(connection)]
        assert [key for key in known if key[0] == town.bank_id] == [
            (town.bank_id, one.id_in(town.bank_id))
        ]
