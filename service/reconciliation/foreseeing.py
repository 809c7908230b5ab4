"""What a statement would change: which of its lines are new, and what each of them is.

It only reads, so that it can be worked out before the transaction that writes it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import table_of
from models.reconciliation import (
    ReconciliationCase,
    StatementImport,
    StatementLine,
    StatementMatch,
)
from service.errors import Conflict, FieldProblem
from service.reconciliation import entered, store
from service.reconciliation.facts import Line, Outcome
from service.reconciliation.matching import Covered, reconcile
from service.reconciliation.readers import Read, Row
from service.reconciliation.store import Whose
from service.reconciliation.topups import TopUp
from service.reconciliation.uncollected import uncollected

MANY = 2_000
"""Fewer lines than this take no longer than a thread to begin."""
_MOST_NAMED = 100
_import, _line = table_of(StatementImport), table_of(StatementLine)
_match_table, _case = table_of(StatementMatch), table_of(ReconciliationCase)
_Key = tuple[str, str, int]


class StatementContradicts(Conflict):
    english = (
        "Lines that were imported before say something else now; nothing was imported. If this file"
        " is right, withdraw the statement first that they came with."
    )
    indonesian = (
        "Baris yang sudah diimpor kini berisi lain; tidak ada yang diimpor. Bila berkas ini yang"
        " benar, tarik dahulu mutasi tempat baris itu berasal."
    )


class StatementAlreadyImported(Conflict):
    english = "This very file was imported before and read in another way; nothing was imported. Decide about its exceptions, or bring in another export of the lines that are missing."
    indonesian = "Berkas ini sudah pernah diimpor dan dibaca dengan cara lain; tidak ada yang diimpor. Putuskan selisihnya, atau impor ekspor lain dari baris yang belum ada."


class File(NamedTuple):
    """A statement that was read, and the digest of its bytes."""

    source: str
    sha256: str
    read: Read


class Plan(NamedTuple):
    """What of a file is new, and what its lines are, as the desk was at its `mark`."""

    whose: Whose
    mark: tuple[object, ...]
    same_id: UUID | None
    """The import of these very bytes."""
    lines: Sequence[Line]
    """Its new rows as the matcher sees them."""
    top_ups: Sequence[TopUp]
    outcome: Outcome
    of_payouts: bool


async def plan_of(session: AsyncSession, bank: Bank, file: File) -> Plan:
    """Find out what bringing a file in would do.

    Raises StatementContradicts or StatementAlreadyImported.
    """
    with uncollected(len(file.read.rows) >= MANY):
        return await _plan(session, Whose(bank.id, file.source), file)


async def _plan(session: AsyncSession, whose: Whose, file: File) -> Plan:
    connection = await session.connection()
    # First: what changes after it, while this reads, makes the plan stale.
    mark = await _mark(connection, whose.bank_id)
    lines = await _new_lines(connection, whose, file.read.rows)
    earlier = await _earlier(session, whose)
    same = await _same_file(session, whose, file)
    if lines and same:
        # By another column map its lines have other ids: they would be there twice.
        raise StatementAlreadyImported
    same_id = same.id if same else None
    plan = Plan(whose, mark, same_id, lines, (), Outcome([], []), of_payouts=False)
    return await _match(connection, earlier, file, plan) if lines else plan


async def still_holds(session: AsyncSession, plan: Plan) -> bool:
    """Whether nobody has brought in, withdrawn, decided or undone anything since, or topped up.

    Payouts go on meanwhile: what they have come to is seen by the next import, as ever.
    """
    connection = await session.connection()
    if await _mark(connection, plan.whose.bank_id) != plan.mark:
        return False
    return list(await entered.top_ups_for(connection, plan.whose, plan.lines)) == list(plan.top_ups)


async def _mark(connection: AsyncConnection, bank_id: UUID) -> tuple[object, ...]:
    """Changes with every act at the desk: what there is only grows, or ends."""
    ends = {_import: "withdrawn_at", _match_table: "undone_at", _case: "ended_at"}
    values = [
        select_columns(value).where(table.c.bank_id == bank_id).scalar_subquery()
        for table, ended in ends.items()
        for value in (func.count(), func.count(table.c[ended]))
    ]
    return tuple((await connection.execute(select_columns(*values))).one())


async def _new_lines(
    connection: AsyncConnection, whose: Whose, rows: Sequence[Row]
) -> Sequence[Line]:
    """What no file had before. Raises StatementContradicts."""
    known = await _known(connection, whose, rows)
    changed = [row for row in rows if known.get(_key(row), row.amount_idr) != row.amount_idr]
    if changed:
        raise StatementContradicts(*(_changed(row) for row in changed[:_MOST_NAMED]))
    lines: list[Line] = []
    for first in range(0, len(rows), MANY):
        some = enumerate(rows[first : first + MANY], start=first + 1)
        lines += [_line_of(at, row) for at, row in some if not known or _key(row) not in known]
        # Of many, others are to be answered meanwhile.
        await asyncio.sleep(0)
    return lines


async def _known(
    connection: AsyncConnection, whose: Whose, rows: Sequence[Row]
) -> Mapping[_Key, int]:
    """Lines of the time of these rows that are there already, with their amounts."""
    first = min(row.booked_at for row in rows)
    last = max(row.booked_at for row in rows)
    columns = ("external_id", "line_type", "occurrence", "amount_idr")
    query = select_columns(*(_line.c[name] for name in columns)).where(
        _line.c.bank_id == whose.bank_id,
        _line.c.source == whose.source,
        _line.c.booked_at.between(first, last),
        _line.c.withdrawn_at.is_(None),
    )
    return {
        (external_id, kind, occurrence): amount
        for external_id, kind, occurrence, amount in await connection.execute(query)
    }


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


async def _match(
    connection: AsyncConnection, earlier: Covered | None, file: File, plan: Plan
) -> Plan:
    """The same plan, with what its lines are, and whether this source has payouts at all."""
    here, whose, lines = covered_by(file.read.rows), plan.whose, plan.lines
    covered = earlier or here
    covered = Covered(min(covered.first_at, here.first_at), max(covered.last_at, here.last_at))
    since = earlier.last_at if earlier else here.first_at
    payouts = await store.payouts_for(connection, whose, lines, since)
    of_payouts = any(sent.gateway == whose.source for sent in payouts)
    top_ups = await entered.top_ups_for(connection, whose, lines)
    match = partial(reconcile, whose.source, lines, payouts, covered, top_ups=top_ups)
    # Of many, others are to be answered meanwhile.
    outcome = match() if len(lines) < MANY else await asyncio.to_thread(match)
    return plan._replace(top_ups=top_ups, outcome=outcome, of_payouts=of_payouts)


def covered_by(rows: Sequence[Row]) -> Covered:
    """From when until when these rows tell."""
    return Covered(min(row.booked_at for row in rows), max(row.booked_until for row in rows))


def _line_of(number: int, row: Row) -> Line:
    kind, external_id, occurrence, gateway_id, reference, account, amount_idr, *_ = row
    said = (kind, external_id, occurrence, gateway_id, reference, account, amount_idr)
    return Line(number, *said, row.booked_at, row.booked_until)
