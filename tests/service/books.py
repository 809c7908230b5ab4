"""Sealed books of a town, and what somebody does to them behind the service."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from models.base import utc_now
from service.keys import Keys
from service.sealing import book
from service.sealing.heads import NO_PAGE
from service.sealing.pages import WRITTEN_ON_FOR, Worked, work_out
from tests.factories import Town
from tests.service.sealing import (
    act,
    behind_the_ledger,
    close,
    day_seals,
    findings,
    seal,
    seals,
    turn,
)


async def sealed_book(town: Town, keys: Keys) -> list[UUID]:
    """Two sealed pages of a closed and sealed day, and an open one; the transfers of the first."""
    written = [*await act(town, 10, 20, 30), *await act(town, 40)]
    await turn(town)
    await act(town, 50)
    await close(town)
    await seal(town, keys)
    await act(town, 60)
    assert len(await seals(town)) == 2
    assert len(await day_seals(town)) == 1
    assert await findings(town, keys) == []
    return written


async def edit_seal(town: Town, page: int, **values: Any) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in values)
    await behind_the_ledger(
        town,
        f"UPDATE ledger_seal SET {columns} WHERE bank_id = :bank_id AND page = :page",
        page=page,
        **values,
    )


def worked_out(town: Town, page: int) -> Worked:
    with book.one_moment(book.url_of(town.database)) as connection:
        return work_out(connection, town.bank_id, page, NO_PAGE)


async def older(town: Town, by: timedelta = WRITTEN_ON_FOR) -> None:
    """Let the pages have been opened a while ago."""
    at = utc_now() - by - timedelta(seconds=1)
    value: Any = at if not town.database.is_sqlite else at.strftime("%Y-%m-%d %H:%M:%S.%f")
    await behind_the_ledger(
        town, "UPDATE ledger_page SET opened_at = :at WHERE bank_id = :bank_id", at=value
    )
