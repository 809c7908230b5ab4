"""The command that takes over the residents of a book before this one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.bank import Bank
from service import takeover
from service.cli.asking import ask
from service.cli.ground import require_schema
from service.cli.opening import find_bank
from service.cli.reading import in_lines, text_of
from service.cli.refusals import Refused
from service.database import open_database
from service.errors import in_words
from service.keys import load_keys
from service.settings import Settings
from service.takeover import MemberFileNotReadable, MemberRow, Step

_SHOWN = 20
_DOUBTFUL = (
    "doubtful: {doubtful}, marked with “?”; known here by another name, or of the name and with the"
    " balance of somebody who was brought over already. Look at them again."
)


def import_members(path: Path, *, bank: str, is_agreed: bool, doubtful_confirmed: bool) -> None:
    """Show what a list would do, and enter it if that is agreed to."""
    settings = Settings()
    require_schema(settings)
    try:
        rows = takeover.read_members(text_of(path))
        at, steps = asyncio.run(_planned(settings, bank, rows))
        _show(at, steps)
        if not any(step.is_change for step in steps):
            typer.echo(f"{at.name} has all of them already; unchanged: {len(steps)}.")
            return
        _agree(at, steps, is_agreed=is_agreed, doubtful_confirmed=doubtful_confirmed)
        done = asyncio.run(_entered(settings, at, rows))
    except MemberFileNotReadable as error:
        raise Refused(in_lines(error)) from None
    typer.echo(f"{at.name}: {_summary(done)}.")


def _agree(bank: Bank, steps: Sequence[Step], *, is_agreed: bool, doubtful_confirmed: bool) -> None:
    if not is_agreed:
        ask(f"Enter this for {bank.name}?")
    elif not doubtful_confirmed and any(step.is_doubtful for step in steps):
        raise Refused("Nothing was entered. If they are right, add --doubtful-confirmed.")


async def _planned(
    settings: Settings, wanted: str, rows: Sequence[MemberRow]
) -> tuple[Bank, list[Step]]:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            bank = await find_bank(session, wanted)
            return bank, await takeover.plan(session, load_keys(settings), bank.id, rows)
    finally:
        await database.close()


async def _entered(settings: Settings, bank: Bank, rows: Sequence[MemberRow]) -> list[Step]:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            return await takeover.enter(session, load_keys(settings), bank.id, rows)
    finally:
        await database.close()


def _show(bank: Bank, steps: Sequence[Step]) -> None:
    """What is doubtful and the largest balances, since these are to be looked at, and the sum."""
    changes = sorted(
        (step for step in steps if step.is_change or step.is_doubtful),
        key=lambda step: (not step.is_doubtful, -step.opens_idr),
    )
    if not changes:
        return
    table = Table(title=Text(f"Residents for {bank.name}"), title_justify="left")
    for heading in ("line", "", "name", "known here as"):
        table.add_column(heading)
    # A digit that is cut off is one that nobody looked at.
    for heading in ("phone", "passbook"):
        table.add_column(heading, no_wrap=True, overflow="fold", min_width=len("+6281234567890"))
    table.add_column("part")
    table.add_column("balance (Rp)", justify="right")
    for step in changes[:_SHOWN]:
        # As text, for a name may hold what would be taken for markup.
        table.add_row(*map(Text, _cells(step)))
    Console().print(table)
    if len(changes) > _SHOWN:
        typer.echo(f"... and {len(changes) - _SHOWN} more")
    typer.echo(_summary(steps))
    if doubtful := sum(step.is_doubtful for step in steps):
        typer.echo(_DOUBTFUL.format(doubtful=doubtful))


def _cells(step: Step) -> tuple[str, ...]:
    row = step.row
    return (
        str(row.line),
        "?" if step.is_doubtful else "",
        row.name,
        step.known_as,
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
