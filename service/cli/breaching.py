"""Enters breaches of personal data, notes who was told, and shows what is overdue."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import typer
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.privacy import Told
from service import audit
from service.cli.ground import require_schema
from service.cli.opening import find_bank
from service.cli.refusals import Refused
from service.database import open_database
from service.privacy import breaches
from service.privacy.breaches import Case
from service.settings import Settings

Answer = TypeVar("Answer")
_MOST = 200


def enter(what: str, *, bank: str, known: str, people: Sequence[UUID]) -> None:
    """Enter a breach. Raises Refused, or the problem that is in the way."""
    report = breaches.Report(what, _instant(known), people, whole_bank=not people)

    async def act(session: AsyncSession) -> Case:
        at = await find_bank(session, bank)
        case = await breaches.report(session, at.id, report, by=None)
        await _note(session, case, "open_breach")
        return case

    _tell(_in_a_transaction(act))


def notify(breach_id: UUID, text: str, *, bank: str, told: str) -> None:
    """Note who was told of a breach; people are sent the text."""

    async def act(session: AsyncSession) -> Case:
        at = await find_bank(session, bank)
        case = await breaches.find(session, at.id, breach_id)
        await _note(session, case, "notify_of_breach")
        return await breaches.notify(session, case, Told(told), text, by=None)

    _tell(_in_a_transaction(act))


def show() -> None:
    """Print a line for every breach."""

    async def look(session: AsyncSession) -> list[Case]:
        banks = list(await session.exec(select(Bank.id)))
        return await breaches.of_banks(session, banks, before=None, limit=_MOST)

    found = _in_a_transaction(look)
    for case in found:
        _tell(case)
    if not found:
        typer.echo("No breach was entered.")


def _tell(case: Case) -> None:
    told = " and ".join(sorted(notice.told for notice in case.notices)) or "nobody yet"
    late = ", OVERDUE" if case.is_overdue(utc_now()) else ""
    breach = case.breach
    typer.echo(f"{breach.id}  due {breach.due_at:%Y-%m-%d %H:%M} UTC{late}, told: {told}")
    typer.echo(f"  {breach.what}")


async def _note(session: AsyncSession, case: Case, act: str) -> None:
    breach = case.breach
    await audit.by_system(session, breach.bank_id, act, about_kind="breach", about=str(breach.id))


def _instant(text: str) -> datetime | None:
    try:
        known = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(f"{text} is no instant; write it like 2026-12-01T08:00+07:00.") from None
    if known is not None and known.tzinfo is None:
        raise Refused(f"{text} needs its time zone, like 2026-12-01T08:00+07:00.")
    return known


def _in_a_transaction(act: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
    settings = Settings()
    require_schema(settings)

    async def run() -> Answer:
        database = open_database(settings.database)
        try:
            async with database.transaction() as session:
                return await act(session)
        finally:
            await database.close()

    return asyncio.run(run())
