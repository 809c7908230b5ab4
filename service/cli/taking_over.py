"""The command that takes over the residents of a book before this one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from models.bank import Bank
from service import takeover
from service.cli.ground import require_schema
from service.cli.opening import find_bank
from service.cli.reading import in_lines, text_of
from service.cli.refusals import Refused
from service.database import open_database
from service.errors import in_words
from service.settings import Settings
from service.takeover import MemberFileNotReadable, MemberRow, Step

_SHOWN = 10


def import_members(path: Path, *, bank: str, is_agreed: bool) -> None:
    """Show what a list would do, and enter it if that is agreed to."""
    settings = Settings()
    require_schema(settings)
    try:
        rows = takeover.read_members(text_of(path))
        at, steps = asyncio.run(_planned(settings, bank, rows))
        if not any(step.is_change for step in steps):
            typer.echo(f"{at.name} has all of them already; unchanged: {len(steps)}.")
            return
        _show(at, steps)
        if not is_agreed:
            typer.confirm(f"Enter this for {at.name}?", abort=True)
        done = asyncio.run(_entered(settings, at, rows))
    except MemberFileNotReadable as error:
        raise Refused(in_lines(error)) from None
    typer.echo(f"{at.name}: {_summary(done)}.")


async def _planned(
    settings: Settings, wanted: str, rows: Sequence[MemberRow]
) -> tuple[Bank, list[Step]]:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            bank = await find_bank(session, wanted)
            return bank, await takeover.plan(session, bank.id, rows)
    finally:
        await database.close()


async def _entered(settings: Settings, bank: Bank, rows: Sequence[MemberRow]) -> list[Step]:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            return await takeover.enter(session, bank.id, rows)
    finally:
        await database.close()


def _show(bank: Bank, steps: Sequence[Step]) -> None:
    """The largest balances, since these are the ones to look at, and what it comes to in all."""
    changes = sorted((step for step in steps if step.is_change), key=lambda step: -step.opens_idr)
    table = Table(title=f"Residents for {bank.name}", title_justify="left")
    for heading in ("line", "name", "phone", "passbook", "part"):
        table.add_column(heading)
    table.add_column("balance (Rp)", justify="right")
    for step in changes[:_SHOWN]:
        table.add_row(*_cells(step))
    Console().print(table)
    if len(changes) > _SHOWN:
        typer.echo(f"... and {len(changes) - _SHOWN} more, none with a larger balance")
    typer.echo(_summary(steps))


def _cells(step: Step) -> tuple[str, ...]:
    row = step.row
    return (
        str(row.line),
        row.name,
        row.phone or "",
        row.passbook_number or "",
        "joins" if step.joins else "is one",
        in_words(step.opens_idr, "id") if step.opens_idr else "",
    )


def _summary(steps: Sequence[Step]) -> str:
    joining = sum(step.joins for step in steps)
    opened = [step.opens_idr for step in steps if step.opens_idr]
    unchanged = sum(not step.is_change for step in steps)
    return (
        f"new residents: {joining}, balances brought over: {len(opened)}"
        f" (Rp{in_words(sum(opened), 'id')}), unchanged: {unchanged}"
    )
