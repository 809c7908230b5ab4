"""What is written of acts stays written."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service import audit
from service.audit import Entry
from tests.factories import Town


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET act = 'other' WHERE bank_id = :bank_id",
        "DELETE FROM audit_entry WHERE bank_id = :bank_id",
        "DELETE FROM audit_own WHERE person_id IS NOT NULL OR 'bank_id' = :bank_id",
    ],
    ids=["update", "delete", "own"],
)
async def test_the_database_lets_nobody_edit_an_entry(town: Town, statement: str) -> None:
    async with town.database.transaction() as session:
        await audit.write(session, town.bank_id, [Entry("close_day")])
        await audit.note_own(
            session, town.resident.id, "sign_in", address="10.0.0.0/24", device_id=None
        )
    bank_id = town.bank_id.hex if town.database.is_sqlite else town.bank_id
    if "OR" in statement:
        bank_id = str(bank_id)
    with pytest.raises(DBAPIError, match="what is written stays"):
        async with town.database.transaction() as session:
            await (await session.connection()).execute(text(statement), {"bank_id": bank_id})
