"""The lines of statements, each with the payout that it was found to be."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.reconciliation import StatementLine, StatementMatch


class MatchState(StrEnum):
    """Which lines a list shows."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    ALL = "all"


class Booked(NamedTuple):
    """Which lines: booked in these instants, of one source or all."""

    begins: datetime
    over: datetime
    source: str | None
    state: MatchState


class LineShown(NamedTuple):
    """A line with its matches, those that were undone included."""

    line: StatementLine
    matches: Sequence[StatementMatch]


async def lines_of(
    session: AsyncSession, bank_id: UUID, wanted: Booked, *, before: UUID | None, limit: int
) -> list[LineShown]:
    """Lines of a bank's statements, the last to be imported first."""
    query = (
        select(StatementLine)
        .where(
            StatementLine.bank_id == bank_id,
            col(StatementLine.booked_at) >= wanted.begins,
            col(StatementLine.booked_at) < wanted.over,
            col(StatementLine.withdrawn_at).is_(None),
        )
        .order_by(col(StatementLine.id).desc())
        .limit(limit)
    )
    holds = (
        select(StatementMatch.line_id)
        .where(
            StatementMatch.bank_id == StatementLine.bank_id,
            StatementMatch.line_id == StatementLine.id,
            col(StatementMatch.undone_at).is_(None),
        )
        .correlate(StatementLine)
        .exists()
    )
    if wanted.source is not None:
        query = query.where(StatementLine.source == wanted.source)
    if wanted.state != MatchState.ALL:
        query = query.where(holds if wanted.state == MatchState.MATCHED else ~holds)
    if before is not None:
        query = query.where(col(StatementLine.id) < before)
    return await _with_matches(session, bank_id, list(await session.exec(query)))


async def _with_matches(
    session: AsyncSession, bank_id: UUID, lines: Sequence[StatementLine]
) -> list[LineShown]:
    query = (
        select(StatementMatch)
        .where(
            StatementMatch.bank_id == bank_id,
            col(StatementMatch.line_id).in_([line.id for line in lines]),
        )
        .order_by(col(StatementMatch.id))
    )
    matches = list(await session.exec(query))
    return [LineShown(line, [m for m in matches if m.line_id == line.id]) for line in lines]
