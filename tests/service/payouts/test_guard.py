"""The guard on payouts: the database itself refuses what no service would do."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from models.payout import MOVES, Payout, PayoutStatus
from tests.paying import Till

_PATHS: dict[PayoutStatus, Sequence[PayoutStatus]] = {
    PayoutStatus.REQUESTED: (),
    PayoutStatus.APPROVED: (PayoutStatus.APPROVED,),
    PayoutStatus.SENDING: (PayoutStatus.APPROVED, PayoutStatus.SENDING),
    PayoutStatus.UNKNOWN: (PayoutStatus.APPROVED, PayoutStatus.SENDING, PayoutStatus.UNKNOWN),
    PayoutStatus.SENT: (PayoutStatus.APPROVED, PayoutStatus.SENDING, PayoutStatus.SENT),
    PayoutStatus.PAID: (PayoutStatus.APPROVED, PayoutStatus.SENDING, PayoutStatus.PAID),
    PayoutStatus.FAILED: (PayoutStatus.APPROVED, PayoutStatus.SENDING, PayoutStatus.FAILED),
    PayoutStatus.REJECTED: (PayoutStatus.REJECTED,),
    PayoutStatus.CANCELLED: (PayoutStatus.CANCELLED,),
    PayoutStatus.REVERSED: (
        PayoutStatus.APPROVED,
        PayoutStatus.SENDING,
        PayoutStatus.PAID,
        PayoutStatus.REVERSED,
    ),
}


class NotReallyError(Exception):
    """Takes a transaction back that went well."""


async def raw(session: AsyncSession, payout: Payout, change: str, **values: Any) -> None:
    connection = await session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    ids = {"bank": payout.bank_id, "id": payout.id}
    await connection.execute(
        text(f"UPDATE payout SET {change} WHERE bank_id = :bank AND id = :id"),
        {name: value.hex if is_sqlite else value for name, value in ids.items()} | values,
    )


async def walk(session: AsyncSession, payout: Payout, path: Sequence[PayoutStatus]) -> None:
    for status in path:
        await raw(session, payout, "status = :to, moves = moves + 1", to=str(status))


async def attempt(till: Till, payout: Payout, path: Sequence[PayoutStatus], change: str) -> bool:
    """Whether the change is let through after the path; nothing of it stays."""
    let_through = True
    try:
        async with till.town.database.transaction() as session:
            await walk(session, payout, path)
            try:
                await raw(session, payout, change)
            except DBAPIError:
                let_through = False
            raise NotReallyError
    except NotReallyError:
        return let_through


async def test_it_moves_only_as_the_table_says(till: Till) -> None:
    payout = await till.ask()
    for start, to in product(PayoutStatus, PayoutStatus):
        if start == to:
            continue
        change = f"status = '{to}', moves = moves + 1"
        is_legal = to in MOVES.get(start, ())
        if start == PayoutStatus.APPROVED and to == PayoutStatus.PAID:
            is_legal = False  # Only cash is paid without being sent.
        assert await attempt(till, payout, _PATHS[start], change) == is_legal, (start, to)


@pytest.mark.parametrize(
    "change",
    [
        "status = 'approved'",
        "moves = moves + 1",
        "status = 'approved', moves = moves + 2",
        "amount_idr = amount_idr + 1",
        "account_number = '9'",
        "account_holder_name = 'Budi'",
        "channel_code = 'BRI'",
        "gateway = 'another'",
        "key = 'another'",
        "fee_idr = 0",
        "fee_by = 'resident'",
        "source = 'earnings'",
    ],
)
async def test_what_was_agreed_on_stays(till: Till, change: str) -> None:
    assert not await attempt(till, await till.ask(), (), change)


async def test_what_the_gateway_calls_it_is_said_once(till: Till) -> None:
    payout = await till.approved()
    await till.work()
    assert not await attempt(till, payout, (), "gateway_id = 'disb-other'")
    assert await attempt(till, payout, (), "gateway_id = gateway_id, tries = 3")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM payout WHERE bank_id = :bank",
        "DELETE FROM payout_move WHERE bank_id = :bank",
        "UPDATE payout_move SET detail = 'x' WHERE bank_id = :bank",
        "INSERT INTO payout_move (bank_id, payout_id, number, to_status, cause, detail, at)"
        " SELECT bank_id, payout_id, number + 1, 'paid', cause, detail, at FROM payout_move"
        " WHERE bank_id = :bank",
    ],
)
async def test_moves_are_neither_changed_nor_removed_nor_made_up(
    till: Till, statement: str
) -> None:
    payout = await till.ask()
    bank = payout.bank_id.hex if till.town.database.is_sqlite else payout.bank_id
    with pytest.raises(DBAPIError):
        async with till.town.database.transaction() as session:
            await (await session.connection()).execute(text(statement), {"bank": bank})
    assert await till.statuses(payout) == ["requested"]


async def test_a_payout_begins_as_requested(till: Till) -> None:
    payout = await till.ask()
    columns = ", ".join(name for name in Payout.model_fields if name not in ("id", "status"))
    new_id = "'0190000000007000800000000000abcd'"
    statement = (
        f"INSERT INTO payout (id, status, {columns})"
        f" SELECT {new_id}, 'paid', {columns} FROM payout WHERE bank_id = :bank"
    )
    bank = payout.bank_id.hex if till.town.database.is_sqlite else payout.bank_id
    with pytest.raises(DBAPIError, match="begins as requested"):
        async with till.town.database.transaction() as session:
            await (await session.connection()).execute(text(statement), {"bank": bank})


async def test_a_payout_is_not_replaced(till: Till) -> None:
    payout = await till.ask()
    if not till.town.database.is_sqlite:
        pytest.skip("PostgreSQL replaces nothing without saying so")
    columns = ", ".join(Payout.model_fields)
    statement = f"INSERT OR REPLACE INTO payout ({columns}) SELECT {columns} FROM payout WHERE bank_id = :bank"
    with pytest.raises(DBAPIError, match="already there"):
        async with till.town.database.transaction() as session:
            await (await session.connection()).execute(
                text(statement), {"bank": payout.bank_id.hex}
            )
