"""Whether somebody was deleted: told by the traces that are left of them."""

from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.privacy import Trace
from service.keys import Keys
from service.privacy.finding import by_key, phone


async def deleted_phones(session: AsyncSession, keys: Keys, phones: Collection[str]) -> set[str]:
    """Which of these phones were those of people who are deleted."""
    digest = by_key(keys)
    by_hash: dict[str, str] = {}
    for one in phones:
        wanted = phone(one)
        by_hash |= dict.fromkeys(digest(wanted.kind, wanted.value), one)
    query = select(Trace.hash).where(col(Trace.hash).in_(by_hash))
    return {by_hash[found] for found in await session.exec(query)}
