"""The database keeps the ledger whole against what goes round the service."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id
from models.ledger import Transfer
from service.database import Database
from service.ledger import (
    chart,
)
from tests.factories import Town, make_town
from tests.service.posting import credit, findings, standing


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
