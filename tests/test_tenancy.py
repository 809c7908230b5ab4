"""The watch over statements notices what it is there for."""

import pytest
from sqlalchemy import text

from service.database import Database
from tests.tenancy import BankNotNamed, offending_tables


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM pickup WHERE id = 1",
        'UPDATE "payout" SET status = 2',
        "INSERT INTO price (id) VALUES (1)",
        "SELECT * FROM bank JOIN policy ON TRUE",
        "DELETE FROM event",
    ],
)
def test_a_statement_without_a_bank_is_noticed(statement: str) -> None:
    assert offending_tables(statement)


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM pickup WHERE bank_id = 1", "SELECT * FROM person", "SELECT 1"],
)
def test_other_statements_are_left_alone(statement: str) -> None:
    assert offending_tables(statement) == set()


async def test_the_databases_of_the_tests_are_watched(database: Database) -> None:
    with pytest.raises(BankNotNamed):
        async with database.reading() as session:
            await (await session.connection()).execute(text("SELECT count(*) FROM pickup"))
