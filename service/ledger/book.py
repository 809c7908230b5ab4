"""The book: pages are opened and turned; what stands on a turned page is final."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.ledger import Page
from service.errors import Problem

PATIENCE = timedelta(milliseconds=500)
"""How long turning a page may keep writers waiting, on PostgreSQL."""
_LOCK_NOT_AVAILABLE = "55P03"


class BookBusy(Problem):
    english = "The book is being written in right now. Please try again."
    indonesian = "Buku sedang ditulis. Silakan coba lagi."


async def open_book(session: AsyncSession, bank_id: UUID, day: date) -> None:
    """Open the first page of a new bank's book."""
    await _insert(session, {"bank_id": bank_id, "number": 1, "day": day})


async def open_page(session: AsyncSession, bank_id: UUID) -> Page:
    """The page that is written on now."""
    query = (
        select(Page)
        .where(Page.bank_id == bank_id)
        .order_by(col(Page.number).desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return (await session.exec(query)).one()


async def turn_page(session: AsyncSession, bank_id: UUID, day: date) -> int:
    """Close the open page and open the next; the number of the page that is final now.

    Waits until everybody who writes has committed. Raises BookBusy if that takes longer
    than PATIENCE; nobody writes on until this transaction ends.
    """
    await hold_book(session, bank_id)
    last = await open_page(session, bank_id)
    await _insert(session, {"bank_id": bank_id, "number": last.number + 1, "day": day})
    return last.number


async def hold_book(session: AsyncSession, bank_id: UUID) -> None:
    """Let nobody else write in the book until this transaction ends.

    Waits for those who are writing. Raises BookBusy if that takes longer than PATIENCE. For
    who has to look at the book before turning its page; SQLite's one writer is alone anyway.
    """
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        return
    patience = f"SET LOCAL lock_timeout = {int(PATIENCE.total_seconds() * 1000)}"
    await connection.exec_driver_sql(patience)
    try:
        await connection.execute(
            text("SELECT ledger_hold_book(CAST(:bank_id AS uuid))"), {"bank_id": bank_id}
        )
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise BookBusy from error
        raise
    await connection.exec_driver_sql("SET LOCAL lock_timeout = DEFAULT")


async def _insert(session: AsyncSession, page: Mapping[str, Any]) -> None:
    connection = await session.connection()
    await connection.execute(insert(Page), [{**page, "opened_at": utc_now()}])
