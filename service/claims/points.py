"""PostgreSQL's optional index of flat points: the nearest few by one statement."""

from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text
from sqlmodel.ext.asyncio.session import AsyncSession

INDEX = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "CREATE INDEX CONCURRENTLY ix_pickup_open_point ON pickup"
    " USING gist (bank_id, point(lon, lat)) WHERE status = 'open'",
)
"""What makes the index, outside of any transaction, by an owner of the database."""

_IS_THERE = text(
    "SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE c.relname = 'ix_pickup_open_point' AND i.indisvalid)"
)
_found: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


async def has_index(session: AsyncSession) -> bool:
    """Whether this database has it; looked for once, so one made later needs a new start."""
    connection = await session.connection()
    if connection.dialect.name != "postgresql":
        return False
    engine = connection.engine.sync_engine
    if engine not in _found:
        _found[engine] = bool((await connection.execute(_IS_THERE)).scalar())
    return _found[engine]
