"""The command that enters a price list from a file."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.material import Material
from service import audit, prices
from service.cli.asking import ask
from service.cli.ground import require_schema
from service.cli.naming import told
from service.cli.opening import find_bank
from service.cli.reading import in_lines, text_of
from service.cli.refusals import Refused
from service.database import open_database
from service.errors import in_words
from service.prices.entering import GRACE
from service.prices.importing import (
    NewPriceRow,
    PriceFileNotReadable,
    instant_of,
    read_prices,
)
from service.prices.unusual import Change, book_of, changes_of
from service.settings import Settings

_UNUSUAL = (
    "unusual: {unusual}, marked with “?”; at least five times the price before, or at most a fifth."
    " Look at them again: people are paid at these prices."
)


class _Plan(NamedTuple):
    """What an import is going to do."""

    bank: Bank
    changes: list[Change]
    unchanged: int


def import_prices(
    path: Path, *, bank: str, begins: str, is_agreed: bool, unusual_confirmed: bool
) -> None:
    """Show what a file would change, and enter that if it is agreed to."""
    settings = Settings()
    require_schema(settings)
    plan = asyncio.run(_plan(settings, text_of(path), bank, begins))
    if not plan.changes:
        typer.echo(f"{plan.bank.name} has all these prices already; unchanged: {plan.unchanged}.")
        return
    Console().print(_table(plan))
    if plan.unchanged:
        typer.echo(f"unchanged: {plan.unchanged}")
    unusual = sum(change.is_unusual for change in plan.changes)
    if unusual:
        typer.echo(_UNUSUAL.format(unusual=unusual))
    if not is_agreed:
        ask(f"Enter this for {plan.bank.name}?")
    elif unusual and not unusual_confirmed:
        raise Refused("Nothing was entered. If they are right, add --unusual-confirmed.")
    asyncio.run(_enter(settings, plan))
    typer.echo(f"Prices entered for {plan.bank.name}: {len(plan.changes)}.")


async def _plan(settings: Settings, text: str, wanted: str, begins: str) -> _Plan:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            bank = await find_bank(session, wanted)
            zone = ZoneInfo(bank.time_zone)
            default = _instant(begins, zone) if begins else utc_now()
            known = await _materials(session)
            new = [_new_price(row, default) for row in _rows(text, known, zone)]
            book = await book_of(session, bank.id, known)
            changes = [one for one in changes_of(new, book) if one.before != one.price.price_idr]
            _check_not_past(changes)
            return _Plan(bank, changes, len(new) - len(changes))
    finally:
        await database.close()


async def _materials(session: AsyncSession) -> set[str]:
    known = set(await session.exec(select(Material.code)))
    if not known:
        raise Refused(f"There are no materials yet. Run `{told('seed')}` first.")
    return known


def _check_not_past(changes: Sequence[Change]) -> None:
    """Before anybody is asked; the price book would refuse it afterwards."""
    if any(change.price.valid_from < utc_now() - GRACE for change in changes):
        raise prices.PastPrice


async def _enter(settings: Settings, plan: _Plan) -> None:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            # What was to begin at once begins now, however long somebody looked at the table.
            now = utc_now()
            new = [
                replace(price, valid_from=max(price.valid_from, now)) for price, _ in plan.changes
            ]
            await prices.add(session, plan.bank.id, new, entered_by=None, unusual_confirmed=True)
            await audit.by_system(
                session, plan.bank.id, "import_prices", about_kind="price", about=""
            )
    finally:
        await database.close()


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        return instant_of(text, zone)
    except ValueError:
        raise Refused(f"--from {text}: write 2026-12-01 or 2026-12-01T08:00+07:00.") from None


def _rows(text: str, known: set[str], zone: ZoneInfo) -> list[NewPriceRow]:
    try:
        return read_prices(text, known, zone=zone)
    except PriceFileNotReadable as error:
        raise Refused(in_lines(error)) from None


def _new_price(row: NewPriceRow, default: datetime) -> prices.NewPrice:
    return prices.NewPrice(
        row.material, row.condition, row.channel, row.price_idr, row.valid_from or default
    )


def _table(plan: _Plan) -> Table:
    table = Table(title=Text(f"Prices of {plan.bank.name}"), title_justify="left")
    for heading in ("material", "channel", "condition"):
        table.add_column(heading)
    for heading in ("before", "new"):
        table.add_column(heading, justify="right")
    table.add_column(f"from ({plan.bank.time_zone})")
    zone = ZoneInfo(plan.bank.time_zone)
    for change in plan.changes:
        price = change.price
        table.add_row(
            price.material,
            price.channel,
            price.condition,
            _rupiah(change.before),
            ("? " if change.is_unusual else "") + _rupiah(price.price_idr),
            price.valid_from.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        )
    return table


def _rupiah(price_idr: int | None) -> str:
    # As it may stand in the file, where 1,500 is refused.
    return "not bought" if price_idr is None else in_words(price_idr, "id")
