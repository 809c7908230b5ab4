"""What the matcher needs out of the database, and what it has found back into it.

Rows go through as tuples: a file may have a hundred thousand lines.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import among, new_id, new_ids, table_of, utc_now
from models.payout import UNDER_WAY, Payout
from models.reconciliation import (
    CaseKind,
    CaseStatus,
    Holding,
    LineType,
    ReconciliationCase,
    StatementLine,
    StatementMatch,
)
from service.reconciliation.facts import GONE, Case, Line, Outcome, Sent, keys_in
from service.reconciliation.writing import insert_many

_CHUNK = 500
_AT_ONCE = 5_000
_BEFORE = timedelta(days=7)
"""How long before its first line a statement may have payouts that were sent."""
_DUE_AFTER = timedelta(days=3)
_NO_LEGS: frozenset[str] = frozenset()
WAITING = (CaseStatus.OPEN, CaseStatus.WAITING)
_payout, _match = table_of(Payout), table_of(StatementMatch)
_case, _line = table_of(ReconciliationCase), table_of(StatementLine)
_FACTS = tuple(
    _payout.c[name]
    for name in (
        *("id", "key", "gateway_id", "gateway", "amount_idr", "fee_idr", "fee_by"),
        *("account_number", "sent_at", "status"),
    )
)
_MATCH_COLUMNS = (
    *("bank_id", "id", "line_id", "payout_id", "leg", "rule", "part"),
    *("matched_at", "undone_reason"),
)
_CASE_COLUMNS = (
    *("bank_id", "id", "source", "holding", "kind", "why", "line_id", "payout_id"),
    *("expected_idr", "found_idr", "proposed_action", "since"),
    *("status", "reason", "opened_at", "due_on", "import_id"),
)
Item = TypeVar("Item")


class Whose(NamedTuple):
    """Which bank's statement of which source."""

    bank_id: UUID
    source: str


class Came(NamedTuple):
    """By which import, the ids of its file's lines, and where their money and that of payouts is."""

    import_id: UUID
    line_ids: range
    of_lines: Holding
    of_payouts: Holding


async def payouts_for(
    connection: AsyncConnection, whose: Whose, lines: Sequence[Line], since: datetime
) -> list[Sent]:
    """The payouts that a statement can speak of: those sent in its time, and those it names."""
    until = max(line.booked_until for line in lines) + timedelta(days=1)
    from_at = min(since, min(line.booked_at for line in lines)) - _BEFORE
    texts = _texts_of(lines)
    in_time = and_(
        _payout.c.bank_id == whose.bank_id,
        _payout.c.gateway == whose.source,
        _payout.c.sent_at.between(from_at, until),
    )
    found = {sent.id: sent for sent in await _sent(connection, whose.bank_id, in_time, texts)}
    for condition in _named_besides(whose, lines, found):
        for sent in await _sent(connection, whose.bank_id, condition, texts):
            found[sent.id] = sent
    return list(found.values())


async def write(
    connection: AsyncConnection,
    whose: Whose,
    outcome: Outcome,
    came: Came,
    zone: str,
) -> None:
    """Write matches and cases, and clear the cases that these have settled."""
    now = utc_now()
    ids = new_ids(len(outcome.matches))
    matches = (
        (whose.bank_id, match_id, came.line_ids[line - 1], *found, now, "")
        for match_id, (line, *found) in zip(ids, outcome.matches, strict=True)
    )
    await insert_many(connection, _match, _MATCH_COLUMNS, matches)
    await _ask_soon(connection, whose)
    rows = [_case_row(whose, case, came, zone, now) for case in outcome.cases]
    of_lines = (row for row, case in zip(rows, outcome.cases, strict=True) if case.line)
    await insert_many(connection, _case, _CASE_COLUMNS, of_lines)
    await clear_settled(connection, whose)
    of_payouts = (row for row, case in zip(rows, outcome.cases, strict=True) if not case.line)
    await insert_many(connection, _case, _CASE_COLUMNS, of_payouts)


async def clear_settled(connection: AsyncConnection, whose: Whose) -> None:
    """End the cases of payouts that were missing and aren't any more."""
    # Of the outer statement's payout, whatever these tables are called in there.
    match, other = _match.alias(), _case.alias()
    of_payout = and_(match.c.bank_id == _case.c.bank_id, match.c.payout_id == _case.c.payout_id)
    holds = exists().where(of_payout, match.c.undone_at.is_(None))
    in_another = exists().where(
        other.c.bank_id == _case.c.bank_id,
        other.c.payout_id == _case.c.payout_id,
        other.c.line_id.is_not(None),
        # A line that may be it; one that is known not to be leaves it missing.
        other.c.expected_idr > 0,
        among(other.c.status, WAITING),
    )
    ended = exists().where(
        _payout.c.bank_id == _case.c.bank_id,
        _payout.c.id == _case.c.payout_id,
        _payout.c.status.not_in(GONE),
    )
    missing = _case.c.kind.in_((CaseKind.MISSING_AT_GATEWAY, CaseKind.UNKNOWN))
    there = holds.where(match.c.leg == LineType.OUT)
    charged = holds.where(match.c.leg == LineType.FEE)
    await connection.execute(
        update(_case)
        .where(
            _case.c.bank_id == whose.bank_id,
            _case.c.source == whose.source,
            among(_case.c.status, WAITING),
            _case.c.line_id.is_(None),
            or_(
                and_(missing, or_(there, in_another, ended)),
                and_(_case.c.kind == CaseKind.FEE_DIFFERS, charged),
            ),
        )
        .values(status=CaseStatus.CLEARED, ended_at=utc_now())
    )


async def _ask_soon(connection: AsyncConnection, whose: Whose) -> None:
    """Let a worker ask how payouts ended that left and have no end: a line proves none."""
    left = exists().where(
        _match.c.bank_id == _payout.c.bank_id,
        _match.c.payout_id == _payout.c.id,
        _match.c.leg == LineType.OUT,
        _match.c.undone_at.is_(None),
    )
    now = utc_now()
    await connection.execute(
        update(_payout)
        .where(
            _payout.c.bank_id == whose.bank_id,
            _payout.c.gateway == whose.source,
            _payout.c.status.in_(UNDER_WAY),
            _payout.c.due_at > now,
            left,
        )
        .values(due_at=now)
    )


def due_on(opened_at: datetime, zone: str) -> date:
    """By when somebody should have decided."""
    return (opened_at + _DUE_AFTER).astimezone(ZoneInfo(zone)).date()


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """As many at a time as every database takes in one statement."""
    left = iter(items)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _named_besides(
    whose: Whose, lines: Sequence[Line], found: Mapping[UUID, Sent]
) -> Iterator[ColumnElement[bool]]:
    """Conditions for what the lines name and that wasn't sent in their time."""
    keys = {sent.key for sent in found.values()}
    ids = {sent.gateway_id for sent in found.values()}
    named = {
        key
        for line in lines
        if line.reference and line.reference not in keys
        for key in keys_in(line.reference)
    }
    for some in chunks(sorted(named - keys)):
        wanted = [UUID(key.removeprefix("payout-")) for key in some]
        yield and_(_payout.c.bank_id == whose.bank_id, _payout.c.id.in_(wanted))
    unnamed = {line.gateway_id or line.external_id for line in lines if line.reference not in keys}
    for some_ids in chunks(sorted(unnamed - ids)):
        yield and_(
            _payout.c.bank_id == whose.bank_id,
            _payout.c.gateway == whose.source,
            _payout.c.gateway_id.in_(some_ids),
        )


def _texts_of(lines: Iterable[Line]) -> dict[str, str]:
    """What the lines say, so that what payouts say too is there once, and soon found equal."""
    return {text: text for line in lines for text in (line.reference, line.gateway_id)}


async def _sent(
    connection: AsyncConnection,
    bank_id: UUID,
    condition: ColumnElement[bool],
    texts: dict[str, str],
) -> list[Sent]:
    """Payouts as facts, with what is known of them already."""
    ids = select(_payout.c.id).where(condition)
    legs: dict[UUID, set[str]] = defaultdict(set)
    held = select(_match.c.payout_id, _match.c.leg).where(
        _match.c.bank_id == bank_id, _match.c.undone_at.is_(None), _match.c.payout_id.in_(ids)
    )
    for payout_id, leg in await connection.execute(held):
        legs[payout_id].add(leg)
    in_case = select(_case.c.payout_id).where(
        _case.c.bank_id == bank_id,
        _case.c.status != CaseStatus.CLEARED,
        # A line of which nothing was expected doesn't say where the payout is.
        or_(_case.c.line_id.is_(None), _case.c.expected_idr > 0),
        _case.c.payout_id.in_(ids),
    )
    cases = set((await connection.execute(in_case)).scalars())
    payouts = []
    # Row by row costs twice as much, and all at once takes room and keeps others waiting.
    async with connection.stream(select(*_FACTS).where(condition)) as found:
        async for some in found.partitions(_AT_ONCE):
            payouts += [_sent_of(row, legs, cases, texts) for row in some]
            await asyncio.sleep(0)
    return payouts


def _sent_of(
    row: Any, legs: Mapping[UUID, Set[str]], cases: Set[UUID], texts: dict[str, str]
) -> Sent:
    # Taken apart at once, since a row's columns by name cost ten times as much.
    payout_id, key, gateway_id, gateway, amount_idr, fee_idr, fee_by, account, sent_at, status = row
    send_idr = amount_idr - (fee_idr if fee_by == "resident" else 0)
    whose = (texts.get(key, key), texts.get(gateway_id, gateway_id))
    # Of these there are few.
    gateway, status = texts.setdefault(gateway, gateway), texts.setdefault(status, status)
    money = (send_idr, fee_idr, account, sent_at, status)
    found = frozenset(legs[payout_id]) if payout_id in legs else _NO_LEGS
    return Sent(payout_id, *whose, gateway, *money, found, payout_id in cases)


def _case_row(whose: Whose, case: Case, came: Came, zone: str, now: datetime) -> tuple[Any, ...]:
    kind, why, line, *about = case
    holding = came.of_lines if line else came.of_payouts
    line_id = came.line_ids[line - 1] if line else None
    opened = (CaseStatus.OPEN, "", now, due_on(now, zone), came.import_id)
    return whose.bank_id, new_id(), whose.source, holding, kind, why, line_id, *about, *opened
