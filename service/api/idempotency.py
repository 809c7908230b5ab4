"""The same key and the same request: the first answer again, and one effect.

The answer is written in the transaction of the act, so both happen or neither does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import and_, bindparam
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of, utc_now
from models.idempotency import Answer
from models.people import Membership
from models.sign_in import Device
from service import audit, auth, ledger
from service.api import auditing, remembered
from service.api.auditing import ActName
from service.api.errors import IdempotencyKeyReused, answer_of
from service.api.late import Handler, LateRoute
from service.audit import Entry
from service.auth import Identity, Outsider
from service.database import one_at_a_time
from service.errors import Conflict
from service.keys import Keys
from service.members import Caller

# Made once: putting a statement together costs more than running it.
_ROLES_AND_ANSWER = (
    select_columns(
        col(Device.proved_at),
        col(Membership.bank_id),
        col(Membership.role),
        col(Answer.request_hash),
        col(Answer.status),
        col(Answer.body),
    )
    .select_from(Device)
    .join(Membership, col(Membership.person_id) == Device.person_id, isouter=True)
    .join(
        Answer,
        and_(
            col(Answer.bank_id) == Membership.bank_id,
            col(Answer.person_id) == Membership.person_id,
            col(Answer.key) == bindparam("key"),
        ),
        isouter=True,
    )
    .where(auth.STILL_SIGNED_IN)
)
_ANSWERS = sqlite_insert(table_of(Answer)).on_conflict_do_nothing().returning(col(Answer.key))
_REMEMBER_FIRST = """
WITH remembered AS (
  INSERT INTO idempotency (bank_id, person_id, key, request_hash, status, body, created_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING key)"""


@dataclass(slots=True)
class Act:
    """A request that changes something, under way."""

    session: AsyncSession
    caller: Caller
    keys: Keys
    key: str | None = None
    request_hash: str = ""


class Replay(Exception):
    """This request was answered before; here is the answer."""

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self.body = body


class ActRoute(LateRoute):
    """A route whose acts are audited, and whose answers are remembered under the caller's key."""

    def around(self, handle: Handler) -> Handler:
        name = auditing.name_of(self.endpoint.__name__, self.path_format)

        async def handle_once(request: Request) -> Response:
            # Before any transaction: whoever sends slowly must not keep the others waiting.
            await request.body()
            try:
                return await _run(handle, request, name)
            except Replay as replay:
                return _replayed(replay)

        return handle_once


async def begin(
    request: Request,
    session: AsyncSession,
    who: Identity | Outsider,
    key: str | None,
    *,
    alone: bool = False,
) -> Caller:
    """Who is asking, unless they asked the same before. Raises Replay or IdempotencyKeyReused.

    One query serves both: the caller's roles, and in the same banks an answer to the key.
    `alone` is for an act whose bank isn't known before it is done: two at once wait in line.
    """
    keys: Keys = request.app.state.parts.keys
    if key is None:
        caller = await auth.caller_of(session, who)
        request.state.act = Act(session, caller, keys)
        return caller
    request_hash = await _hash_of(request)
    if alone:
        await one_at_a_time(session, f"{who.person_id} {key}")
    caller, answers = await _caller_and_answers(session, who, key)
    act = request.state.act = Act(session, caller, keys, key, request_hash)
    for answer in answers:
        raise await _answered(act, answer)
    return caller


async def _caller_and_answers(
    session: AsyncSession, who: Identity | Outsider, key: str
) -> tuple[Caller, Sequence[Any]]:
    connection = await session.connection()
    if isinstance(who, Outsider):
        caller = await auth.caller_of(session, who)
        asked = select(Answer).where(
            col(Answer.bank_id).in_(caller.banks()),
            Answer.person_id == who.person_id,
            Answer.key == key,
        )
        return caller, (await session.exec(asked)).all()
    rows = list(await connection.execute(_ROLES_AND_ANSWER, {**who.asked, "key": key}))
    return auth.caller_from(who, rows), [row for row in rows if row.status is not None]


async def _run(handle: Handler, request: Request, name: ActName) -> Response:
    """Run the act, audit it and remember its answer, be it what a rule says no to."""
    try:
        response = await handle(request)
    except Conflict as problem:
        act: Act | None = getattr(request.state, "act", None)
        if act is None or act.caller.bank_id is None:
            raise
        if not problem.keeps_changes:
            await act.session.rollback()
            await ledger.say_how_much(act.session, problem)
        response = answer_of(request, problem)
    act = getattr(request.state, "act", None)
    if act is not None and act.caller.bank_id is not None:
        entries = auditing.entries_of(request, name, act.caller, response, act.keys)
        await _write_down(act, act.caller.bank_id, response, entries)
    return response


async def _write_down(
    act: Act, bank_id: UUID, response: Response, entries: Sequence[Entry]
) -> None:
    """Write the audit, and the answer; if another request with the key was first, its counts."""
    if act.key is None:
        await audit.write(act.session, bank_id, entries)
        return
    answer = _answer_row(act, act.key, bank_id, response)
    if not await _write_both(act.session, answer, entries):
        await act.session.rollback()
        query = select(Answer).where(
            Answer.bank_id == bank_id,
            Answer.person_id == act.caller.person_id,
            Answer.key == act.key,
        )
        raise await _answered(act, (await act.session.exec(query)).one())


async def _write_both(
    session: AsyncSession, answer: dict[str, Any], entries: Sequence[Entry]
) -> bool:
    """Whether the answer is the first under its key; else nothing is written."""
    connection = await session.connection()
    bank_id, first = answer["bank_id"], entries[0]
    if connection.dialect.name == "postgresql":
        # One round trip for both.
        statement, values = audit.for_postgresql(bank_id, first, "FROM remembered RETURNING id")
        both = await connection.exec_driver_sql(
            _REMEMBER_FIRST + statement, (*answer.values(), *values)
        )
        is_first = both.first() is not None
    else:
        remembered = await connection.execute(_ANSWERS, answer)
        # Not by rowcount, which is unknown (-1) after such an INSERT.
        is_first = remembered.first() is not None
        if is_first:
            await audit.write(session, bank_id, [first])
    if is_first and len(entries) > 1:
        await audit.write(session, bank_id, entries[1:])
    return is_first


def _answer_row(act: Act, key: str, bank_id: UUID, response: Response) -> dict[str, Any]:
    return {
        "bank_id": bank_id,
        "person_id": act.caller.person_id,
        "key": key,
        "request_hash": act.request_hash,
        "status": response.status_code,
        "body": remembered.kept(bytes(response.body).decode()),
        "created_at": utc_now(),
    }


async def _answered(act: Act, answer: Any) -> Exception:
    if answer.request_hash != act.request_hash:
        return IdempotencyKeyReused()
    body = await remembered.shown_again(act.session, act.caller, act.keys, answer.body)
    return Replay(answer.status, body)


def _replayed(replay: Replay) -> Response:
    problem = replay.status >= 400
    return Response(
        replay.body,
        replay.status,
        headers={"Idempotency-Replayed": "true"},
        media_type="application/problem+json" if problem else "application/json",
    )


async def _hash_of(request: Request) -> str:
    # Not request.url, which would be put together and taken apart again.
    query = request.scope["query_string"].decode("latin-1")
    told = hashlib.sha256(f"{request.method} {request.scope['path']}?{query}\n".encode())
    # Of another card it is another request.
    told.update(request.headers.get("on-behalf-of-card", "").encode())
    told.update(await request.body())
    return told.hexdigest()
