"""Writes over what names a person, as models.personal says of each column."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    and_,
    case,
    collate,
    delete,
    false,
    func,
    or_,
    select,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.belonging import OWNERS
from models.payout import HIDDEN
from models.people import Role
from models.personal import COLUMNS, Fate, having
from models.privacy import TraceKind
from models.registry import METADATA
from service.privacy.belonging import is_theirs
from service.privacy.finding import SEPARATORS, Finder, Wanted

_EMPTY: dict[str, dict[str, Any]] = {
    "event": {"body": "{}"},
    "person": {"phone": None, "nik_sealed": None, "nik_hash": None},
}
_WAYS_IN = ("outside_identity", "recovery_code", "second_factor")
"""Of no use to anybody any more: their rows go."""
_PLAIN = re.compile("[a-z']+")
_TEXTS = {("idempotency", "body"), ("event", "body"), ("statement_line", "raw")}
"""Looked through beside what is scrubbed: somebody else's rows may name the person."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Of whom, in which banks, and what they are known by."""

    session: AsyncSession
    person_id: UUID
    bank_ids: Sequence[UUID]
    known: frozenset[Wanted]
    finder: Finder
    phone_hashes: Sequence[str]
    """Under which codes for their phone may be kept."""


async def erase(it: Erasure) -> None:
    """Everything but places: rows of theirs, and words of others that name them."""
    await _empty_statement_lines(it)
    for name in OWNERS:
        await _empty_rows(it, name)
    await _mask_payouts(it)
    await _end_sign_ins(it)
    await _drop_answers(it)
    await _leave_parts(it)
    for name, column in sorted({*having(Fate.SCRUBBED), *_TEXTS}):
        await _scrub(it, METADATA.tables[name], column)
    await _empty_callbacks(it)


async def _empty_rows(it: Erasure, name: str) -> None:
    """Their own rows lose every column that is to be erased."""
    erased = [column for column, fate in COLUMNS[name].items() if fate is Fate.ERASED]
    if name in ("payout", *_WAYS_IN) or not erased:
        return
    values: dict[str, Any] = dict.fromkeys(erased, "") | _EMPTY.get(name, {})
    await _update(it, METADATA.tables[name], values)


async def _mask_payouts(it: Erasure) -> None:
    payout = METADATA.tables["payout"]
    tail = func.substr(payout.c.account_number, func.length(payout.c.account_number) - 3)
    masked = case(
        (payout.c.account_number == "", ""),
        (payout.c.account_number.startswith(HIDDEN), payout.c.account_number),
        else_=HIDDEN + tail,
    )
    await _update(it, payout, {"account_number": masked, "account_holder_name": ""})


async def _empty_statement_lines(it: Erasure) -> None:
    """Lines that were matched to their payouts: what the bank wrote of them."""
    line = METADATA.tables["statement_line"]
    tail = func.substr(line.c.account_number, func.length(line.c.account_number) - 3)
    masked = case((line.c.account_number == "", ""), else_=HIDDEN + tail)
    await _update(it, line, {"raw": "", "account_number": masked})


async def _end_sign_ins(it: Erasure) -> None:
    device, token = METADATA.tables["device"], METADATA.tables["refresh_token"]
    theirs = select(device.c.id).where(device.c.person_id == it.person_id)
    await _run(it, delete(token).where(token.c.device_id.in_(theirs)))
    for name in _WAYS_IN:
        await _run(it, delete(METADATA.tables[name]).where(*_theirs(it, METADATA.tables[name])))
    ended = func.coalesce(device.c.ended_at, utc_now())
    await _update(it, device, {"ended_at": ended})
    card = METADATA.tables["card"]
    in_use = update(card).where(*_theirs(it, card), card.c.revoked_at.is_(None))
    await _run(it, in_use.values(revoked_at=utc_now(), revoked_by=it.person_id))
    code = METADATA.tables["sign_in_code"]
    await _run(it, delete(code).where(code.c.phone_hash.in_(it.phone_hashes)))


async def _drop_answers(it: Erasure) -> None:
    answer, event = METADATA.tables["idempotency"], METADATA.tables["event"]
    await _run(it, delete(answer).where(*_theirs(it, answer)))
    waiting = update(event).where(*_theirs(it, event), event.c.done_at.is_(None))
    await _run(it, waiting.values(done_at=utc_now(), failure="person_deleted"))


async def _leave_parts(it: Erasure) -> None:
    """A resident's passbook keeps its number; every other part ends."""
    member = METADATA.tables["membership"]
    left = delete(member).where(member.c.person_id == it.person_id, member.c.role != Role.RESIDENT)
    await _run(it, left)
    where = METADATA.tables["destination"]
    open_still = update(where).where(*_theirs(it, where), where.c.ended_at.is_(None))
    await _run(it, open_still.values(ended_at=utc_now()))


async def _scrub(it: Erasure, table: Table, column: str) -> None:
    """Take the person out of what others wrote, wherever in their banks."""
    text = table.c[column]
    keys = list(table.primary_key.columns)
    suspect = select(*keys, text).where(table.c.bank_id.in_(it.bank_ids), _may_name(it, text))
    connection = await it.session.connection()
    for row in (await connection.execute(suspect)).all():
        clean = _without(it.finder, row[-1])
        if clean != row[-1]:
            same = [key == value for key, value in zip(keys, row, strict=False)]
            await connection.execute(update(table).where(*same).values({column: clean}))


async def _empty_callbacks(it: Erasure) -> None:
    """What gateways told and was handled: nobody reads it again but to look into a fault."""
    callback, payout = METADATA.tables["gateway_callback"], METADATA.tables["payout"]
    connection = await it.session.connection()
    found = await connection.execute(
        select(payout.c.gateway_id).where(*_theirs(it, payout), payout.c.gateway_id != "")
    )
    about = [gateway_id for (gateway_id,) in found]
    # What machines write is written in one way: no more is looked at than may be of them.
    sure = or_(false(), *(callback.c.body.contains(one, autoescape=True) for one in about))
    signs = (*_first_names(it), *_numbers(it))
    maybe = or_(false(), *(callback.c.body.icontains(one, autoescape=True) for one in signs))
    rows = await connection.execute(
        select(callback.c.id, callback.c.body, sure).where(
            callback.c.handled_at.is_not(None), or_(sure, maybe)
        )
    )
    for callback_id, body, is_sure in rows.all():
        if is_sure or any(it.finder.find(body)):
            emptied = update(callback).where(callback.c.id == callback_id)
            await connection.execute(emptied.values(body="", headers="{}"))


def _may_name(it: Erasure, text: ColumnElement[Any]) -> ColumnElement[bool]:
    """What is worth a look: few rows, since each is taken apart, and every one that names them."""
    # JSON may escape what isn't plain.
    words = (re.split(r"[^\w ,./-]", words)[0] for words in it.finder.words)
    placed = (text.icontains(part, autoescape=True) for part in words)
    named = (_has_name(it, text, name) for name in _first_names(it))
    return or_(false(), *placed, *named, *(_has_number(text, number) for number in _numbers(it)))


def _has_name(it: Erasure, text: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a name may stand there, in any case: looked for by its plain letters.

    To put a text in lower case costs more than finding a name in it, if it isn't ASCII's.
    """
    plain = _PLAIN.findall(name)
    if not plain:
        return text.icontains(name, autoescape=True)
    pattern = f"%{'%'.join(plain)}%"
    # SQLite knows no other case than ASCII's.
    is_sqlite = it.session.get_bind().dialect.name == "sqlite"
    return text.like(pattern) if is_sqlite else collate(text, "C").ilike(pattern)


def _has_number(text: ColumnElement[Any], number: str) -> ColumnElement[bool]:
    """Whether the number stands there, whatever people put between its digits.

    Closing a text up costs ten times as much as finding the digits one after the other,
    and few texts have those.
    """
    return and_(text.like(f"%{'%'.join(number)}%"), _closed_up(text).contains(number))


def _closed_up(text: ColumnElement[Any]) -> ColumnElement[str]:
    """Without what people put between the digits of a number."""
    for separator in SEPARATORS:
        text = func.replace(text, separator, "", type_=String())
    return text


def _first_names(it: Erasure) -> set[str]:
    return {one.value.split()[0] for one in it.known if one.kind == TraceKind.NAME}


def _numbers(it: Erasure) -> list[str]:
    return [one.value for one in it.known if one.kind != TraceKind.NAME]


def _without(finder: Finder, text: str) -> str:
    """JSON stays JSON."""
    try:
        thing = json.loads(text)
    except ValueError:
        return finder.without(text)
    clean = finder.without_in(thing)
    return text if clean == thing else json.dumps(clean, ensure_ascii=False)


async def _update(it: Erasure, table: Table, values: Mapping[str, Any]) -> None:
    await _run(it, update(table).where(*_theirs(it, table)).values(values))


def _theirs(it: Erasure, table: Table) -> list[ColumnElement[bool]]:
    return is_theirs(table.name, it.person_id, it.bank_ids)


async def _run(it: Erasure, statement: Any) -> None:
    await (await it.session.connection()).execute(statement)
