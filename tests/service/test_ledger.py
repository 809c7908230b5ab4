"""The ledger keeps itself: what it posts, what it refuses, and what goes round it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.ledger import Transfer, TransferKind
from service import ledger
from service.database import Database
from service.ledger import (
    AlreadyPosted,
    BalanceTooLow,
    Draft,
    HoldAlreadyResolved,
    Movement,
    accounts,
    chart,
)
from service.ledger.chart import HOT_SHARDS, Place
from tests.counting import statements_of
from tests.factories import Town, make_town


def move(debit: Place, credit: Place, amount: int, *, key: str = "", **options: Any) -> Movement:
    return Movement(key or f"test:{uuid4()}", debit, credit, amount, **options)


async def post(town: Town, *moves: Movement) -> list[UUID]:
    async with town.database.transaction() as session:
        return await ledger.post(session, town.bank_id, Draft("test", moves, event_at=utc_now()))


async def credit(town: Town, amount: int) -> list[UUID]:
    return await post(town, move(chart.PURCHASES, chart.available(town.resident.id), amount))


async def hold(town: Town, amount: int) -> UUID:
    wanted = move(
        chart.available(town.resident.id), chart.IN_TRANSIT, amount, kind=TransferKind.HOLD
    )
    return (await post(town, wanted))[0]


async def resolve(town: Town, held: UUID, amount: int, kind: TransferKind) -> list[UUID]:
    return await post(
        town,
        move(
            chart.available(town.resident.id),
            chart.IN_TRANSIT,
            amount,
            kind=kind,
            pending_id=held,
        ),
    )


async def standing(town: Town) -> tuple[int, int]:
    async with town.database.reading() as session:
        found = await ledger.standing(session, town.bank_id, town.resident.id)
    return found.available_idr, found.held_idr


async def findings(town: Town) -> list[ledger.Finding]:
    async with town.database.reading() as session:
        return (await ledger.verify(session, [town.bank_id])).findings


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


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"debit_shard": 17}, "no such account"),
        ({"credit_shard": 17}, "no such account"),
        ({"journal_id": "nobody"}, "that page is closed|FOREIGN KEY|foreign key"),
    ],
)
async def test_raw_transfers_are_refused_alone_and_together(
    town: Town, rows: int, change: dict[str, Any], refusal: str
) -> None:
    """One row and many rows of a statement go different ways in PostgreSQL's trigger."""
    await credit(town, 1_000)
    if change == {"journal_id": "nobody"}:
        change = {"journal_id": new_id()}
    with pytest.raises(DBAPIError, match=refusal):
        async with town.database.transaction() as session:
            copies = [await _raw_copy(session, town) for _ in range(rows)]
            copies[-1] |= change
            await (await session.connection()).execute(insert(Transfer).values(copies))
    assert await standing(town) == (1_000, 0)
    assert await findings(town) == []


async def test_raw_transfers_of_one_statement_all_count(town: Town) -> None:
    await credit(town, 1_000)
    async with town.database.transaction() as session:
        copies = [await _raw_copy(session, town) for _ in range(3)]
        await (await session.connection()).execute(insert(Transfer).values(copies))
    assert await standing(town) == (4_000, 0)
    assert await findings(town) == []


async def test_nothing_inserted_moves_nothing(town: Town) -> None:
    """A row that ON CONFLICT leaves out was not posted."""
    await credit(town, 1_000)
    # SQLite refuses what would conflict before it looks at ON CONFLICT.
    nothing = "AND false" if town.database.is_sqlite else "ON CONFLICT DO NOTHING"
    again = "INSERT INTO ledger_transfer SELECT * FROM ledger_transfer WHERE bank_id = :bank_id"
    await _run(town, f"{again} {nothing}")
    assert await standing(town) == (1_000, 0)


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


FROM_OUTSIDE = [
    "UPDATE ledger_transfer SET amount = amount + 1 WHERE bank_id = :bank_id",
    "DELETE FROM ledger_transfer WHERE bank_id = :bank_id",
    "UPDATE ledger_entry SET amount = 1 WHERE bank_id = :bank_id",
    "DELETE FROM ledger_entry WHERE bank_id = :bank_id",
    "UPDATE ledger_journal SET memo = 'x' WHERE bank_id = :bank_id",
    "DELETE FROM ledger_journal WHERE bank_id = :bank_id",
    "UPDATE ledger_account SET floor = 'none' WHERE bank_id = :bank_id",
    "DELETE FROM ledger_account WHERE bank_id = :bank_id",
    "UPDATE ledger_balance SET credits_posted = credits_posted + 1 WHERE bank_id = :bank_id",
    "UPDATE ledger_balance SET credits_posted = credits_posted + 1000, version = version + 1"
    " WHERE bank_id = :bank_id AND credits_posted = 1000",
    "UPDATE ledger_balance SET floor = 'none' WHERE bank_id = :bank_id",
    "UPDATE ledger_balance SET version = version + 1 WHERE bank_id = :bank_id",
    "DELETE FROM ledger_balance WHERE bank_id = :bank_id",
    "INSERT INTO ledger_entry SELECT bank_id, account_id, shard, version + 1, transfer_id,"
    " amount, balance_after + amount, pending_after FROM ledger_entry WHERE bank_id = :bank_id",
    "INSERT INTO ledger_balance SELECT bank_id, account_id, shard + 1, floor, debits_posted,"
    " credits_posted, debits_pending, credits_pending, version FROM ledger_balance"
    " WHERE bank_id = :bank_id AND version > 0",
]


REPLACING = [
    "INSERT OR REPLACE INTO ledger_journal SELECT * FROM ledger_journal WHERE bank_id = :bank_id",
    "INSERT OR REPLACE INTO ledger_account SELECT * FROM ledger_account WHERE bank_id = :bank_id",
    "INSERT OR REPLACE INTO ledger_balance SELECT * FROM ledger_balance WHERE bank_id = :bank_id",
    "INSERT OR REPLACE INTO ledger_transfer SELECT * FROM ledger_transfer WHERE bank_id = :bank_id",
    "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry WHERE bank_id = :bank_id",
]


@pytest.mark.parametrize("statement", REPLACING)
async def test_sqlite_replaces_nothing(town: Town, statement: str) -> None:
    if not town.database.is_sqlite:
        pytest.skip("PostgreSQL has no INSERT OR REPLACE")
    await credit(town, 1_000)
    with pytest.raises(DBAPIError, match="ledger:"):
        await _run(town, statement)
    assert await standing(town) == (1_000, 0)
    assert await findings(town) == []


@pytest.mark.parametrize("statement", FROM_OUTSIDE)
async def test_the_database_refuses_what_goes_round_the_service(town: Town, statement: str) -> None:
    await credit(town, 1_000)
    with pytest.raises(DBAPIError, match="ledger:"):
        await _run(town, statement)
    assert await standing(town) == (1_000, 0)
    assert await findings(town) == []


async def test_a_raw_transfer_is_kept_by_the_same_rules(town: Town) -> None:
    await credit(town, 1_000)
    with pytest.raises(DBAPIError, match="never_overdrawn"):
        async with town.database.transaction() as session:
            row = await _raw_copy(session, town)
            debit, credit_ = row["credit_account_id"], row["debit_account_id"]
            row |= {
                "debit_account_id": debit,
                "debit_shard": row["credit_shard"],
                "credit_account_id": credit_,
                "credit_shard": row["debit_shard"],
                "amount": 1_001,
            }
            await (await session.connection()).execute(insert(Transfer), [row])
    assert await standing(town) == (1_000, 0)


async def test_a_transfer_can_not_name_another_banks_account(
    town: Town, database: Database
) -> None:
    other = await make_town(database)
    await credit(town, 1_000)
    with pytest.raises(DBAPIError):
        async with database.transaction() as session:
            row = await _raw_copy(session, town)
            row["credit_account_id"] = chart.available(other.resident.id).id_in(other.bank_id)
            await (await session.connection()).execute(insert(Transfer), [row])


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


async def _run(town: Town, statement: str) -> None:
    async with town.database.transaction() as session:
        connection = await session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        bound = town.bank_id.hex if is_sqlite else town.bank_id
        await connection.execute(text(statement), {"bank_id": bound})


async def _raw_copy(session: AsyncSession, town: Town) -> dict[str, Any]:
    """The values of a transfer like the town's first, under a key of its own."""
    found = (
        await session.exec(select(Transfer).where(Transfer.bank_id == town.bank_id).limit(1))
    ).one()
    return {**found.model_dump(), "id": new_id(), "key": f"raw:{uuid4()}"}


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
