"""The same key and the same request: the first answer again, and one effect.

The answer is written in the transaction of the act, so both happen or neither does.
"""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import and_, bindparam
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.idempotency import Answer
from models.people import Membership
from models.sign_in import Device
from service import auth
from service.api.errors import IdempotencyKeyReused, answer_of
from service.api.late import LateRoute
from service.auth import Identity, Outsider
from service.database import one_at_a_time
from service.errors import Conflict
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
_REMEMBER = {
    "sqlite": sqlite_insert(Answer).on_conflict_do_nothing().returning(col(Answer.key)),
    "postgresql": postgresql_insert(Answer).on_conflict_do_nothing().returning(col(Answer.key)),
}


@dataclass(slots=True)
class Act:
    """A request that changes something, under way."""

    session: AsyncSession
    caller: Caller
    key: str
    request_hash: str


class Replay(Exception):
    """This request was answered before; here is the answer."""

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self.body = body


class ActRoute(LateRoute):
    """A route whose answers are remembered under the caller's key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            # Before any transaction: whoever sends slowly must not keep the others waiting.
            await request.body()
            try:
                return await _run(handle, request)
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
    if key is None:
        return await auth.caller_of(session, who)
    request_hash = await _hash_of(request)
    if alone:
        await one_at_a_time(session, f"{who.person_id} {key}")
    caller, answers = await _caller_and_answers(session, who, key)
    for answer in answers:
        raise _answered(answer, request_hash)
    request.state.act = Act(session, caller, key, request_hash)
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


async def _run(
    handle: Callable[[Request], Coroutine[Any, Any, Response]], request: Request
) -> Response:
    """Run the act and remember what it answers, be it what a rule says no to."""
    try:
        response = await handle(request)
    except Conflict as problem:
        act: Act | None = getattr(request.state, "act", None)
        if act is None or act.caller.bank_id is None:
            raise
        if not problem.keeps_changes:
            await act.session.rollback()
        response = answer_of(request, problem)
    act = getattr(request.state, "act", None)
    if act is not None and act.caller.bank_id is not None:
        await _remember(act, act.caller.bank_id, response)
    return response


async def _remember(act: Act, bank_id: UUID, response: Response) -> None:
    """Write the answer down; if another request with the key was first, its answer counts."""
    connection = await act.session.connection()
    answer = {
        "bank_id": bank_id,
        "person_id": act.caller.person_id,
        "key": act.key,
        "request_hash": act.request_hash,
        "status": response.status_code,
        "body": bytes(response.body).decode(),
        "created_at": utc_now(),
    }
    written = await connection.execute(_REMEMBER[connection.dialect.name], answer)
    # Not by rowcount, which is unknown (-1) after an INSERT on PostgreSQL.
    if written.first() is None:
        await act.session.rollback()
        query = select(Answer).where(
            Answer.bank_id == bank_id,
            Answer.person_id == act.caller.person_id,
            Answer.key == act.key,
        )
        raise _answered((await act.session.exec(query)).one(), act.request_hash)


def _answered(answer: Any, request_hash: str) -> Exception:
    if answer.request_hash != request_hash:
        return IdempotencyKeyReused()
    return Replay(answer.status, answer.body)


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
    told.update(await request.body())
    return told.hexdigest()
