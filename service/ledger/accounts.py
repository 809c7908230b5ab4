"""Accounts are opened as they are needed; what is known of them is remembered."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Account, Floor
from service.ledger.chart import HOT_SHARDS, Place

Shards = dict[tuple[UUID, UUID], int]
"""How many rows an account's counters are spread over, by bank and account."""

_known: WeakKeyDictionary[Engine, Shards] = WeakKeyDictionary()
"""Accounts seen in the database, with their shards; accounts are never removed."""
_KNOWN_LIMIT = 200_000


async def open_accounts(
    session: AsyncSession, bank_id: UUID, places: Iterable[Place]
) -> dict[UUID, int]:
    """See that the accounts exist; the number of shards of each, by account id."""
    return await shards_of(await session.connection(), bank_id, places)


async def shards_of(
    connection: AsyncConnection, bank_id: UUID, places: Iterable[Place]
) -> dict[UUID, int]:
    """As open_accounts(), on a connection; nothing is asked of it if all are known."""
    wanted = {place.id_in(bank_id): place for place in places}
    known = _known.setdefault(_engine_of(connection), {})
    if len(known) > _KNOWN_LIMIT:
        known.clear()
    missing = [key for key in wanted if (bank_id, key) not in known]
    if missing:
        await _read_accounts(connection, bank_id, missing, known)
        new = [wanted[key] for key in missing if (bank_id, key) not in known]
        if new:
            await _insert_accounts(connection, bank_id, new)
            fresh: Shards = {}
            await _read_accounts(connection, bank_id, missing, fresh)
            return {key: known.get((bank_id, key)) or fresh[bank_id, key] for key in wanted}
    return {key: known[bank_id, key] for key in wanted}


def forget(connection: AsyncConnection) -> None:
    """Look them up anew, since one noted in a transaction that failed would be missed for ever."""
    _known.pop(_engine_of(connection), None)


def _engine_of(connection: AsyncConnection) -> Engine:
    sync: Connection | None = connection.sync_connection
    if sync is None:
        raise LookupError("The connection is not open.")
    return sync.engine


async def _read_accounts(
    connection: AsyncConnection, bank_id: UUID, ids: list[UUID], into: Shards
) -> None:
    """Note the accounts that exist. What this transaction makes is only noted by the next
    one that sees it, since this one may still fail."""
    query = select(Account.id, Account.shards).where(
        Account.bank_id == bank_id, col(Account.id).in_(ids)
    )
    for account_id, shards in await connection.execute(query):
        into[bank_id, account_id] = shards


async def _insert_accounts(connection: AsyncConnection, bank_id: UUID, places: list[Place]) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    dialect_insert = sqlite_insert if is_sqlite else postgresql_insert
    rows = [_account_row(bank_id, place, one_shard=is_sqlite) for place in places]
    rows.sort(key=lambda row: row["id"].hex)
    await connection.execute(dialect_insert(Account).on_conflict_do_nothing(), rows)


def _account_row(bank_id: UUID, place: Place, *, one_shard: bool) -> dict[str, Any]:
    spread = place.hot and not one_shard and place.floor == Floor.NONE
    return {
        "bank_id": bank_id,
        "id": place.id_in(bank_id),
        "code": place.code,
        "unit": place.unit,
        "floor": place.floor,
        "shards": HOT_SHARDS if spread else 1,
        "owner_id": place.owner_id,
        "created_at": utc_now(),
    }
