"""Column maps that a bank has declared for its own sources."""

from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.reconciliation import ColumnMap
from service.reconciliation.readers import Columns

_MOST_MAPS = 500


async def declare(
    session: AsyncSession, bank_id: UUID, name: str, columns: Columns, *, by: UUID
) -> ColumnMap:
    """Enter a map; of several of one name the newest is used."""
    spec = asdict(columns)
    declared = ColumnMap(bank_id=bank_id, name=name, spec=spec, entered_by=by)
    session.add(declared)
    await session.flush()
    return declared


async def maps_of(session: AsyncSession, bank_id: UUID) -> Mapping[str, Columns]:
    """The maps in force, by name."""
    query = (
        select(ColumnMap)
        .where(ColumnMap.bank_id == bank_id)
        .order_by(col(ColumnMap.id).desc())
        .limit(_MOST_MAPS)
    )
    newest_last = reversed(list(await session.exec(query)))
    return {declared.name: Columns(**declared.spec) for declared in newest_last}


async def declared_maps(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[ColumnMap]:
    """Every map that was declared, newest first."""
    query = (
        select(ColumnMap)
        .where(ColumnMap.bank_id == bank_id)
        .order_by(col(ColumnMap.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(ColumnMap.id) < before)
    return list(await session.exec(query))
