"""A statement comes in: what is new of it is kept, matched, and put before somebody."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import new_id, table_of, utc_now
from models.reconciliation import Holding, StatementImport, StatementLine
from service.database import one_at_a_time
from service.errors import Conflict, FieldProblem
from service.reconciliation import entered, store
from service.reconciliation.facts import Line, Outcome
from service.reconciliation.matching import Covered, reconcile
from service.reconciliation.readers import Read, Row
from service.reconciliation.store import Whose
from service.reconciliation.uncollected import uncollected
from service.reconciliation.writing import insert_many

_MOST_NAMED = 100
_MANY = 2_000
"""Fewer lines than this take no longer than a thread to begin."""
_line = table_of(StatementLine)
_COLUMNS = (
    *("bank_id", "id", "import_id", "source", "number"),
    *("line_type" if name == "kind" else name for name in Row._fields),
)
_Key = tuple[str, str, int]


class StatementContradicts(Conflict):
    english = "Lines that were imported before say something else now; nothing was imported."
    indonesian = "Baris yang sudah diimpor kini berisi lain; tidak ada yang diimpor."


class StatementAlreadyImported(Conflict):
    english = "This very file was imported before and read in another way; nothing was imported. Decide about its exceptions, or bring in another export of the lines that are missing."
    indonesian = "Berkas ini sudah pernah diimpor dan dibaca dengan cara lain; tidak ada yang diimpor. Putuskan selisihnya, atau impor ekspor lain dari baris yang belum ada."


class File(NamedTuple):
    """A statement that was read, and the digest of its bytes."""

    source: str
    sha256: str
    read: Read


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
    session: AsyncSession, bank: Bank, file: File, *, by: UUID, dry_run: bool = False
) -> Imported:
    """Keep and match what is new of a statement. Again, or overlapping, it changes nothing.

    A dry run reads only, and waits for nobody.

    Raises StatementContradicts or StatementAlreadyImported.
    """
    if not dry_run:
        # Each import has to see what the one before it has matched.
        await one_at_a_time(session, f"statements of {bank.id}")
    with uncollected(len(file.read.rows) >= _MANY):
        return await _brought(session, bank, file, by, dry_run=dry_run)


async def _brought(
    session: AsyncSession, bank: Bank, file: File, by: UUID, *, dry_run: bool
) -> Imported:
    whose = Whose(bank.id, file.source)
    connection = await session.connection()
    new = await _new_rows(connection, whose, file.read.rows)
    earlier = await _earlier(session, whose)
    same = await _same_file(session, whose, file)
    if new and same:
        # By another column map its lines have other ids: they would be there twice.
        raise StatementAlreadyImported
    if not new:
        import_id = same.id if same else None
        if not same and not dry_run:
            import_id = await _enter(session, file, 0, bank, by)
        return _told(import_id, file, 0, Outcome([], []))
    lines = [_line_of(row) for _, row in new]
    outcome, of_payouts = await _matched(connection, whose, lines, earlier, file)
    if dry_run:
        return _told(None, file, len(new), outcome)
    import_id = await _enter(session, file, len(new), bank, by)
    await _keep(connection, whose, import_id, new, lines)
    # What we pay from is a float to us, whatever bank keeps it.
    of_lines = Holding.FLOAT if of_payouts else file.read.holding
    came = store.Came(import_id, of_lines, Holding.FLOAT)
    await store.write(connection, whose, outcome, came, bank.time_zone)
    return _told(import_id, file, len(new), outcome)


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


async def _new_rows(
    connection: AsyncConnection, whose: Whose, rows: Sequence[Row]
) -> list[tuple[int, Row]]:
    """The rows that no file had before, with their places. Raises StatementContradicts."""
    first = min(row.booked_at for row in rows)
    last = max(row.booked_at for row in rows)
    columns = ("external_id", "line_type", "occurrence", "amount_idr")
    query = select_columns(*(_line.c[name] for name in columns)).where(
        _line.c.bank_id == whose.bank_id,
        _line.c.source == whose.source,
        _line.c.booked_at.between(first, last),
        _line.c.withdrawn_at.is_(None),
    )
    known: dict[_Key, int] = {
        (external_id, kind, occurrence): amount
        for external_id, kind, occurrence, amount in await connection.execute(query)
    }
    changed = [row for row in rows if known.get(_key(row), row.amount_idr) != row.amount_idr]
    if changed:
        raise StatementContradicts(*(_changed(row) for row in changed[:_MOST_NAMED]))
    return [(at, row) for at, row in enumerate(rows, start=1) if _key(row) not in known]


def _key(row: Row) -> _Key:
    return row.external_id, str(row.kind), row.occurrence


def _changed(row: Row) -> FieldProblem:
    return FieldProblem(
        f"/{row.external_id}",
        f"It was imported with another amount than {row.amount_idr}.",
        f"Sebelumnya diimpor dengan jumlah selain {row.amount_idr}.",
    )


async def _earlier(session: AsyncSession, whose: Whose) -> Covered | None:
    """From when until when the statements that are there already tell."""
    query = select(func.min(StatementImport.first_at), func.max(StatementImport.last_at)).where(
        StatementImport.bank_id == whose.bank_id,
        StatementImport.source == whose.source,
        col(StatementImport.withdrawn_at).is_(None),
    )
    first, last = (await session.exec(query)).one()
    return Covered(first, last) if first and last else None


async def _same_file(session: AsyncSession, whose: Whose, file: File) -> StatementImport | None:
    query = select(StatementImport).where(
        StatementImport.bank_id == whose.bank_id,
        StatementImport.source == whose.source,
        StatementImport.sha256 == file.sha256,
        col(StatementImport.withdrawn_at).is_(None),
    )
    return (await session.exec(query)).first()


async def _matched(
    connection: AsyncConnection,
    whose: Whose,
    lines: Sequence[Line],
    earlier: Covered | None,
    file: File,
) -> tuple[Outcome, bool]:
    """What the lines are, and whether this source has payouts at all."""
    here = _covered(file.read.rows)
    covered = earlier or here
    covered = Covered(min(covered.first_at, here.first_at), max(covered.last_at, here.last_at))
    since = earlier.last_at if earlier else here.first_at
    payouts = await store.payouts_for(connection, whose, lines, since)
    of_payouts = any(sent.gateway == whose.source for sent in payouts)
    top_ups = await entered.top_ups_for(connection, whose, lines)
    match = partial(reconcile, whose.source, lines, payouts, covered, top_ups=top_ups)
    # Of many, others are to be answered meanwhile.
    outcome = match() if len(lines) < _MANY else await asyncio.to_thread(match)
    return outcome, of_payouts


def _covered(rows: Sequence[Row]) -> Covered:
    return Covered(min(row.booked_at for row in rows), max(row.booked_until for row in rows))


async def _enter(session: AsyncSession, file: File, new_count: int, bank: Bank, by: UUID) -> UUID:
    covered = _covered(file.read.rows)
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


async def _keep(
    connection: AsyncConnection,
    whose: Whose,
    import_id: UUID,
    new: Sequence[tuple[int, Row]],
    lines: Sequence[Line],
) -> None:
    rows = (
        (whose.bank_id, line.id, import_id, whose.source, number, *row)
        for (number, row), line in zip(new, lines, strict=True)
    )
    try:
        await insert_many(connection, _line, _COLUMNS, rows)
    except IntegrityError as error:
        # The same id at another time than before.
        raise StatementContradicts from error


def _line_of(row: Row) -> Line:
    kind, external_id, occurrence, gateway_id, reference, account, amount_idr, *_ = row
    said = (kind, external_id, occurrence, gateway_id, reference, account, amount_idr)
    return Line(new_id(), *said, row.booked_at, row.booked_until)


def _told(import_id: UUID | None, file: File, new_count: int, outcome: Outcome) -> Imported:
    read, covered = file.read, _covered(file.read.rows)
    by_rule = Counter(str(match.rule) for match in outcome.matches if match.part == 1)
    by_kind = Counter(str(case.kind) for case in outcome.cases)
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
