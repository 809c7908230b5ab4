"""A statement comes in: what is new of it is kept, matched, and put before somebody."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import new_ids, table_of, utc_now
from models.reconciliation import Holding, StatementImport, StatementLine
from service.database import one_at_a_time
from service.reconciliation import store
from service.reconciliation.foreseeing import (
    MANY,
    File,
    Plan,
    StatementContradicts,
    covered_by,
    plan_of,
    still_holds,
)
from service.reconciliation.readers import Row
from service.reconciliation.uncollected import uncollected
from service.reconciliation.writing import insert_many

_line = table_of(StatementLine)
_COLUMNS = (
    *("bank_id", "id", "import_id", "source", "number"),
    *("line_type" if name == "kind" else name for name in Row._fields),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's lines. Of a dry run there is no id."""

    id: UUID | None
    profile: str
    line_count: int
    new_count: int
    known_count: int
    opening_idr: int | None
    closing_idr: int | None
    first_at: datetime
    last_at: datetime
    matched: Mapping[str, int]
    """Lines by the rule that matched them."""
    exceptions: Mapping[str, int]
    """New cases by kind."""


async def bring_in(
    session: AsyncSession, bank: Bank, file: File, *, by: UUID, plan: Plan | None = None
) -> Imported:
    """Keep and match what is new of a statement. Again, or overlapping, it changes nothing.

    A `plan` that was made before is used if nobody has changed anything at the desk since: the
    one writer is then held for as long as writing takes.

    Raises StatementContradicts or StatementAlreadyImported.
    """
    # Each import has to see what the one before it has matched.
    await one_at_a_time(session, f"statements of {bank.id}")
    with uncollected(len(file.read.rows) >= MANY):
        if plan is None or not await still_holds(session, plan):
            plan = await plan_of(session, bank, file)
        return await _write(session, bank, file, plan, by)


async def foresee(session: AsyncSession, bank: Bank, file: File) -> Imported:
    """What bringing a statement in would do; reads only, and waits for nobody.

    Raises StatementContradicts or StatementAlreadyImported.
    """
    plan = await plan_of(session, bank, file)
    return _told(plan.same_id if not plan.lines else None, file, plan)


async def _write(session: AsyncSession, bank: Bank, file: File, plan: Plan, by: UUID) -> Imported:
    if plan.same_id and not plan.lines:
        return _told(plan.same_id, file, plan)
    import_id = await _enter(session, file, len(plan.lines), bank, by)
    if plan.lines:
        connection = await session.connection()
        # What we pay from is a float to us, whatever bank keeps it.
        of_lines = Holding.FLOAT if plan.of_payouts else file.read.holding
        line_ids = new_ids(len(file.read.rows))
        came = store.Came(import_id, line_ids, of_lines, Holding.FLOAT)
        await _keep(connection, came, file, plan)
        await store.write(connection, plan.whose, plan.outcome, came, bank.time_zone)
    return _told(import_id, file, plan)


async def imports_of(
    session: AsyncSession, bank_id: UUID, *, before: UUID | None, limit: int
) -> list[StatementImport]:
    """The files that were imported, newest first."""
    query = (
        select(StatementImport)
        .where(StatementImport.bank_id == bank_id)
        .order_by(col(StatementImport.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(StatementImport.id) < before)
    return list(await session.exec(query))


async def _enter(session: AsyncSession, file: File, new_count: int, bank: Bank, by: UUID) -> UUID:
    covered = covered_by(file.read.rows)
    file_read = StatementImport(
        bank_id=bank.id,
        source=file.source,
        holding=file.read.holding,
        profile=file.read.profile,
        sha256=file.sha256,
        first_at=covered.first_at,
        last_at=covered.last_at,
        opening_idr=file.read.opening_idr,
        closing_idr=file.read.closing_idr,
        line_count=len(file.read.rows),
        new_count=new_count,
        imported_by=by,
        imported_at=utc_now(),
    )
    session.add(file_read)
    await session.flush()
    return file_read.id


async def _keep(connection: AsyncConnection, came: store.Came, file: File, plan: Plan) -> None:
    bank_id, source = plan.whose
    rows = (
        (bank_id, came.line_ids[at - 1], came.import_id, source, at, *file.read.rows[at - 1])
        for at in (line.number for line in plan.lines)
    )
    try:
        await insert_many(connection, _line, _COLUMNS, rows)
    except IntegrityError as error:
        # The same id at another time than before.
        raise StatementContradicts from error


def _told(import_id: UUID | None, file: File, plan: Plan) -> Imported:
    read, covered, new_count = file.read, covered_by(file.read.rows), len(plan.lines)
    by_rule = Counter(str(match.rule) for match in plan.outcome.matches if match.part == 1)
    by_kind = Counter(str(case.kind) for case in plan.outcome.cases)
    return Imported(
        id=import_id,
        profile=read.profile,
        line_count=len(read.rows),
        new_count=new_count,
        known_count=len(read.rows) - new_count,
        opening_idr=read.opening_idr,
        closing_idr=read.closing_idr,
        first_at=covered.first_at,
        last_at=covered.last_at,
        matched=dict(by_rule),
        exceptions=dict(by_kind),
    )
